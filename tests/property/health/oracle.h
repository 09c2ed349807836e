// SPDX-License-Identifier: Apache-2.0
//
// What must hold of every decision, said in other words than the module's: from the configuration,
// the tables as built and what was decided before.
#ifndef EVENKEEL_TESTS_PROPERTY_HEALTH_ORACLE_H_
#define EVENKEEL_TESTS_PROPERTY_HEALTH_ORACLE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "control/guard/fleet.h"
#include "control/health/monitor.h"

namespace evenkeel::health::testing {

using Addresses = std::set<model::IpAddress>;

// `pool` with the servers of `out` disabled.
model::Pool Without(model::Pool pool, const Addresses& out);
// LB001 on the built table: the name of a server with too much, or empty.
std::string TooMuch(const guard::BuiltPool& pool);
size_t MinimumOf(const model::Pool& pool);
Addresses ServingOf(const model::Pool& pool);

// Follows one history. Each call returns what is wrong, or empty.
class Oracle {
 public:
  // The daemon starts anew: servers are seeded, limits and panics begin again.
  void Restart();
  void Configure(const model::Config& config);
  std::string Check(const Decision& decision, const Monitor& monitor, const Time& now);
  std::string CheckTransitions(const std::vector<Transition>& transitions);

  std::set<std::pair<Health, Health>> edges;
  int panics = 0, exits = 0, removals = 0, returns = 0;
  std::map<Hold, int> held;

 private:
  struct PoolMemory {
    Addresses known;  // servers at the last decision
    Addresses out;    // of them
    std::vector<int64_t> removals_ns;
    bool panic = false;
    int64_t unwell_ns = -1'000'000'000'000;                         // when it last was
    std::map<model::IpAddress, std::pair<Health, int64_t>> states;  // and when it went down
  };

  std::string CheckPool(const model::Pool& pool, const PoolDecision& decision,
                        const std::vector<ServerStatus>& status, const Time& now);
  std::string CheckPlaces(const model::Pool& pool, const PoolDecision& decision,
                          const std::vector<ServerStatus>& status);
  std::string CheckPanic(const model::Pool& pool, const PoolDecision& decision,
                         const std::vector<ServerStatus>& status, const Time& now,
                         PoolMemory& memory);
  std::string CheckRemovals(const PoolDecision& decision, const Addresses& known, const Time& now,
                            PoolMemory& memory);

  model::Config config_;
  std::map<std::string, PoolMemory> pools_;
};

}  // namespace evenkeel::health::testing

#endif  // EVENKEEL_TESTS_PROPERTY_HEALTH_ORACLE_H_
