// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_STORED_STATE_H_
#define EVENKEEL_CONTROL_CLI_STORED_STATE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "control/cli/session.h"
#include "control/model/config.h"

namespace evenkeel::cli {

// A state that the daemon holds: the one in force, or a past revision.
struct StoredState {
  uint64_t revision = 0;
  std::string etag;  // of the state in force only
  std::string digest, author, reason;
  int64_t unix_ns = 0;
  std::string failure;  // why it never came into force; empty if it did
  model::Config config;
};

// `revision` is a number as typed; empty is the state in force.
// InvalidArgument: not a revision's number. Else what the daemon says.
absl::StatusOr<StoredState> LoadState(Session& session, const std::string& revision);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_STORED_STATE_H_
