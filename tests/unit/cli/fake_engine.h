// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_UNIT_CLI_FAKE_ENGINE_H_
#define EVENKEEL_TESTS_UNIT_CLI_FAKE_ENGINE_H_

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "control/engine/engine.h"

namespace evenkeel::cli {

// A pool "web" of `backends` servers of weight 100, and its VIP.
model::Config WebConfig(int backends);

// The daemon's engine in memory: real tables, the real guard, no kernel.
class FakeEngine final : public engine::Engine {
 public:
  explicit FakeEngine(const model::Config& running);

  engine::Outcome Plan(const engine::Request& request) override;
  engine::Outcome Apply(const engine::Request& request) override;
  engine::Outcome Confirm(const engine::Settlement& settlement) override;
  engine::Outcome Cancel(const engine::Settlement& settlement) override;
  engine::Outcome RollBack(const engine::Rollback& rollback) override;
  absl::StatusOr<engine::Applied> Get() override;
  absl::StatusOr<history::Revision> GetRevision(uint64_t number) override;
  absl::StatusOr<std::vector<history::Revision>> ListRevisions(uint32_t limit,
                                                               int64_t before_unix_ns = 0) override;
  absl::StatusOr<engine::Status> GetStatus(engine::StatusDepth depth) override;
  absl::StatusOr<std::vector<engine::Finding>> Diagnose(
      const engine::DiagnoseOptions& options) override;
  absl::StatusOr<std::vector<detect::Alarm>> Acknowledge(
      const engine::Acknowledgement& request) override;
  absl::StatusOr<engine::WithdrawalReport> Withdraw(
      const engine::WithdrawalRequest& request) override;
  absl::StatusOr<engine::WithdrawalReport> Announce(
      const engine::WithdrawalRequest& request) override;
  uint64_t Subscribe(engine::EventSink sink) override;
  void Unsubscribe(uint64_t id) override;
  absl::StatusOr<std::vector<history::HealthChange>> ListHealth(
      uint32_t limit, const std::string& pool = "", int64_t before_unix_ns = 0) override;
  absl::Status WatchDrain(const engine::DrainQuery& query, const engine::DrainSink& sink) override;
  absl::StatusOr<engine::ExplainReport> Explain(const engine::ExplainRequest& request) override;
  absl::StatusOr<engine::CaptureReport> Capture(const engine::CaptureRequest& request,
                                                const engine::CaptureSink& sink) override;

  // Puts `config` into force without asking anybody, as another operator would.
  void Force(const model::Config& config, const std::string& author, const std::string& reason);
  // A revision that was recorded and never came into force.
  void RecordFailed(uint64_t number, const model::Config& config, const std::string& error);
  uint64_t revision() const { return running_.revision; }

  absl::Status down;                             // not ok: every call fails with it
  std::function<void()> before_apply;            // what happens between the user's plan and apply
  std::optional<engine::Outcome> outcome;        // of Plan and Apply instead of the computed one
  std::optional<engine::Outcome> apply_outcome;  // of Apply only
  std::vector<engine::Request> planned_requests;
  std::optional<traffic::LiveTraffic> live_traffic;  // of Plan
  engine::Status status;
  std::vector<engine::Finding> findings;
  std::vector<engine::DiagnoseOptions> diagnosed;  // what was asked for
  std::function<absl::Status(const engine::DrainQuery&, const engine::DrainSink&)> watch_drain;
  std::function<absl::StatusOr<engine::ExplainReport>(const engine::ExplainRequest&)> explain;
  std::function<absl::StatusOr<engine::CaptureReport>(const engine::CaptureRequest&,
                                                      const engine::CaptureSink&)>
      capture;
  std::vector<history::HealthChange> health;  // newest first
  std::vector<engine::Event> events;          // delivered at Subscribe
  std::vector<engine::Request> applied_requests;
  int refusals = 0;  // that a daemon would record
  std::vector<engine::Settlement> settlements;
  std::vector<engine::Rollback> rollbacks;
  std::optional<engine::Outcome> settle_outcome;  // of Confirm, Cancel and RollBack

  std::vector<engine::WithdrawalRequest> withdrawals;  // also what is announced again
  engine::WithdrawalReport withdrawal_report;

  // What becomes of the newest revision.
  void Settle(history::Standing standing, const std::string& by, const std::string& why);
  // A revision by somebody else that awaits in the place of the newest one.
  void CarryOn(const std::string& by, const std::string& why);

 private:
  engine::Outcome Evaluate(const engine::Request& request) const;
  std::shared_ptr<const guard::BuiltFleet> Build(const model::Config& config) const;

  engine::Applied running_;
  std::vector<history::Revision> history_;  // oldest first
};

// What the commands own: a connection to `fake`, which outlives it.
std::unique_ptr<engine::Engine> ConnectTo(FakeEngine& fake);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_TESTS_UNIT_CLI_FAKE_ENGINE_H_
