// SPDX-License-Identifier: Apache-2.0
//
// The state of the daemon as JSON: what `evenkeel status -o json` prints and the dashboard reads.
#ifndef EVENKEEL_CONTROL_JSON_STATUS_H_
#define EVENKEEL_CONTROL_JSON_STATUS_H_

#include <nlohmann/json.hpp>
#include <string>

#include "control/engine/engine.h"

namespace evenkeel::json {

nlohmann::ordered_json ToJson(const engine::Status& status);
// Its parts; the head is all but VIPs, pools and source rules.
nlohmann::ordered_json HeadJson(const engine::Status& status);
nlohmann::ordered_json AppliedJson(const engine::Applied& applied);
nlohmann::ordered_json ToJson(const engine::PoolStatus& pool);
nlohmann::ordered_json AdvertisedJson(const engine::VipStatus& vip);  // null: not advertised

// "yes", "no", "withdrawn" or "missing".
std::string AdvertisedWord(const engine::Advertisement& advertised);

// True where the kernel forwards with something else than what was approved.
bool IsAlarm(const engine::Status& status);

}  // namespace evenkeel::json

#endif  // EVENKEEL_CONTROL_JSON_STATUS_H_
