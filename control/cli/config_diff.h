// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_CONFIG_DIFF_H_
#define EVENKEEL_CONTROL_CLI_CONFIG_DIFF_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/cli/printer.h"
#include "control/model/config.h"

namespace evenkeel::cli {

// One difference in meaning between two states. Objects are matched by name; their order and the
// spelling of the file do not count.
struct Difference {
  enum class Kind { kAdded, kRemoved, kChanged } kind = Kind::kChanged;
  // "vips/web", "pools/web", "pools/web/backends/web-3", "source_rules/edge"; "config" for the
  // whole
  std::string object;
  std::string field;                     // of kChanged: "weight", "policy.max_share", "labels.team"
  nlohmann::ordered_json before, after;  // null where absent; whole objects if added or removed

  friend bool operator==(const Difference&, const Difference&) = default;
};

// Lists of prefixes are summed up, "3 prefixes (+1: 198.51.100.0/24)": they may be of a million.
std::vector<Difference> DiffConfigs(const model::Config& before, const model::Config& after);

nlohmann::ordered_json ToJson(const std::vector<Difference>& differences);
void PrintDifferences(Printer& out, size_t indent, const std::vector<Difference>& differences);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_CONFIG_DIFF_H_
