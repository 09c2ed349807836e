// SPDX-License-Identifier: Apache-2.0
//
// Our routes in the kernel, by netlink (libnl): those of our protocol in our table, and no others.
#ifndef EVENKEEL_CONTROL_ADVERTISE_ROUTE_TABLE_H_
#define EVENKEEL_CONTROL_ADVERTISE_ROUTE_TABLE_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/advertise/plan.h"

struct nl_sock;

namespace evenkeel::advertise {

// Used by one thread at a time. In the network namespace of the thread that opens it.
//
// The routes are `blackhole`: XDP takes the packets for a VIP before the stack sees them, and what
// it passes on is for nobody else. They outlive the process.
class RouteTable {
 public:
  static absl::StatusOr<std::unique_ptr<RouteTable>> Open(const RouteOptions& options);

  const RouteOptions& options() const { return options_; }
  absl::StatusOr<std::vector<OwnRoute>> Read();
  // OK where it is there already. AlreadyExists: somebody else's route has the same key.
  absl::Status Add(const model::IpAddress& address);
  // OK where it is gone already.
  absl::Status Remove(const OwnRoute& route);
  // Of our protocol in our table: all.
  absl::Status RemoveAll();

 private:
  struct SocketDeleter {
    void operator()(nl_sock* socket) const;
  };
  using Socket = std::unique_ptr<nl_sock, SocketDeleter>;

  RouteTable(Socket socket, const RouteOptions& options)
      : socket_(std::move(socket)), options_(options) {}
  absl::Status Dump(int family, std::vector<OwnRoute>* routes);

  Socket socket_;
  const RouteOptions options_;
};

}  // namespace evenkeel::advertise

#endif  // EVENKEEL_CONTROL_ADVERTISE_ROUTE_TABLE_H_
