// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_LOGGING_H_
#define EVENKEEL_CONTROL_DAEMON_LOGGING_H_

#include <string>

namespace evenkeel::daemon {

// The default logger, to standard error. `level`: debug, info, warning, error; `format`: text, or
// json with one object per line.
void SetUpLogging(const std::string& level, const std::string& format);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_LOGGING_H_
