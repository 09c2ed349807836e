// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_PROPERTY_GUARD_RANDOM_CONFIG_H_
#define EVENKEEL_TESTS_PROPERTY_GUARD_RANDOM_CONFIG_H_

#include <random>

#include "control/model/config.h"

namespace evenkeel::guard::testing {

using Random = std::mt19937_64;

// A sound state of one to three pools, each with a VIP.
model::Config RandomState(Random& random);

// Does to `config` what operators, scripts and accidents do: a few edits, sensible and not.
void RandomUpdate(Random& random, model::Config& config);

}  // namespace evenkeel::guard::testing

#endif  // EVENKEEL_TESTS_PROPERTY_GUARD_RANDOM_CONFIG_H_
