// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_TRAFFIC_ROUTE_H_
#define EVENKEEL_CONTROL_TRAFFIC_ROUTE_H_

#include <array>
#include <cstdint>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "control/dataplane/dataplane.h"
#include "control/guard/fleet.h"
#include "control/publish/probe.h"

namespace evenkeel::traffic {

// Where the data plane sends the packets of a flow that opens now.
struct Route {
  const model::Vip* vip = nullptr;
  const guard::BuiltPool* pool = nullptr;
  std::optional<model::IpAddress> owner;   // of the flow's slot; nullopt: nobody
  std::optional<model::IpAddress> server;  // the owner, or whom a QUIC connection id names
  bool by_id = false;
};

// Flows put through a built state. Slots that change hands at this moment are taken for their
// owner's: what a state is does not tell who was there before.
class Router {
 public:
  // `fleet` must outlive the router. `key`: the data plane's, as of dataplane::HashKeyWords.
  Router(const guard::BuiltFleet& fleet, const std::array<uint64_t, 2>& key);

  // nullopt: for no VIP, or the source rules deny the client.
  std::optional<Route> Find(const publish::Flow& flow) const;
  // The hash by which the data plane sends the flow; nullopt: for no VIP.
  std::optional<uint64_t> Hash(const publish::Flow& flow) const;
  // The VIP with the same address, port and protocol; null: there is none.
  const model::Vip* Namesake(const model::Vip& vip) const;

 private:
  struct Target {
    const model::Vip* vip = nullptr;
    const guard::BuiltPool* pool = nullptr;
  };
  const Target* FindTarget(const publish::Flow& flow) const;

  const guard::BuiltFleet& fleet_;
  const std::array<uint64_t, 2> key_;
  absl::flat_hash_map<dataplane::VipKey, Target> targets_;
};

// Whether the server has an entry in the pool, so that it can go on with flows that it has.
bool Serves(const guard::BuiltPool& pool, const model::IpAddress& server);

}  // namespace evenkeel::traffic

#endif  // EVENKEEL_CONTROL_TRAFFIC_ROUTE_H_
