// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_CHANGE_OPTIONS_H_
#define EVENKEEL_CONTROL_CLI_CHANGE_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <string>

#include "control/cli/plan_report.h"

namespace evenkeel::cli {

// The options that plan and apply share.
class ChangeFlags {
 public:
  // Returns --file.
  CLI::Option* Declare(CLI::App& app);
  // All but --file, --pool and --etag.
  void DeclareCommon(CLI::App& app);
  // InvalidArgument: options that do not go together.
  absl::StatusOr<ChangeOptions> Take() const;

 private:
  ChangeOptions options_;
  std::string fail_on_, expires_;
};

// Declares --fail-on; its value is "error", "warn" or, for the default, empty.
void AddFailOn(CLI::App& app, std::string& value);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_CHANGE_OPTIONS_H_
