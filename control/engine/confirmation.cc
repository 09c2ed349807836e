// SPDX-License-Identifier: Apache-2.0
//
// What becomes of a revision once it is in force: confirmed, or rolled back, by whom it may
// concern or by the end of its window (docs/change-workflow.md).
#include <spdlog/spdlog.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/engine/local_engine.h"
#include "control/engine/outcomes.h"
#include "control/engine/recorded.h"
#include "control/engine/request_check.h"

namespace evenkeel::engine {
namespace {

constexpr char kDaemon[] = "evenkeeld";
constexpr int64_t kRetryNs = 1'000'000'000;
constexpr int64_t kLongestRetryNs = 60'000'000'000;
constexpr int64_t kSampleNs = 5'000'000'000;
constexpr int64_t kDayNs = 86400 * int64_t{1'000'000'000};

std::string WhatBecame(const history::Revision& revision) {
  switch (revision.standing) {
    case history::Standing::kAwaiting:
      return "awaits its confirmation";
    case history::Standing::kConfirmed:
      return revision.settled_by.empty()
                 ? "was confirmed when it was applied"
                 : absl::StrCat("was confirmed already, by ", revision.settled_by);
    case history::Standing::kRolledBack:
      return absl::StrCat("was rolled back by ", revision.settled_by, ": ", revision.settled_why);
    case history::Standing::kCarriedOn:
      return absl::StrCat("is carried on by revision ", revision.carried_on_by,
                          ", which has what it changed and awaits in its place");
  }
  return "";
}

std::string Seconds(int64_t ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  return absl::StrCat((ns + kSecond - 1) / kSecond, " s");
}

}  // namespace

int64_t LocalEngine::SteadyNow() const {
  return deps_.steady_ns ? deps_.steady_ns() : deps_.now_unix_ns();
}

// The record has wall-clock time, which outlives the daemon; what is waited for does not jump.
void LocalEngine::OpenWindow(const history::Revision& record, int64_t left_ns) {
  const int64_t now = SteadyNow();
  window_end_ns_ = record.standing == history::Standing::kAwaiting ? now + left_ns : 0;
  retry_at_ns_ = 0;
  retry_wait_ns_ = kRetryNs;
  good_from_ns_ = now;
}

absl::Status LocalEngine::ConfirmInForce(const Cause& cause, const State& state) {
  if (auto status = RetryUnrecorded(); !status.ok()) return status;
  const uint64_t number = state.applied.revision;
  if (auto status = deps_.history->Confirm(number, cause.author, cause.reason); !status.ok()) {
    return status;
  }
  auto next = std::make_shared<State>(state);
  next->applied.standing = history::Standing::kConfirmed;
  SetState(std::move(next));
  SetNotice("window", "");
  window_end_ns_ = 0;
  good_from_ns_ = SteadyNow();
  spdlog::info("revision {} confirmed by {}", number, cause.author);
  Emit(Event::Kind::kConfirmed, number, "revision",
       absl::StrCat("revision ", number, " confirmed by ", cause.author,
                    cause.reason.empty() ? "" : ": ", cause.reason));
  return absl::OkStatus();
}

// nullopt: the revision that `settlement` is about is in force and awaits.
std::optional<Outcome> LocalEngine::NotAwaited(const Settlement& settlement, const State& state) {
  const uint64_t asked = settlement.revision != 0 ? settlement.revision : state.applied.revision;
  if (asked == state.applied.revision && state.applied.awaits()) return std::nullopt;
  if (asked == 0) return Stale("nothing awaits a confirmation: nothing was applied yet", state);
  const absl::StatusOr<history::Revision> revision = GetRevision(asked);
  if (!revision.ok()) return Failed(revision.status(), state);
  if (revision->outcome == history::Outcome::kFailed) {
    return Stale(absl::StrCat("revision ", asked,
                              " does not await a confirmation: it failed and "
                              "was never in force"),
                 state);
  }
  Outcome outcome = Stale(absl::StrCat("revision ", asked, " does not await a confirmation: it ",
                                       WhatBecame(*revision)),
                          state);
  outcome.rolled_back = revision->standing == history::Standing::kRolledBack;
  return outcome;
}

Outcome LocalEngine::Confirm(const Settlement& settlement) {
  std::lock_guard serial(apply_mutex_);
  const std::shared_ptr<const State> state = Snapshot();
  if (auto problems = CheckSettlement(settlement); !problems.empty()) {
    return Invalid(std::move(problems), *state);
  }
  if (auto refusal = NotAwaited(settlement, *state)) return *std::move(refusal);
  const Cause cause{settlement.author, settlement.reason, "", "confirm"};
  if (auto status = ConfirmInForce(cause, *state); !status.ok()) {
    return Failed(std::move(status), *state);
  }
  Outcome outcome;
  outcome.kind = Outcome::Kind::kConfirmed;
  outcome.applied = Snapshot()->applied;
  return outcome;
}

Outcome LocalEngine::Cancel(const Settlement& settlement) {
  std::lock_guard serial(apply_mutex_);
  const std::shared_ptr<const State> state = Snapshot();
  if (auto problems = CheckSettlement(settlement); !problems.empty()) {
    return Invalid(std::move(problems), *state);
  }
  if (auto refusal = NotAwaited(settlement, *state)) return *std::move(refusal);
  const absl::StatusOr<history::Revision> target = FindTarget({}, *state);
  if (!target.ok()) return Failed(target.status(), *state);
  const Cause cause{settlement.author,
                    settlement.reason.empty()
                        ? absl::StrCat("revision ", state->applied.revision, " was cancelled")
                        : settlement.reason,
                    "", "cancel"};
  return RollBackTo(*target, cause, *state);
}

absl::StatusOr<history::Revision> LocalEngine::FindTarget(const Rollback& rollback,
                                                          const State& state) {
  absl::StatusOr<std::optional<history::Revision>> found = std::nullopt;
  std::string missing;
  if (rollback.target != 0) {
    found = deps_.history->Get(rollback.target);
    missing = absl::StrCat("there is no revision ", rollback.target);
  } else if (rollback.last_good) {
    found = deps_.history->LastGood();
    missing = "no revision is known as good yet";
  } else {
    // From what a rollback brought back it leads further back, not to what was rolled back.
    const Applied& applied = state.applied;
    found =
        deps_.history->ConfirmedBefore(applied.restores != 0 ? applied.restores : applied.revision);
    missing = absl::StrCat("there is no confirmed revision before revision ", applied.revision);
  }
  if (!found.ok()) return found.status();
  if (!found->has_value()) {
    return absl::NotFoundError(absl::StrCat(missing, "; `evenkeel history` lists all"));
  }
  const history::Revision& target = **found;
  if (target.outcome != history::Outcome::kApplied) {
    return absl::FailedPreconditionError(
        absl::StrCat("revision ", target.number, " was never in force: ", target.error));
  }
  if (target.standing == history::Standing::kRolledBack ||
      target.standing == history::Standing::kCarriedOn) {
    return absl::FailedPreconditionError(absl::StrCat("revision ", target.number, " ",
                                                      WhatBecame(target),
                                                      "; to try it again, apply it: evenkeel "
                                                      "get -r ",
                                                      target.number, " > FILE"));
  }
  return target;
}

Outcome LocalEngine::RollBack(const Rollback& rollback) {
  std::lock_guard serial(apply_mutex_);
  const std::shared_ptr<const State> state = Snapshot();
  if (auto problems = CheckRollback(rollback); !problems.empty()) {
    return Invalid(std::move(problems), *state);
  }
  const Applied& applied = state->applied;
  if (rollback.from != 0 && rollback.from != applied.revision) {
    return Stale(absl::StrCat("revision ", rollback.from, " is not in force any more: revision ",
                              applied.revision, " by ", applied.author, " is (", applied.reason,
                              "); look at it, and roll it back if it is the wrong one"),
                 *state);
  }
  const absl::StatusOr<history::Revision> target = FindTarget(rollback, *state);
  if (!target.ok()) return Failed(target.status(), *state);
  Outcome outcome =
      RollBackTo(*target, {rollback.author, rollback.reason, rollback.ticket, "rollback"}, *state);
  if (rollback.purge_pinned && outcome.kind == Outcome::Kind::kApplied) {
    std::vector<std::string> pools;
    for (const guard::PoolChange& pool : outcome.verdict.pools) {
      if (pool.kind == guard::PoolChange::Kind::kChanged) pools.push_back(pool.pool);
    }
    deps_.kernel->LetGo(pools);
  }
  return outcome;
}

Outcome LocalEngine::RollBackTo(const history::Revision& target, const Cause& cause,
                                const State& state) {
  absl::StatusOr<model::Config> config = ParseRecorded(target);
  if (!config.ok()) return Failed(config.status(), state);
  Evaluation evaluation = EvaluateRollback(*config, state, MakeCourt(state, {}, /*whole=*/true));
  // The end of a window is tried again and again: one refusal of it is enough for the record.
  const bool again = cause.source == kWindowSource && retry_wait_ns_ > kRetryNs;
  if (evaluation.kind == Outcome::Kind::kRefused && !again) {
    return Refuse(cause, std::move(evaluation), state);
  }
  if (evaluation.kind != Outcome::Kind::kValidated) {
    return ToOutcome(std::move(evaluation), state);
  }
  history::Revision record = MakeRecord(cause, evaluation, state);
  // A rollback to a rollback brings back what that one did, and leads further back from there.
  record.restores = target.restores != 0 ? target.restores : target.number;
  return Commit(std::move(record), std::move(evaluation), state);
}

std::string LocalEngine::Objection() { return deps_.objection ? deps_.objection() : ""; }

bool LocalEngine::KernelMatches(const State& state) {
  const absl::StatusOr<publish::KernelState> kernel = deps_.kernel->ReadKernelState();
  return kernel.ok() && kernel->digest == state.intended->digest;
}

void LocalEngine::Tick() {
  SampleTraffic(kSampleNs).IgnoreError();  // next time
  std::lock_guard serial(apply_mutex_);
  WatchSpare();
  if (SteadyNow() < retry_at_ns_) return;
  if (auto status = RetryUnrecorded(); !status.ok()) retry_at_ns_ = SteadyNow() + kRetryNs;
  RetryHealth();
  {
    std::lock_guard withdrawing(withdraw_mutex_);
    RecordWithdrawals({}, nullptr);
  }
  WatchWindow();
  PromoteGood();
  PruneHistory();
}

void LocalEngine::WatchWindow() {
  const std::shared_ptr<const State> state = Snapshot();
  if (!state->applied.awaits()) return;
  if (std::string why = Objection(); !why.empty()) {
    LeaveWindow(why, *state);
  } else if (SteadyNow() >= window_end_ns_) {
    EndWindow(*state);
  }
}

void LocalEngine::EndWindow(const State& state) {
  const std::string length =
      Seconds(state.applied.deadline_unix_ns - state.applied.applied_unix_ns);
  if (!state.applied.auto_confirm) {
    LeaveWindow(absl::StrCat("not confirmed within ", length), state);
    return;
  }
  if (!KernelMatches(state)) {
    LeaveWindow("the kernel does not forward with what was approved", state);
    return;
  }
  const Cause cause{kDaemon, absl::StrCat("nothing spoke against it for ", length), "", "confirm"};
  if (auto status = ConfirmInForce(cause, state); !status.ok()) {
    retry_at_ns_ = SteadyNow() + kRetryNs;
    SetNotice("window", absl::StrCat("revision ", state.applied.revision,
                                     " could not be confirmed: ", status.message()));
  }
}

Outcome LocalEngine::LeaveWindow(const std::string& why, const State& state) {
  const uint64_t number = state.applied.revision;
  absl::StatusOr<history::Revision> target = FindTarget({}, state);
  Outcome outcome =
      target.ok()
          ? RollBackTo(*target,
                       {kDaemon, absl::StrCat("revision ", number, ": ", why), "", kWindowSource},
                       state)
          : Failed(target.status(), state);
  if (outcome.kind == Outcome::Kind::kApplied) return outcome;
  retry_at_ns_ = SteadyNow() + retry_wait_ns_;
  retry_wait_ns_ = std::min(2 * retry_wait_ns_, kLongestRetryNs);
  const std::string problem = outcome.kind == Outcome::Kind::kRefused
                                  ? "the guard refuses the earlier state (`evenkeel history`)"
                                  : std::string(outcome.status.message());
  SetNotice("window", absl::StrCat("revision ", number, " (", why,
                                   ") could not be rolled back and is still in force: ", problem));
  return outcome;
}

// Once a day, and at the start.
void LocalEngine::PruneHistory() {
  if (deps_.retention.count() == 0 || SteadyNow() < prune_at_ns_) return;
  prune_at_ns_ = SteadyNow() + kDayNs;
  const absl::Status status = deps_.history->Prune(deps_.now_unix_ns() - deps_.retention.count());
  SetNotice(
      "prune",
      status.ok() ? "" : absl::StrCat("what is too old could not be removed: ", status.message()));
}

// Last known good is what was confirmed, and then ran for a while with nothing against it.
void LocalEngine::PromoteGood() {
  const std::shared_ptr<const State> state = Snapshot();
  const uint64_t number = state->applied.revision;
  if (number == 0 || state->applied.awaits() || unrecorded_rollback_.has_value()) return;
  if (number == last_good_ || SteadyNow() < good_from_ns_ + deps_.bake.count()) return;
  if (!Objection().empty() || !KernelMatches(*state) ||
      !deps_.history->MarkGood(number, deps_.now_unix_ns()).ok()) {
    good_from_ns_ = SteadyNow();  // it begins anew
    return;
  }
  std::lock_guard lock(state_mutex_);
  last_good_ = number;
}

}  // namespace evenkeel::engine
