// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_YAML_HEALTH_H_
#define EVENKEEL_CONTROL_MODEL_YAML_HEALTH_H_

#include <string>

#include "control/model/yaml_fields.h"

namespace evenkeel::model {

// Reads `health_check` of a pool; what is wrong goes where `fields` tells it.
void ReadHealthCheck(const YamlFields& fields, const YamlNode& node, const std::string& path,
                     HealthCheck& check);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_YAML_HEALTH_H_
