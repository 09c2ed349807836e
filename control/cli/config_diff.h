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
  std::string object;                    // "vips/web", "pools/web", "pools/web/backends/web-3"
  std::string field;                     // of kChanged: "weight", "policy.max_share", "labels.team"
  nlohmann::ordered_json before, after;  // null where absent; whole objects if added or removed

  friend bool operator==(const Difference&, const Difference&) = default;
};

std::vector<Difference> DiffConfigs(const model::Config& before, const model::Config& after);

nlohmann::ordered_json ToJson(const std::vector<Difference>& differences);
void PrintDifferences(Printer& out, size_t indent, const std::vector<Difference>& differences);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_CONFIG_DIFF_H_
