// SPDX-License-Identifier: Apache-2.0
//
// The daemon's Engine. Applies are serial; Plan, Get and the lists read the state in force and
// never wait for a running Apply.
#ifndef EVENKEEL_CONTROL_ENGINE_LOCAL_ENGINE_H_
#define EVENKEEL_CONTROL_ENGINE_LOCAL_ENGINE_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "control/engine/engine.h"
#include "control/engine/evaluate.h"
#include "control/engine/event_hub.h"
#include "control/engine/kernel.h"
#include "control/engine/state_text.h"
#include "control/history/history.h"
#include "control/neighbor/neighbor.h"

namespace evenkeel::engine {

// All pointers must outlive the engine.
struct Dependencies {
  Kernel* kernel = nullptr;
  history::History* history = nullptr;
  const neighbor::Resolver* resolver = nullptr;  // null: reachability is not shown in the status
  Court court;
  std::function<int64_t()> now_unix_ns;
  std::function<std::vector<InterfaceStatus>()> interfaces;  // may be empty
  std::string version, instance;
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

// "r7-3fa94c11b2de": changes with every revision and is the same after a restart.
std::string MakeEtag(uint64_t revision, const guard::Digest& digest);

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

  // A backend's reachability changed.
  void ReportReachability(const neighbor::Resolution& resolution);

  Outcome Plan(const Request& request) override;
  Outcome Apply(const Request& request) override;
  absl::StatusOr<Applied> Get() override;
  absl::StatusOr<history::Revision> GetRevision(uint64_t number) override;
  absl::StatusOr<std::vector<history::Revision>> ListRevisions(uint32_t limit) override;
  absl::StatusOr<Status> GetStatus() override;
  uint64_t Subscribe(EventSink sink) override { return events_.Subscribe(std::move(sink)); }
  void Unsubscribe(uint64_t id) override { events_.Unsubscribe(id); }

 private:
  std::shared_ptr<const State> Snapshot() const;
  void SetState(std::shared_ptr<const State> state);
  void SetNotice(const std::string& key, std::string text);  // empty text: none
  void Emit(Event::Kind kind, uint64_t revision, std::string subject, std::string message);

  // Of Apply.
  Outcome Refuse(const Request& request, Evaluation evaluation, const State& state);
  Outcome Commit(const Request& request, Evaluation evaluation, const State& state);
  absl::Status FinishRevision(uint64_t number, history::Outcome outcome, const std::string& error);
  // Records the outcomes that could not be recorded when they happened.
  absl::Status RetryUnrecorded();

  // Of Start (startup.cc).
  absl::StatusOr<std::string> SettlePending();
  absl::StatusOr<StartReport> StartFromHistory(const history::Revision& last);
  absl::StatusOr<StartReport> StartFromBootstrap(const Bootstrap& bootstrap);
  absl::StatusOr<StartReport> StartEmpty();
  absl::Status BringBack(const history::Revision& last, const Evaluation& evaluation,
                         StartReport* report);
  absl::Status PublishBootstrap(uint64_t number, const Evaluation& evaluation, StartReport* report);

  // Of GetStatus (status_report.cc). CompareKernel: false where the two differ.
  bool CompareKernel(const State& state, Status* status);
  void FillTraffic(const State& state, Status* status);

  const Dependencies deps_;
  const int64_t started_unix_ns_;
  EventHub events_;

  std::mutex apply_mutex_;  // one change at a time; guards the next two
  std::map<uint64_t, std::pair<history::Outcome, std::string>> unrecorded_;
  StateText text_;

  mutable std::mutex state_mutex_;  // guards all below; held for a copy only
  std::shared_ptr<const State> state_;
  std::string adoption_;
  std::map<std::string, std::string> notices_;
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_LOCAL_ENGINE_H_
