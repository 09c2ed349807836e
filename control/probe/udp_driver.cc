// SPDX-License-Identifier: Apache-2.0
#include "control/probe/udp_driver.h"

#include <cerrno>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/model/escaped_bytes.h"
#include "control/probe/socket.h"

namespace evenkeel::probe {
namespace {

constexpr size_t kMaxDatagram = 65536;

Outcome Bad(std::string cause) {
  return {.healthy = false, .own_fault = false, .cause = PlainText(cause)};
}

Outcome Judge(const model::HealthCheck& check, std::string_view answer) {
  if (!answer.starts_with(check.expect_start)) {
    return Bad(
        absl::StrCat("the answer does not begin with ", model::ToEscaped(check.expect_start)));
  }
  if (answer.find(check.expect) == std::string_view::npos) {
    return Bad(absl::StrCat("the answer does not contain ", model::ToEscaped(check.expect)));
  }
  return OutcomeOfErrno(0);
}

// What came back as ICMP is the network's word, not this host's.
Outcome JudgeIcmp(int error) {
  switch (error) {
    case ECONNREFUSED:
      return {.cause = "port unreachable: nobody listens there", .refused = true};
    case EACCES:
    case EPERM:
      return Bad("a firewall on the way forbids it");
    default:
      return OutcomeOfErrno(error);
  }
}

}  // namespace

UdpDriver::UdpDriver(Loop& loop, SocketCount& open_sockets, OnEnd on_end)
    : loop_(loop), open_sockets_(open_sockets), on_end_(std::move(on_end)), buffer_(kMaxDatagram) {}

UdpDriver::~UdpDriver() {
  while (!asked_.empty()) Close(asked_.begin()->first);
}

// Connected: only that server's datagrams come in, and ICMP errors are told. A new port for each
// probe keeps late answers to former ones away.
void UdpDriver::Start(TargetId id, const Target& target) {
  dataplane::UniqueFd socket = OpenUdpSocket(target);
  if (!socket.valid()) return on_end_(id, OutcomeOfErrno(errno));
  const SocketAddress address = ToSocketAddress(target.destination(), target.port);
  const std::string& bytes = target.check.send;
  const int fd = socket.get();
  if (::connect(fd, address.get(), address.length) != 0 ||
      ::send(fd, bytes.data(), bytes.size(), 0) < 0 || !loop_.Watch(fd, EPOLLIN, this)) {
    return on_end_(id, OutcomeOfErrno(errno));
  }
  fd_of_[id] = fd;
  asked_[fd] = {.id = id, .check = &target.check, .fd = std::move(socket)};
  ++open_sockets_;
}

std::string UdpDriver::Cancel(TargetId id) {
  if (const auto it = fd_of_.find(id); it != fd_of_.end()) Close(it->second);
  return "no answer";
}

void UdpDriver::OnEvents(int fd, uint32_t /*events*/) {
  const auto it = asked_.find(fd);
  if (it == asked_.end()) return;
  const ssize_t size = ::recv(fd, buffer_.data(), buffer_.size(), 0);
  const int error = errno;
  // A datagram with a broken checksum wakes, and is not there.
  if (size < 0 && (error == EAGAIN || error == EINTR)) return;
  const TargetId id = it->second.id;
  Outcome outcome = size < 0
                        ? JudgeIcmp(error)
                        : Judge(*it->second.check, {buffer_.data(), static_cast<size_t>(size)});
  Close(fd);
  on_end_(id, std::move(outcome));
}

void UdpDriver::Close(int fd) {
  loop_.Unwatch(fd);
  const auto it = asked_.find(fd);
  fd_of_.erase(it->second.id);
  asked_.erase(it);
  --open_sockets_;
}

}  // namespace evenkeel::probe
