// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/packet/packet.h"

#include <algorithm>

namespace evenkeel::testing {
namespace {

constexpr uint8_t kFragmentHeader = 44;
constexpr uint8_t kAuthHeader = 51;

Bytes Payload(size_t size) {
  Bytes payload(size);
  for (size_t i = 0; i < size; ++i) payload[i] = static_cast<uint8_t>(i * 7 + 3);
  return payload;
}

Bytes DataOf(const Packet& packet) {
  return packet.data.empty() ? Payload(packet.payload) : packet.data;
}

Bytes TcpSegment(const Packet& packet) {
  Bytes tcp(20);
  Put16(tcp, 0, packet.sport);
  Put16(tcp, 2, packet.dport);
  Put32(tcp, 4, 0x01020304);
  Put32(tcp, 8, 0x0a0b0c0d);
  tcp[12] = static_cast<uint8_t>((20 + packet.tcp_options.size()) / 4 << 4);
  tcp[13] = packet.tcp_flags;
  Put16(tcp, 14, 65000);
  Append(tcp, packet.tcp_options);
  Append(tcp, DataOf(packet));
  return tcp;
}

Bytes UdpDatagram(const Packet& packet) {
  Bytes udp(8);
  Put16(udp, 0, packet.sport);
  Put16(udp, 2, packet.dport);
  Put16(udp, 4, static_cast<uint16_t>(8 + DataOf(packet).size()));
  Append(udp, DataOf(packet));
  return udp;
}

// TCP and UDP over the pseudo header of RFC 9293 section 3.1 and RFC 8200 section 8.1.
void FillTransportChecksum(Bytes& segment, const Packet& packet) {
  const size_t at = packet.proto == kTcp ? 16 : 6;
  Bytes length(4);
  Put32(length, 0, static_cast<uint32_t>(segment.size()));
  uint32_t sum = ChecksumAdd(0, AddressBytes(packet.src));
  sum = ChecksumAdd(sum, AddressBytes(packet.dst));
  sum = ChecksumAdd(sum, length);
  sum = ChecksumAdd(sum + packet.proto, segment);
  const uint16_t checksum = ChecksumFinish(sum);
  Put16(segment, at, checksum == 0 && packet.proto == kUdp ? 0xffff : checksum);
}

// ICMPv6 has the pseudo header too (RFC 4443, section 2.3), ICMP has none.
Bytes Icmp(const Packet& packet) {
  Bytes icmp = packet.icmp;
  uint32_t sum = 0;
  if (!packet.is_ipv4()) {
    Bytes length(4);
    Put32(length, 0, static_cast<uint32_t>(icmp.size()));
    sum = ChecksumAdd(sum, AddressBytes(packet.src));
    sum = ChecksumAdd(sum, AddressBytes(packet.dst));
    sum = ChecksumAdd(sum, length) + packet.proto;
  }
  Put16(icmp, 2, 0);
  Put16(icmp, 2, ChecksumFinish(ChecksumAdd(sum, icmp)));
  return icmp;
}

Bytes Transport(const Packet& packet) {
  if (!packet.icmp.empty()) return Icmp(packet);
  if (packet.proto != kTcp && packet.proto != kUdp) return Payload(packet.payload + 8);
  Bytes segment = packet.proto == kTcp ? TcpSegment(packet) : UdpDatagram(packet);
  FillTransportChecksum(segment, packet);
  return segment;
}

Bytes Ipv4Header(const Packet& packet, size_t payload) {
  Bytes ip(20);
  ip[0] = static_cast<uint8_t>(0x40 | (20 + packet.ip_options.size()) / 4);
  ip[1] = packet.tos;
  Put16(ip, 2, static_cast<uint16_t>(20 + packet.ip_options.size() + payload));
  Put16(ip, 4, packet.id);
  Put16(ip, 6, packet.fragment_field);
  ip[8] = packet.ttl;
  ip[9] = packet.proto;
  const Bytes src = AddressBytes(packet.src), dst = AddressBytes(packet.dst);
  std::copy(src.begin(), src.end(), ip.begin() + 12);
  std::copy(dst.begin(), dst.end(), ip.begin() + 16);
  Append(ip, packet.ip_options);
  Put16(ip, 10, ChecksumFinish(ChecksumAdd(0, ip)));
  return ip;
}

Bytes ExtensionBytes(const Packet& packet) {
  Bytes all;
  for (size_t i = 0; i < packet.extensions.size(); ++i) {
    const ExtensionHeader& header = packet.extensions[i];
    const size_t size = header.body.size() + 2;
    const bool last = i + 1 == packet.extensions.size();
    uint8_t length = static_cast<uint8_t>(size / 8 - 1);
    if (header.type == kFragmentHeader) length = 0;
    if (header.type == kAuthHeader) length = static_cast<uint8_t>(size / 4 - 2);
    all.push_back(last ? packet.proto : packet.extensions[i + 1].type);
    all.push_back(length);
    Append(all, header.body);
  }
  return all;
}

Bytes Ipv6Header(const Packet& packet, size_t payload) {
  const Bytes extensions = ExtensionBytes(packet);
  Bytes ip(8);
  Put32(ip, 0, 0x60000000u | uint32_t{packet.tos} << 20 | 0xabcde);
  Put16(ip, 4, static_cast<uint16_t>(extensions.size() + payload));
  ip[6] = packet.extensions.empty() ? packet.proto : packet.extensions[0].type;
  ip[7] = packet.ttl;
  Append(ip, AddressBytes(packet.src));
  Append(ip, AddressBytes(packet.dst));
  Append(ip, extensions);
  return ip;
}

}  // namespace

ExtensionHeader ExtensionHeader::Fragment(uint16_t offset_and_flags, uint32_t id) {
  ExtensionHeader header{kFragmentHeader};
  Put16(header.body, 0, offset_and_flags);
  Put32(header.body, 2, id);
  return header;
}

ExtensionHeader ExtensionHeader::Auth() { return {kAuthHeader, Bytes(22)}; }

Bytes IcmpMessage(uint8_t type, uint8_t code, uint32_t rest, std::span<const uint8_t> body) {
  Bytes message = {type, code, 0, 0, 0, 0, 0, 0};
  Put32(message, 4, rest);
  Append(message, body);
  return message;
}

Packet EchoRequest(const std::string& src, const std::string& dst, size_t size) {
  Packet packet;
  packet.src = src;
  packet.dst = dst;
  packet.proto = packet.is_ipv4() ? kIcmp : kIcmpv6;
  packet.icmp = IcmpMessage(packet.is_ipv4() ? 8 : 128, 0, 0x12340001, Payload(size));
  return packet;
}

Bytes WithSwappedMacs(Bytes frame) {
  std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
  return frame;
}

size_t LinkLength(std::span<const uint8_t> frame) {
  size_t length = kEthernetLength;
  for (int tags = 0; tags < 2; ++tags) {
    const uint16_t type = Get16(frame, length - 2);
    if (type != 0x8100 && type != 0x88a8) break;
    length += 4;
  }
  return length;
}

uint16_t EtherType(std::span<const uint8_t> frame) { return Get16(frame, LinkLength(frame) - 2); }

Bytes Build(const Packet& packet) {
  const Bytes transport = Transport(packet);
  Bytes frame(kEthernetLength + 4 * packet.tags.size());
  std::copy(kBalancerMac.begin(), kBalancerMac.end(), frame.begin());
  std::copy(kClientMac.begin(), kClientMac.end(), frame.begin() + 6);
  for (size_t i = 0; i < packet.tags.size(); ++i) Put32(frame, 12 + 4 * i, packet.tags[i]);
  Put16(frame, frame.size() - 2, packet.ether_type.value_or(packet.is_ipv4() ? 0x0800 : 0x86dd));
  Append(frame, packet.is_ipv4() ? Ipv4Header(packet, transport.size())
                                 : Ipv6Header(packet, transport.size()));
  Append(frame, transport);
  frame.resize(frame.size() + packet.padding, 0xee);
  return frame;
}

size_t TransportOffset(const Packet& packet) {
  const size_t link = kEthernetLength + 4 * packet.tags.size();
  if (packet.is_ipv4()) return link + 20 + packet.ip_options.size();
  return link + 40 + ExtensionBytes(packet).size();
}

void FixIpv4Checksum(Bytes& frame, size_t ip_at) {
  const size_t length = (frame.at(ip_at) & 0xf) * size_t{4};
  Put16(frame, ip_at + 10, 0);
  const uint32_t sum = ChecksumAdd(0, std::span(frame).subspan(ip_at, length));
  Put16(frame, ip_at + 10, ChecksumFinish(sum));
}

}  // namespace evenkeel::testing
