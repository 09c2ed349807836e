// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MAGLEV_SIPHASH_H_
#define EVENKEEL_CONTROL_MAGLEV_SIPHASH_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace evenkeel::maglev {

// SipHash-2-4 (Aumasson and Bernstein, INDOCRYPT 2012). The key and the message are read as
// little-endian words on every host.
uint64_t SipHash24(const std::array<uint8_t, 16>& key, std::string_view message);

}  // namespace evenkeel::maglev

#endif  // EVENKEEL_CONTROL_MAGLEV_SIPHASH_H_
