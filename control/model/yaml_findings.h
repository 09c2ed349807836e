// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_YAML_FINDINGS_H_
#define EVENKEEL_CONTROL_MODEL_YAML_FINDINGS_H_

#include "control/model/yaml.h"

namespace evenkeel::model {

// Adds what Validate finds, with its place in the file, but for what only follows from something
// that could not be read.
void AddValidation(ParseResult& result);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_YAML_FINDINGS_H_
