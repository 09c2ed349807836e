// SPDX-License-Identifier: Apache-2.0
//
// Health goes the way of every change: built, judged, recorded, published. It makes no revision,
// since nobody asked for another state; the record has its changes beside the revisions.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/engine/local_engine.h"
#include "control/engine/verdict_json.h"

namespace evenkeel::engine {
namespace {

constexpr size_t kMaxUnrecorded = 10'000;

struct Server {
  std::string pool;
  model::IpAddress address;
};

// `wanted` but for those that are to have less than they have; these stay as they are and are
// `lowered`.
health::Admission WithoutLowering(const health::Admission& now, const health::Admission& wanted,
                                  std::vector<Server>* lowered) {
  health::Admission admission;
  for (const auto& [pool, servers] : wanted) {
    for (const auto& [server, permille] : servers) {
      const uint16_t has = health::Admitted(now, pool, server);
      if (permille < has) lowered->push_back({pool, server});
      health::Admit(pool, server, std::max(permille, has), &admission);
    }
  }
  return admission;
}

}  // namespace

// As much of `wanted` as the guard accepts. Who comes back comes back first; who goes out is tried
// alone where all together are refused.
Evaluation LocalEngine::EvaluateWanted(const State& state, const health::Admission& wanted,
                                       HealthReport* report) {
  Evaluation accepted = EvaluateHealth(state, wanted, deps_.court);
  if (accepted.kind != Outcome::Kind::kRefused) return accepted;
  std::vector<Server> lowered;
  accepted = EvaluateHealth(state, WithoutLowering(state.admission, wanted, &lowered), deps_.court);
  for (const auto& [pool, server] : lowered) {
    health::Admission more = accepted.admission;
    health::Admit(pool, server, health::Admitted(wanted, pool, server), &more);
    Evaluation with = EvaluateHealth(state, more, deps_.court);
    if (with.kind == Outcome::Kind::kRefused) {
      report->refused.push_back({pool, server, SummarizeRefusal(with.verdict)});
    } else {
      accepted = std::move(with);
    }
  }
  return accepted;
}

HealthReport LocalEngine::SetHealth(const health::Admission& wanted,
                                    const CauseOfAdmission& cause) {
  std::lock_guard serial(apply_mutex_);
  HealthReport report;
  const std::shared_ptr<const State> state = Snapshot();
  if (state->kernel == nullptr || state->kernel != state->intended) {
    report.status = absl::FailedPreconditionError("nothing is in force that could be changed");
    return report;
  }
  const Evaluation evaluation = EvaluateWanted(*state, wanted, &report);
  if (evaluation.kind == Outcome::Kind::kFailed || evaluation.kind == Outcome::Kind::kRefused) {
    report.status = evaluation.status.ok()
                        ? absl::FailedPreconditionError(SummarizeRefusal(evaluation.verdict))
                        : evaluation.status;
    return report;
  }
  RecordAdmission(evaluation.admission, *state->desired, cause);
  if (evaluation.kind == Outcome::Kind::kValidated) {
    const auto published = deps_.kernel->Publish(*evaluation.approval, state->applied.revision);
    if (!published.ok()) {
      report.status = published.status();
      return report;
    }
  }
  auto next = std::make_shared<State>(*state);
  next->admission = evaluation.admission;
  next->intended = next->kernel = evaluation.effective;
  SetState(std::move(next));
  TellAdmission(*state, evaluation.admission, cause);
  return report;
}

// Who goes out and who comes back; not each step of a slow start.
void LocalEngine::TellAdmission(const State& before, const health::Admission& after,
                                const CauseOfAdmission& cause) {
  for (const history::HealthChange& change :
       Differences(before.admission, after, *before.desired, cause, deps_.now_unix_ns())) {
    const auto server = model::IpAddress::Parse(change.server);
    const bool out = change.permille == health::kOut;
    const bool was_out =
        server.ok() && health::Admitted(before.admission, change.pool, *server) == health::kOut;
    const std::string name = absl::StrCat(change.backend, " of pool ", change.pool);
    if (!out && !was_out) {
      spdlog::debug("{} has {} thousandths of its share: {}", name, change.permille, change.cause);
      continue;
    }
    const std::string text = absl::StrCat(
        name, " is ", out ? "out: " : "back: ", change.cause,
        !out && change.permille < health::kWhole ? "; it gets its share step by step" : "");
    out ? spdlog::warn("{}", text) : spdlog::info("{}", text);
    Emit(out ? Event::Kind::kDown : Event::Kind::kUp, before.applied.revision,
         absl::StrCat(change.pool, "/", change.backend), text);
  }
}

// What a publication that failed has recorded already is not recorded again.
void LocalEngine::RecordAdmission(const health::Admission& admission,
                                  const guard::BuiltFleet& fleet, const CauseOfAdmission& cause) {
  for (history::HealthChange& change :
       Differences(recorded_admission_, admission, fleet, cause, deps_.now_unix_ns())) {
    unrecorded_health_.push_back(std::move(change));
  }
  recorded_admission_ = admission;
  RetryHealth();
}

// Health does not wait for the record: a dead server goes out of the table also where that cannot
// be written down. It is written when it can be.
void LocalEngine::RetryHealth() {
  if (unrecorded_health_.empty()) return;
  const absl::Status status = deps_.history->RecordHealth(unrecorded_health_);
  SetNotice("health-record", status.ok() ? ""
                                         : absl::StrCat("changes of health could not be recorded: ",
                                                        status.message()));
  if (status.ok()) {
    unrecorded_health_.clear();
  } else if (unrecorded_health_.size() > kMaxUnrecorded) {
    unrecorded_health_.erase(unrecorded_health_.begin(), unrecorded_health_.end() - kMaxUnrecorded);
  }
}

absl::StatusOr<std::vector<health::Move>> LocalEngine::HealthMovesSince(int64_t unix_ns) {
  const auto changes = deps_.history->HealthMovesSince(unix_ns);
  if (!changes.ok()) return changes.status();
  std::vector<health::Move> moves;
  for (const history::HealthChange& change : *changes) {
    const auto address = model::IpAddress::Parse(change.server);
    const bool out = change.permille == health::kOut;
    if (!address.ok() || (out && change.cause == kWaitsForProbes)) continue;
    moves.push_back({change.pool, *address, out, change.unix_ns});
  }
  return moves;
}

absl::StatusOr<health::Admission> LocalEngine::ReadHealth() {
  const absl::StatusOr<std::vector<history::HealthChange>> servers = deps_.history->Reduced();
  if (!servers.ok()) return servers.status();
  health::Admission admission;
  for (const history::HealthChange& server : *servers) {
    const auto address = model::IpAddress::Parse(server.server);
    if (address.ok()) health::Admit(server.pool, *address, server.permille, &admission);
  }
  return admission;
}

}  // namespace evenkeel::engine
