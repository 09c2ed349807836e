// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_IP_ADDRESS_H_
#define EVENKEEL_CONTROL_MODEL_IP_ADDRESS_H_

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace evenkeel::model {

enum class Family : uint8_t { kIpv4 = 4, kIpv6 = 6 };

// An IPv4 or IPv6 address. Value type, ordered by family, then by bytes.
class IpAddress {
 public:
  // Unspecified IPv4 (0.0.0.0).
  IpAddress() = default;

  // Strict: dotted quad without leading zeros, or RFC 4291 text. Refused with a message that says
  // what to write instead: host names, prefixes ("10.0.0.1/24"), zone ids ("fe80::1%eth0"), and
  // IPv4-mapped IPv6 ("::ffff:10.0.0.1"), which would be a second spelling of one server.
  static absl::StatusOr<IpAddress> Parse(std::string_view text);

  // `bytes` in network byte order.
  static IpAddress FromIpv4(const std::array<uint8_t, 4>& bytes);
  static IpAddress FromIpv6(const std::array<uint8_t, 16>& bytes);

  Family family() const { return family_; }
  bool is_ipv4() const { return family_ == Family::kIpv4; }
  bool is_ipv6() const { return family_ == Family::kIpv6; }

  // Network byte order; an IPv4 address occupies the first 4 bytes, the rest is 0.
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }

  bool IsUnspecified() const;
  bool IsLoopback() const;   // 127.0.0.0/8, ::1
  bool IsMulticast() const;  // 224.0.0.0/4, ff00::/8
  bool IsBroadcast() const;  // 255.255.255.255
  bool IsLinkLocal() const;  // 169.254.0.0/16, fe80::/10

  // Canonical text: dotted quad, or RFC 5952.
  std::string ToString() const;

  friend bool operator==(const IpAddress& a, const IpAddress& b) {
    return a.family_ == b.family_ && a.High() == b.High() && a.Low() == b.Low();
  }
  friend std::strong_ordering operator<=>(const IpAddress& a, const IpAddress& b) {
    if (const auto order = a.family_ <=> b.family_; order != 0) return order;
    if (const auto order = a.High() <=> b.High(); order != 0) return order;
    return a.Low() <=> b.Low();
  }

  template <typename H>
  friend H AbslHashValue(H h, const IpAddress& a) {
    return H::combine(std::move(h), a.family_, a.bytes_);
  }

 private:
  // The bytes as two numbers of the same order: a state of a thousand pools compares millions.
  uint64_t High() const { return Load(0); }
  uint64_t Low() const { return Load(8); }
  uint64_t Load(size_t offset) const {
    uint64_t number;
    std::memcpy(&number, bytes_.data() + offset, sizeof(number));
    return std::endian::native == std::endian::little ? __builtin_bswap64(number) : number;
  }

  Family family_ = Family::kIpv4;
  std::array<uint8_t, 16> bytes_{};
};

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_IP_ADDRESS_H_
