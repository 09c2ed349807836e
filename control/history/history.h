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

// Of an applied revision: whether it may stay.
enum class Standing {
  kConfirmed,   // at once, where no confirmation was asked for
  kAwaiting,    // until its deadline: at most one revision does, the last applied one
  kRolledBack,  // not confirmed in time, cancelled, or undone while it was awaited
  kCarriedOn,   // a later revision has what it changed, and awaits in its place
};

// A rule that a revision was allowed to break, until `expires_unix_ns`.
struct Override {
  uint64_t revision = 0;
  std::string rule, reason, author;
  int64_t expires_unix_ns = 0;
};

struct Revision {
  uint64_t number = 0;  // from 1; refusals have a number of their own kind, 0 here
  std::string author;   // "uid 1000 (alice)"
  std::string reason;
  std::string ticket;  // of the tracker that its organisation uses; may be empty
  std::string source;  // "bootstrap", "api", "rollback", "window", "watch"
  int64_t created_unix_ns = 0;
  Outcome outcome = Outcome::kPending;
  std::string digest;         // hex, of the built state
  std::string kernel_digest;  // hex, of what was published: without servers that were down
  std::string config_yaml;    // canonical
  std::string verdict_json;   // of the guard
  std::string error;          // why it failed or was refused

  uint64_t base = 0;      // in force when it was made; 0: nothing was
  uint64_t restores = 0;  // of a rollback: the revision whose state it brings back
  Standing standing = Standing::kConfirmed;
  int64_t deadline_unix_ns = 0;  // of its confirmation; 0: none was asked for
  bool auto_confirm = false;     // at the deadline: confirmed if nothing speaks against it
  int64_t settled_unix_ns = 0;   // when it ceased to await
  std::string settled_by, settled_why;
  uint64_t carried_on_by = 0;  // of kCarriedOn: the revision that does
  int64_t good_unix_ns = 0;    // since when it is known as good: confirmed and baked; 0: not
  // Written, and read by PoolChanges and Overrides only.
  std::vector<std::string> pools;  // that it changed
  std::vector<Override> overrides;
};

// A pool that an applied revision changed.
struct PoolChange {
  std::string pool;
  uint64_t revision = 0;
  int64_t unix_ns = 0;
};

// A server that went out of the table of a pool by its health, or came back; perhaps step by step.
struct HealthChange {
  int64_t unix_ns = 0;
  std::string pool;
  std::string server;     // its address
  std::string backend;    // its names in the pool
  uint16_t permille = 0;  // what it has of its share from then on, in thousandths; 0: it is out
  std::string cause;      // "3 probes failed: connection refused"
};

// A VIP that an operator withdrew from the routers, or announced again.
struct Withdrawal {
  int64_t unix_ns = 0;
  std::string vip;  // its name; empty: all, also those that come later
  bool withdrawn = true;
  std::string author, reason;
};

// Thread-safe.
class History {
 public:
  // Opens or creates `state_dir`/history.db; directory 0750, database 0640.
  static absl::StatusOr<std::unique_ptr<History>> Open(const std::string& state_dir);
  ~History();
  // Whether the database in `state_dir` is whole, for when nobody has it open. NotFound: there is
  // none.
  static absl::Status Inspect(const std::string& state_dir);

  // Records intent before the kernel is touched; returns the new revision's number.
  absl::StatusOr<uint64_t> Begin(const Revision& revision);
  // An applied revision ends the wait of the one that awaits its confirmation, if one does: one
  // that awaits itself carries it on, any other one rolls it back. Nothing else is accepted
  // meanwhile.
  absl::Status Finish(uint64_t number, Outcome outcome, const std::string& error);
  absl::Status RecordRefusal(const Revision& revision);
  // NotFound: the revision does not await its confirmation.
  absl::Status Confirm(uint64_t number, const std::string& by, const std::string& why);
  // Removes what is older, but what a way back may need (retention.h).
  absl::Status Prune(int64_t unix_ns);
  absl::Status MarkGood(uint64_t number, int64_t unix_ns);
  // Reads all of the database, and writes to it what it has already.
  absl::Status Check();

  absl::StatusOr<std::optional<Revision>> LastApplied();
  // The newest confirmed revision below `number`: where a rollback from `number` leads.
  absl::StatusOr<std::optional<Revision>> ConfirmedBefore(uint64_t number);
  absl::StatusOr<std::optional<Revision>> LastGood();
  absl::StatusOr<std::vector<PoolChange>> PoolChanges(int64_t since_unix_ns);
  // Those of applied revisions that expire after `unix_ns`.
  absl::StatusOr<std::vector<Override>> Overrides(int64_t unix_ns);
  absl::Status RecordHealth(const std::vector<HealthChange>& changes);  // all or none
  // The last change of each server that has less than its share, or nothing.
  absl::StatusOr<std::vector<HealthChange>> Reduced();
  // Those since `unix_ns` by which a server went out or came back, in the order of the record.
  absl::StatusOr<std::vector<HealthChange>> HealthMovesSince(int64_t unix_ns);
  // Newest first, those before `before_unix_ns` (0: all), of one pool where it is named.
  absl::StatusOr<std::vector<HealthChange>> ListHealth(uint32_t limit, int64_t before_unix_ns = 0,
                                                       const std::string& pool = "");
  absl::Status RecordWithdrawals(const std::vector<Withdrawal>& withdrawals);  // all or none
  // The last word on each VIP, in order; one on all ends those before it.
  absl::StatusOr<std::vector<Withdrawal>> Withdrawals();
  absl::StatusOr<std::optional<Revision>> Get(uint64_t number);
  absl::StatusOr<std::vector<Revision>> Pending();  // left by a crash
  // Newest first, refusals too, those before `before_unix_ns` (0: all); config_yaml stays empty.
  absl::StatusOr<std::vector<Revision>> List(uint32_t limit, int64_t before_unix_ns = 0);

 private:
  struct Impl;
  explicit History(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace evenkeel::history

#endif  // EVENKEEL_CONTROL_HISTORY_HISTORY_H_
