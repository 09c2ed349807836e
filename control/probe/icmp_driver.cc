// SPDX-License-Identifier: Apache-2.0
#include "control/probe/icmp_driver.h"

#include <cerrno>
#include <utility>

#include "control/probe/socket.h"

namespace evenkeel::probe {
namespace {

// Replies of one event, so that a flood of them does not keep the others waiting.
constexpr int kMaxReplies = 256;
constexpr size_t kMaxAsked = 1u << 16;  // sequences

}  // namespace

IcmpDriver::IcmpDriver(Loop& loop, OnEnd on_end)
    : loop_(loop), on_end_(std::move(on_end)), random_(std::random_device{}()) {}

IcmpDriver::~IcmpDriver() {
  for (const auto* socket : {&v4_, &v6_}) {
    if (*socket) loop_.Unwatch((*socket)->fd());
  }
}

absl::Status IcmpDriver::Open(model::Family family) {
  std::optional<IcmpSocket>& socket = family == model::Family::kIpv4 ? v4_ : v6_;
  if (socket) return absl::OkStatus();
  absl::StatusOr<IcmpSocket> opened = IcmpSocket::Open(family);
  if (!opened.ok()) return opened.status();
  if (!loop_.Watch(opened->fd(), EPOLLIN, this)) {
    return absl::ResourceExhaustedError("this host has no memory left");
  }
  socket = *std::move(opened);
  return absl::OkStatus();
}

uint16_t IcmpDriver::FreeSequence() {
  do {
    ++last_sequence_;
  } while (asked_.contains(last_sequence_));
  return last_sequence_;
}

void IcmpDriver::Start(TargetId id, const Target& target) {
  if (const absl::Status status = Open(target.destination().family()); !status.ok()) {
    return on_end_(id, {.healthy = false,
                        .own_fault = true,
                        .cause = PlainText({status.message().data(), status.message().size()})});
  }
  if (asked_.size() >= kMaxAsked) return on_end_(id, OutcomeOfErrno(ENOBUFS));
  const IcmpSocket& socket = target.destination().is_ipv4() ? *v4_ : *v6_;
  const Echo echo{.sequence = FreeSequence(), .nonce = random_()};
  // A full send buffer is a matter of memory, not of ports.
  const int error = socket.Send(target, echo);
  if (error != 0) return on_end_(id, OutcomeOfErrno(error == EAGAIN ? ENOBUFS : error));
  asked_[echo.sequence] = {.id = id, .address = target.destination(), .nonce = echo.nonce};
  sequence_of_[id] = echo.sequence;
}

std::string IcmpDriver::Cancel(TargetId id) {
  if (const auto it = sequence_of_.find(id); it != sequence_of_.end()) {
    asked_.erase(it->second);
    sequence_of_.erase(it);
  }
  return "no echo reply";
}

void IcmpDriver::OnEvents(int fd, uint32_t /*events*/) {
  const IcmpSocket& socket = v4_ && v4_->fd() == fd ? *v4_ : *v6_;
  for (int i = 0; i < kMaxReplies; ++i) {
    const std::optional<IcmpSocket::Reply> reply = socket.Receive();
    if (!reply) return;
    Take(*reply);
  }
}

// The address and the nonce keep away late replies to a former use of the sequence, and those of
// whoever guesses.
void IcmpDriver::Take(const IcmpSocket::Reply& reply) {
  const auto it = asked_.find(reply.echo.sequence);
  if (it == asked_.end() || it->second.address != reply.from ||
      it->second.nonce != reply.echo.nonce) {
    return;
  }
  const TargetId id = it->second.id;
  asked_.erase(it);
  sequence_of_.erase(id);
  on_end_(id, OutcomeOfErrno(0));
}

}  // namespace evenkeel::probe
