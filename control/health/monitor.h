// SPDX-License-Identifier: Apache-2.0
//
// From probes' results to the servers that must not be in the tables. Pure: it probes nothing, has
// no clock and no lock, and the same calls lead to the same decisions. docs/health.md has the rules
// and their reasons.
//
// The caller publishes what is decided through the guard. What the guard does not accept it reports
// with Refused; until then a decision counts as carried out.
#ifndef EVENKEEL_CONTROL_HEALTH_MONITOR_H_
#define EVENKEEL_CONTROL_HEALTH_MONITOR_H_

#include <map>
#include <span>
#include <string>
#include <vector>

#include "control/health/decision.h"
#include "control/health/past.h"
#include "control/health/pool_health.h"
#include "control/model/config.h"

namespace evenkeel::health {

class Monitor {
 public:
  explicit Monitor(Options options = {}) : options_(std::move(options)) {}

  // Watches the pools that have a health check, and of these the servers that the configuration
  // lets serve. What is known of those that stay is kept, the others are forgotten.
  void Configure(const model::Config& config, const Time& now);

  // After the first Configure: the servers that were out of the tables before a restart, by pool.
  // They are down until their probes succeed. Pools and servers that are not watched are left out.
  void Seed(const std::map<std::string, std::vector<model::IpAddress>>& out, const Time& now);
  // After Seed, before any result: who went out and came back before the restart, in order. Flaps
  // and removals go on from there.
  void Remember(std::span<const Move> moves, const Time& now);

  // Of a pool or server that is not watched (any more): ignored.
  void Note(const std::string& pool, const model::IpAddress& server, const ProbeResult& result,
            const Time& now);

  // To be called at least once a second, and after results: holds and limits end by time alone.
  Decision Decide(const Time& now);
  // Whether some server's state changed since the last decision: no reason to wait for the next.
  bool has_transitions() const { return !transitions_.empty(); }

  // The guard did not accept that the server leaves (or that it returns). The server stays where
  // it was, is reported as held, and is tried again after a backoff, or at once where its health
  // changes. Ignored where no decision moved the server since it was last refused.
  void Refused(const std::string& pool, const model::IpAddress& server, std::string why,
               const Time& now);

  // All servers of a pool, ascending by address; empty where it is not watched.
  std::vector<ServerStatus> Status(const std::string& pool) const;

 private:
  PoolHealth::News News() { return {transitions_, panics_}; }

  const Options options_;
  std::map<std::string, PoolHealth> pools_;
  std::vector<Transition> transitions_;
  std::vector<PanicChange> panics_;
};

}  // namespace evenkeel::health

#endif  // EVENKEEL_CONTROL_HEALTH_MONITOR_H_
