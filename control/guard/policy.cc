// SPDX-License-Identifier: Apache-2.0
#include "control/guard/policy.h"

#include <algorithm>

namespace evenkeel::guard {
namespace {

constexpr double kMaxShareOfMany = 0.5;  // with 3 or more serving

}  // namespace

double LimitOf(const Range& range, const model::Policy& policy) {
  const std::optional<double>& value = policy.*range.value;
  return value && !Loosens(range, policy) ? *value : range.loosest;
}

bool Loosens(const Range& range, const model::Policy& policy) {
  const std::optional<double>& value = policy.*range.value;
  // NaN compares false with everything and so loosens too.
  return value && !(*value >= range.lowest && *value <= range.loosest);
}

model::Policy StricterOf(const model::Policy& host, const model::Policy& all,
                         const model::Policy& pool) {
  model::Policy strict = pool;
  for (const Range& range : {kShareFactor, kShare, kRemoved, kRemapped, kWeightRatio}) {
    std::optional<double>& value = strict.*range.value;
    value.reset();
    for (const model::Policy* level : {&host, &all, &pool}) {
      if (!(level->*range.value) || Loosens(range, *level)) continue;
      value = std::min(value.value_or(range.loosest), *(level->*range.value));
    }
  }
  for (const model::Policy* level : {&host, &all}) {
    const std::optional<uint32_t>& minimum = level->min_serving_backends;
    if (!minimum) continue;
    strict.min_serving_backends = std::max(strict.min_serving_backends.value_or(0), *minimum);
  }
  return strict;
}

double MaxShare(const model::Policy& in_force, size_t serving) {
  const double share = LimitOf(kShare, in_force);
  return serving >= 3 ? std::min(share, kMaxShareOfMany) : share;
}

uint32_t MinServing(const model::Policy& in_force) {
  if (in_force.single_backend) return 1;
  return std::max(kMinServing, in_force.min_serving_backends.value_or(kMinServing));
}

}  // namespace evenkeel::guard
