// SPDX-License-Identifier: Apache-2.0
//
// YAML (and so JSON) text of the `evenkeel.v1.Config` schema to model values and back. No file
// access: callers read the text (ReadConfigText in control/model/config_file.h does, with limits).
#ifndef EVENKEEL_CONTROL_MODEL_YAML_H_
#define EVENKEEL_CONTROL_MODEL_YAML_H_

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "control/model/config.h"
#include "control/model/diagnostic.h"

namespace evenkeel::model {

inline constexpr size_t kMaxConfigBytes = 64u << 20;

struct ParseResult {
  Config config;  // complete only if `diagnostics` is empty
  SourceMap sources;
  std::vector<Diagnostic> diagnostics;  // all that is wrong, in order of the file

  bool ok() const { return diagnostics.empty(); }
};

// The text of a list that the configuration names (`deny_file`).
using ListReader = std::function<absl::StatusOr<std::string>(const std::string& name)>;

// Parses and validates. Anchors, aliases, tags, several documents, duplicate keys, unknown keys
// (with the nearest valid one), wrong types, text that is not UTF-8 and input above
// kMaxConfigBytes are diagnostics. `file` is used in locations only. Without `read_list`, naming a
// list is a diagnostic, too.
ParseResult ParseYaml(std::string_view text, std::string_view file,
                      const ListReader& read_list = nullptr);

// Structural validity, for configurations from any source: names present, unique and of
// [a-z0-9]([a-z0-9._-]*), references that resolve, VIP keys that are unique, table sizes prime and
// in range. What is a matter of policy (weights, duplicates of servers, shares) is the guard's.
std::vector<Diagnostic> Validate(const Config& config);
// The part of Validate that concerns `pools[index]` alone: all that a change of one pool can break.
std::vector<Diagnostic> ValidatePool(const Pool& pool, size_t index);

// Canonical YAML: parses back to an equal Config; equal Configs give equal text.
std::string ToYaml(const Config& config);
// The same in parts: elements of `pools` and `source_rules`, and the whole from their texts.
std::string ToYaml(const Pool& pool);
std::string ToYaml(const SourceRules& rules);
std::string ToYaml(std::span<const Vip> vips, std::span<const std::string_view> pools,
                   std::span<const std::string_view> source_rules,
                   const std::string& global_source_rules, const Policy& policy);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_YAML_H_
