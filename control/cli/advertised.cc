// SPDX-License-Identifier: Apache-2.0
#include "control/cli/advertised.h"

#include <utility>

#include "control/cli/cat.h"
#include "control/cli/text.h"
#include "control/json/status.h"

namespace evenkeel::cli {
namespace {

std::string Why(const engine::VipStatus& vip) {
  const engine::Advertisement& a = *vip.advertised;
  if (a.missing())
    return Cat("there is no route for ", vip.vip.address.ToString(),
               "; the daemon "
               "adds it within seconds, or a notice says why not");
  std::string why = a.why;
  if (a.withdrawn) why += Cat(", since ", UtcTime(a.since_unix_ns));
  if (a.routed) why += Cat("; ", vip.vip.address.ToString(), " is advertised for other VIPs");
  return why;
}

}  // namespace

Cell AdvertisedCell(const engine::Advertisement& advertised) {
  const std::string word = json::AdvertisedWord(advertised);
  return {word, word == "yes" ? Style::kPlain : word == "withdrawn" ? Style::kWarn : Style::kBad};
}

void PrintNotAdvertised(Printer& out, const std::vector<engine::VipStatus>& vips) {
  bool any = false;
  for (const engine::VipStatus& vip : vips) {
    if (!vip.advertised || json::AdvertisedWord(*vip.advertised) == "yes") continue;
    if (!std::exchange(any, true)) out.End().Line("Not advertised:");
    out.Hanging(2, {Cat(vip.vip.name, ":"), Style::kBold}, Why(vip));
  }
}

}  // namespace evenkeel::cli
