// SPDX-License-Identifier: Apache-2.0
//
// What servers carry now against what they declare to be able to, and what they would carry after
// the loss of another server, a rack or a zone. The lost traffic goes to the others in proportion
// to their slots, as the table respreads it (LB004 asks the same of a table before there is
// traffic).
#ifndef EVENKEEL_CONTROL_TRAFFIC_LOAD_H_
#define EVENKEEL_CONTROL_TRAFFIC_LOAD_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/guard/fleet.h"
#include "control/model/ip_address.h"

namespace evenkeel::traffic {

struct ServerLoad {
  model::IpAddress address;
  double load = 0;  // per second, in the pool's capacity unit
  std::optional<double> capacity{};
  double after = 0;    // the load after the loss that gives this server most
  std::string loss{};  // which one: "web-1", "rack r7", "zone a"; empty: there is none
};

// A rack or a zone.
struct DomainLoad {
  std::string kind, name;            // "rack", "r7"
  double load = 0;                   // of its servers together
  std::optional<double> capacity{};  // where all of them declare one
  // Once it is lost: the server that would have most of its capacity to carry, and how much, 1 is
  // all of it. Empty and 0 where nobody is left, or no capacity is declared.
  std::string hottest{};
  double use = 0;
};

struct PoolLoad {
  std::vector<ServerLoad> servers;  // ascending by address; those that have slots
  std::vector<DomainLoad> domains;  // racks, then zones, by name
  // Where a server has more to carry than it declares, now or after the loss that is worst for it;
  // empty: nowhere. "web-2 would carry 130.0 % of its capacity without rack r7".
  std::string problem;
};

// `asked` has names, capacities, racks and zones; `built` is the pool as packets see it. `rates`:
// what each server carries, by address. A server that is in a rack or zone without a name is lost
// alone.
PoolLoad LoadOf(const model::Pool& asked, const guard::BuiltPool& built,
                const std::map<model::IpAddress, double>& rates);

}  // namespace evenkeel::traffic

#endif  // EVENKEEL_CONTROL_TRAFFIC_LOAD_H_
