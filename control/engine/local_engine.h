// SPDX-License-Identifier: Apache-2.0
//
// The daemon's Engine. Applies are serial; Plan, Get and the lists read the state in force and
// never wait for a running Apply.
#ifndef EVENKEEL_CONTROL_ENGINE_LOCAL_ENGINE_H_
#define EVENKEEL_CONTROL_ENGINE_LOCAL_ENGINE_H_

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "control/engine/capture_runner.h"
#include "control/engine/drain_monitor.h"
#include "control/engine/engine.h"
#include "control/engine/evaluate.h"
#include "control/engine/event_hub.h"
#include "control/engine/kernel.h"
#include "control/engine/state_text.h"
#include "control/engine/traffic_monitor.h"
#include "control/engine/traffic_sampler.h"
#include "control/engine/withdrawals.h"
#include "control/health/past.h"
#include "control/history/history.h"
#include "control/neighbor/neighbor.h"

namespace evenkeel::engine {

// A change that was meant (no plan, no rollback of a window that is tried again), after the guard
// had judged it.
struct Judged {
  Outcome::Kind kind = Outcome::Kind::kApplied;  // or kRefused, kFailed
  const guard::Verdict& verdict;
  const std::vector<history::Override>& overrides;  // that it came with
};

// All pointers must outlive the engine.
struct Dependencies {
  Kernel* kernel = nullptr;
  history::History* history = nullptr;
  const neighbor::Resolver* resolver = nullptr;  // null: reachability is not shown in the status
  Court court;
  std::function<int64_t()> now_unix_ns;
  std::function<int64_t()> steady_ns;  // never set back; null: now_unix_ns
  // Why what runs is bad, in one sentence; empty: nothing speaks against it. Asked with every Tick
  // while a revision awaits its confirmation, and rolls it back; null: there is none.
  std::function<std::string()> objection;
  // How packets get to each of these; null: all count as reachable.
  std::function<absl::StatusOr<std::map<model::IpAddress, guard::Reach>>(
      const std::vector<model::IpAddress>&)>
      reach;
  guard::Pace pace{};
  // How long revisions and refusals are kept; 0: for ever.
  std::chrono::nanoseconds retention{0};
  // How long a confirmed revision is in force until it counts as known good.
  std::chrono::nanoseconds bake = std::chrono::minutes(10);
  std::function<std::vector<InterfaceStatus>()> interfaces;  // may be empty
  // Adds what the probes say to a status; null: nothing is probed.
  std::function<void(Status*)> describe_health;
  // Brings the routes in line with what is to be advertised, at once; null: VIPs are not
  // advertised.
  std::function<absl::Status()> advertise;
  std::function<void(Status*)> describe_advertising;  // adds to the VIPs of a status; may be null
  // Adds alarms and distributions to a status; to a quick one also whether the kernel's tables were
  // right when they were last looked at. Null: there is no detector.
  std::function<void(StatusDepth, Status*)> describe_detection;
  std::function<absl::StatusOr<std::vector<detect::Alarm>>(const Acknowledgement&)> acknowledge;
  SampleSource sample;    // null: packets cannot be sampled
  CaptureSource capture;  // null: packets cannot be captured
  std::string version, instance;
  std::function<void(std::chrono::milliseconds)> pause;  // of WatchDrain; null: the thread sleeps
  std::function<void(const Judged&)> judged;  // told what became of each change; may be null
  // What only the host's own daemon can look at, for Diagnose; null: nothing.
  std::function<std::vector<Finding>(const DiagnoseOptions&, const State&, const Status&)> examine;
};

// The file that --config names, already parsed.
struct Bootstrap {
  model::Config config;
  std::string path;
};

struct StartReport {
  std::string adoption;   // one sentence: what was found and done
  uint64_t revision = 0;  // in force; 0: nothing
  bool wrote = false;     // the kernel was written to
  // The bootstrap was not accepted; nothing was written.
  std::optional<Evaluation> rejected_bootstrap;
};

// Whether a pool could lose what it may have to lose. A peak of a few seconds is no alarm, and a
// gap is not its end.
struct SpareAlarm {
  std::string problem{};  // the last one
  bool alarmed = false;
  int64_t since_ns = 0;  // steady: since when it is not as `alarmed` says; 0: it is
};

// "r7-3fa94c11b2de": changes with every revision and is the same after a restart.
std::string MakeEtag(uint64_t revision, const guard::Digest& digest);
// The state in force that `revision` is, built with `digest`.
Applied MakeApplied(const history::Revision& revision, const guard::Digest& digest);

// Who changes something, and why.
struct Cause {
  std::string author, reason, ticket;
  std::string source;  // as history::Revision::source
};

class LocalEngine final : public Engine {
 public:
  explicit LocalEngine(Dependencies dependencies);

