// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/packet/mutate.h"

#include <algorithm>

namespace evenkeel::testing {
namespace {

constexpr size_t kHeaders = 80;  // bytes in which most mutations fall

size_t Below(std::mt19937& random, size_t limit) {
  return std::uniform_int_distribution<size_t>(0, limit - 1)(random);
}

// Values at which parsers err: bounds of nibbles, bytes, and small counts.
uint8_t EdgeByte(std::mt19937& random) {
  constexpr uint8_t edges[] = {0,    1,    4,    5,    6,    17,   43,   44,
                               51,   58,   60,   0x40, 0x44, 0x45, 0x4f, 0x50,
                               0x60, 0x7f, 0x80, 0x81, 0x88, 0xa8, 0xf0, 0xff};
  return edges[Below(random, std::size(edges))];
}

// What a router says about the answer to `packet`.
Packet ErrorAbout(const Packet& packet) {
  Packet answer = packet;
  std::swap(answer.src, answer.dst);
  std::swap(answer.sport, answer.dport);
  const Bytes frame = Build(answer);
  Packet error = packet;
  error.proto = packet.is_ipv4() ? kIcmp : kIcmpv6;
  error.src = packet.is_ipv4() ? "203.0.113.254" : "2001:db8:aaaa::fe";
  error.icmp = IcmpMessage(packet.is_ipv4() ? 3 : 2, packet.is_ipv4() ? 4 : 0, 1400,
                           std::span(frame).subspan(kEthernetLength));
  return error;
}

}  // namespace

std::vector<Packet> SeedPackets() {
  Packet tcp4, udp4, options4, fragment4, icmp4, padded4, expired4;
  udp4.proto = kUdp;
  udp4.dport = 53;
  options4.ip_options = Bytes(12, 1);
  options4.tcp_options = Bytes(20, 1);
  fragment4.fragment_field = 0x2010;
  icmp4.proto = 1;
  padded4.payload = 0;
  padded4.padding = 16;
  expired4.ttl = 1;
  Packet quic4 = udp4, initial4 = udp4;
  quic4.data.resize(40, 0x5c);
  quic4.data[0] = 0x40;
  initial4.data = quic4.data;
  initial4.data[0] = 0xc0;
  Put32(initial4.data, 1, 1);
  initial4.data[5] = 8;
  std::vector<Packet> packets = {quic4,     initial4, tcp4,    udp4,    options4,
                                 fragment4, icmp4,    padded4, expired4};
  for (Packet packet : {tcp4, udp4, icmp4, expired4}) {
    packet.src = "2001:db8:ffff::7";
    packet.dst = "2001:db8::10";
    if (packet.proto == 1) packet.proto = 58;
    packets.push_back(packet);
    packet.extensions = {{0, Bytes(6)}, {43, Bytes(22)}};
    packets.push_back(packet);
    packet.extensions = {ExtensionHeader::Fragment(0), ExtensionHeader::Auth()};
    packets.push_back(packet);
    packet.extensions.assign(9, {60, Bytes(6)});
    packets.push_back(packet);
  }
  packets.push_back(EchoRequest("198.51.100.7", "192.0.2.10", 21));
  packets.push_back(EchoRequest("2001:db8:ffff::7", "2001:db8::10", 20));
  for (const Packet& whole : {tcp4, udp4, packets[7], packets[11]}) {
    for (const bool first : {true, false}) {
      Packet fragment = whole;
      if (whole.is_ipv4()) {
        fragment.fragment_field = first ? 0x2000 : 0x0008;
      } else {
        fragment.extensions = {ExtensionHeader::Fragment(first ? 0x0001 : 0x0040)};
      }
      packets.push_back(fragment);
    }
    packets.push_back(ErrorAbout(whole));
  }
  for (const size_t untagged : {0u, 1u, 7u}) {
    Packet packet = packets[untagged];
    packet.tags = {VlanTag(100)};
    packets.push_back(packet);
    packet.tags = {ServiceTag(7), VlanTag(100)};
    packets.push_back(packet);
  }
  return packets;
}

Bytes Mutate(Bytes frame, std::mt19937& random) {
  for (size_t changes = 1 + Below(random, 3); changes > 0 && !frame.empty(); --changes) {
    const bool in_headers = Below(random, 8) != 0;
    const size_t at = Below(random, in_headers ? std::min(frame.size(), kHeaders) : frame.size());
    switch (Below(random, 6)) {
      case 0:
        frame[at] = static_cast<uint8_t>(frame[at] ^ 1u << Below(random, 8));
        break;
      case 1:
        frame[at] = static_cast<uint8_t>(random());
        break;
      case 2:
        frame[at] = static_cast<uint8_t>(frame[at] + Below(random, 5) - 2);
        break;
      case 3:
        frame.resize(Below(random, frame.size()) + 1);
        break;
      case 4:
        frame.resize(frame.size() + Below(random, 64), 0xa5);
        break;
      default:
        frame[at] = EdgeByte(random);
    }
  }
  return frame;
}

}  // namespace evenkeel::testing
