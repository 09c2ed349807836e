// SPDX-License-Identifier: Apache-2.0
#include "control/engine/local_engine.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "control/engine/request_check.h"
#include "control/engine/verdict_json.h"

namespace evenkeel::engine {
namespace {

constexpr uint32_t kDefaultListLimit = 50;
constexpr uint32_t kMaxListLimit = 1000;

history::Revision Record(const Request& request, const Evaluation& evaluation, int64_t now,
                         StateText* text) {
  history::Revision revision;
  revision.author = request.author;
  revision.reason = request.reason;
  revision.source = request.source;
  revision.created_unix_ns = now;
  if (evaluation.candidate != nullptr) {
    revision.digest = evaluation.candidate->digest.ToHex();
    revision.config_yaml = text->Of(*evaluation.candidate);
  }
  revision.verdict_json = VerdictToJson(evaluation.verdict);
  return revision;
}

Outcome ToOutcome(Evaluation evaluation, const State& state) {
  Outcome outcome;
  outcome.kind = evaluation.kind;
  outcome.diagnostics = std::move(evaluation.diagnostics);
  outcome.verdict = std::move(evaluation.verdict);
  outcome.status = std::move(evaluation.status);
  outcome.applied = state.applied;
  return outcome;
}

Outcome Invalid(std::vector<model::Diagnostic> diagnostics, const State& state) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kInvalid;
  outcome.diagnostics = std::move(diagnostics);
  outcome.applied = state.applied;
  return outcome;
}

Outcome Stale(const Request& request, const State& state) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kStale;
  outcome.status = absl::AbortedError(
      absl::StrCat("etag ", absl::CEscape(request.etag), " is not that of the state in force (",
                   state.applied.etag, ", revision ", state.applied.revision, " by ",
                   state.applied.author.empty() ? "nobody" : state.applied.author,
                   "); plan the change again and apply it with the new etag"));
  outcome.applied = state.applied;
  return outcome;
}

Outcome Failed(absl::Status status, const State& state) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kFailed;
  outcome.status = std::move(status);
  outcome.applied = state.applied;
  return outcome;
}

}  // namespace

std::string MakeEtag(uint64_t revision, const guard::Digest& digest) {
  return revision == 0 ? "r0" : absl::StrCat("r", revision, "-", digest.ToShort());
}

LocalEngine::LocalEngine(Dependencies dependencies)
    : deps_(std::move(dependencies)), started_unix_ns_(deps_.now_unix_ns()) {
  auto nothing = std::make_shared<State>();
  nothing->applied.etag = MakeEtag(0, {});
  auto empty = std::make_shared<guard::BuiltFleet>();
  empty->key = deps_.court.hash_key;
  nothing->desired = std::move(empty);
  state_ = std::move(nothing);
}

std::shared_ptr<const State> LocalEngine::Snapshot() const {
  std::lock_guard lock(state_mutex_);
  return state_;
}

void LocalEngine::SetState(std::shared_ptr<const State> state) {
  std::lock_guard lock(state_mutex_);
  state_ = std::move(state);
}

void LocalEngine::SetNotice(const std::string& key, std::string text) {
  if (!text.empty()) spdlog::warn("{}", text);
  std::lock_guard lock(state_mutex_);
  if (text.empty()) {
    notices_.erase(key);
  } else {
    notices_[key] = std::move(text);
  }
}

void LocalEngine::Emit(Event::Kind kind, uint64_t revision, std::string subject,
                       std::string message) {
  events_.Emit({.unix_ns = deps_.now_unix_ns(),
                .kind = kind,
                .revision = revision,
                .subject = std::move(subject),
                .message = std::move(message)});
}

Outcome LocalEngine::Plan(const Request& request) {
  const std::shared_ptr<const State> state = Snapshot();
  if (auto problems = CheckPlan(request); !problems.empty()) {
    return Invalid(std::move(problems), *state);
  }
  if (!request.etag.empty() && request.etag != state->applied.etag) return Stale(request, *state);
  return ToOutcome(Evaluate(request.change, *state, deps_.court), *state);
}

Outcome LocalEngine::Apply(const Request& request) {
  std::lock_guard serial(apply_mutex_);
  const std::shared_ptr<const State> state = Snapshot();
  if (auto problems = CheckApply(request); !problems.empty()) {
    return Invalid(std::move(problems), *state);
  }
  // Before the guard: a change made against another state would be judged for the wrong delta.
  if (request.etag != state->applied.etag) return Stale(request, *state);
  Evaluation evaluation = Evaluate(request.change, *state, deps_.court);
  const bool meant = !request.validate_only || request.record_refusal;
  if (evaluation.kind == Outcome::Kind::kRefused && meant) {
    return Refuse(request, std::move(evaluation), *state);
  }
  if (evaluation.kind != Outcome::Kind::kValidated || request.validate_only) {
    return ToOutcome(std::move(evaluation), *state);
  }
  return Commit(request, std::move(evaluation), *state);
}