  // Settles what a crash left pending, adopts what the kernel forwards with, and brings the newest
  // applied revision back; without history, applies `bootstrap` (null: there is none). Call once,
  // before anything else. An error: history or kernel cannot be read.
  absl::StatusOr<StartReport> Start(const Bootstrap* bootstrap);

  // Compares a configuration file with the state in force; the notice shows in the status until a
  // later comparison finds no difference. `problem`: why the file cannot be read or parsed.
  void CompareFile(const std::string& path, const model::Config* config,
                   const std::string& problem);

  // Ends the window of a revision that awaits its confirmation, and retries what could not be done
  // or recorded before. To be called a few times a second.
  void Tick();

  // What is in force, immutable; the next change makes another one.
  std::shared_ptr<const State> Snapshot() const;
  // How the watched file stands. Unless it is the same still, it is logged and told.
  void SetWatched(Watched watched);

  // Takes servers out of the tables, or back in, by their health. `wanted`: what all are to have
  // from now on; `cause` says why, of each that has something else now. Who may not go out by the
  // guard stays in the table and is named.
  HealthReport SetHealth(const health::Admission& wanted, const CauseOfAdmission& cause);
  // Who failed and went out of the tables since `unix_ns`, and came back, as it was recorded.
  absl::StatusOr<std::vector<health::Move>> HealthMovesSince(int64_t unix_ns);

  // What operators keep from the routers.
  std::shared_ptr<const Withdrawals> CurrentWithdrawals() const;
  // A route came or went. `why`: of what goes, the reasons; else the VIPs that it is for.
  void ReportAdvertised(const std::string& destination, bool advertised, const std::string& why);

  // What became of an alarm.
  void ReportAlarm(const detect::AlarmEvent& event);

  // A backend's reachability changed.
  void ReportReachability(const neighbor::Resolution& resolution);

  Outcome Plan(const Request& request) override;
  Outcome Apply(const Request& request) override;
  Outcome Confirm(const Settlement& settlement) override;
  Outcome Cancel(const Settlement& settlement) override;
  Outcome RollBack(const Rollback& rollback) override;
  absl::StatusOr<Applied> Get() override;
  absl::StatusOr<history::Revision> GetRevision(uint64_t number) override;
  absl::StatusOr<std::vector<history::Revision>> ListRevisions(uint32_t limit,
                                                               int64_t before_unix_ns = 0) override;
  absl::StatusOr<Status> GetStatus(StatusDepth depth = StatusDepth::kFull) override;
  absl::StatusOr<std::vector<Finding>> Diagnose(const DiagnoseOptions& options = {}) override;
  absl::StatusOr<std::vector<detect::Alarm>> Acknowledge(const Acknowledgement& request) override;
  absl::StatusOr<WithdrawalReport> Withdraw(const WithdrawalRequest& request) override;
  absl::StatusOr<WithdrawalReport> Announce(const WithdrawalRequest& request) override;
  uint64_t Subscribe(EventSink sink) override { return events_.Subscribe(std::move(sink)); }
  void Unsubscribe(uint64_t id) override { events_.Unsubscribe(id); }
  absl::StatusOr<std::vector<history::HealthChange>> ListHealth(
      uint32_t limit, const std::string& pool = "", int64_t before_unix_ns = 0) override;
  absl::Status WatchDrain(const DrainQuery& query, const DrainSink& sink) override;
  absl::StatusOr<ExplainReport> Explain(const ExplainRequest& request) override;
  absl::StatusOr<CaptureReport> Capture(const CaptureRequest& request,
                                        const CaptureSink& sink) override;

