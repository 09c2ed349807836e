// SPDX-License-Identifier: Apache-2.0
//
// Whether causes are told apart: each is made by chance many times, and what the detector says of
// the pool is counted.
#ifndef EVENKEEL_TESTS_PROPERTY_DETECT_CAUSES_H_
#define EVENKEEL_TESTS_PROPERTY_DETECT_CAUSES_H_

#include <cstdint>
#include <map>
#include <string>

namespace evenkeel::detect::simulation {

// Cause that was made -> what was said ("none": no alarm) -> how often.
using Confusion = std::map<std::string, std::map<std::string, int>>;

Confusion ConfuseCauses(int trials, uint64_t seed);

}  // namespace evenkeel::detect::simulation

#endif  // EVENKEEL_TESTS_PROPERTY_DETECT_CAUSES_H_
