// SPDX-License-Identifier: Apache-2.0
//
// Entries of the record as JSON.
#ifndef EVENKEEL_CONTROL_JSON_REVISION_H_
#define EVENKEEL_CONTROL_JSON_REVISION_H_

#include <nlohmann/json.hpp>
#include <string_view>

#include "control/engine/engine.h"
#include "control/history/history.h"

namespace evenkeel::json {

std::string_view OutcomeWord(history::Outcome outcome);     // "applied", "refused", ...
std::string_view StandingWord(history::Standing standing);  // "confirmed", "awaiting", ...

// {"standing": ..., "confirm_by": ..., "auto_confirm": ..., "restores": ...}
void AddStanding(const engine::Applied& applied, nlohmann::ordered_json* document);

// Without the configuration itself; `verdict` as it was recorded.
nlohmann::ordered_json ToJson(const history::Revision& revision);
nlohmann::ordered_json ToJson(const history::HealthChange& change);

}  // namespace evenkeel::json

#endif  // EVENKEEL_CONTROL_JSON_REVISION_H_
