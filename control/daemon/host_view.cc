// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/host_view.h"

#include <spdlog/spdlog.h>

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/model/config_file.h"

namespace evenkeel::daemon {
namespace {

const char* ModeName(dataplane::XdpMode mode) {
  return mode == dataplane::XdpMode::kGeneric ? "generic" : "native";
}

}  // namespace

absl::StatusOr<guard::Facts> ReadHostFacts(const model::Policy& policy) {
  auto addresses = neighbor::NetlinkResolver::OwnAddresses();
  if (!addresses.ok()) return addresses.status();
  return guard::Facts{.own_addresses = *std::move(addresses), .host_policy = policy};
}

absl::StatusOr<std::map<model::IpAddress, guard::Reach>> ReadReach(
    const neighbor::Resolver& resolver, const std::vector<model::IpAddress>& addresses) {
  std::map<model::IpAddress, guard::Reach> reach;
  const auto note = [&reach](const neighbor::Resolution& found) {
    reach[found.address] = {.reachable = found.next_hop.has_value() || found.pending,
                            .problem = found.problem};
  };
  std::vector<model::IpAddress> unknown;
  for (const model::IpAddress& address : addresses) {
    const neighbor::Resolution found = resolver.Get(address);
    if (found.pending) unknown.push_back(address);
    note(found);
  }
  if (unknown.empty()) return reach;
  const auto looked_up = neighbor::NetlinkResolver::LookUpNow(unknown);
  if (!looked_up.ok()) return looked_up.status();
  for (const neighbor::Resolution& found : *looked_up) note(found);
  return reach;
}

engine::InterfaceStatus DescribeInterface(const dataplane::Attachment& attached) {
  return {.name = attached.interface,
          .mode = ModeName(attached.mode),
          .fallback_reason = attached.fallback_reason,
          .adopted = attached.adopted,
          .shared = attached.kind == dataplane::AttachKind::kShared,
          .priority = attached.priority};
}

void LogAttachment(const dataplane::Attachment& attached) {
  std::string how;
  if (attached.kind == dataplane::AttachKind::kShared) {
    how = absl::StrCat(", shared, priority ", attached.priority,
                       attached.beside.empty() ? "" : ", beside ",
                       absl::StrJoin(attached.beside, ", "));
  }
  spdlog::info("{} {} in {} mode{}{}{}", attached.adopted ? "adopted" : "attached to",
               attached.interface, ModeName(attached.mode), how,
               attached.fallback_reason.empty() ? "" : ", because ", attached.fallback_reason);
}

void LogEndedCaptures(int interfaces) {
  if (interfaces == 0) return;
  spdlog::info("an earlier daemon did not end its capture: the balancer is back on {} interface{}",
               interfaces, interfaces == 1 ? "" : "s");
}

absl::StatusOr<model::ParseResult> ReadConfig(const std::string& path) {
  absl::StatusOr<std::string> text = model::ReadConfigText(path);
  if (!text.ok()) return text.status();
  return model::ParseYaml(*text, path, model::ListsBeside(path));
}

void PrintRefusal(const std::string& path, const engine::Evaluation& evaluation) {
  std::cerr << "evenkeeld: " << path << " is refused; nothing was changed:\n";
  for (const guard::Violation& violation : evaluation.verdict.violations) {
    std::cerr << "  " << violation.rule << " " << violation.name << " ["
              << guard::ToString(violation.severity) << "] " << violation.subject << ": "
              << violation.message << "\n    observed: " << violation.observed
              << "\n    limit:    " << violation.limit << "\n    fix:      " << violation.fix
              << "\n";
  }
}

}  // namespace evenkeel::daemon
