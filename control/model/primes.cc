// SPDX-License-Identifier: Apache-2.0
#include "control/model/primes.h"

#include <algorithm>

namespace evenkeel::model {

bool IsPrime(uint32_t n) {
  if (n < 4) return n >= 2;
  if (n % 2 == 0) return false;
  for (uint64_t d = 3; d * d <= n; d += 2) {
    if (n % d == 0) return false;
  }
  return true;
}

uint32_t NearestTableSize(uint32_t n) {
  const uint32_t start = std::clamp(n, kMinTableSize, kMaxTableSize);
  // Both ends of the range are primes, so one of the two directions always ends.
  for (uint32_t distance = 0;; ++distance) {
    if (start >= kMinTableSize + distance && IsPrime(start - distance)) return start - distance;
    if (start + distance <= kMaxTableSize && IsPrime(start + distance)) return start + distance;
  }
}

}  // namespace evenkeel::model
