// SPDX-License-Identifier: Apache-2.0
//
// Alarms and distributions as one line, and as the JSON that the command prints, the log has and
// webhooks get.
#ifndef EVENKEEL_CONTROL_ENGINE_ALARM_TEXT_H_
#define EVENKEEL_CONTROL_ENGINE_ALARM_TEXT_H_

#include <nlohmann/json.hpp>
#include <string>

#include "control/detect/alarm.h"
#include "control/detect/report.h"

namespace evenkeel::engine {

// "page, flows/web/10.0.1.11: ...; revision 41 by alice 12 s before; undo: evenkeel rollback 40".
std::string AlarmLine(const detect::AlarmEvent& event);

// What alarms name of changes and health, in lines: "revision 41 by alice at 2026-...: reason".
std::string ChangeLine(const detect::Change& change);
std::string HealthLine(const detect::HealthChange& change);

std::string UtcText(int64_t unix_ns);  // "2026-03-01T12:00:05.123Z", as in the JSON

nlohmann::ordered_json ToJson(const detect::Alarm& alarm);
nlohmann::ordered_json ToJson(const detect::PoolReport& report);
std::string_view ToString(detect::AlarmEvent::What what);  // "raised", "escalated", ...
std::string_view ToString(detect::Health health);          // "up", "down", "unknown"

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_ALARM_TEXT_H_
