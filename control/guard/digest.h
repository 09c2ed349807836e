// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_GUARD_DIGEST_H_
#define EVENKEEL_CONTROL_GUARD_DIGEST_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace evenkeel::guard {

// SHA-256.
struct Digest {
  std::array<uint8_t, 32> bytes{};

  std::string ToHex() const;    // 64 lower-case hex digits
  std::string ToShort() const;  // the first 12, for people
  static absl::StatusOr<Digest> FromHex(std::string_view hex);
  friend bool operator==(const Digest&, const Digest&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Digest& digest) {
    return H::combine(std::move(h), digest.bytes);
  }
};

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_DIGEST_H_
