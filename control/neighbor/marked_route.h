// SPDX-License-Identifier: Apache-2.0
//
// Leads marked packets of this host through a BPF program: for both families a rule that takes
// packets by their mark to a table of their own, and in it a default route whose transmit hook is
// the program ("ip rule add fwmark", "ip route add ... encap bpf xmit"), with an unreachable one
// behind it. By netlink (libnl).
#ifndef EVENKEEL_CONTROL_NEIGHBOR_MARKED_ROUTE_H_
#define EVENKEEL_CONTROL_NEIGHBOR_MARKED_ROUTE_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct nl_sock;

namespace evenkeel::neighbor {

struct MarkedRouteOptions {
  uint32_t mark = 0;  // of the packets: where `mask` has a bit
  uint32_t mask = 0;
  uint32_t table = 0;     // no other route may be in it
  uint32_t priority = 0;  // of the rule
  uint32_t mtu = 0;       // of the packets, before the program makes them longer
  uint32_t headroom = 0;  // bytes that it puts before them, 256 at most
  uint8_t protocol = 0;   // of rule and route: whose they are
};

// Used by one thread at a time, in the network namespace of the thread that opens it. Rules and
// routes outlive it: without a marked packet they do nothing.
class MarkedRoute {
 public:
  static absl::StatusOr<std::unique_ptr<MarkedRoute>> Open(const MarkedRouteOptions& options);

  // Makes what is missing; replaces what is there where program or interface are not those of the
  // call before. Else nothing is changed, and nobody who follows routes is woken. The
  // interface is one that is up, but loopback (IPv6 has no route over it); where the program sends
  // packets is its own business. 0: none is up, and the packets are refused. Without the program's
  // route they are always refused, and never go the way of others. A family that the host does not
  // have is left out.
  absl::Status Ensure(int program_fd, uint32_t ifindex);
  // OK where they are gone already.
  absl::Status Remove();

 private:
  struct SocketDeleter {
    void operator()(nl_sock* socket) const;
  };
  using Socket = std::unique_ptr<nl_sock, SocketDeleter>;

  MarkedRoute(Socket socket, const MarkedRouteOptions& options)
      : socket_(std::move(socket)), options_(options) {}
  int ChangeRule(int type, int flags, uint8_t family);
  int ChangeBackstop(int type, int flags, uint8_t family);
  int ChangeRoute(int type, int flags, uint8_t family, int program_fd, uint32_t ifindex);

  Socket socket_;
  const MarkedRouteOptions options_;
  int program_fd_ = -1;  // of the last Ensure()
  uint32_t ifindex_ = 0;
};

}  // namespace evenkeel::neighbor

#endif  // EVENKEEL_CONTROL_NEIGHBOR_MARKED_ROUTE_H_
