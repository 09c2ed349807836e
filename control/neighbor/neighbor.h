// SPDX-License-Identifier: Apache-2.0
//
// How each backend is reached: route, egress interface, next-hop MAC, MTU; by netlink (libnl), in
// the network namespace of the thread that creates the watcher, followed live.
#ifndef EVENKEEL_CONTROL_NEIGHBOR_NEIGHBOR_H_
#define EVENKEEL_CONTROL_NEIGHBOR_NEIGHBOR_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/dataplane/dataplane.h"
#include "control/model/ip_address.h"

namespace evenkeel::neighbor {

struct Resolution {
  model::IpAddress address;                    // the backend
  std::optional<dataplane::NextHop> next_hop;  // empty: not reachable now
  std::string problem;    // empty if reachable; else "no route to 10.0.1.11", "no answer from
                          // gateway 10.0.0.1 on eth0", "interface eth0 is down"
  std::string interface;  // egress, where there is a route
  std::optional<model::IpAddress> gateway;  // next hop, if not on link
  bool pending = false;                     // nothing definite is known yet
};

// Called from the watcher's thread, for each address whose resolution changed.
using Listener = std::function<void(const Resolution&)>;

class Resolver {
 public:
  virtual ~Resolver() = default;

  // Replaces the set of followed addresses. New ones are looked up and their neighbours solicited;
  // the listener reports what is learned. Never blocks on the network.
  virtual absl::Status Follow(const std::vector<model::IpAddress>& addresses) = 0;

  // What is known now. An address that is not followed has the problem "not followed".
  virtual Resolution Get(const model::IpAddress& address) const = 0;

  // Waits until every followed address is resolved or `timeout` is over, whichever comes first.
  virtual void WaitResolved(std::chrono::milliseconds timeout) = 0;
};

class NetlinkResolver final : public Resolver {
 public:
  static absl::StatusOr<std::unique_ptr<NetlinkResolver>> Create(Listener listener);
  ~NetlinkResolver() override;  // stops the thread

  absl::Status Follow(const std::vector<model::IpAddress>& addresses) override;
  Resolution Get(const model::IpAddress& address) const override;
  void WaitResolved(std::chrono::milliseconds timeout) override;

  // How packets would get to each address as routes and neighbours stand now, asking nobody.
  static absl::StatusOr<std::vector<Resolution>> LookUpNow(
      const std::vector<model::IpAddress>& addresses);

  // Addresses of this host's interfaces, loopback's own (127.0.0.0/8, ::1) left out; for LB009.
  static absl::StatusOr<std::vector<model::IpAddress>> OwnAddresses();

 private:
  struct Impl;
  explicit NetlinkResolver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace evenkeel::neighbor

#endif  // EVENKEEL_CONTROL_NEIGHBOR_NEIGHBOR_H_
