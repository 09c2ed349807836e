// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_STATE_TEXT_H_
#define EVENKEEL_CONTROL_ENGINE_STATE_TEXT_H_

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "control/guard/fleet.h"

namespace evenkeel::engine {

// The YAML that a state is recorded as. States in a row share most of their pools and source
// rules, whose text is made once.
class StateText {
 public:
  std::string Of(const guard::BuiltFleet& fleet);

 private:
  absl::flat_hash_map<std::shared_ptr<const guard::BuiltPool>, std::string> known_;
  absl::flat_hash_map<std::shared_ptr<const guard::BuiltRules>, std::string> known_rules_;
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_STATE_TEXT_H_
