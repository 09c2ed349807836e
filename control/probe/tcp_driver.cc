// SPDX-License-Identifier: Apache-2.0
#include "control/probe/tcp_driver.h"

#include <cerrno>
#include <utility>

#include "control/probe/socket.h"

namespace evenkeel::probe {

using dataplane::UniqueFd;

TcpDriver::TcpDriver(Loop& loop, SocketCount& open_sockets, OnEnd on_end)
    : loop_(loop), open_sockets_(open_sockets), on_end_(std::move(on_end)) {}

TcpDriver::~TcpDriver() {
  while (!connecting_.empty()) Close(connecting_.begin()->first);
}

void TcpDriver::Start(TargetId id, const Target& target) {
  UniqueFd socket = OpenTcpSocket(target);
  if (!socket.valid()) return on_end_(id, OutcomeOfErrno(errno));
  const SocketAddress address = ToSocketAddress(target.destination(), target.port);
  if (::connect(socket.get(), address.get(), address.length) == 0) {
    return on_end_(id, {.healthy = true, .cause = {}});
  }
  if (errno != EINPROGRESS) return on_end_(id, OutcomeOfErrno(errno));
  const int fd = socket.get();
  if (!loop_.Watch(fd, EPOLLOUT, this)) return on_end_(id, OutcomeOfErrno(errno));
  fd_of_[id] = fd;
  connecting_[fd] = {.id = id, .fd = std::move(socket)};
  ++open_sockets_;
}

std::string TcpDriver::Cancel(TargetId id) {
  if (const auto it = fd_of_.find(id); it != fd_of_.end()) Close(it->second);
  return "no answer";
}

void TcpDriver::OnEvents(int fd, uint32_t /*events*/) {
  const auto it = connecting_.find(fd);
  if (it == connecting_.end()) return;
  const TargetId id = it->second.id;
  int error = 0;
  socklen_t length = sizeof(error);
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  Close(fd);
  on_end_(id, OutcomeOfErrno(error));
}

void TcpDriver::Close(int fd) {
  loop_.Unwatch(fd);
  const auto it = connecting_.find(fd);
  fd_of_.erase(it->second.id);
  connecting_.erase(it);
  --open_sockets_;
}

}  // namespace evenkeel::probe
