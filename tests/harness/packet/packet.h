// SPDX-License-Identifier: Apache-2.0
//
// Builds Ethernet frames with valid checksums from a description.
#ifndef EVENKEEL_TESTS_HARNESS_PACKET_PACKET_H_
#define EVENKEEL_TESTS_HARNESS_PACKET_PACKET_H_

#include <optional>
#include <string>

#include "tests/harness/packet/bytes.h"

namespace evenkeel::testing {

inline constexpr uint8_t kTcp = 6;
inline constexpr uint8_t kUdp = 17;
inline constexpr uint8_t kIcmp = 1;
inline constexpr uint8_t kIcmpv6 = 58;
inline constexpr uint8_t kTcpSyn = 0x02;
inline constexpr uint8_t kTcpAck = 0x10;

// An IPv6 extension header; `body` follows the two common bytes.
struct ExtensionHeader {
  uint8_t type = 0;
  Bytes body = Bytes(6);

  static ExtensionHeader Fragment(uint16_t offset_and_flags, uint32_t id = 0);
  static ExtensionHeader Auth();
};

struct Packet {
  // The family follows the addresses' text.
  std::string src = "198.51.100.7";
  std::string dst = "192.0.2.10";
  uint8_t proto = kTcp;
  uint16_t sport = 40000;
  uint16_t dport = 443;
  uint8_t ttl = 64;  // or hop limit
  uint8_t tcp_flags = kTcpAck;
  size_t payload = 32;
  Bytes data;                               // instead of a made-up payload, where not empty
  uint8_t tos = 0;                          // or traffic class
  Bytes ip_options;                         // IPv4; a multiple of 4 bytes
  Bytes tcp_options;                        // a multiple of 4 bytes
  uint16_t id = 0x1234;                     // IPv4 identification
  uint16_t fragment_field = 0;              // IPv4 flags and offset
  std::vector<ExtensionHeader> extensions;  // IPv6
  Bytes icmp;                               // for kIcmp and kIcmpv6: IcmpMessage()
  size_t padding = 0;                       // Ethernet padding after the IP packet
  std::optional<uint16_t> ether_type;       // default: by family
  std::vector<uint32_t> tags;               // VLAN tags, type and TCI, outermost first

  bool is_ipv4() const { return dst.find(':') == std::string::npos; }
};

inline constexpr Mac kClientMac = {0x02, 0, 0, 0, 0, 0x01};
inline constexpr Mac kBalancerMac = {0x02, 0, 0, 0, 0, 0x02};

// An ICMP or ICMPv6 message, for Packet::icmp; Build() fills in the checksum.
Bytes IcmpMessage(uint8_t type, uint8_t code, uint32_t rest, std::span<const uint8_t> body);

// An echo request with `size` bytes of data.
Packet EchoRequest(const std::string& src, const std::string& dst, size_t size);

// The frame with its two MAC addresses swapped.
Bytes WithSwappedMacs(Bytes frame);

// The interface that frames seem to arrive on in a test run: loopback of the current namespace.
inline constexpr uint32_t kIngressIfindex = 1;

// VLAN tags of 802.1Q and 802.1ad with their identifiers, for Packet::tags.
constexpr uint32_t VlanTag(uint16_t tci) { return 0x81000000u | tci; }
constexpr uint32_t ServiceTag(uint16_t tci) { return 0x88a80000u | tci; }

// Bytes before the IP header: the Ethernet header and at most two tags.
size_t LinkLength(std::span<const uint8_t> frame);
// The type behind those tags.
uint16_t EtherType(std::span<const uint8_t> frame);

// From kClientMac to kBalancerMac.
Bytes Build(const Packet& packet);

// Where the transport header of the built frame starts.
size_t TransportOffset(const Packet& packet);

// Recomputes the IPv4 header's checksum after a test bent a field.
void FixIpv4Checksum(Bytes& frame, size_t ip_at = kEthernetLength);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_PACKET_PACKET_H_
