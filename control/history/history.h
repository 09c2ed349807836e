// SPDX-License-Identifier: Apache-2.0
//
// The record of accepted revisions and refusals, in SQLite (WAL). The newest applied revision is
// what a rebooted host comes back with.
#ifndef EVENKEEL_CONTROL_HISTORY_HISTORY_H_
#define EVENKEEL_CONTROL_HISTORY_HISTORY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/guard/fleet.h"
#include "control/model/config.h"

namespace evenkeel::history {

enum class Outcome {
  kPending,  // intent written, kernel not yet swapped
  kApplied,
  kFailed,   // publishing failed; the kernel kept what it had
  kRefused,  // by the guard
};

struct Revision {
  uint64_t number = 0;  // from 1; refusals have a number of their own kind, 0 here
  std::string author;   // "uid 1000 (alice)"
  std::string reason;
  std::string source;  // "bootstrap", "api"
  int64_t created_unix_ns = 0;
  Outcome outcome = Outcome::kPending;
  std::string digest;        // hex, of the built state
  std::string config_yaml;   // canonical
  std::string verdict_json;  // of the guard
  std::string error;         // why it failed or was refused
};

// Thread-safe.
class History {
 public:
  // Opens or creates `state_dir`/history.db; directory 0750, database 0640.
  static absl::StatusOr<std::unique_ptr<History>> Open(const std::string& state_dir);
  ~History();

  // Records intent before the kernel is touched; returns the new revision's number.
  absl::StatusOr<uint64_t> Begin(const Revision& revision);
  absl::Status Finish(uint64_t number, Outcome outcome, const std::string& error);
  absl::Status RecordRefusal(const Revision& revision);

  absl::StatusOr<std::optional<Revision>> LastApplied();
  absl::StatusOr<std::optional<Revision>> Get(uint64_t number);
  absl::StatusOr<std::vector<Revision>> Pending();             // left by a crash
  absl::StatusOr<std::vector<Revision>> List(uint32_t limit);  // newest first, refusals too;
                                                               // config_yaml stays empty

 private:
  struct Impl;
  explicit History(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace evenkeel::history

#endif  // EVENKEEL_CONTROL_HISTORY_HISTORY_H_
