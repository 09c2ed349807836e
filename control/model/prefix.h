// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_PREFIX_H_
#define EVENKEEL_CONTROL_MODEL_PREFIX_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "control/model/ip_address.h"

namespace evenkeel::model {

// The addresses that begin with the first `length` bits of `address`, whose other bits are 0.
// Ordered by address, then by length: what lies within a prefix follows it.
struct Prefix {
  IpAddress address;
  uint8_t length = 0;

  // "198.51.100.0/24"; an address alone is the prefix of its full length. Refused with a message
  // that says what to write: bits set beyond the length, and what IpAddress::Parse refuses.
  static absl::StatusOr<Prefix> Parse(std::string_view text);

  // The prefix of this length that `address` lies in.
  static Prefix Of(const IpAddress& address, uint8_t length);

  uint8_t max_length() const { return address.is_ipv4() ? 32 : 128; }
  bool IsCanonical() const;  // no bit beyond the length, and no length beyond the address
  std::string ToString() const;

  friend bool operator==(const Prefix&, const Prefix&) = default;
  friend std::strong_ordering operator<=>(const Prefix&, const Prefix&) = default;
};

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_PREFIX_H_