Outcome LocalEngine::Refuse(const Request& request, Evaluation evaluation, const State& state) {
  const std::string summary = SummarizeRefusal(evaluation.verdict);
  history::Revision record = Record(request, evaluation, deps_.now_unix_ns(), &text_);
  record.error = summary;
  const absl::Status recorded = deps_.history->RecordRefusal(record);
  SetNotice(
      "refusal-record",
      recorded.ok() ? "" : absl::StrCat("a refusal could not be recorded: ", recorded.message()));
  spdlog::warn("refused change by {}: {}", request.author, summary);
  Emit(Event::Kind::kRefused, state.applied.revision, "guard",
       absl::StrCat("change by ", request.author, " refused: ", summary));
  return ToOutcome(std::move(evaluation), state);
}

absl::Status LocalEngine::FinishRevision(uint64_t number, history::Outcome outcome,
                                         const std::string& error) {
  absl::Status status = deps_.history->Finish(number, outcome, error);
  if (!status.ok()) unrecorded_[number] = {outcome, error};
  SetNotice("outcome-record",
            status.ok() ? ""
                        : absl::StrCat("the outcome of revision ", number,
                                       " could not be recorded, no change is accepted until it "
                                       "is: ",
                                       status.message()));
  return status;
}

absl::Status LocalEngine::RetryUnrecorded() {
  while (!unrecorded_.empty()) {
    const auto [number, outcome] = *unrecorded_.begin();
    if (auto status = FinishRevision(number, outcome.first, outcome.second); !status.ok()) {
      return status;
    }
    unrecorded_.erase(number);
  }
  return absl::OkStatus();
}

Outcome LocalEngine::Commit(const Request& request, Evaluation evaluation, const State& state) {
  if (auto status = RetryUnrecorded(); !status.ok()) return Failed(std::move(status), state);
  const int64_t now = deps_.now_unix_ns();
  absl::StatusOr<uint64_t> number = deps_.history->Begin(Record(request, evaluation, now, &text_));
  if (!number.ok()) return Failed(number.status(), state);

  absl::StatusOr<publish::PublishResult> published =
      deps_.kernel->Publish(*evaluation.approval, *number);
  if (!published.ok()) {
    const std::string error(published.status().message());
    FinishRevision(*number, history::Outcome::kFailed, error).IgnoreError();  // noticed, retried
    spdlog::error("revision {} by {} failed, nothing changed: {}", *number, request.author, error);
    Emit(Event::Kind::kFailed, *number, "publish", error);
    return Failed(published.status(), state);
  }
  FinishRevision(*number, history::Outcome::kApplied, "").IgnoreError();  // noticed, retried

  auto next = std::make_shared<State>();
  next->applied.revision = *number;
  next->applied.etag = MakeEtag(*number, evaluation.candidate->digest);
  next->applied.digest = evaluation.candidate->digest;
  next->applied.author = request.author;
  next->applied.reason = request.reason;
  next->applied.applied_unix_ns = now;
  next->desired = evaluation.candidate;
  next->kernel = evaluation.candidate;
  SetState(next);
  for (const char* about_the_former_state : {"empty", "unknown-state", "restore", "rebuilt"}) {
    SetNotice(about_the_former_state, "");
  }

  spdlog::info("revision {} by {} in force, digest {}: {}", *number, request.author,
               next->applied.digest.ToShort(), absl::CEscape(request.reason));
  Emit(Event::Kind::kApplied, *number, "revision",
       absl::StrCat("revision ", *number, " by ", request.author, ": ", request.reason));
  Outcome outcome = ToOutcome(std::move(evaluation), *next);
  outcome.kind = Outcome::Kind::kApplied;
  outcome.publish = *std::move(published);
  return outcome;
}

absl::StatusOr<Applied> LocalEngine::Get() {
  const std::shared_ptr<const State> state = Snapshot();
  Applied applied = state->applied;
  applied.config = state->desired->ToConfig();
  return applied;
}

absl::StatusOr<history::Revision> LocalEngine::GetRevision(uint64_t number) {
  absl::StatusOr<std::optional<history::Revision>> found = deps_.history->Get(number);
  if (!found.ok()) return found.status();
  if (!found->has_value()) {
    return absl::NotFoundError(
        absl::StrCat("there is no revision ", number, "; List names those that are kept"));
  }
  return **std::move(found);
}

absl::StatusOr<std::vector<history::Revision>> LocalEngine::ListRevisions(uint32_t limit) {
  return deps_.history->List(limit == 0 ? kDefaultListLimit : std::min(limit, kMaxListLimit));
}

void LocalEngine::ReportReachability(const neighbor::Resolution& resolution) {
  const bool reachable = resolution.next_hop.has_value();
  const std::string address = resolution.address.ToString();
  if (reachable) {
    spdlog::info("backend {} is reachable through {}", address, resolution.interface);
  } else {
    spdlog::warn("backend {} cannot be reached: {}", address, resolution.problem);
  }
  Emit(reachable ? Event::Kind::kReachable : Event::Kind::kUnreachable,
       Snapshot()->applied.revision, address,
       reachable ? absl::StrCat("reachable through ", resolution.interface) : resolution.problem);
}

}  // namespace evenkeel::engine