 private:
  void SetState(std::shared_ptr<const State> state);
  void SetNotice(const std::string& key, std::string text);  // empty text: none
  void TellJudged(Outcome::Kind kind, const guard::Verdict& verdict,
                  const std::vector<history::Override>& overrides) const;
  void Emit(Event::Kind kind, uint64_t revision, std::string subject, std::string message);

  // Of Apply and RollBack, with apply_mutex_ held.
  Outcome Refuse(const Cause& cause, Evaluation evaluation, const State& state);
  history::Revision MakeRecord(const Cause& cause, const Evaluation& evaluation,
                               const State& state);
  // Records the intent, publishes, records the outcome. A record that `restores` something is
  // published whatever runs; one whose window ended also where nothing can be recorded.
  Outcome Commit(history::Revision record, Evaluation evaluation, const State& state);
  absl::StatusOr<uint64_t> Begin(const history::Revision& record);
  void PutIntoForce(const history::Revision& record, const Evaluation& evaluation);
  absl::Status FinishRevision(uint64_t number, history::Outcome outcome, const std::string& error);
  // Records what could not be recorded when it happened.
  absl::Status RetryUnrecorded();
  absl::Status RetryRefusals();

  // Of Plan, Apply and RollBack (live_facts.cc). `state` must outlive the court.
  // `whole`: every pool is asked of, as for a rollback, and not only what changes.
  Court MakeCourt(const State& state, guard::Consent consent, bool whole = false);
  guard::Consent MakeConsent(const Request& request);
  guard::LiveFacts GatherLive(const State& state, const guard::BuiltFleet& candidate, bool whole);
  absl::Status SampleTraffic(int64_t at_most_old_ns);
  // Of GetStatus and Tick (spare.cc).
  traffic::PoolLoad LoadOf(const guard::BuiltPool& asked, const State& state) const;
  void FillLoads(const State& state, Status* status);
  void WatchSpare();
  // Of Plan (plan_traffic.cc). Does not fail: it says what could not be told, and why.
  traffic::LiveTraffic PredictTraffic(const guard::BuiltFleet& running,
                                      const guard::BuiltFleet& candidate,
                                      std::chrono::milliseconds sample_for);

  // Of Confirm, Cancel, RollBack and Tick (confirmation.cc), with apply_mutex_ held.
  absl::StatusOr<history::Revision> FindTarget(const Rollback& rollback, const State& state);
  Outcome RollBackTo(const history::Revision& target, const Cause& cause, const State& state);
  std::optional<Outcome> NotAwaited(const Settlement& settlement, const State& state);
  absl::Status ConfirmInForce(const Cause& cause, const State& state);
  void WatchWindow();
  void EndWindow(const State& state);
  Outcome LeaveWindow(const std::string& why, const State& state);
  void PromoteGood();
  void PruneHistory();
  std::string Objection();
  bool KernelMatches(const State& state);
  int64_t SteadyNow() const;
  void OpenWindow(const history::Revision& record, int64_t left_ns);

  // Of SetHealth, Start and Tick (health.cc), with apply_mutex_ held.
  Evaluation EvaluateWanted(const State& state, const health::Admission& wanted,
                            HealthReport* report);
  void RecordAdmission(const health::Admission& admission, const guard::BuiltFleet& fleet,
                       const CauseOfAdmission& cause);
  void TellAdmission(const State& before, const health::Admission& after,
                     const CauseOfAdmission& cause);
  void RetryHealth();
  absl::StatusOr<health::Admission> ReadHealth();

