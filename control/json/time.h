// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_JSON_TIME_H_
#define EVENKEEL_CONTROL_JSON_TIME_H_

#include <cstdint>
#include <string>

#include "control/engine/alarm_text.h"

namespace evenkeel::json {

// "2026-03-01T12:00:05.123Z"; empty for 0
inline std::string Rfc3339(int64_t unix_ns) {
  return unix_ns == 0 ? std::string() : engine::UtcText(unix_ns);
}

}  // namespace evenkeel::json

#endif  // EVENKEEL_CONTROL_JSON_TIME_H_
