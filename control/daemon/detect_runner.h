// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_DETECT_RUNNER_H_
#define EVENKEEL_CONTROL_DAEMON_DETECT_RUNNER_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/daemon/detect_plan.h"
#include "control/daemon/ticker.h"
#include "control/dataplane/dataplane.h"
#include "control/detect/detector.h"
#include "control/engine/local_engine.h"

namespace evenkeel::daemon {

// Feeds the detector once a second, and tells what it finds. A thread of its own.
class DetectRunner {
 public:
  struct Sources {
    std::function<absl::StatusOr<publish::CounterReport>()> counters;
    std::function<publish::TrackingReport()> tracking;
    std::function<absl::StatusOr<publish::PoolReadback>(const std::string& pool)> read_pool;
    // By the probes; a server that is not among them is not probed.
    std::function<std::map<model::IpAddress, detect::Health>(const std::string& pool)> health;
    // Told every second which alarms are open; may be null.
    std::function<void(const std::vector<detect::Alarm>&)> open;
    engine::SampleSource sample;  // null: packets cannot be sampled
    std::array<uint64_t, 2> hash_key{};
    // Told after each look at the counters how many seconds it took; may be null.
    std::function<void(double took_s)> ticked{};
    model::Policy host_policy{};
    detect::Thresholds thresholds{};
    std::function<int64_t()> now_unix_ns;
    std::function<int64_t()> steady_ns;
    std::function<std::vector<detect::LaneReading>()> lanes;  // ways into this host; may be null
  };
  // Called on the runner's thread.
  using Sink = std::function<void(const detect::AlarmEvent&)>;

  // `engine` must outlive it, and was started.
  DetectRunner(engine::LocalEngine* engine, Sources sources, Sink sink);
  ~DetectRunner() { Stop(); }

  void Start();
  void Stop();

  // One packet in so many that about as many are looked at, whatever comes.
  static dataplane::SampleOptions SampleOptionsFor(double packets_per_s);

  // From any thread.
  void NoteHealth(detect::HealthChange change);
  void Describe(engine::StatusDepth depth, engine::Status* status) const;
  absl::StatusOr<std::vector<detect::Alarm>> Acknowledge(const engine::Acknowledgement& request);
  // For a revision that awaits its confirmation: why it is to be rolled back; empty: nothing
  // speaks against it.
  std::string Objection() const;

 private:
  // As last read from the kernel.
  struct Readback {
    guard::Digest approved, found;
    bool broken = false;  // no table
    std::map<model::IpAddress, double> shares;

    bool matches() const { return !broken && approved == found; }
  };

  detect::Time Now() const;
  void Step();
  bool Look();  // false: there was nothing to look at
  void Configure(const engine::State& state);
  void ReadBack();
  void FillReadback(detect::PoolReading* reading) const;
  void NoteRate(const publish::CounterReport& counters);
  void TakeSample(const engine::State& state);

  engine::LocalEngine* const engine_;
  const Sources sources_;
  const Sink sink_;
  Ticker ticker_;

  // Of the thread.
  std::shared_ptr<const engine::State> configured_;
  std::shared_ptr<const guard::BuiltFleet> described_;  // by the last change
  uint64_t described_revision_ = 0;
  uint32_t generation_ = 0;
  ShareAges ages_;
  detect::Detector::Plans plan_;
  std::map<std::string, Readback> readbacks_;
  size_t next_readback_ = 0;
  int64_t sample_at_ns_ = 0;
  uint64_t counted_packets_ = 0;
  int64_t counted_ns_ = 0;
  double packets_per_s_ = 0;

  mutable std::mutex mutex_;  // guards all below
  detect::Detector detector_;
  uint64_t in_force_ = 0;  // the revision
  int64_t applied_unix_ns_ = 0;
  std::vector<std::string> mismatched_;  // pools whose tables are not what was approved
};

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_DETECT_RUNNER_H_
