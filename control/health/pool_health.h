// SPDX-License-Identifier: Apache-2.0
//
// One pool's servers, and which of them may be out of its table. Used by Monitor alone.
#ifndef EVENKEEL_CONTROL_HEALTH_POOL_HEALTH_H_
#define EVENKEEL_CONTROL_HEALTH_POOL_HEALTH_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/health/decision.h"
#include "control/health/past.h"
#include "control/health/server_health.h"
#include "control/model/config.h"

namespace evenkeel::health {

struct Options {
  model::Policy host_policy{};  // the daemon's own
  Dampening dampening{};
  size_t panic_exit_percent = 60;  // healthy, for as long as:
  int64_t panic_exit_ns = 10'000'000'000;
  // Until what the guard refused is tried again; doubles with each refusal in a row.
  int64_t min_backoff_ns = 10'000'000'000;
  int64_t max_backoff_ns = 300'000'000'000;
};

class PoolHealth {
 public:
  explicit PoolHealth(const Options& options) : options_(options) {}

  // What a pool has to tell when it is next asked.
  struct News {
    std::vector<Transition>& transitions;
    std::vector<PanicChange>& panics;
  };

  // Takes the pool's check, minimum and servers. Servers that come later than the first call start
  // as the check says. `minimum`: as many must serve, unless the pool has fewer.
  void Configure(const model::Pool& pool, size_t minimum, const Time& now, News news);
  void Note(const model::IpAddress& server, const ProbeResult& result, const Time& now, News news);
  void Seed(std::span<const model::IpAddress> out, const Time& now, News news);
  void Remember(const PoolPast& past, const Time& now);
  void Refused(const model::IpAddress& server, std::string why, const Time& now);
  PoolDecision Decide(const Time& now, News news);
  const std::optional<Panic>& panic() const { return panic_; }
  std::vector<ServerStatus> Status() const;

 private:
  struct Refusal {
    std::string why;
    int64_t until_ns = 0;
    int64_t backoff_ns = 0;
  };
  struct Server {
    explicit Server(const Dampening& dampening) : health(dampening) {}

    std::vector<std::string> names;
    ServerHealth health;
    bool out = false;
    bool moved = false;                // and not refused since: it can be
    std::optional<Refusal> refusal{};  // of what its health wants now

    bool healthy() const { return IsHealthy(health.state()); }
    bool refused(const Time& now) const { return refusal && now.steady_ns < refusal->until_ns; }
  };
  using Servers = std::map<model::IpAddress, Server>;
  struct Removal {
    model::IpAddress server;
    int64_t steady_ns;
  };

  void Record(Servers::value_type& item, const std::optional<Change>& change, const Time& now,
              News news);
  void Count();
  size_t Minimum() const;
  bool IsWell() const;
  void NoteWell(const Time& now);
  void JudgePanic(const Time& now, News news);
  std::string CauseOfPanic() const;
  bool KeepsAll() const;
  void LetReturn(const Time& now);
  void KeepMinimum();
  void Remove(const Time& now);
  std::vector<int64_t> RecentRemovals() const;
  size_t CountIn() const;
  std::vector<Servers::value_type*> Removable(const Time& now);
  std::optional<Held> WhyHeld(const Servers::value_type& item, size_t in, const Time& now) const;
  Held HeldIn(const Server& server, Held held, size_t in, const Time& now) const;

  const Options options_;
  std::string name_;
  model::HealthCheck check_;
  size_t minimum_ = 0;
  bool configured_ = false;
  Servers servers_;
  size_t serving_ = 0, healthy_ = 0;
  std::vector<Removal> removals_;  // of the last minute
  std::optional<Panic> panic_;
  std::optional<int64_t> well_since_ns_;
};

}  // namespace evenkeel::health

#endif  // EVENKEEL_CONTROL_HEALTH_POOL_HEALTH_H_
