// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "control/rpc/convert_parts.h"

namespace evenkeel::rpc {
namespace {

int64_t SecondsFromProto(const google::protobuf::Timestamp& time, const std::string& path,
                         Problems* problems) {
  if (time.nanos() != 0) AddProblem(problems, path, "is finer than a second; write nanos 0");
  return time.seconds();
}

model::Freeze FreezeFromProto(const v1::Freeze& freeze, const std::string& path,
                              Problems* problems) {
  return {.from_unix_s = SecondsFromProto(freeze.from(), absl::StrCat(path, ".from"), problems),
          .to_unix_s = SecondsFromProto(freeze.to(), absl::StrCat(path, ".to"), problems),
          .reason = freeze.reason()};
}

}  // namespace

void PolicyToProto(const model::Policy& policy, v1::Policy* out) {
  if (policy.min_serving_backends) out->set_min_serving_backends(*policy.min_serving_backends);
  if (policy.single_backend) {
    out->mutable_single_backend()->set_reason(policy.single_backend->reason);
    out->mutable_single_backend()->set_owner(policy.single_backend->owner);
  }
  if (policy.max_share_factor) out->set_max_share_factor(*policy.max_share_factor);
  if (policy.max_share) out->set_max_share(*policy.max_share);
  if (policy.max_removed_fraction) out->set_max_removed_fraction(*policy.max_removed_fraction);
  if (policy.max_remapped_fraction) out->set_max_remapped_fraction(*policy.max_remapped_fraction);
  if (policy.max_weight_ratio) out->set_max_weight_ratio(*policy.max_weight_ratio);
  if (policy.peak_load) out->set_peak_load(*policy.peak_load);
  for (const model::RuleException& exception : policy.exceptions) {
    v1::RuleException* to = out->add_exceptions();
    to->set_rule(exception.rule);
    to->set_reason(exception.reason);
    to->set_owner(exception.owner);
  }
  for (const model::Freeze& freeze : policy.freeze) {
    v1::Freeze* to = out->add_freeze();
    to->mutable_from()->set_seconds(freeze.from_unix_s);
    to->mutable_to()->set_seconds(freeze.to_unix_s);
    to->set_reason(freeze.reason);
  }
}

model::Policy PolicyFromProto(const v1::Policy& policy, const std::string& path,
                              Problems* problems) {
  model::Policy result;
  if (policy.has_min_serving_backends()) {
    result.min_serving_backends = policy.min_serving_backends();
  }
  if (policy.has_single_backend()) {
    result.single_backend = model::SingleBackend{.reason = policy.single_backend().reason(),
                                                 .owner = policy.single_backend().owner()};
  }
  if (policy.has_max_share_factor()) result.max_share_factor = policy.max_share_factor();
  if (policy.has_max_share()) result.max_share = policy.max_share();
  if (policy.has_max_removed_fraction()) {
    result.max_removed_fraction = policy.max_removed_fraction();
  }
  if (policy.has_max_remapped_fraction()) {
    result.max_remapped_fraction = policy.max_remapped_fraction();
  }
  if (policy.has_max_weight_ratio()) result.max_weight_ratio = policy.max_weight_ratio();
  if (policy.has_peak_load()) result.peak_load = policy.peak_load();
  for (const v1::RuleException& exception : policy.exceptions()) {
    result.exceptions.push_back({exception.rule(), exception.reason(), exception.owner()});
  }
  for (int i = 0; i < policy.freeze_size(); ++i) {
    result.freeze.push_back(
        FreezeFromProto(policy.freeze(i), absl::StrCat(path, ".freeze[", i, "]"), problems));
  }
  return result;
}

}  // namespace evenkeel::rpc
