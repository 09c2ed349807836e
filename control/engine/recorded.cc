// SPDX-License-Identifier: Apache-2.0
#include "control/engine/recorded.h"

#include "absl/strings/str_cat.h"
#include "control/model/yaml.h"

namespace evenkeel::engine {

absl::StatusOr<model::Config> ParseRecorded(const history::Revision& revision) {
  const std::string name = absl::StrCat("revision ", revision.number);
  model::ParseResult parsed = model::ParseYaml(revision.config_yaml, name);
  if (parsed.ok()) return std::move(parsed.config);
  return absl::DataLossError(absl::StrCat(
      "the configuration recorded as ", name, " is not valid: ", parsed.diagnostics[0].ToString(),
      "; run the evenkeeld that wrote it, or move history.db away and start with --config"));
}

}  // namespace evenkeel::engine
