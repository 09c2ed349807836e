// SPDX-License-Identifier: Apache-2.0
//
// SipHash-c-d over a byte string, written from the paper (Aumasson, Bernstein: "SipHash: a fast
// short-input PRF", 2012), as an oracle for the packet code's unrolled variant.
#ifndef EVENKEEL_TESTS_HARNESS_PACKET_REFERENCE_HASH_H_
#define EVENKEEL_TESTS_HARNESS_PACKET_REFERENCE_HASH_H_

#include <array>

#include "tests/harness/packet/packet.h"

namespace evenkeel::testing {

using HashKey = std::array<uint64_t, 2>;

uint64_t SipHash(int compression_rounds, int final_rounds, const HashKey& key,
                 std::span<const uint8_t> message);

// The balancer's flow hash of the packet: SipHash-1-3 over the 5-tuple in network order.
uint64_t FlowHash(const HashKey& key, const Packet& packet);

// The same over the first `prefix` bits of the source, and nothing else; over the destination port
// and the protocol.
uint64_t SourceHash(const HashKey& key, const Packet& packet, unsigned prefix);
uint64_t PortHash(const HashKey& key, const Packet& packet);
// Of a flow whose slot follows from `part` alone.
uint64_t JoinedHash(uint64_t flow, uint64_t part);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_PACKET_REFERENCE_HASH_H_
