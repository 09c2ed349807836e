// SPDX-License-Identifier: Apache-2.0
#include "control/neighbor/evaluate.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

namespace evenkeel::neighbor {
namespace {

std::string DownText(const Link& link) {
  return absl::StrCat("interface ", link.name, " is down", link.up ? " (no carrier)" : "");
}

const Link* FindLink(const Host& host, uint32_t ifindex) {
  const auto it = host.links.find(ifindex);
  return it == host.links.end() ? nullptr : &it->second;
}

// The link that `before` went out by, if it is known and down.
const Link* DownLinkOf(const Host& host, const Resolution* before) {
  if (before == nullptr || before->interface.empty()) return nullptr;
  for (const auto& [ifindex, link] : host.links) {
    if (link.name == before->interface && !link.usable()) return &link;
  }
  return nullptr;
}

std::string NoRouteText(const model::IpAddress& address, const Host& host,
                        const Resolution* before) {
  std::string text = absl::StrCat("no route to ", address.ToString());
  if (const Link* down = DownLinkOf(host, before)) absl::StrAppend(&text, ": ", DownText(*down));
  return text;
}

std::string HopText(const model::IpAddress& address, const Route& route) {
  return route.gateway ? absl::StrCat("gateway ", route.gateway->ToString()) : address.ToString();
}

uint16_t PathMtu(const Route& route, const Link& link) {
  const uint32_t mtu = route.mtu == 0 ? link.mtu : std::min(route.mtu, link.mtu);
  return static_cast<uint16_t>(std::min<uint32_t>(mtu, std::numeric_limits<uint16_t>::max()));
}

// The next hop known before may bridge the wait if its interface can still send.
bool CanBridge(const Host& host, const Resolution* before) {
  if (before == nullptr || !before->next_hop) return false;
  const Link* link = FindLink(host, before->next_hop->ifindex);
  return link != nullptr && link->usable();
}

}  // namespace

std::optional<NeighborKey> NextHopKey(const model::IpAddress& address, const Route& route) {
  if (route.kind != Route::Kind::kUnicast) return std::nullopt;
  return NeighborKey{route.ifindex, route.gateway.value_or(address)};
}

Evaluation Evaluate(const model::IpAddress& address, const Route& route, const Host& host,
                    const Resolution* before) {
  Evaluation evaluation;
  Resolution& out = evaluation.resolution;
  out.address = address;
  if (route.kind == Route::Kind::kLocal) {
    out.problem = absl::StrCat(address.ToString(), " is an address of this host");
    return evaluation;
  }
  if (route.kind == Route::Kind::kNone) {
    if (before != nullptr) out.interface = before->interface;
    out.problem = NoRouteText(address, host, before);
    return evaluation;
  }
  out.gateway = route.gateway;
  const Link* link = FindLink(host, route.ifindex);
  if (link == nullptr) {
    out.problem =
        absl::StrCat("no route to ", address.ToString(), ": interface ", route.ifindex, " is gone");
    return evaluation;
  }
  out.interface = link->name;
  if (!link->usable()) {
    out.problem = DownText(*link);
    return evaluation;
  }
  if (!link->ethernet) {
    out.problem = absl::StrCat(address.ToString(), " is reached through ", link->name,
                               ", which is not an Ethernet interface");
    return evaluation;
  }
  const auto neighbor = host.neighbors.find(*NextHopKey(address, route));
  const auto state =
      neighbor == host.neighbors.end() ? Neighbor::State::kPending : neighbor->second.state;
  switch (state) {
    case Neighbor::State::kUsable:
      out.next_hop = dataplane::NextHop{.ifindex = route.ifindex,
                                        .dmac = neighbor->second.mac,
                                        .smac = link->mac,
                                        .mtu = PathMtu(route, *link)};
      break;
    case Neighbor::State::kFailed:
      out.problem = absl::StrCat("no answer from ", HopText(address, route), " on ", link->name);
      break;
    case Neighbor::State::kPending:
      evaluation.pending = true;
      if (CanBridge(host, before)) {
        out = *before;
      } else {
        out.problem =
            absl::StrCat("no answer yet from ", HopText(address, route), " on ", link->name);
        out.pending = true;
      }
      break;
  }
  return evaluation;
}

}  // namespace evenkeel::neighbor
