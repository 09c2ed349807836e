// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/guard/rules/rules.h"
#include "control/guard/words.h"

namespace evenkeel::guard {
namespace {

// The minimum in force. A policy that would loosen it is a finding of its own.
uint32_t Minimum(const PoolCase& c, Report& report) {
  const model::Policy& policy = c.state.pool->policy;
  const uint32_t in_force = MinServing(c.policy());
  if (!policy.min_serving_backends) return in_force;
  const uint32_t wanted = *policy.min_serving_backends;
  if (wanted >= kMinServing && !policy.single_backend) return in_force;
  Finding& finding = report.Add(
      Severity::kBlock, "", absl::StrCat("pools[", c.state.index, "].policy.min_serving_backends"));
  finding.key = absl::StrCat(kPolicyKey, "min_serving_backends");
  finding.edits = {{Edit::Kind::kClearPolicy, c.state.pool->name, "min_serving_backends", 0}};
  finding.violation.observed = absl::StrCat("policy.min_serving_backends is ", wanted);
  if (policy.single_backend) {
    finding.violation.limit = "not together with policy.single_backend, which means 1";
    finding.violation.fix = "remove min_serving_backends, or single_backend";
    return in_force;
  }
  finding.violation.limit = absl::StrCat("a pool may only tighten it: at least ", kMinServing);
  finding.violation.fix =
      "remove it; a pool that is meant to have one backend declares single_backend: {reason, "
      "owner}";
  return in_force;
}

}  // namespace

void CheckMinServing(const PoolCase& c, Report& report) {
  const uint32_t minimum = Minimum(c, report);
  const size_t serving = c.state.servers.size();
  report.observed = absl::StrCat(serving, " serving");
  report.limit = c.policy().single_backend ? "at least 1 (single_backend is declared)"
                                           : absl::StrCat("at least ", minimum);
  if (serving >= minimum) return;
  Finding& finding =
      report.Add(Severity::kBlock, "", absl::StrCat("pools[", c.state.index, "].backends"));
  finding.badness = 1.0 / (1.0 + static_cast<double>(serving));
  finding.violation.observed = report.observed;
  finding.violation.limit = report.limit;
  finding.edits = KeepServing(c.state, c.base, minimum, finding.violation.fix);
  if (finding.edits.empty()) {
    finding.violation.fix =
        absl::StrCat("add ", Count(minimum - serving, "backend"), " with addresses not listed yet");
  }
  if (serving == 1 && minimum == kMinServing) {
    absl::StrAppend(&finding.violation.fix,
                    ", or declare policy.single_backend: {reason, owner} if one is meant");
  }
}

}  // namespace evenkeel::guard
