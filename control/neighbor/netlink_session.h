// SPDX-License-Identifier: Apache-2.0
//
// The netlink conversation (libnl): one socket for questions, one for events. All of libnl is
// behind this header.
#ifndef EVENKEEL_CONTROL_NEIGHBOR_NETLINK_SESSION_H_
#define EVENKEEL_CONTROL_NEIGHBOR_NETLINK_SESSION_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "control/neighbor/evaluate.h"

struct nl_sock;

namespace evenkeel::neighbor {

// What a batch of events changed.
struct Changes {
  bool routes = false;  // routes or addresses: any lookup may have another answer
  bool links = false;
  bool lost = false;  // events were lost; everything has to be read again
  std::vector<NeighborKey> neighbors;

  bool any() const { return routes || links || lost || !neighbors.empty(); }
};

// Used by one thread at a time. In the network namespace of the thread that opens it.
class NetlinkSession {
 public:
  static absl::StatusOr<NetlinkSession> Open();
  NetlinkSession(NetlinkSession&&) noexcept;
  NetlinkSession& operator=(NetlinkSession&&) = delete;
  ~NetlinkSession();

  // Readable when events are there.
  int event_fd() const;
  // Takes the events that are there, without blocking, into `host`.
  Changes ReadEvents(Host& host);

  // All links and neighbours, anew.
  absl::StatusOr<Host> ReadHost();
  // kNone also where the kernel refuses (unreachable, blackhole, prohibit).
  absl::StatusOr<Route> LookUp(const model::IpAddress& address);
  // Asks for the neighbour as if there were a packet for it; the answer comes as an event.
  absl::Status Solicit(const NeighborKey& neighbor);
  absl::StatusOr<std::vector<model::IpAddress>> ReadAddresses();

 private:
  struct SocketDeleter {
    void operator()(nl_sock* socket) const;
  };
  using Socket = std::unique_ptr<nl_sock, SocketDeleter>;

  NetlinkSession(Socket questions, Socket events)
      : questions_(std::move(questions)), events_(std::move(events)) {}

  Socket questions_;
  Socket events_;
};

}  // namespace evenkeel::neighbor

#endif  // EVENKEEL_CONTROL_NEIGHBOR_NETLINK_SESSION_H_
