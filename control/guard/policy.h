// SPDX-License-Identifier: Apache-2.0
//
// Policy at three levels: the host's, the configuration's for all pools, and the pool's own.
#ifndef EVENKEEL_CONTROL_GUARD_POLICY_H_
#define EVENKEEL_CONTROL_GUARD_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "control/model/config.h"

namespace evenkeel::guard {

// A limit that may be tightened: `lowest` to `loosest`, which is the default.
struct Range {
  std::string_view field;  // of the policy
  double lowest;
  double loosest;
  std::optional<double> model::Policy::*value;
};
inline constexpr Range kShareFactor = {"max_share_factor", 1, 2, &model::Policy::max_share_factor};
inline constexpr Range kShare = {"max_share", 1e-6, 0.8, &model::Policy::max_share};
inline constexpr Range kRemoved = {"max_removed_fraction", 1e-6, 0.25,
                                   &model::Policy::max_removed_fraction};
inline constexpr Range kRemapped = {"max_remapped_fraction", 1e-6, 0.30,
                                    &model::Policy::max_remapped_fraction};
inline constexpr Range kWeightRatio = {"max_weight_ratio", 1, 20, &model::Policy::max_weight_ratio};

inline constexpr uint32_t kMinServing = 2;  // the default, which may only be raised

// The limit in force: the policy's if it is in the range, else the default.
double LimitOf(const Range& range, const model::Policy& policy);
// True where the policy's value is outside the range.
bool Loosens(const Range& range, const model::Policy& policy);

// The policy that a pool is judged by: of each limit the strictest that is in its range. What a
// pool declares about itself is its own alone, and so are times without change, which LB016 takes
// from each level.
model::Policy StricterOf(const model::Policy& host, const model::Policy& all,
                         const model::Policy& pool);

// LB001: the largest share of the table that a server may have, of so many that serve.
double MaxShare(const model::Policy& in_force, size_t serving);

// LB003: how many servers must serve at least, by the policy in force.
uint32_t MinServing(const model::Policy& in_force);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_POLICY_H_
