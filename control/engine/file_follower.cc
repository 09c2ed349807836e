// SPDX-License-Identifier: Apache-2.0
#include "control/engine/file_follower.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/engine/verdict_json.h"

namespace evenkeel::engine {
namespace {

constexpr char kAuthor[] = "evenkeeld";

// Rules that only time has to pass for: nobody needs to look.
bool OnlyTime(const guard::Verdict& verdict) {
  return std::all_of(verdict.violations.begin(), verdict.violations.end(), [](const auto& v) {
    return v.severity != guard::Severity::kBlock || v.rule == "LB014" || v.rule == "LB016";
  });
}

bool Says(const model::Config& config, const State& state) {
  return state.applied.revision != 0 && config == state.desired->ToConfig();
}

}  // namespace

FileFollower::FileFollower(LocalEngine* engine, FollowOptions options)
    : engine_(engine), options_(std::move(options)) {
  Tell({Watched::State::kWaiting, "it was not read yet"});
}

void FileFollower::Step(std::optional<Reading> fresh) {
  if (fresh.has_value()) {
    reading_ = std::move(fresh);
    fresh_ = true;
    refusal_recorded_ = false;
  }
  const std::shared_ptr<const State> state = engine_->Snapshot();
  if (!reading_.has_value() || !IsDue(state->applied.revision)) return;
  retry_ = false;
  Standing standing = Look(*state);
  fresh_ = false;
  // A change that somebody else makes meanwhile is found by the next look.
  seen_ = standing.state == Watched::State::kFollowing ? followed_ : state->applied.revision;
  retry_at_ns_ = options_.steady_ns() + std::chrono::nanoseconds(kAgain).count();
  Tell(std::move(standing));
}

bool FileFollower::IsDue(uint64_t in_force) const {
  return fresh_ || in_force != seen_ || (retry_ && options_.steady_ns() >= retry_at_ns_);
}

FileFollower::Standing FileFollower::Look(const State& state) {
  const bool readable = reading_->problem.empty() && reading_->parsed.ok();
  if (readable && Says(reading_->parsed.config, state)) {
    return Follow(state.applied.revision);
  }
  if (std::string fault = FindFault(options_.path, *reading_, *state.desired); !fault.empty()) {
    return {Watched::State::kHeld, std::move(fault)};
  }
  if (!Knows(state)) return StrangeState(state);
  return Try(state);
}

FileFollower::Standing FileFollower::Follow(uint64_t revision) {
  followed_ = revision;
  return {Watched::State::kFollowing, ""};
}

// What the file said last, in this run or an earlier one; or nothing was ever applied.
bool FileFollower::Knows(const State& state) {
  const uint64_t revision = state.applied.revision;
  if (revision == 0 || revision == followed_) return true;
  const absl::StatusOr<history::Revision> record = engine_->GetRevision(revision);
  if (!record.ok() || record->source != kWatchSource) return false;
  followed_ = revision;
  return true;
}

FileFollower::Standing FileFollower::StrangeState(const State& state) const {
  const Applied& applied = state.applied;
  return {Watched::State::kHeld,
          absl::StrCat("revision ", applied.revision, " by ", applied.author, " (", applied.reason,
                       ") is in force, which the file did not say before",
                       followed_ == 0 ? "" : absl::StrCat(" (that was revision ", followed_, ")"),
                       "; to go by the file: evenkeel apply -f ", options_.path,
                       " --reason TEXT; to keep what is in force: evenkeel get > ", options_.path)};
}

Request FileFollower::MakeRequest(const State& state) const {
  Request request;
  request.change.config = reading_->parsed.config;
  request.etag = state.applied.etag;
  request.author = kAuthor;
  request.reason = absl::StrCat(options_.path, " changed");
  request.source = kWatchSource;
  if (state.applied.revision != 0) {
    request.window = {.length = options_.window,
                      .auto_confirm = options_.window > std::chrono::seconds(0)};
  }
  return request;
}

FileFollower::Standing FileFollower::Try(const State& state) {
  const Request request = MakeRequest(state);
  Outcome outcome = engine_->Plan(request);
  const bool record =
      outcome.kind == Outcome::Kind::kRefused && !OnlyTime(outcome.verdict) && !refusal_recorded_;
  if (outcome.kind == Outcome::Kind::kValidated || record) {
    outcome = engine_->Apply(request);
    refusal_recorded_ = refusal_recorded_ || outcome.kind == Outcome::Kind::kRefused;
  }
  return Judge(outcome);
}

FileFollower::Standing FileFollower::Judge(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::kApplied:
    case Outcome::Kind::kNoChange:
      return Follow(outcome.applied.revision);
    case Outcome::Kind::kRefused:
      retry_ = true;
      return {OnlyTime(outcome.verdict) ? Watched::State::kWaiting : Watched::State::kHeld,
              absl::StrCat("refused: ", SummarizeRefusal(outcome.verdict),
                           "; it is judged again every ", kAgain.count(), " s. evenkeel plan -f ",
                           options_.path, " shows what would pass")};
    case Outcome::Kind::kInvalid:
      return {Watched::State::kHeld,
              absl::StrCat("it cannot be used: ", outcome.diagnostics.empty()
                                                      ? "no reason is given"
                                                      : outcome.diagnostics[0].ToString())};
    case Outcome::Kind::kStale:  // somebody was faster; the next look sees it
      retry_ = true;
      return {Watched::State::kWaiting, std::string(outcome.status.message())};
    case Outcome::Kind::kFailed:
    case Outcome::Kind::kValidated:
    case Outcome::Kind::kConfirmed:
      break;
  }
  retry_ = true;
  return {Watched::State::kHeld, absl::StrCat("it could not be applied: ", outcome.status.message(),
                                              "; tried again every ", kAgain.count(), " s")};
}

void FileFollower::Tell(Standing standing) {
  Watched watched;
  watched.state = standing.state;
  watched.path = options_.path;
  watched.detail = std::move(standing.detail);
  watched.revision = followed_;
  const bool same = told_.has_value() && told_->state == watched.state;
  watched.since_unix_ns = same ? told_->since_unix_ns : options_.now_unix_ns();
  told_ = watched;
  engine_->SetWatched(std::move(watched));
}

}  // namespace evenkeel::engine
