// SPDX-License-Identifier: Apache-2.0
//
// The frame that a backend must get, byte for byte, from the frame that came in.
#ifndef EVENKEEL_TESTS_HARNESS_PACKET_ORACLE_H_
#define EVENKEEL_TESTS_HARNESS_PACKET_ORACLE_H_

#include "tests/harness/packet/packet.h"
#include "tests/harness/packet/reference_hash.h"

namespace evenkeel::testing {

enum class Method { kL2, kIpip4, kIpip6, kGue4, kGue6 };

// Bytes that the method puts before an IP packet.
size_t OuterLength(Method method);

struct Hop {
  Mac dmac{};
  Mac smac{};
  uint32_t ifindex = 0;
};

struct Backend {
  Method method = Method::kIpip4;
  std::string address = "10.0.1.11";
  std::string source = "172.16.0.0";  // prefix of the outer source, host bits 0
  uint32_t source_mask = 0xffff;      // host bits; IPv6: the low 64 always
  Hop hop;
  uint16_t mtu = 1500;
  uint32_t counter = 0;
  bool resolved = true;
  uint8_t tos = 0;  // of the outer header, as the VIP has it
};

// `hash`: FlowHash of the packet that `frame` holds, or JoinedHash.
Bytes ExpectedFrame(const Bytes& frame, const Backend& backend, uint64_t hash);

// Slot of a table of `size` slots.
uint32_t ExpectedSlot(uint64_t hash, uint32_t size);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_PACKET_ORACLE_H_
