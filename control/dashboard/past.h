// SPDX-License-Identifier: Apache-2.0
//
// The record, in brief and whole.
#ifndef EVENKEEL_CONTROL_DASHBOARD_PAST_H_
#define EVENKEEL_CONTROL_DASHBOARD_PAST_H_

#include <nlohmann/json.hpp>

#include "control/history/history.h"

namespace evenkeel::dashboard {

// Without the verdict itself: its word, the rules that spoke, and of the pools that changed those
// shares that changed most.
nlohmann::ordered_json Brief(const history::Revision& revision);

// Changes when the newest entry does.
std::string Mark(const history::Revision& newest);

}  // namespace evenkeel::dashboard

#endif  // EVENKEEL_CONTROL_DASHBOARD_PAST_H_
