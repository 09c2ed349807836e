// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/packet/oracle.h"

#include <algorithm>

namespace evenkeel::testing {
namespace {

bool IsIpv4Frame(const Bytes& frame) { return EtherType(frame) == 0x0800; }

size_t IpLength(const Bytes& frame) {
  const size_t ip = LinkLength(frame);
  return IsIpv4Frame(frame) ? Get16(frame, ip + 2) : size_t{40} + Get16(frame, ip + 4);
}

// One hop less; the IPv4 header's checksum from scratch, not incrementally.
Bytes Aged(Bytes frame) {
  const size_t ip = LinkLength(frame);
  if (IsIpv4Frame(frame)) {
    --frame[ip + 8];
    FixIpv4Checksum(frame, ip);
  } else {
    --frame[ip + 7];
  }
  return frame;
}

// The tags of a frame that goes back where it came from stay; other interfaces send none.
Bytes Link(const Hop& hop, const Bytes& frame, uint16_t type) {
  Bytes link(12);
  std::copy(hop.dmac.begin(), hop.dmac.end(), link.begin());
  std::copy(hop.smac.begin(), hop.smac.end(), link.begin() + 6);
  const size_t tags = hop.ifindex == kIngressIfindex ? LinkLength(frame) - kEthernetLength : 0;
  Append(link, std::span(frame).subspan(12, tags));
  link.resize(link.size() + 2);
  Put16(link, link.size() - 2, type);
  return link;
}

uint32_t Entropy(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

// The entropy's bytes as they lie in memory fill the host bits of the address.
Bytes OuterSource4(const Backend& backend, uint64_t hash) {
  Bytes source = AddressBytes(backend.source);
  for (size_t i = 0; i < 4; ++i) {
    const uint8_t entropy = static_cast<uint8_t>(Entropy(hash) >> (8 * i));
    const uint8_t mask = static_cast<uint8_t>(backend.source_mask >> (24 - 8 * i));
    source[i] = static_cast<uint8_t>(source[i] | (entropy & mask));
  }
  return source;
}

// `protocol`: what `inner` bytes follow.
Bytes Outer4(const Backend& backend, uint64_t hash, size_t inner, uint8_t protocol) {
  Bytes ip(12);
  ip[0] = 0x45;
  ip[1] = backend.tos;
  Put16(ip, 2, static_cast<uint16_t>(20 + inner));
  Put16(ip, 6, 0x4000);
  ip[8] = 64;
  ip[9] = protocol;
  Append(ip, OuterSource4(backend, hash));
  Append(ip, AddressBytes(backend.address));
  Put16(ip, 10, ChecksumFinish(ChecksumAdd(0, ip)));
  return ip;
}

Bytes Outer6(const Backend& backend, uint64_t hash, size_t inner, uint8_t protocol) {
  Bytes ip(8);
  Put32(ip, 0, 0x60000000u | static_cast<uint32_t>(backend.tos) << 20 | (Entropy(hash) & 0xfffff));
  Put16(ip, 4, static_cast<uint16_t>(inner));
  ip[6] = protocol;
  ip[7] = 64;
  Bytes source = AddressBytes(backend.source);
  Put32(source, 12, Entropy(hash));
  Append(ip, source);
  Append(ip, AddressBytes(backend.address));
  return ip;
}

// GUE: from an ephemeral port that the flow chooses to 6080, without a checksum.
Bytes OuterUdp(uint64_t hash, size_t inner) {
  Bytes udp(8);
  Put16(udp, 0, static_cast<uint16_t>(0xc000u | (Entropy(hash) & 0x3fff)));
  Put16(udp, 2, 6080);
  Put16(udp, 4, static_cast<uint16_t>(8 + inner));
  return udp;
}

}  // namespace

Bytes ExpectedFrame(const Bytes& frame, const Backend& backend, uint64_t hash) {
  const Bytes aged = Aged(frame);
  const size_t inner = IpLength(frame);
  uint16_t type = EtherType(frame);
  Bytes outer;
  const uint8_t inner_protocol = IsIpv4Frame(frame) ? 4 : 41;
  switch (backend.method) {
    case Method::kL2:
      break;
    case Method::kIpip4:
      outer = Outer4(backend, hash, inner, inner_protocol);
      type = 0x0800;
      break;
    case Method::kIpip6:
      outer = Outer6(backend, hash, inner, inner_protocol);
      type = 0x86dd;
      break;
    case Method::kGue4:
      outer = Outer4(backend, hash, 8 + inner, kUdp);
      Append(outer, OuterUdp(hash, inner));
      type = 0x0800;
      break;
    case Method::kGue6:
      outer = Outer6(backend, hash, 8 + inner, kUdp);
      Append(outer, OuterUdp(hash, inner));
      type = 0x86dd;
      break;
  }
  Bytes expected = Link(backend.hop, frame, type);
  Append(expected, outer);
  Append(expected, std::span(aged).subspan(LinkLength(frame)));
  return expected;
}

uint32_t ExpectedSlot(uint64_t hash, uint32_t size) {
  return static_cast<uint32_t>((hash & 0xffffffff) * size >> 32);
}

size_t OuterLength(Method method) {
  switch (method) {
    case Method::kL2:
      return 0;
    case Method::kIpip4:
      return 20;
    case Method::kIpip6:
      return 40;
    case Method::kGue4:
      return 28;
    case Method::kGue6:
      break;
  }
  return 48;
}

}  // namespace evenkeel::testing
