// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/guard/rules/rules.h"
#include "control/guard/words.h"
#include "control/model/text.h"

namespace evenkeel::guard {
namespace {

using model::Forwarding;
using model::IpAddress;

// Null where packets can be sent to the address at all.
const char* NotUnicast(const IpAddress& address) {
  if (address.IsUnspecified()) return "is unspecified";
  if (address.IsLoopback()) return "is a loopback address";
  if (address.IsMulticast()) return "is a multicast address";
  if (address.IsBroadcast()) return "is the broadcast address";
  if (address.IsLinkLocal()) return "is a link-local address";
  return nullptr;
}

bool Carries(Forwarding forwarding, const IpAddress& vip, const IpAddress& backend) {
  if (vip.family() == backend.family()) return true;
  // 4in6 exists; 6in4 and a MAC rewrite across families do not.
  return forwarding != Forwarding::kL2 && vip.is_ipv4() && backend.is_ipv6();
}

std::string BackendProblem(const PoolCase& c, const IpAddress& address) {
  if (const char* why = NotUnicast(address)) return absl::StrCat(address.ToString(), " ", why);
  if (c.fleet.vip_addresses.contains(address))
    return address.ToString() + " is the address of a VIP: packets would loop";
  const auto& own = c.facts.own_addresses;
  if (std::find(own.begin(), own.end(), address) != own.end()) {
    return address.ToString() + " is an address of this host: packets sent out would come back";
  }
  return "";
}

Finding& Add(std::string subject, std::string field, const IpAddress& address, std::string observed,
             Report& report) {
  Finding& finding = report.Add(Severity::kBlock, std::move(subject), std::move(field));
  // The name, too: another VIP with the same fault is another fault.
  finding.key = absl::StrCat(finding.violation.subject, " ", address.ToString());
  finding.badness = 1;
  finding.violation.observed = std::move(observed);
  finding.violation.limit = report.limit;
  return finding;
}

void CheckBackends(const PoolCase& c, Report& report) {
  const auto& backends = c.state.pool->backends;
  for (size_t i = 0; i < backends.size(); ++i) {
    const std::string problem = BackendProblem(c, backends[i].address);
    if (problem.empty()) continue;
    Finding& finding = Add(BackendSubject(c.state, i), BackendField(c.state, i) + ".address",
                           backends[i].address, problem, report);
    finding.violation.fix =
        absl::StrCat("give ", backends[i].name, " the address of its server, or remove it");
    finding.edits = {{Edit::Kind::kRemove, c.state.pool->name, backends[i].name, 0}};
  }
}

void CheckFamily(const PoolCase& c, const model::Vip& vip, const std::string& field,
                 Report& report) {
  const model::Pool& pool = *c.state.pool;
  std::vector<std::string> wrong;
  std::vector<Edit> edits;
  for (const model::Backend& backend : pool.backends) {
    if (Carries(pool.forwarding, vip.address, backend.address)) continue;
    wrong.push_back(backend.name);
    edits.push_back({Edit::Kind::kRemove, pool.name, backend.name, 0});
  }
  if (wrong.empty()) return;
  const char* family = vip.address.is_ipv4() ? "IPv4" : "IPv6";
  const char* other = vip.address.is_ipv4() ? "IPv6" : "IPv4";
  Finding& finding =
      Add(absl::StrCat("vips/", vip.name), field + ".address", vip.address,
          absl::StrCat(family, " VIP over ", other, " ",
                       wrong.size() == 1 ? "backend " : "backends ", NameList(wrong), " by ",
                       model::Av(model::ToString(pool.forwarding)), ": wrong family"),
          report);
  finding.badness = static_cast<double>(wrong.size());
  finding.violation.fix = absl::StrCat("give the VIP a pool of ", family,
                                       " backends, or give these backends ", family, " addresses");
  finding.edits = std::move(edits);
}

}  // namespace

void CheckAddresses(const PoolCase& c, Report& report) {
  report.limit = "unicast, not a VIP, not this host's own, of a family that the VIP can use";
  CheckBackends(c, report);
  const auto& vips = c.fleet.fleet->vips;
  for (size_t i : c.state.vips) {
    const std::string field = absl::StrCat("vips[", i, "]");
    if (const char* why = NotUnicast(vips[i].address)) {
      Add(absl::StrCat("vips/", vips[i].name), field + ".address", vips[i].address,
          absl::StrCat(vips[i].address.ToString(), " ", why), report)
          .violation.fix = "give the VIP a unicast address";
    }
    CheckFamily(c, vips[i], field, report);
  }
  report.observed = absl::StrCat(Count(c.state.pool->backends.size(), "backend"), " for ",
                                 Count(c.state.vips.size(), "VIP"));
}

}  // namespace evenkeel::guard
