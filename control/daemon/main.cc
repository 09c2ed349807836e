// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/daemon.h"
#include "control/daemon/flags.h"
#include "control/daemon/logging.h"

int main(int argc, char** argv) {
  using namespace evenkeel::daemon;
  const Parsed parsed = ParseFlags(argc, argv);
  if (!parsed.settings.has_value()) return parsed.exit_code;
  SetUpLogging(parsed.settings->log_level, parsed.settings->log_format);
  return Run(*parsed.settings);
}
