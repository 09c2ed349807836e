// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_PROBE_CHECK_TARGET_H_
#define EVENKEEL_CONTROL_PROBE_CHECK_TARGET_H_

#include "absl/status/status.h"
#include "control/probe/probe.h"

namespace evenkeel::probe {

// InvalidArgument, naming the target and what to write instead, if it cannot be probed.
absl::Status CheckTarget(const Target& target);

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_CHECK_TARGET_H_
