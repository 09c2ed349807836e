// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_HARNESS_PACKET_BYTES_H_
#define EVENKEEL_TESTS_HARNESS_PACKET_BYTES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace evenkeel::testing {

using Bytes = std::vector<uint8_t>;
using Mac = std::array<uint8_t, 6>;

inline constexpr size_t kEthernetLength = 14;

// Big-endian values at a position of a frame.
void Put16(Bytes& bytes, size_t at, uint16_t value);
void Put32(Bytes& bytes, size_t at, uint32_t value);
uint16_t Get16(std::span<const uint8_t> bytes, size_t at);
uint32_t Get32(std::span<const uint8_t> bytes, size_t at);

void Append(Bytes& bytes, std::span<const uint8_t> more);

// Address text to 4 or 16 bytes in network order. Aborts on anything else: test tables only.
Bytes AddressBytes(const std::string& text);

// Internet checksum of RFC 1071, byte by byte; `sum` continues an earlier part of even length.
uint32_t ChecksumAdd(uint32_t sum, std::span<const uint8_t> bytes);
uint16_t ChecksumFinish(uint32_t sum);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_PACKET_BYTES_H_
