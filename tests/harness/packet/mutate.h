// SPDX-License-Identifier: Apache-2.0
//
// Well-formed frames of every kind, and mutations that stay close to them.
#ifndef EVENKEEL_TESTS_HARNESS_PACKET_MUTATE_H_
#define EVENKEEL_TESTS_HARNESS_PACKET_MUTATE_H_

#include <random>

#include "tests/harness/packet/packet.h"

namespace evenkeel::testing {

// To 192.0.2.10 and 2001:db8::10: seeds for mutation and for the fuzzer's corpus.
std::vector<Packet> SeedPackets();

// Changes a few bytes, most often in the headers, or the length.
Bytes Mutate(Bytes frame, std::mt19937& random);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_PACKET_MUTATE_H_
