// SPDX-License-Identifier: Apache-2.0
//
// Whose probe is next. Pools take turns, and none has more sockets than it leaves to the others: a
// pool whose servers are all black holes must not keep others from being probed. Pure.
#ifndef EVENKEEL_CONTROL_PROBE_TURNS_H_
#define EVENKEEL_CONTROL_PROBE_TURNS_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "control/probe/schedule.h"

namespace evenkeel::probe {

class Turns {
 public:
  struct Waiting {
    TargetId id = 0;
    Nanos due{};
    bool waited = false;  // could not begin when it came
  };

  explicit Turns(size_t sockets) : sockets_(sockets) {}

  // A pool shares as long as it has targets.
  void AddTarget(const std::string& pool) { ++pools_[pool].targets; }
  // After its probe has ended.
  void RemoveTarget(const std::string& pool);

  void Push(const std::string& pool, TargetId id, Nanos due);
  // The next one that may begin, and it counts as running; nullopt if none may. What is left when
  // it says so has waited.
  std::optional<Waiting> Next();
  void Ended(const std::string& pool);
  // Forgets those that wait and are not wanted.
  void KeepIf(const std::function<bool(TargetId)>& wanted);

  size_t waiting() const { return waiting_; }
  size_t running() const { return running_; }

 private:
  struct Queued {
    TargetId id = 0;
    Nanos due{};
    uint64_t pushed_in = 0;  // of sweeps_
  };
  struct Pool {
    size_t targets = 0;
    size_t running = 0;
    std::deque<Queued> waiting;
  };

  bool MayBegin(const Pool& pool) const;

  const size_t sockets_;
  std::map<std::string, Pool> pools_;  // those with targets
  std::deque<std::string> round_;      // those that wait, each once
  uint64_t sweeps_ = 0;                // how often nobody was left who may begin
  size_t waiting_ = 0;
  size_t running_ = 0;
};

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_TURNS_H_
