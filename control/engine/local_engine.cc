// SPDX-License-Identifier: Apache-2.0
#include "control/engine/local_engine.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "control/engine/outcomes.h"
#include "control/engine/recorded.h"
#include "control/engine/request_check.h"
#include "control/engine/verdict_json.h"

namespace evenkeel::engine {
namespace {

constexpr uint32_t kDefaultListLimit = 50;
constexpr uint32_t kMaxListLimit = 1000;
// Refusals that wait for room in the record; a client that is refused again and again must not
// fill the memory, too.
constexpr size_t kMaxUnrecordedRefusals = 100;

// Of a change of the configuration.
std::string CauseOfJoining(const std::string& /*pool*/, const model::IpAddress& /*server*/,
                           uint16_t permille) {
  return permille == health::kOut    ? kWaitsForProbes
         : permille < health::kWhole ? "joined the pool, and starts slowly"
                                     : "by a change of the configuration";
}

}  // namespace

std::string MakeEtag(uint64_t revision, const guard::Digest& digest) {
  return revision == 0 ? "r0" : absl::StrCat("r", revision, "-", digest.ToShort());
}

Applied MakeApplied(const history::Revision& revision, const guard::Digest& digest) {
  Applied applied;
  applied.revision = revision.number;
  applied.etag = MakeEtag(revision.number, digest);
  applied.digest = digest;
  applied.author = revision.author;
  applied.reason = revision.reason;
  applied.ticket = revision.ticket;
  applied.applied_unix_ns = revision.created_unix_ns;
  applied.standing = revision.standing;
  applied.deadline_unix_ns = revision.deadline_unix_ns;
  applied.auto_confirm = revision.auto_confirm;
  applied.restores = revision.restores;
  return applied;
}

LocalEngine::LocalEngine(Dependencies dependencies)
    : deps_(std::move(dependencies)),
      started_unix_ns_(deps_.now_unix_ns()),
      sampler_(deps_.sample),
      captures_({.start = deps_.capture,
                 .names = [this] { return deps_.kernel->Names(); },
                 .now_unix_ns = deps_.now_unix_ns,
                 .tell = [this](const std::string& runs) { SetNotice("capture", runs); }}) {
  auto nothing = std::make_shared<State>();
  nothing->applied.etag = MakeEtag(0, {});
  auto empty = std::make_shared<guard::BuiltFleet>();
  empty->key = deps_.court.hash_key;
  nothing->desired = nothing->intended = std::move(empty);
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
  std::lock_guard lock(state_mutex_);
  if (text.empty()) {
    notices_.erase(key);
    return;
  }
  // Once: what is retried each second must not fill the log, perhaps on the same full disk.
  std::string& notice = notices_[key];
  if (notice != text) spdlog::warn("{}", text);
  notice = std::move(text);
}

void LocalEngine::SetWatched(Watched watched) {
  std::optional<Watched> before = watched;
  {
    std::lock_guard lock(state_mutex_);
    before.swap(watched_);
  }
  const bool first = !before.has_value();
  if (!first && before->state == watched.state && before->detail == watched.detail) return;
  switch (watched.state) {
    case Watched::State::kWaiting:
      spdlog::info("watched file {}: {}", watched.path, watched.detail);
      return;
    case Watched::State::kHeld:
      spdlog::error("watched file {} is held: {}", watched.path, watched.detail);
      Emit(Event::Kind::kHeld, watched.revision, watched.path, watched.detail);
      return;
    case Watched::State::kFollowing:
      spdlog::info("watched file {}: revision {} is what it says", watched.path, watched.revision);
      if (first || before->state != Watched::State::kHeld) return;
      Emit(Event::Kind::kFollowing, watched.revision, watched.path,
           absl::StrCat("revision ", watched.revision, " is what the watched file says"));
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

void LocalEngine::TellJudged(Outcome::Kind kind, const guard::Verdict& verdict,
                             const std::vector<history::Override>& overrides) const {
  if (deps_.judged) deps_.judged({.kind = kind, .verdict = verdict, .overrides = overrides});
}

Outcome LocalEngine::Plan(const Request& request) {
  const std::shared_ptr<const State> state = Snapshot();
  if (auto problems = CheckPlan(request); !problems.empty()) {
    return Invalid(std::move(problems), *state);
  }
  if (!request.etag.empty() && request.etag != state->applied.etag) return Stale(request, *state);
  Evaluation evaluation = Evaluate(request.change, *state, MakeCourt(*state, MakeConsent(request)));
  const std::shared_ptr<const guard::BuiltFleet> candidate = evaluation.effective;
  Outcome outcome = ToOutcome(std::move(evaluation), *state);
  if (candidate != nullptr && state->kernel != nullptr &&
      outcome.kind != Outcome::Kind::kNoChange) {
    outcome.live_traffic = PredictTraffic(*state->kernel, *candidate, request.sample_for);
  }
  return outcome;
}

Outcome LocalEngine::Apply(const Request& request) {
  std::lock_guard serial(apply_mutex_);
  const std::shared_ptr<const State> state = Snapshot();
  auto problems = CheckApply(request);
  if (request.window.length > std::chrono::seconds(0) && state->applied.revision == 0) {
    problems.push_back({.location = {},
                        .field = "confirm_within",
                        .message = "there is no earlier state to go back to; apply the first one "
                                   "without"});
  }
  if (!problems.empty()) return Invalid(std::move(problems), *state);
  // Before the guard: a change made against another state would be judged for the wrong delta.
  const bool follows = request.etag.empty() && request.change.edit.has_value();
  if (!follows && request.etag != state->applied.etag) return Stale(request, *state);
  const guard::Consent consent = MakeConsent(request);
  Evaluation evaluation = Evaluate(request.change, *state, MakeCourt(*state, consent));
  const bool meant = !request.validate_only || request.record_refusal;
  const Cause cause{request.author, request.reason, request.ticket, request.source};
  if (evaluation.kind == Outcome::Kind::kRefused && meant) {
    return Refuse(cause, std::move(evaluation), *state);
  }
  if (evaluation.kind != Outcome::Kind::kValidated || request.validate_only) {
    return ToOutcome(std::move(evaluation), *state);
  }
  history::Revision record = MakeRecord(cause, evaluation, *state);
  for (const guard::Override& o : consent.overrides) {
    record.overrides.push_back({.rule = o.rule,
                                .reason = o.reason,
                                .author = o.author,
                                .expires_unix_ns = o.expires_unix_ns});
  }
  if (state->applied.awaits()) {
    // The drain of a bad host does not wait. Its state has what is not confirmed in it, and so it
    // awaits in its place, for no longer.
    record.standing = history::Standing::kAwaiting;
    record.deadline_unix_ns = state->applied.deadline_unix_ns;
    record.auto_confirm = state->applied.auto_confirm;
  } else if (request.window.length > std::chrono::seconds(0)) {
    record.standing = history::Standing::kAwaiting;
    record.deadline_unix_ns =
        record.created_unix_ns + std::chrono::nanoseconds(request.window.length).count();
    record.auto_confirm = request.window.auto_confirm;
  }
  return Commit(std::move(record), std::move(evaluation), *state);
}

history::Revision LocalEngine::MakeRecord(const Cause& cause, const Evaluation& evaluation,
                                          const State& state) {
  history::Revision revision;
  revision.author = cause.author;
  revision.reason = cause.reason;
  revision.ticket = cause.ticket;
  revision.source = cause.source;
  revision.created_unix_ns = deps_.now_unix_ns();
  if (evaluation.candidate != nullptr) {
    revision.digest = evaluation.candidate->digest.ToHex();
    revision.kernel_digest = evaluation.effective->digest.ToHex();
    revision.config_yaml = text_.Of(*evaluation.candidate);
  }
  revision.verdict_json = VerdictToJson(evaluation.verdict);
  revision.base = state.applied.revision;
  for (const guard::PoolChange& pool : evaluation.verdict.pools) {
    if (pool.kind != guard::PoolChange::Kind::kUnchanged) revision.pools.push_back(pool.pool);
  }
  return revision;
}

Outcome LocalEngine::Refuse(const Cause& cause, Evaluation evaluation, const State& state) {
  const std::string summary = SummarizeRefusal(evaluation.verdict);
  history::Revision record = MakeRecord(cause, evaluation, state);
  record.error = summary;
  unrecorded_refusals_.push_back(std::move(record));
  if (unrecorded_refusals_.size() > kMaxUnrecordedRefusals) unrecorded_refusals_.pop_front();
  RetryRefusals().IgnoreError();  // retried
  spdlog::warn("refused change by {}: {}", cause.author, summary);
  TellJudged(Outcome::Kind::kRefused, evaluation.verdict, {});
  Emit(Event::Kind::kRefused, state.applied.revision, "guard",
       absl::StrCat("change by ", cause.author, " refused: ", summary));
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

absl::Status LocalEngine::RetryRefusals() {
  absl::Status status;
  while (!unrecorded_refusals_.empty() && status.ok()) {
    status = deps_.history->RecordRefusal(unrecorded_refusals_.front());
    if (status.ok()) unrecorded_refusals_.pop_front();
  }
  SetNotice("refusal-record",
            status.ok() ? ""
                        : absl::StrCat(unrecorded_refusals_.size(),
                                       " refusals could not be recorded: ", status.message()));
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
  if (!unrecorded_refusals_.empty()) {
    if (auto status = RetryRefusals(); !status.ok()) return status;
  }
  if (!unrecorded_rollback_.has_value()) return absl::OkStatus();
  absl::StatusOr<uint64_t> number = deps_.history->Begin(*unrecorded_rollback_);
  if (!number.ok()) return number.status();
  const history::Revision record = *std::move(unrecorded_rollback_);
  unrecorded_rollback_.reset();
  SetNotice("rollback-record", "");
  auto state = std::make_shared<State>(*Snapshot());
  state->applied.revision = *number;
  state->applied.etag = MakeEtag(*number, state->applied.digest);
  SetState(std::move(state));
  return FinishRevision(*number, history::Outcome::kApplied, "");
}

absl::StatusOr<uint64_t> LocalEngine::Begin(const history::Revision& record) {
  if (auto status = RetryUnrecorded(); !status.ok()) return status;
  return deps_.history->Begin(record);
}

Outcome LocalEngine::Commit(history::Revision record, Evaluation evaluation, const State& state) {
  const bool restores = record.restores != 0;
  const absl::StatusOr<uint64_t> begun = Begin(record);
  const bool recorded = begun.ok();
  // What nobody confirmed goes, also where that cannot be written down: the record still says that
  // it awaits, and so a restart would come to the same end.
  if (!recorded && record.source != kWindowSource) return Failed(begun.status(), state);
  record.number = recorded ? *begun : record.restores;
  // Who begins with less is recorded before; who has more, once it has.
  const health::Admission& admission = evaluation.admission;
  RecordAdmission(health::LesserOf(recorded_admission_, admission), *evaluation.candidate,
                  CauseOfJoining);

  absl::StatusOr<publish::PublishResult> published =
      restores ? deps_.kernel->Restore(*evaluation.approval, record.number)
               : deps_.kernel->Publish(*evaluation.approval, record.number);
  if (!published.ok()) {
    const std::string error(published.status().message());
    if (recorded) {
      FinishRevision(record.number, history::Outcome::kFailed, error).IgnoreError();  // retried
    }
    spdlog::error("revision {} by {} failed, nothing changed: {}", record.number, record.author,
                  error);
    Emit(Event::Kind::kFailed, record.number, "publish", error);
    TellJudged(Outcome::Kind::kFailed, evaluation.verdict, record.overrides);
    return Failed(published.status(), state);
  }
  if (recorded) {
    FinishRevision(record.number, history::Outcome::kApplied, "").IgnoreError();  // retried
  } else {
    unrecorded_rollback_ = record;
    SetNotice("rollback-record",
              absl::StrCat("the rollback to revision ", record.restores,
                           " could not be recorded, no change is accepted until it is: ",
                           begun.status().message()));
  }
  RecordAdmission(admission, *evaluation.candidate, CauseOfJoining);
  PutIntoForce(record, evaluation);
  TellJudged(Outcome::Kind::kApplied, evaluation.verdict, record.overrides);
  Outcome outcome = ToOutcome(std::move(evaluation), *Snapshot());
  outcome.kind = Outcome::Kind::kApplied;
  outcome.publish = *std::move(published);
  return outcome;
}

// What the kernel has from now on.
void LocalEngine::PutIntoForce(const history::Revision& record, const Evaluation& evaluation) {
  auto next = std::make_shared<State>();
  next->applied = MakeApplied(record, evaluation.candidate->digest);
  next->desired = evaluation.candidate;
  next->admission = evaluation.admission;
  next->intended = next->kernel = evaluation.effective;
  const std::string digest = next->applied.digest.ToShort();
  SetState(std::move(next));
  for (const char* about_the_former_state :
       {"empty", "unknown-state", "restore", "rebuilt", "window"}) {
    SetNotice(about_the_former_state, "");
  }
  OpenWindow(record, record.deadline_unix_ns - record.created_unix_ns);
  if (record.restores != 0) {
    // What was gone back from is not known as good any more (history::Finish).
    const auto good = deps_.history->LastGood();
    std::lock_guard lock(state_mutex_);
    last_good_ = good.ok() && good->has_value() ? (*good)->number : 0;
  }
  spdlog::info("revision {} by {} in force, digest {}: {}", record.number, record.author, digest,
               absl::CEscape(record.reason));
  const bool restores = record.restores != 0;
  Emit(restores ? Event::Kind::kRolledBack : Event::Kind::kApplied, record.number, "revision",
       absl::StrCat("revision ", record.number, " by ", record.author,
                    restores ? absl::StrCat(" brings back revision ", record.restores) : "", ": ",
                    record.reason));
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

absl::StatusOr<std::vector<history::Revision>> LocalEngine::ListRevisions(uint32_t limit,
                                                                          int64_t before_unix_ns) {
  return deps_.history->List(limit == 0 ? kDefaultListLimit : std::min(limit, kMaxListLimit),
                             before_unix_ns);
}

absl::StatusOr<std::vector<history::HealthChange>> LocalEngine::ListHealth(uint32_t limit,
                                                                           const std::string& pool,
                                                                           int64_t before_unix_ns) {
  return deps_.history->ListHealth(limit == 0 ? kDefaultListLimit : std::min(limit, kMaxListLimit),
                                   before_unix_ns, pool);
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
