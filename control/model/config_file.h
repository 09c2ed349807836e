// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_CONFIG_FILE_H_
#define EVENKEEL_CONTROL_MODEL_CONFIG_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "control/model/yaml.h"

namespace evenkeel::model {

// The text of a configuration file. "-" is standard input. Errors name the path, the reason and
// the remedy: missing, a directory, not readable, empty, above kMaxConfigBytes (never read whole).
absl::StatusOr<std::string> ReadConfigText(const std::string& path);

// Reads the lists that the configuration at `path` names: relative to its directory, to the current
// one for standard input. Limits and errors as above.
ListReader ListsBeside(const std::string& path);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_CONFIG_FILE_H_
