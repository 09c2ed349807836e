// SPDX-License-Identifier: Apache-2.0
//
// One pool: its windows, and what they say. Used by Detector alone.
#ifndef EVENKEEL_CONTROL_DETECT_POOL_WATCH_H_
#define EVENKEEL_CONTROL_DETECT_POOL_WATCH_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/detect/alarm_book.h"
#include "control/detect/flow_sample.h"
#include "control/detect/input.h"
#include "control/detect/lanes.h"
#include "control/detect/pool_facts.h"
#include "control/detect/report.h"
#include "control/detect/series.h"
#include "control/detect/skew.h"
#include "control/detect/thresholds.h"

namespace evenkeel::detect {

class PoolWatch {
 public:
  // Buffers that all pools share, one pool after the other.
  using Views = std::array<WindowView, 5>;  // by Window

  PoolWatch(std::shared_ptr<const PoolPlan> plan, const Thresholds& thresholds);

  // Where the shares changed, windows begin anew.
  void Configure(std::shared_ptr<const PoolPlan> plan, const Scene& scene);
  void Add(const FlowSample& sample) { sample_.Add(sample); }
  // Counters since the reading before, which was `seconds` ago. Null: there is none of this pool.
  void Read(const PoolReading* reading, int64_t seconds, const Time& now);
  void Judge(const Lanes& lanes, Views& views, const Scene& scene);

  PoolReport Report(const Thresholds& thresholds, const Time& now) const;
  // Packets in 60 s of the heaviest flow, as far as samples know.
  double LargestFlow() const;
  // Something may be wrong that knowing the clients would explain.
  bool wants_sample() const { return wants_sample_; }
  const PoolPlan& plan() const { return *plan_; }
  AlarmBook& book() { return book_; }
  const AlarmBook& book() const { return book_; }

 private:
  // Of one server, in the order of the plan.
  struct Server {
    ServerReading last;
    int64_t down_since_ns = 0;            // 0: it is not
    int64_t over_since_ns = 0;            // 0: it has not more than its share, by far
    int64_t load_over_since_ns = 0;       // the same two of packets or bytes
    int64_t pages_since_ns = 0;           // by a sample, where only that tells
    int64_t beyond_clients_since_ns = 0;  // more than a sample's clients can make
    int64_t unanswered_since_ns = 0;      // 0: it answers, as far as known
    bool fresh = true;                    // `last` is of another table: what follows is counted
  };
  struct Over {
    Severity severity;
    Window window;
  };
  struct Cause {
    Diagnosis diagnosis = Diagnosis::kUnexplained;
    std::string text;
    std::vector<Heavy> heavy{};
  };

  static const WindowView& At(const Views& views, Window window) {
    return views[static_cast<size_t>(window)];
  }
  static WindowView& At(Views& views, Window window) { return views[static_cast<size_t>(window)]; }
  void Begin();
  void CountServer(size_t i, const ServerReading& reading);
  void LookAtSample();
  void WantSample(const Scene& scene);
  const Series& witness() const { return plan_->counts_flows ? flows_ : packets_; }
  const char* unit() const { return plan_->counts_flows ? "new flows" : "packets"; }
  Subject SubjectOf(Kind kind, size_t i) const;
  double Seconds(int64_t since_ns, const Scene& scene) const;

  void JudgeFacts(const Scene& scene);
  void JudgeKernel(const Scene& scene);
  void JudgeBackends(const Scene& scene);
  void JudgeFlows(const Lanes& lanes, Views& views, const Scene& scene);
  void JudgeFlowsOf(size_t i, const Lanes& lanes, const Views& views, const Scene& scene);
  void JudgeStarvedOf(size_t i, const Lanes& lanes, const Views& views, const Scene& scene);
  void JudgeLoad(Views& views, const Scene& scene);
  void JudgeLoadOf(size_t i, const Views& views, const Scene& scene);
  void NoteUnknown(const Scene& scene);

  std::optional<Over> OverOf(size_t i, const Views& views, const Scene& scene) const;
  std::optional<Over> StrayOf(size_t i, const Views& views, const Scene& scene) const;
  std::optional<Over> StillOver(size_t i, const Views& views, const Scene& scene) const;
  void NoteOver(size_t i, const Views& views, const Scene& scene);
  bool Pages(size_t i, const WindowView& view, double z, const Scene& scene) const;
  bool Trusted(size_t i, const Scene& scene) const;
  bool IsByRight(int64_t over_since_ns, const Scene& scene) const;
  bool IsClientsOwn(size_t i, const Finding& finding, const Scene& scene) const;
  bool IsUnanswered(size_t i) const;
  Cause CauseOf(size_t i, const Measure& measure, const Lanes& lanes) const;  // diagnose.cc
  Cause KeepKnown(const Subject& subject, Cause cause, const Scene& scene) const;
  std::string KnownGood() const;

  const Fact* ByRight(Kind kind) const;  // the gravest
  LinkReport FlowsLink(const WindowView& view, const Thresholds& thresholds) const;
  LinkReport LinkOf(Link link, const WindowView& view, const Thresholds& thresholds) const;
  std::string DescribeEven(const WindowView& view, const Thresholds& thresholds) const;
  void Conclude(const Time& now, PoolReport* report) const;

  std::shared_ptr<const PoolPlan> plan_;
  int64_t shares_since_unix_ns_;  // earlier than the plan where that did not change them
  double packets_per_flow_, page_z_;
  std::vector<Fact> facts_;
  std::vector<float> shares_;  // as built
  std::vector<Server> servers_;
  Series flows_{0}, packets_{0}, bytes_{0};
  PoolSample sample_;
  AlarmBook book_;
  bool read_ = false;             // in this tick, of this plan
  bool counted_ = false;          // there was a reading to count from
  int64_t windows_since_ns_ = 0;  // steady
  int64_t packets_since_ns_ = 0;  // later than that where slots moved meanwhile
  int64_t differs_since_ns_ = 0;  // 0: the kernel's table does not differ
  std::optional<Fact> kernel_fact_;
  std::vector<Fact> by_right_;  // uneven, and no alarm: heavy clients or flows make it
  Readback readback_ = Readback::kUnknown;
  uint32_t moving_ = 0;
  int64_t load_wait_s_ = 0;
  Variation variation_;           // of this tick
  bool knows_clients_ = false;    // the sample, in this tick
  bool suspicious_ = false;       // in the tick before
  bool load_suspicious_ = false;  // when it was looked at before
  int64_t curious_since_ns_ = 0;  // a sample is wanted since; 0: for long none was
  int64_t curious_last_ns_ = 0;
  bool wants_sample_ = false;
};

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_POOL_WATCH_H_
