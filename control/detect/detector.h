// SPDX-License-Identifier: Apache-2.0
//
// Says within seconds that traffic does not go where it should, which server, and why; and when
// the balancer is not the cause (docs/detector.md).
//
// Pure: the caller has the clock, reads the counters, and calls Tick once a second, in this order
// when a state is published: NoteChange, Configure, Tick. Not thread-safe.
#ifndef EVENKEEL_CONTROL_DETECT_DETECTOR_H_
#define EVENKEEL_CONTROL_DETECT_DETECTOR_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/detect/alarm.h"
#include "control/detect/changes.h"
#include "control/detect/input.h"
#include "control/detect/lanes.h"
#include "control/detect/pool_watch.h"
#include "control/detect/report.h"
#include "control/detect/thresholds.h"

namespace evenkeel::detect {

class Detector {
 public:
  explicit Detector(const Thresholds& thresholds = {}) : thresholds_(thresholds) {}

  // All pools that packets can reach. Windows of those whose shares are as before go on. Alarms of
  // what is gone end with the next Tick.
  void Configure(std::vector<PoolPlan> pools, const Time& now);
  // As Configure. A plan that is the same object as before is not looked at.
  using Plans = std::vector<std::shared_ptr<const PoolPlan>>;
  void Adopt(Plans pools, const Time& now);
  void NoteChange(Change change) { changes_.Note(std::move(change)); }
  void NoteHealth(HealthChange change) { changes_.Note(std::move(change)); }
  void NoteFlow(const FlowSample& sample);

  // What became of the alarms since the last call. A pool that is not read is not judged.
  std::vector<AlarmEvent> Tick(const Reading& reading, const Time& now);

  // False: no such alarm is open.
  bool Acknowledge(const std::string& id, std::string who, int64_t unix_ns);

  std::vector<Alarm> Alarms() const;  // pages first, then by id
  std::optional<PoolReport> Report(const std::string& pool, const Time& now) const;
  std::vector<PoolReport> Reports(const Time& now) const;
  // Pools where a sample of packets would tell more; none in quiet times.
  std::vector<std::string> WantSamples() const;

  // Why what was published at `since_unix_ns` is bad: the first page since that undoing can help
  // with; empty: nothing speaks against it.
  std::string Objection(int64_t since_unix_ns) const;

 private:
  Scene SceneOf(const PoolPlan* plan, const Time& now);
  std::vector<const Alarm*> Open() const;

  const Thresholds thresholds_;
  Changes changes_;
  std::vector<std::unique_ptr<PoolWatch>> pools_;  // in the order of the plan
  std::map<std::string, size_t> index_;
  Lanes lanes_;
  PoolWatch::Views views_;
  std::vector<AlarmEvent> events_;
  std::optional<int64_t> last_tick_ns_;
};

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_DETECTOR_H_
