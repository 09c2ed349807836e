// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_ENVIRONMENT_H_
#define EVENKEEL_CONTROL_CLI_ENVIRONMENT_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "control/cli/host_facts.h"
#include "control/engine/engine.h"

namespace evenkeel::cli {

// All that the commands know of the world outside; main() fills it from the process, tests with
// what they want to see.
struct Environment {
  std::istream* in = nullptr;
  std::ostream* out = nullptr;
  std::ostream* err = nullptr;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool is_dumb = false;   // TERM is dumb, or not set
  bool no_color = false;  // NO_COLOR is set and not empty
  bool utf8 = false;      // the locale's character set
  uint32_t columns = 80;
  std::string socket;  // EVENKEEL_SOCKET or the daemon's default
  std::function<std::unique_ptr<engine::Engine>(const std::string& socket)> connect;
  // False only where there surely is none: then no daemon runs here.
  std::function<bool(const std::string& socket)> socket_exists;
  HostFacts host;
  // Whether the history of that state directory is whole; NotFound: there is none.
  std::function<absl::Status(const std::string& state_dir)> inspect_history;
  std::function<int64_t()> now_unix_ns;
  // False once the user asked to stop (SIGINT, SIGTERM).
  std::function<bool(std::chrono::milliseconds)> sleep;
};

// Of this process. `connect` is left to the caller.
Environment ProcessEnvironment();

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_ENVIRONMENT_H_
