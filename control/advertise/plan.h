// SPDX-License-Identifier: Apache-2.0
//
// Which addresses this host is to advertise, and what that means for the routes that are there.
// Pure.
#ifndef EVENKEEL_CONTROL_ADVERTISE_PLAN_H_
#define EVENKEEL_CONTROL_ADVERTISE_PLAN_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "control/model/ip_address.h"

namespace evenkeel::advertise {

// Whether this host can serve a VIP now.
enum class Serving {
  kYes,
  kUnknown,  // not known yet: a route that is there stays, none is added
  kNo,
};

struct VipView {
  std::string vip;  // its name
  model::IpAddress address;
  Serving serving = Serving::kYes;
  std::string why;  // unless kYes

  friend bool operator==(const VipView&, const VipView&) = default;
};

// Of one address. Routes lead to addresses: several VIPs may share one.
struct Verdict {
  model::IpAddress address;
  bool wanted = false;
  std::vector<std::string> serving;  // VIPs that it can serve, in their order
  std::string why;                   // "web: no server of pool web serves; dns: ..."

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

// Ascending by address. An address is wanted while at least one of its VIPs can be served: to
// withdraw it would take the others away, too. `present`: those that have a route.
std::vector<Verdict> Judge(const std::vector<VipView>& vips,
                           const std::set<model::IpAddress>& present);

// What tells our routes apart, and how they are made.
struct RouteOptions {
  uint32_t table = 150;
  uint8_t protocol = 150;  // none that rtnetlink.h, BIRD or FRR use
  uint32_t metric = 1024;
};
inline constexpr uint32_t kMainTable = 254;

// A route of our protocol in our table, whoever made it.
struct OwnRoute {
  model::IpAddress address;
  uint8_t length = 0;
  uint8_t type = 0;  // of rtnetlink.h
  uint32_t metric = 0;

  friend bool operator==(const OwnRoute&, const OwnRoute&) = default;
};

// Whether it is as RouteTable::Add makes it.
bool IsAsMade(const OwnRoute& route, const RouteOptions& options);

struct Difference {
  std::vector<model::IpAddress> add;  // first, so that no address is without a route in between
  std::vector<OwnRoute> remove;

  bool empty() const { return add.empty() && remove.empty(); }
};
Difference Compare(const std::set<model::IpAddress>& wanted, const std::vector<OwnRoute>& own,
                   const RouteOptions& options);

// "192.0.2.10/32": the route's destination, for messages.
std::string Destination(const model::IpAddress& address);

}  // namespace evenkeel::advertise

#endif  // EVENKEEL_CONTROL_ADVERTISE_PLAN_H_
