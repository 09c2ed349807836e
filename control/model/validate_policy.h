// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_VALIDATE_POLICY_H_
#define EVENKEEL_CONTROL_MODEL_VALIDATE_POLICY_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/config.h"
#include "control/model/diagnostic.h"

namespace evenkeel::model {

// What is wrong with a text that people write for people.
std::optional<std::string> TextProblem(std::string_view text);

enum class PolicyLevel { kHost, kDefault, kPool };

// The form of a policy; whether its values tighten is the guard's to judge. `path` is the policy's
// own: "pools[0].policy".
void CheckPolicy(const Policy& policy, std::string_view path, PolicyLevel level,
                 std::vector<Diagnostic>& diagnostics);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_VALIDATE_POLICY_H_
