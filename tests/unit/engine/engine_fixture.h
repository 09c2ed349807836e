// SPDX-License-Identifier: Apache-2.0
//
// An engine on a kernel of the test's own and a history in a temporary directory.
#ifndef EVENKEEL_TESTS_UNIT_ENGINE_ENGINE_FIXTURE_H_
#define EVENKEEL_TESTS_UNIT_ENGINE_ENGINE_FIXTURE_H_

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/engine/local_engine.h"
#include "control/model/yaml.h"

namespace evenkeel::engine {

// Keeps what was published, as the kernel would, beyond the engine that published it.
class FakeKernel final : public Kernel {
 public:
  absl::StatusOr<publish::AdoptReport> Adopt(
      std::shared_ptr<const guard::BuiltFleet> intent) override {
    ++adoptions;
    publish::AdoptReport report;
    adopted_ = nullptr;
    if (in_kernel_ == nullptr) {
      report.message = "the kernel is empty";
      return report;
    }
    report.kernel_digest = in_kernel_->digest;
    report.revision = revision_;
    const bool same = intent != nullptr && intent->digest == in_kernel_->digest;
    report.state =
        same ? publish::AdoptReport::State::kMatches : publish::AdoptReport::State::kDiffers;
    report.message = same ? "the kernel matches" : "the kernel differs";
    if (same) adopted_ = intent;
    return report;
  }
  absl::StatusOr<publish::PublishResult> Publish(const guard::Approval& approval,
                                                 uint64_t revision) override {
    if (before_publish) before_publish();
    const bool same_base = approval.base().has_value() == (adopted_ != nullptr) &&
                           (adopted_ == nullptr || *approval.base() == adopted_->digest);
    if (!same_base) return absl::AbortedError("the base is not what runs");
    return Write(approval, revision);
  }
  absl::StatusOr<publish::PublishResult> Restore(const guard::Approval& approval,
                                                 uint64_t revision) override {
    ++restores;
    return Write(approval, revision);
  }
  absl::StatusOr<publish::KernelState> ReadKernelState() override {
    std::lock_guard lock(mutex_);
    if (in_kernel_ == nullptr) return absl::NotFoundError("nothing is published");
    return publish::KernelState{.digest = in_kernel_->digest, .revision = revision_};
  }
  std::shared_ptr<const guard::BuiltFleet> applied() const override { return adopted_; }
  absl::StatusOr<publish::CounterReport> ReadCounters() override { return counters; }
  publish::TrackingReport Tracking() const override { return tracking; }

  void LetGo(const std::vector<std::string>& pools) override { let_go = pools; }

  std::vector<publish::ServerUse> UsesOf(const model::IpAddress& server) const override {
    return uses ? uses(server) : std::vector<publish::ServerUse>{};
  }
  std::chrono::seconds flow_idle_timeout() const override { return std::chrono::seconds(900); }
  publish::CounterNames Names() const override { return names; }
  absl::StatusOr<publish::ExplainResult> Explain(const std::vector<publish::Flow>& flows) override {
    explained = flows;
    publish::ExplainResult result{.published = in_kernel_ != nullptr, .revision = revision_};
    for (const publish::Flow& flow : flows) result.packets.push_back({.flow = flow});
    return result;
  }

  // Puts `fleet` there behind the engine's back.
  void Force(std::shared_ptr<const guard::BuiltFleet> fleet, uint64_t revision) {
    in_kernel_ = std::move(fleet);
    revision_ = revision;
  }

  publish::CounterNames names;
  absl::Status publish_error;
  std::function<void()> before_publish;
  publish::CounterReport counters;
  publish::TrackingReport tracking;
  int writes = 0;
  int restores = 0;
  int adoptions = 0;
  std::vector<std::string> let_go;
  std::vector<publish::Flow> explained;  // by the last call
  std::function<std::vector<publish::ServerUse>(const model::IpAddress&)> uses;

 private:
  absl::StatusOr<publish::PublishResult> Write(const guard::Approval& approval, uint64_t revision) {
    if (!publish_error.ok()) return publish_error;
    std::lock_guard lock(mutex_);
    ++writes;
    in_kernel_ = approval.shared_fleet();
    adopted_ = in_kernel_;
    revision_ = revision;
    publish::PublishResult result;
    result.generation = static_cast<uint32_t>(writes);
    result.tables_staged = 1;
    result.probes = 2;
    result.swap = std::chrono::microseconds(3);
    return result;
  }

