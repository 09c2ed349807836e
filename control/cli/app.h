// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_APP_H_
#define EVENKEEL_CONTROL_CLI_APP_H_

#include <string>
#include <vector>

#include "control/cli/environment.h"

namespace evenkeel::cli {

// Parses `args` (without the program's name), runs the command, returns the exit code.
int Run(const std::vector<std::string>& args, Environment& env);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_APP_H_
