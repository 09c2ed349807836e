// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_JSON_CONFIG_H_
#define EVENKEEL_CONTROL_JSON_CONFIG_H_

#include <nlohmann/json.hpp>

#include "control/model/config.h"

namespace evenkeel::json {

// In the schema of configuration files, so that the text parses back to an equal state: every
// scalar with its value, defaults included; what is absent or empty is left out.
nlohmann::ordered_json ToJson(const model::VipLimits& limits);
nlohmann::ordered_json ToJson(const model::Vip& vip);
nlohmann::ordered_json ToJson(const model::Backend& backend);
nlohmann::ordered_json ToJson(const model::HealthCheck& check);
nlohmann::ordered_json ToJson(const model::Policy& policy);
nlohmann::ordered_json ToJson(const model::Pool& pool);
nlohmann::ordered_json ToJson(const model::SourceRules& rules);
nlohmann::ordered_json ToJson(const model::Config& config);

}  // namespace evenkeel::json

#endif  // EVENKEEL_CONTROL_JSON_CONFIG_H_
