// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_RECORDED_H_
#define EVENKEEL_CONTROL_ENGINE_RECORDED_H_

#include "absl/status/statusor.h"
#include "control/history/history.h"
#include "control/model/config.h"

namespace evenkeel::engine {

// The source of a rollback that nobody asked for: nobody confirmed, or something spoke against it.
inline constexpr char kWindowSource[] = "window";

// DataLoss: what was recorded is no configuration.
absl::StatusOr<model::Config> ParseRecorded(const history::Revision& revision);

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_RECORDED_H_
