// SPDX-License-Identifier: Apache-2.0
//
// A random fleet whose servers fail and recover, one by one and together, and whose configuration
// changes meanwhile.
#ifndef EVENKEEL_TESTS_PROPERTY_HEALTH_WORLD_H_
#define EVENKEEL_TESTS_PROPERTY_HEALTH_WORLD_H_

#include <map>
#include <random>
#include <string>
#include <vector>

#include "control/health/monitor.h"

namespace evenkeel::health::testing {

using Random = std::mt19937_64;

// Below n, which is above 0.
size_t Below(Random& random, size_t n);

// One to three pools of 1 to 24 servers, weights within LB007's ratio.
model::Config RandomFleet(Random& random);
// One edit of the kind that operators make.
void RandomEdit(Random& random, model::Config& config);

// Which servers work: what probes would find.
class Truth {
 public:
  // Lets some fail, some recover, and now and then many at once.
  void Change(Random& random, const model::Config& config);
  void MendAll() { broken_.clear(); }
  // Probes every server of every pool once. A probe errs at times where `noise` is set.
  void Probe(Random& random, const model::Config& config, bool noise, const Time& now,
             Monitor& monitor) const;

 private:
  std::map<std::string, bool> broken_;  // by pool and address
};

}  // namespace evenkeel::health::testing

#endif  // EVENKEEL_TESTS_PROPERTY_HEALTH_WORLD_H_
