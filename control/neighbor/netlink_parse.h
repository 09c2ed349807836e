// SPDX-License-Identifier: Apache-2.0
//
// libnl's objects as plain values.
#ifndef EVENKEEL_CONTROL_NEIGHBOR_NETLINK_PARSE_H_
#define EVENKEEL_CONTROL_NEIGHBOR_NETLINK_PARSE_H_

#include <netlink/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>

#include <optional>

#include "control/neighbor/evaluate.h"

namespace evenkeel::neighbor {

// Nothing for families other than IPv4 and IPv6.
std::optional<model::IpAddress> ToAddress(const nl_addr* address);

Link ToLink(rtnl_link* link);
// Nothing for entries without an IP address.
std::optional<std::pair<NeighborKey, Neighbor>> ToNeighbor(rtnl_neigh* neighbor);
Route ToRoute(rtnl_route* route);

}  // namespace evenkeel::neighbor

#endif  // EVENKEEL_CONTROL_NEIGHBOR_NETLINK_PARSE_H_
