// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_PROBE_ICMP_SOCKET_H_
#define EVENKEEL_CONTROL_PROBE_ICMP_SOCKET_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "control/dataplane/unique_fd.h"
#include "control/model/ip_address.h"
#include "control/probe/probe.h"

namespace evenkeel::probe {

struct Echo {
  uint16_t sequence = 0;
  uint64_t nonce = 0;  // in the data

  friend bool operator==(const Echo&, const Echo&) = default;
};

// Echo requests and replies (RFC 792, RFC 4443) of one family, for any number of targets. A ping
// socket, which needs no privilege but a group within net.ipv4.ping_group_range, else a raw one,
// which needs CAP_NET_RAW. Either gets the replies to its own identifier alone.
class IcmpSocket {
 public:
  struct Reply {
    model::IpAddress from;
    Echo echo;
  };

  // PermissionDenied, with what to do, where the daemon may have neither.
  static absl::StatusOr<IcmpSocket> Open(model::Family family);

  int fd() const { return fd_.get(); }
  // 0, or errno.
  int Send(const Target& target, const Echo& echo) const;
  // What is there; nullopt once there is nothing more. A packet that is no reply is skipped.
  std::optional<Reply> Receive() const;

 private:
  IcmpSocket(model::Family family, dataplane::UniqueFd fd, bool raw, uint16_t identifier)
      : family_(family), fd_(std::move(fd)), raw_(raw), identifier_(identifier) {}

  model::Family family_;
  dataplane::UniqueFd fd_;
  bool raw_;
  uint16_t identifier_;  // of a raw socket; the kernel chooses that of a ping socket
};

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_ICMP_SOCKET_H_
