// SPDX-License-Identifier: Apache-2.0
#include "control/neighbor/netlink_parse.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/route/nexthop.h>

#include <algorithm>
#include <cstring>

namespace evenkeel::neighbor {
namespace {

constexpr int kUsableStates =
    NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;

std::optional<dataplane::MacAddress> ToMac(const nl_addr* address) {
  dataplane::MacAddress mac{};
  if (address == nullptr || nl_addr_get_len(address) != mac.size()) return std::nullopt;
  std::memcpy(mac.data(), nl_addr_get_binary_addr(address), mac.size());
  return mac;
}

}  // namespace

std::optional<model::IpAddress> ToAddress(const nl_addr* address) {
  if (address == nullptr) return std::nullopt;
  const auto* bytes = static_cast<const uint8_t*>(nl_addr_get_binary_addr(address));
  const unsigned length = nl_addr_get_len(address);
  if (nl_addr_get_family(address) == AF_INET && length == 4) {
    std::array<uint8_t, 4> four;
    std::copy_n(bytes, four.size(), four.begin());
    return model::IpAddress::FromIpv4(four);
  }
  if (nl_addr_get_family(address) == AF_INET6 && length == 16) {
    std::array<uint8_t, 16> sixteen;
    std::copy_n(bytes, sixteen.size(), sixteen.begin());
    return model::IpAddress::FromIpv6(sixteen);
  }
  return std::nullopt;
}

Link ToLink(rtnl_link* link) {
  Link out;
  const char* name = rtnl_link_get_name(link);
  out.name = name == nullptr ? "" : name;
  const auto mac = ToMac(rtnl_link_get_addr(link));
  out.mac = mac.value_or(dataplane::MacAddress{});
  out.ethernet = mac.has_value() && rtnl_link_get_arptype(link) == ARPHRD_ETHER;
  const unsigned flags = rtnl_link_get_flags(link);
  out.up = (flags & IFF_UP) != 0;
  out.carrier = (flags & IFF_RUNNING) != 0;
  out.mtu = rtnl_link_get_mtu(link);
  return out;
}

std::optional<std::pair<NeighborKey, Neighbor>> ToNeighbor(rtnl_neigh* neighbor) {
  const auto address = ToAddress(rtnl_neigh_get_dst(neighbor));
  if (!address) return std::nullopt;
  Neighbor out;
  const int state = rtnl_neigh_get_state(neighbor);
  const auto mac = ToMac(rtnl_neigh_get_lladdr(neighbor));
  if ((state & kUsableStates) && mac) {
    out.state = Neighbor::State::kUsable;
    out.mac = *mac;
    out.stale = (state & (NUD_REACHABLE | NUD_PERMANENT | NUD_NOARP)) == 0;
  } else if (state & NUD_FAILED) {
    out.state = Neighbor::State::kFailed;
  }
  const auto ifindex = static_cast<uint32_t>(rtnl_neigh_get_ifindex(neighbor));
  return std::make_pair(NeighborKey{ifindex, *address}, out);
}

Route ToRoute(rtnl_route* route) {
  Route out;
  if (rtnl_route_get_type(route) == RTN_LOCAL) {
    out.kind = Route::Kind::kLocal;
    return out;
  }
  rtnl_nexthop* hop = rtnl_route_nexthop_n(route, 0);
  if (rtnl_route_get_type(route) != RTN_UNICAST || hop == nullptr) return out;
  out.kind = Route::Kind::kUnicast;
  out.ifindex = static_cast<uint32_t>(rtnl_route_nh_get_ifindex(hop));
  out.gateway = ToAddress(rtnl_route_nh_get_gateway(hop));
  // RTA_VIA: a gateway of the other family.
  if (!out.gateway) out.gateway = ToAddress(rtnl_route_nh_get_via(hop));
  unsigned int mtu = 0;
  if (rtnl_route_get_metric(route, RTAX_MTU, &mtu) == 0) out.mtu = mtu;
  return out;
}

}  // namespace evenkeel::neighbor
