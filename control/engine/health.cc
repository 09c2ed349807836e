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

// What a publication that failed has recorded already is not recorded with each new attempt.
std::vector<history::HealthChange> NotRecorded(const std::vector<history::HealthChange>& changes,
                                               const HealthOut& recorded) {
  std::vector<history::HealthChange> fresh;
  for (const history::HealthChange& change : changes) {
    const auto server = model::IpAddress::Parse(change.server);
    if (!server.ok() || IsOut(recorded, change.pool, *server) != change.out) {
      fresh.push_back(change);
    }
  }
  return fresh;
}

}  // namespace

// As much of `wanted` as the guard accepts. Who comes back comes back first; who goes out is tried
// alone where all together are refused.
Evaluation LocalEngine::EvaluateOut(const State& state, const HealthOut& wanted, HealthOut* out,
                                    HealthReport* report) {
  const Court court = deps_.court;
  Evaluation whole = EvaluateHealth(state, wanted, court);
  *out = wanted;
  if (whole.kind != Outcome::Kind::kRefused) return whole;

  out->clear();
  std::vector<std::pair<std::string, model::IpAddress>> asked;
  for (const auto& [pool, servers] : wanted) {
    for (const model::IpAddress& server : servers) {
      if (IsOut(state.out, pool, server)) {
        (*out)[pool].insert(server);
      } else {
        asked.emplace_back(pool, server);
      }
    }
  }
  Evaluation accepted = EvaluateHealth(state, *out, court);
  for (const auto& [pool, server] : asked) {
    HealthOut more = *out;
    more[pool].insert(server);
    Evaluation with = EvaluateHealth(state, more, court);
    if (with.kind == Outcome::Kind::kRefused) {
      report->refused.push_back({pool, server, SummarizeRefusal(with.verdict)});
      continue;
    }
    *out = std::move(more);
    accepted = std::move(with);
  }
  return accepted;
}

HealthReport LocalEngine::SetHealth(const HealthOut& wanted,
                                    std::vector<history::HealthChange> changes) {
  std::lock_guard serial(apply_mutex_);
  HealthReport report;
  const std::shared_ptr<const State> state = Snapshot();
  if (state->kernel == nullptr || state->kernel != state->intended) {
    report.status = absl::FailedPreconditionError("nothing is in force that could be changed");
    return report;
  }
  HealthOut out;
  Evaluation evaluation = EvaluateOut(*state, wanted, &out, &report);
  if (evaluation.kind == Outcome::Kind::kFailed || evaluation.kind == Outcome::Kind::kRefused) {
    report.status = evaluation.status.ok()
                        ? absl::FailedPreconditionError(SummarizeRefusal(evaluation.verdict))
                        : evaluation.status;
    return report;
  }
  // What was refused did not happen.
  std::erase_if(changes, [&](const history::HealthChange& change) {
    return std::any_of(report.refused.begin(), report.refused.end(), [&](const auto& refused) {
      return change.out && change.pool == refused.pool &&
             change.server == refused.server.ToString();
    });
  });
  RecordHealth(NotRecorded(changes, recorded_out_));
  recorded_out_ = out;
  if (evaluation.kind == Outcome::Kind::kValidated) {
    const auto published = deps_.kernel->Publish(*evaluation.approval, state->applied.revision);
    if (!published.ok()) {
      report.status = published.status();
      return report;
    }
  }
  auto next = std::make_shared<State>(*state);
  next->out = std::move(out);
  next->intended = next->kernel = evaluation.effective;
  SetState(std::move(next));
  for (const history::HealthChange& change : changes) {
    const std::string text = absl::StrCat(change.backend, " of pool ", change.pool, " is ",
                                          change.out ? "out: " : "back: ", change.cause);
    change.out ? spdlog::warn("{}", text) : spdlog::info("{}", text);
    Emit(change.out ? Event::Kind::kDown : Event::Kind::kUp, state->applied.revision,
         absl::StrCat(change.pool, "/", change.backend), text);
  }
  return report;
}

// Health does not wait for the record: a dead server goes out of the table also where that cannot
// be written down. It is written when it can be.
void LocalEngine::RecordHealth(std::vector<history::HealthChange> changes) {
  for (history::HealthChange& change : changes) unrecorded_health_.push_back(std::move(change));
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

absl::StatusOr<HealthOut> LocalEngine::ReadHealth() {
  const absl::StatusOr<std::vector<history::HealthChange>> servers = deps_.history->OutServers();
  if (!servers.ok()) return servers.status();
  HealthOut out;
  for (const history::HealthChange& server : *servers) {
    const auto address = model::IpAddress::Parse(server.server);
    if (address.ok()) out[server.pool].insert(*address);
  }
  return out;
}

}  // namespace evenkeel::engine
