// SPDX-License-Identifier: Apache-2.0
//
// Scalars of a configuration. Each function returns the value, or an error whose message says what
// to write instead.
#ifndef EVENKEEL_CONTROL_MODEL_YAML_SCALAR_H_
#define EVENKEEL_CONTROL_MODEL_YAML_SCALAR_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "control/model/yaml_tree.h"

namespace evenkeel::model {

absl::StatusOr<std::string> ReadText(const YamlNode& node);
// A whole decimal number from `min` to `max`.
absl::StatusOr<int64_t> ReadInteger(const YamlNode& node, int64_t min, int64_t max);
absl::StatusOr<bool> ReadBoolean(const YamlNode& node);  // true, false
// A finite decimal number.
absl::StatusOr<double> ReadNumber(const YamlNode& node);
// "500ms", "2s", "5m", "1h".
absl::StatusOr<std::chrono::milliseconds> ReadDuration(const YamlNode& node);

// "2026-12-24T18:00:00Z", "2026-12-24T19:00:00+01:00" (RFC 3339, whole seconds), as Unix time.
absl::StatusOr<int64_t> ReadTimestamp(const YamlNode& node);

// "a list", "a map", "no value", "text", "a number".
std::string_view DescribeKind(const YamlNode& node);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_YAML_SCALAR_H_
