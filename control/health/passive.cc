// SPDX-License-Identifier: Apache-2.0
#include "control/health/passive.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace evenkeel::health {

ProbeResult JudgePassive(const model::PassiveSignal& signal, const PassiveRound& round) {
  if (!round.no_next_hop.empty()) {
    return {.ok = false, .cause = absl::StrCat("its packets are dropped: ", round.no_next_hop)};
  }
  // Counters and errors are not read at the same instant.
  const uint64_t forwarded = std::max(round.forwarded, round.returned);
  if (round.returned < signal.min_count ||
      static_cast<double>(round.returned) < signal.min_share * static_cast<double>(forwarded)) {
    return {.ok = true, .cause = {}};
  }
  return {.ok = false,
          .cause = absl::StrCat("its packets come back: ", round.last_error, ", ", round.returned,
                                " of ", forwarded)};
}

}  // namespace evenkeel::health
