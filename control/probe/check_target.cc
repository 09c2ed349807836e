// SPDX-License-Identifier: Apache-2.0
#include "control/probe/check_target.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/model/validate_health.h"

namespace evenkeel::probe {
namespace {

std::string FaultOf(const Target& target) {
  const bool ports = target.check.type != model::HealthCheck::Type::kIcmp;
  if (ports && target.port == 0) return "port 0 cannot be probed; set health_check.port";
  if (!ports && target.port != 0) return "icmp has no ports; the port must be 0";
  std::vector<model::Diagnostic> faults;
  model::CheckHealthCheck(target.check, "health_check", faults);
  return faults.empty() ? "" : absl::StrCat(faults[0].field, ": ", faults[0].message);
}

}  // namespace

absl::Status CheckTarget(const Target& target) {
  const std::string fault = FaultOf(target);
  if (fault.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("health check of ", target.address.ToString(),
                                                 " in pool ", target.pool, ": ", fault));
}

}  // namespace evenkeel::probe
