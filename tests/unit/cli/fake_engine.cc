// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/fake_engine.h"

#include <stdexcept>

#include "control/cli/cat.h"
#include "control/engine/verdict_json.h"
#include "control/model/yaml.h"

namespace evenkeel::cli {
namespace {

using Kind = engine::Outcome::Kind;

constexpr maglev::HashKey kKey = {1, 2, 3};
constexpr int64_t kEpochNs = 1'772'366'400'000'000'000;  // 2026-03-01 12:00:00 UTC

class Connection final : public engine::Engine {
 public:
  explicit Connection(FakeEngine& fake) : fake_(fake) {}
  engine::Outcome Plan(const engine::Request& r) override { return fake_.Plan(r); }
  engine::Outcome Apply(const engine::Request& r) override { return fake_.Apply(r); }
  absl::StatusOr<engine::Applied> Get() override { return fake_.Get(); }
  absl::StatusOr<history::Revision> GetRevision(uint64_t n) override {
    return fake_.GetRevision(n);
  }
  absl::StatusOr<std::vector<history::Revision>> ListRevisions(uint32_t n,
                                                               int64_t before) override {
    return fake_.ListRevisions(n, before);
  }
  engine::Outcome Confirm(const engine::Settlement& s) override { return fake_.Confirm(s); }
  engine::Outcome Cancel(const engine::Settlement& s) override { return fake_.Cancel(s); }
  engine::Outcome RollBack(const engine::Rollback& r) override { return fake_.RollBack(r); }
  absl::StatusOr<engine::Status> GetStatus(engine::StatusDepth depth) override {
    return fake_.GetStatus(depth);
  }
  absl::StatusOr<std::vector<detect::Alarm>> Acknowledge(
      const engine::Acknowledgement& request) override {
    return fake_.Acknowledge(request);
  }
  absl::StatusOr<std::vector<engine::Finding>> Diagnose(
      const engine::DiagnoseOptions& options) override {
    return fake_.Diagnose(options);
  }
  absl::StatusOr<engine::WithdrawalReport> Withdraw(const engine::WithdrawalRequest& r) override {
    return fake_.Withdraw(r);
  }
  absl::StatusOr<engine::WithdrawalReport> Announce(const engine::WithdrawalRequest& r) override {
    return fake_.Announce(r);
  }
  uint64_t Subscribe(engine::EventSink sink) override { return fake_.Subscribe(std::move(sink)); }
  void Unsubscribe(uint64_t id) override { fake_.Unsubscribe(id); }
  absl::StatusOr<std::vector<history::HealthChange>> ListHealth(uint32_t n, const std::string& pool,
                                                                int64_t before) override {
    return fake_.ListHealth(n, pool, before);
  }
  absl::Status WatchDrain(const engine::DrainQuery& q, const engine::DrainSink& s) override {
    return fake_.WatchDrain(q, s);
  }
  absl::StatusOr<engine::ExplainReport> Explain(const engine::ExplainRequest& r) override {
    return fake_.Explain(r);
  }
  absl::StatusOr<engine::CaptureReport> Capture(const engine::CaptureRequest& r,
                                                const engine::CaptureSink& s) override {
    return fake_.Capture(r, s);
  }