  std::mutex mutex_;
  std::shared_ptr<const guard::BuiltFleet> in_kernel_, adopted_;
  uint64_t revision_ = 0;
};

// One VIP and one pool of `backends` servers 10.0.1.1, 10.0.1.2, ...
inline model::Config MakeConfig(int backends, const std::string& pool = "web") {
  std::string yaml = absl::StrCat(
      "vips:\n  - {name: ", pool, ", address: 192.0.2.10, port: 443, protocol: tcp, pool: ", pool,
      "}\npools:\n  - name: ", pool, "\n    table_size: 4099\n    backends:\n");
  for (int i = 1; i <= backends; ++i) {
    absl::StrAppend(&yaml, "      - {name: ", pool, "-", i, ", address: 10.0.1.", i, "}\n");
  }
  model::ParseResult parsed = model::ParseYaml(yaml, "test");
  EXPECT_TRUE(parsed.ok()) << parsed.diagnostics[0].ToString();
  return parsed.config;
}

class EngineFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "ek-engine-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    StartDaemon();
  }
  void TearDown() override {
    StopDaemon();
    std::filesystem::remove_all(dir_);
  }

  // A new daemon over the same state directory and kernel; the old one ends without a word.
  void StartDaemon() {
    StopDaemon();
    auto history = history::History::Open(dir_);
    ASSERT_TRUE(history.ok()) << history.status();
    history_ = *std::move(history);
    Dependencies dependencies;
    dependencies.kernel = &kernel_;
    dependencies.history = history_.get();
    dependencies.court.hash_key = {1, 2, 3};
    dependencies.court.facts = [this](const guard::BuiltFleet&) { return facts_(); };
    dependencies.now_unix_ns = [this] { return ++now_ns_; };
    dependencies.steady_ns = [this] { return steady_ns_.load(); };
    dependencies.objection = [this] { return objection_; };
    dependencies.pace = pace_;
    dependencies.reach = [this](const std::vector<model::IpAddress>& addresses)
        -> absl::StatusOr<std::map<model::IpAddress, guard::Reach>> {
      if (reach_) return reach_(addresses);
      std::map<model::IpAddress, guard::Reach> all;
      for (const model::IpAddress& address : addresses) all[address] = {};
      return all;
    };
    dependencies.sample = [this](const dataplane::SampleOptions& options) {
      return sample_(options);
    };
    dependencies.examine = [this](const DiagnoseOptions& options, const State& state,
                                  const Status& status) {
      examined_.push_back(options);
      EXPECT_EQ(state.applied.revision, status.applied.revision);
      return std::vector<Finding>{{Finding::Level::kOk, "host", "",
                                   absl::StrCat("of revision ", state.applied.revision), ""}};
    };
    dependencies.capture = [this](const dataplane::CaptureOptions& options) {
      return capture_(options);
    };
    if (advertises_) {
      dependencies.advertise = [this] {
        ++reconciled_;
        return routes_;
      };
      dependencies.describe_advertising = [this](Status* status) {
        if (describe_) describe_(status);
      };
    }
    dependencies.bake = std::chrono::seconds(600);
    dependencies.pause = pause_;
    dependencies.version = "1.2.3";
    dependencies.instance = "test";
    engine_ = std::make_unique<LocalEngine>(std::move(dependencies));
  }
  void StopDaemon() {
    engine_.reset();
    history_.reset();
  }
  StartReport MustStart(const Bootstrap* bootstrap = nullptr) {
    absl::StatusOr<StartReport> report = engine_->Start(bootstrap);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : StartReport{};
  }

  Request MakeRequest(const model::Config& config) {
    Request request;
    request.change.config = config;
    request.etag = engine_->Get()->etag;
    request.reason = "a test";
    request.author = "uid 1000 (alice)";
    return request;
  }
  Outcome MustApply(const model::Config& config) {
    Outcome outcome = engine_->Apply(MakeRequest(config));
    EXPECT_EQ(outcome.kind, Outcome::Kind::kApplied)
        << outcome.status << " "
        << (outcome.verdict.violations.empty() ? "" : outcome.verdict.violations[0].message);
    return outcome;
  }
  // SQL from a second connection: how a test breaks the history.
  void Sql(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((dir_ + "/history.db").c_str(), &db), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK)
        << (error != nullptr ? error : "");
    sqlite3_free(error);
    sqlite3_close(db);
  }
  std::shared_ptr<const guard::BuiltFleet> Build(const model::Config& config) {
    return *guard::BuildFleet(config, {1, 2, 3}, nullptr);
  }

  std::string dir_;
  // Both clocks go on, and the daemon looks at them.
  void Pass(std::chrono::nanoseconds time) {
    now_ns_ += time.count();
    steady_ns_ += time.count();
    engine_->Tick();
  }

  std::atomic<int64_t> now_ns_{1'000'000'000};
  std::atomic<int64_t> steady_ns_{900'000'000'000'000};  // the host runs for ten days
  std::string objection_;
  std::function<std::map<model::IpAddress, guard::Reach>(const std::vector<model::IpAddress>&)>
      reach_;  // null: all can be reached
  guard::Pace pace_{.gap_ns = 0, .per_hour = 1'000'000};
  std::function<absl::StatusOr<guard::Facts>()> facts_ = [] { return guard::Facts{}; };
  SampleSource sample_ = [](const dataplane::SampleOptions&) { return dataplane::Sample{}; };
  CaptureSource capture_;
  bool advertises_ = false;  // how often, with what end, and what is told of it:
  int reconciled_ = 0;
  std::vector<DiagnoseOptions> examined_;  // what was asked for
  absl::Status routes_;
  std::function<void(Status*)> describe_;
  std::function<void(std::chrono::milliseconds)> pause_;  // null: real time
  FakeKernel kernel_;
  std::unique_ptr<history::History> history_;
  std::unique_ptr<LocalEngine> engine_;
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_TESTS_UNIT_ENGINE_ENGINE_FIXTURE_H_
