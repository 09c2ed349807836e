// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_FLAGS_H_
#define EVENKEEL_CONTROL_DAEMON_FLAGS_H_

#include <optional>

#include "control/daemon/settings.h"

namespace evenkeel::daemon {

// Exit codes of evenkeeld.
inline constexpr int kExitOk = 0;
inline constexpr int kExitError = 1;    // usage, settings, kernel, history, socket
inline constexpr int kExitRefused = 3;  // the first configuration was refused by the guard

// Settings file and flags, flags winning. Exactly one of the two is set: where the program is done
// already (--help, --version, a usage error, which was printed), `exit_code`.
struct Parsed {
  std::optional<Settings> settings;
  int exit_code = kExitOk;
};
Parsed ParseFlags(int argc, const char* const* argv);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_FLAGS_H_
