// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_EXIT_CODE_H_
#define EVENKEEL_CONTROL_CLI_EXIT_CODE_H_

#include "absl/status/status.h"

namespace evenkeel::cli {

// The contract with scripts: the same for every command, whatever the output format.
enum class ExitCode {
  kDone = 0,        // done, or nothing to change
  kError = 1,       // usage, input, daemon not reachable, failure inside
  kChanges = 2,     // changes present; only with --detailed-exitcode
  kRefused = 3,     // by a rule
  kWarnings = 4,    // warnings with --fail-on warn
  kConflict = 5,    // somebody else changed the state meanwhile
  kRolledBack = 6,  // what was applied did not stay
  kNotSafe = 7,     // a drained backend is not known to be safe to stop
};

// Of a call that failed: a conflict is told apart, everything else is an error.
inline ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return ExitCode::kDone;
  return absl::IsAborted(status) ? ExitCode::kConflict : ExitCode::kError;
}

// The worse of two results, where one run judges several files. What could not be judged at all
// outweighs a refusal.
inline ExitCode Worse(ExitCode a, ExitCode b) {
  const auto rank = [](ExitCode code) {
    switch (code) {
      case ExitCode::kDone:
        return 0;
      case ExitCode::kChanges:
        return 1;
      case ExitCode::kWarnings:
        return 2;
      case ExitCode::kConflict:
        return 3;
      case ExitCode::kRefused:
        return 4;
      case ExitCode::kRolledBack:
        return 5;
      case ExitCode::kNotSafe:
        return 6;
      case ExitCode::kError:
        break;
    }
    return 7;
  };
  return rank(a) >= rank(b) ? a : b;
}

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_EXIT_CODE_H_
