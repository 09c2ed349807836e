// SPDX-License-Identifier: Apache-2.0
//
// YAML text as a plain tree. Built from parser events, so that what must not be expanded (anchors,
// aliases, tags, further documents) is refused before it costs anything.
#ifndef EVENKEEL_CONTROL_MODEL_YAML_TREE_H_
#define EVENKEEL_CONTROL_MODEL_YAML_TREE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/diagnostic.h"

namespace evenkeel::model {

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap } kind = Kind::kNull;
  bool plain = false;   // a scalar without quotes: may be a number
  uint32_t line = 0;    // from 1
  uint32_t column = 0;  // from 1, in characters
  std::string scalar;
  std::vector<YamlNode> children;  // of a map: key, value, key, value, ...
};

// What the text says, or nullopt where it is empty or cannot be read at all; `diagnostics` then
// has the reason. Diagnostics have no file name yet.
std::optional<YamlNode> ParseYamlTree(std::string_view text, std::vector<Diagnostic>& diagnostics);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_YAML_TREE_H_
