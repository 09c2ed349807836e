// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_LOGGING_H_
#define EVENKEEL_CONTROL_DAEMON_LOGGING_H_

#include <string>

#include "control/detect/alarm.h"

namespace evenkeel::daemon {

// The default logger, to standard error. `level`: debug, info, warning, error; `format`: text, or
// json with one object per line.
void SetUpLogging(const std::string& level, const std::string& format);

// A line; with the format json, an object whose `alarm` is the alarm as engine::ToJson has it.
void LogAlarm(const detect::AlarmEvent& event);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_LOGGING_H_