  // Of Withdraw, Announce, Start and Tick (withdraw.cc), with withdraw_mutex_ held.
  absl::StatusOr<WithdrawalReport> SetWithdrawn(const WithdrawalRequest& request, bool withdrawn);
  static absl::StatusOr<std::vector<std::string>> FindVips(const WithdrawalRequest& request,
                                                           const State& state,
                                                           const Withdrawals& withdrawals);
  std::vector<VipStatus> DescribeVips(const State& state) const;
  void RecordWithdrawals(std::vector<history::Withdrawal> made, std::string* problem);
  absl::Status ReadWithdrawals();

  // Of Start (startup.cc).
  absl::StatusOr<std::string> SettlePending();
  absl::StatusOr<StartReport> StartFromHistory(const history::Revision& last);
  void ResumeWindow(const history::Revision& last, StartReport* report);
  absl::StatusOr<StartReport> StartFromBootstrap(const Bootstrap& bootstrap);
  absl::StatusOr<StartReport> StartEmpty();
  absl::Status BringBack(const history::Revision& last, const Evaluation& evaluation,
                         StartReport* report);
  absl::Status PublishBootstrap(uint64_t number, const Evaluation& evaluation, StartReport* report);

  // Of GetStatus (status_report.cc). CompareKernel: false where the two differ.
  bool CompareKernel(const State& state, Status* status);
  void FillTraffic(const State& state, Status* status);

  // Of WatchDrain (drain.cc).
  absl::StatusOr<DrainProgress> ReadDrain(const DrainQuery& query);
  DrainPlace FindDrainPlace(const guard::BuiltPool& pool, const model::Backend& backend,
                            const std::vector<publish::ServerUse>& uses) const;

  const Dependencies deps_;
  const int64_t started_unix_ns_;
  EventHub events_;

  TrafficMonitor traffic_;
  TrafficSampler sampler_;
  CaptureRunner captures_;
  std::map<std::string, SpareAlarm> spare_;  // by pool; apply_mutex_ to write, state_mutex_ too
  int64_t spare_reading_ns_ = 0;             // apply_mutex_: the reading that they were judged by
  DrainMonitor drains_;
  std::mutex sample_mutex_;
  int64_t sampled_ns_ = 0;  // sample_mutex_

  std::mutex apply_mutex_;  // one change at a time; guards what follows up to state_mutex_
  std::map<uint64_t, std::pair<history::Outcome, std::string>> unrecorded_;
  std::optional<history::Revision> unrecorded_rollback_;  // in force, though not recorded
  std::deque<history::Revision> unrecorded_refusals_;     // the newest ones
  std::vector<history::HealthChange> unrecorded_health_;
  health::Admission recorded_admission_;  // in the record, or will be once that can be written
  StateText text_;
  int64_t window_end_ns_ = 0;  // of the revision that awaits, in steady time
  int64_t retry_wait_ns_ = 0;  // how long until the next one
  int64_t retry_at_ns_ = 0;    // what failed at the end of a window, in steady time
  int64_t prune_at_ns_ = 0;    // in steady time
  int64_t good_from_ns_ = 0;   // when the revision in force came to be confirmed, in steady time

  std::mutex withdraw_mutex_;  // taken after apply_mutex_; guards what follows
  std::vector<history::Withdrawal> unrecorded_withdrawals_;

  mutable std::mutex state_mutex_;  // guards all below; held for a copy only
  std::shared_ptr<const State> state_;
  std::string adoption_;
  uint64_t last_good_ = 0;  // revision
  std::map<std::string, std::string> notices_;
  std::optional<Watched> watched_;
  std::shared_ptr<const Withdrawals> withdrawals_ = std::make_shared<Withdrawals>();
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_LOCAL_ENGINE_H_
