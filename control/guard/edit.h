// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_GUARD_EDIT_H_
#define EVENKEEL_CONTROL_GUARD_EDIT_H_

#include <cstdint>
#include <span>
#include <string>

#include "control/model/config.h"

namespace evenkeel::guard {

// One step of the nearest change that would pass: what a fix says, in a form that can be applied.
struct Edit {
  enum class Kind {
    kKeep,          // backend `name` as it runs now
    kEnable,        // backend `name` serves: enabled, weight above 0
    kSetWeight,     // of backend `name` to `value`
    kRemove,        // backend `name`
    kSetTableSize,  // of the pool to `value`
    kClearPolicy,   // policy field `name`; of all pools where `pool` is empty
    kKeepVip,       // VIP `name` as it runs now
    kKeepPool,      // the whole pool as it runs now
  } kind = Kind::kKeep;
  std::string pool;
  std::string name;
  int64_t value = 0;
};

// `base` is the running state (may be null) that kKeep, kKeepVip and kKeepPool take from. An edit
// whose object is nowhere does nothing.
void ApplyEdit(const Edit& edit, const model::Pool* base, model::Pool& pool);
void ApplyEdits(std::span<const Edit> edits, const model::Config* base, model::Config& config);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_EDIT_H_
