// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_PRIMES_H_
#define EVENKEEL_CONTROL_MODEL_PRIMES_H_

#include <cstdint>

namespace evenkeel::model {

// Slots of a lookup table: any prime in this range, as in bpf/abi/limits.h.
inline constexpr uint32_t kMinTableSize = 251;
inline constexpr uint32_t kMaxTableSize = 655373;

bool IsPrime(uint32_t n);

// The valid table size nearest to `n`.
uint32_t NearestTableSize(uint32_t n);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_PRIMES_H_