 private:
  FakeEngine& fake_;
};

model::Config Changed(model::Config config, const engine::Change& change) {
  if (change.config) return *change.config;
  for (model::Pool& pool : config.pools) {
    if (change.edit) {
      for (model::Backend& backend : pool.backends) {
        if (backend.name != change.edit->backend) continue;
        backend.state = change.edit->state.value_or(backend.state);
        backend.weight = change.edit->weight.value_or(backend.weight);
      }
    } else if (pool.name == change.pool->name) {
      pool = *change.pool;
    }
  }
  return config;
}

}  // namespace

model::Config WebConfig(int backends) {
  model::Config config;
  model::Pool pool;
  pool.name = "web";
  for (int i = 1; i <= backends; ++i) {
    model::Backend backend;
    backend.name = Cat("web-", i);
    backend.address = model::IpAddress::FromIpv4({10, 0, 1, static_cast<uint8_t>(10 + i)});
    pool.backends.push_back(backend);
  }
  config.pools.push_back(pool);
  model::Vip vip;
  vip.name = "web";
  vip.address = model::IpAddress::FromIpv4({192, 0, 2, 10});
  vip.port = 443;
  vip.pool = "web";
  config.vips.push_back(vip);
  return config;
}

std::unique_ptr<engine::Engine> ConnectTo(FakeEngine& fake) {
  return std::make_unique<Connection>(fake);
}

FakeEngine::FakeEngine(const model::Config& running) {
  Force(running, "uid 0 (root)", "bootstrap");
}

std::shared_ptr<const guard::BuiltFleet> FakeEngine::Build(const model::Config& config) const {
  auto fleet = guard::BuildFleet(config, kKey, nullptr);
  if (!fleet.ok()) throw std::runtime_error(fleet.status().ToString());
  return *fleet;
}

void FakeEngine::Force(const model::Config& config, const std::string& author,
                       const std::string& reason) {
  const guard::Verdict verdict =
      guard::Judge(Build(config), running_.revision == 0 ? nullptr : Build(running_.config),
                   guard::Facts{})
          .verdict;
  running_.revision += 1;
  running_.etag = Cat("etag-", running_.revision);
  running_.config = config;
  running_.author = author;
  running_.reason = reason;
  running_.digest = Build(config)->digest;
  running_.standing = history::Standing::kConfirmed;
  running_.deadline_unix_ns = 0;
  running_.restores = 0;
  running_.applied_unix_ns = kEpochNs + static_cast<int64_t>(running_.revision) * 60'000'000'000;
  history::Revision revision;
  revision.number = running_.revision;
  revision.author = author;
  revision.reason = reason;
  revision.source = "api";
  revision.created_unix_ns = running_.applied_unix_ns;
  revision.outcome = history::Outcome::kApplied;
  revision.digest = running_.digest.ToHex();
  revision.config_yaml = model::ToYaml(config);
  revision.verdict_json = engine::VerdictToJson(verdict);
  history_.push_back(revision);
}

void FakeEngine::RecordFailed(uint64_t number, const model::Config& config,
                              const std::string& error) {
  history::Revision revision;
  revision.number = number;
  revision.created_unix_ns = kEpochNs;
  revision.outcome = history::Outcome::kFailed;
  revision.error = error;
  revision.config_yaml = model::ToYaml(config);
  history_.push_back(revision);
}

engine::Outcome FakeEngine::Evaluate(const engine::Request& request) const {
  engine::Outcome result;
  result.applied = running_;
  if (!down.ok()) {
    result.status = down;
    return result;
  }
  if (!request.etag.empty() && request.etag != running_.etag) {
    result.kind = Kind::kStale;
    return result;
  }
  const model::Config candidate = Changed(running_.config, request.change);
  result.diagnostics = model::Validate(candidate);
  if (!result.diagnostics.empty()) {
    result.kind = Kind::kInvalid;
    return result;
  }
  result.verdict = guard::Judge(Build(candidate), Build(running_.config), guard::Facts{}).verdict;
  result.kind = result.verdict.refused()       ? Kind::kRefused
                : candidate == running_.config ? Kind::kNoChange
                                               : Kind::kValidated;
  return result;
}

engine::Outcome FakeEngine::Plan(const engine::Request& request) {
  planned_requests.push_back(request);
  engine::Outcome result = outcome ? *outcome : Evaluate(request);
  result.live_traffic = live_traffic;
  return result;
}

engine::Outcome FakeEngine::Apply(const engine::Request& request) {
  applied_requests.push_back(request);
  if (before_apply) before_apply();
  if (apply_outcome) return *apply_outcome;
  engine::Outcome result = outcome ? *outcome : Evaluate(request);
  if (result.kind == Kind::kRefused && (!request.validate_only || request.record_refusal)) {
    ++refusals;
  }
  if (result.kind != Kind::kValidated || request.validate_only) return result;
  Force(Changed(running_.config, request.change), "uid 1000 (alice)", request.reason);
  if (request.window.length.count() != 0) {
    running_.standing = history_.back().standing = history::Standing::kAwaiting;
    running_.deadline_unix_ns = history_.back().deadline_unix_ns =
        running_.applied_unix_ns + std::chrono::nanoseconds(request.window.length).count();
    running_.auto_confirm = request.window.auto_confirm;
  }
  result.kind = Kind::kApplied;
  result.applied = running_;
  result.publish.emplace();
  result.publish->tables_staged = 1;
  result.publish->probes = 65;
  result.publish->stage = std::chrono::microseconds(3210);
  result.publish->verify = std::chrono::microseconds(1500);
  result.publish->swap = std::chrono::microseconds(40);
  return result;
}

absl::StatusOr<engine::Applied> FakeEngine::Get() {
  if (!down.ok()) return down;
  return running_;
}

absl::StatusOr<history::Revision> FakeEngine::GetRevision(uint64_t number) {
  if (!down.ok()) return down;
  for (const history::Revision& revision : history_) {
    if (revision.number == number) return revision;
  }
  return absl::NotFoundError(Cat("there is no revision ", number));
}

engine::Outcome FakeEngine::Confirm(const engine::Settlement& settlement) {
  settlements.push_back(settlement);
  if (settle_outcome) return *settle_outcome;
  Settle(history::Standing::kConfirmed, "uid 1000 (alice)", settlement.reason);
  engine::Outcome result;
  result.kind = Kind::kConfirmed;
  result.applied = running_;
  return result;
}

engine::Outcome FakeEngine::Cancel(const engine::Settlement& settlement) {
  settlements.push_back(settlement);
  return RollBack({.target = running_.revision - 1, .reason = settlement.reason});
}

engine::Outcome FakeEngine::RollBack(const engine::Rollback& rollback) {
  rollbacks.push_back(rollback);
  if (settle_outcome) return *settle_outcome;
  const uint64_t target = rollback.target != 0 ? rollback.target : running_.revision - 1;
  const model::Config before = running_.config;
  const model::Config config = model::ParseYaml(history_[target - 1].config_yaml, "history").config;
  Settle(history::Standing::kRolledBack, "uid 1000 (alice)", rollback.reason);
  Force(config, "uid 1000 (alice)", rollback.reason);
  running_.restores = history_.back().restores = target;
  engine::Outcome result;
  result.kind = Kind::kApplied;
  result.applied = running_;
  result.verdict = guard::Judge(Build(config), Build(before), guard::Facts{}).verdict;
  result.publish.emplace();
  return result;
}

void FakeEngine::Settle(history::Standing standing, const std::string& by, const std::string& why) {
  running_.standing = history_.back().standing = standing;
  history_.back().settled_unix_ns = running_.applied_unix_ns + 1;
  history_.back().settled_by = by;
  history_.back().settled_why = why;
}

absl::StatusOr<std::vector<engine::Finding>> FakeEngine::Diagnose(
    const engine::DiagnoseOptions& options) {
  diagnosed.push_back(options);
  if (!down.ok()) return down;
  return findings;
}

void FakeEngine::CarryOn(const std::string& by, const std::string& why) {
  history::Revision next = history_.back();
  Settle(history::Standing::kCarriedOn, by, why);
  running_.revision = history_.back().carried_on_by = ++next.number;
  next.author = by;
  next.reason = why;
  running_.standing = next.standing;
  history_.push_back(std::move(next));
}

absl::StatusOr<std::vector<history::Revision>> FakeEngine::ListRevisions(uint32_t limit,
                                                                         int64_t before_unix_ns) {
  if (!down.ok()) return down;
  std::vector<history::Revision> newest_first(history_.rbegin(), history_.rend());
  if (before_unix_ns != 0) {
    std::erase_if(newest_first, [&](const auto& r) { return r.created_unix_ns >= before_unix_ns; });
  }
  if (newest_first.size() > limit) newest_first.resize(limit);
  return newest_first;
}

absl::StatusOr<std::vector<detect::Alarm>> FakeEngine::Acknowledge(
    const engine::Acknowledgement& request) {
  if (!down.ok()) return down;
  std::vector<detect::Alarm> alarms;
  for (detect::Alarm& alarm : status.alarms) {
    if (!request.id.empty() && alarm.id != request.id) continue;
    alarm.acknowledged = {.who = "fake", .unix_ns = 1};
    alarms.push_back(alarm);
  }
  if (alarms.empty() && !request.id.empty()) {
    return absl::NotFoundError("no alarm \"" + request.id + "\" is open");
  }
  return alarms;
}

absl::StatusOr<engine::Status> FakeEngine::GetStatus(engine::StatusDepth /*depth*/) {
  if (!down.ok()) return down;
  return status;
}

absl::StatusOr<engine::WithdrawalReport> FakeEngine::Withdraw(
    const engine::WithdrawalRequest& request) {
  if (!down.ok()) return down;
  withdrawals.push_back(request);
  return withdrawal_report;
}

absl::StatusOr<engine::WithdrawalReport> FakeEngine::Announce(
    const engine::WithdrawalRequest& request) {
  return Withdraw(request);
}

uint64_t FakeEngine::Subscribe(engine::EventSink sink) {
  for (const engine::Event& event : events) sink(event);
  return 1;
}

void FakeEngine::Unsubscribe(uint64_t) {}

absl::StatusOr<std::vector<history::HealthChange>> FakeEngine::ListHealth(
    uint32_t limit, const std::string& pool, int64_t /*before_unix_ns*/) {
  if (!down.ok()) return down;
  std::vector<history::HealthChange> list;
  for (const history::HealthChange& change : health) {
    if (list.size() < limit && (pool.empty() || change.pool == pool)) list.push_back(change);
  }
  return list;
}

absl::StatusOr<engine::ExplainReport> FakeEngine::Explain(const engine::ExplainRequest& request) {
  if (!down.ok()) return down;
  if (!explain) return absl::UnimplementedError("no explain in this test");
  return explain(request);
}

absl::StatusOr<engine::CaptureReport> FakeEngine::Capture(const engine::CaptureRequest& request,
                                                          const engine::CaptureSink& sink) {
  if (!down.ok()) return down;
  if (!capture) return absl::UnimplementedError("no capture in this test");
  return capture(request, sink);
}

absl::Status FakeEngine::WatchDrain(const engine::DrainQuery& query,
                                    const engine::DrainSink& sink) {
  if (!down.ok()) return down;
  return watch_drain ? watch_drain(query, sink) : absl::UnimplementedError("no drain to watch");
}

}  // namespace evenkeel::cli
