// SPDX-License-Identifier: Apache-2.0
#include "control/traffic/returned.h"

#include <netinet/in.h>
// After it: both would define the same structures.
#include <linux/icmp.h>
#include <linux/icmpv6.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "bpf/lib/hash.h"
#include "bpf/lib/outer.h"
#include "control/dataplane/image_codec.h"
#include "control/traffic/frame.h"

namespace evenkeel::traffic {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr size_t kIcmpHeader = 8;
constexpr size_t kLinkHeader = 14;
constexpr uint8_t kUnrecognizedNextHeader = 1;

uint16_t Read16(Bytes bytes, size_t at) {
  return static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

// An IP header and what follows it.
struct Header {
  bool ipv4 = true;
  uint8_t proto = 0;
  model::IpAddress source, destination;
  size_t total = 0;  // bytes of the packet, as it says
  Bytes rest;
};

std::optional<Header> ReadHeader(Bytes packet) {
  if (packet.empty()) return std::nullopt;
  Header header;
  const auto v4 = [&](size_t at) {
    return model::IpAddress::FromIpv4({packet[at], packet[at + 1], packet[at + 2], packet[at + 3]});
  };
  const auto v6 = [&](size_t at) {
    std::array<uint8_t, 16> bytes;
    std::copy_n(packet.begin() + static_cast<ptrdiff_t>(at), 16, bytes.begin());
    return model::IpAddress::FromIpv6(bytes);
  };
  if (packet[0] >> 4 == 4) {
    const size_t length = (packet[0] & 0xfu) * 4u;
    if (length < 20 || packet.size() < length) return std::nullopt;
    if ((Read16(packet, 6) & 0x3fff) != 0) return std::nullopt;  // a fragment
    header.proto = packet[9];
    header.source = v4(12);
    header.destination = v4(16);
    header.total = Read16(packet, 2);
    header.rest = packet.subspan(length);
    return header;
  }
  if (packet[0] >> 4 != 6 || packet.size() < 40) return std::nullopt;
  header.ipv4 = false;
  header.proto = packet[6];
  header.source = v6(8);
  header.destination = v6(24);
  header.total = size_t{40} + Read16(packet, 4);
  header.rest = packet.subspan(40);
  return header;
}

std::string WhatIcmp(uint8_t type, uint8_t code) {
  if (type != ICMP_DEST_UNREACH) return "";
  switch (code) {
    case ICMP_NET_UNREACH:
      return "network unreachable";
    case ICMP_HOST_UNREACH:
      return "host unreachable";
    case ICMP_PROT_UNREACH:
      return "protocol unreachable";
    case ICMP_PORT_UNREACH:
      return "port unreachable";
    case ICMP_FRAG_NEEDED:
      return "";
    case ICMP_PKT_FILTERED:
    case ICMP_NET_ANO:
    case ICMP_HOST_ANO:
      return "administratively prohibited";
    default:
      return "destination unreachable";
  }
}

std::string WhatIcmp6(uint8_t type, uint8_t code) {
  // What a host without decapsulation answers to IP in IPv6.
  if (type == ICMPV6_PARAMPROB && code == kUnrecognizedNextHeader) {
    return "next header not recognized";
  }
  if (type != ICMPV6_DEST_UNREACH) return "";
  switch (code) {
    case ICMPV6_NOROUTE:
      return "no route";
    case ICMPV6_ADM_PROHIBITED:
      return "administratively prohibited";
    case ICMPV6_ADDR_UNREACH:
      return "address unreachable";
    case ICMPV6_PORT_UNREACH:
      return "port unreachable";
    default:
      return "destination unreachable";
  }
}

// Of the outer header; takes a UDP header off `outer->rest`.
uint8_t ReadMethod(Header* outer, uint16_t gue_port, uint16_t* source_port) {
  if (outer->proto == IPPROTO_UDP) {
    if (outer->rest.size() < EK_GUE_LEN || Read16(outer->rest, 2) != gue_port) {
      return EK_METHOD_NONE;
    }
    *source_port = Read16(outer->rest, 0);
    outer->rest = outer->rest.subspan(EK_GUE_LEN);
    return outer->ipv4 ? EK_METHOD_GUE4 : EK_METHOD_GUE6;
  }
  if (outer->ipv4) return outer->proto == EK_PROTO_IPV4 ? EK_METHOD_IPIP4 : EK_METHOD_NONE;
  const bool inner = outer->proto == EK_PROTO_IPV4 || outer->proto == EK_PROTO_IPV6;
  return inner ? EK_METHOD_IPIP6 : EK_METHOD_NONE;
}

std::optional<publish::Flow> ReadFlow(Bytes packet) {
  const auto inner = ReadHeader(packet);
  if (!inner) return std::nullopt;
  // The data plane's own parser takes frames.
  std::vector<uint8_t> frame(kLinkHeader);
  frame[12] = inner->ipv4 ? 0x08 : 0x86;
  frame[13] = inner->ipv4 ? 0x00 : 0xdd;
  frame.insert(frame.end(), packet.begin(), packet.end());
  return ParseFrame(frame, static_cast<uint32_t>(kLinkHeader + inner->total));
}

}  // namespace

std::optional<Returned> ParseReturned(Bytes packet, uint16_t gue_port) {
  const auto error = ReadHeader(packet);
  if (!error || error->rest.size() < kIcmpHeader) return std::nullopt;
  const uint8_t type = error->rest[0], code = error->rest[1];
  Returned returned;
  if (error->ipv4 && error->proto == IPPROTO_ICMP) returned.what = WhatIcmp(type, code);
  if (!error->ipv4 && error->proto == IPPROTO_ICMPV6) returned.what = WhatIcmp6(type, code);
  if (returned.what.empty()) return std::nullopt;
  auto outer = ReadHeader(error->rest.subspan(kIcmpHeader));
  if (!outer) return std::nullopt;
  returned.from = error->source;
  returned.source = outer->source;
  returned.server = outer->destination;
  returned.method = ReadMethod(&*outer, gue_port, &returned.source_port);
  if (returned.method == EK_METHOD_NONE) return std::nullopt;
  auto flow = ReadFlow(outer->rest);
  if (!flow) return std::nullopt;
  returned.flow = *std::move(flow);
  return returned;
}

bool IsOurs(const Returned& returned, uint64_t hash,
            const dataplane::Encapsulation& encapsulation) {
  const uint32_t entropy = ek_hash_entropy(hash);
  const ek_backend entry = dataplane::EncodeBackend(
      {.address = returned.server, .method = returned.method, .counter = 0, .next_hop = {}},
      encapsulation);
  bool same = false;
  if (returned.server.is_ipv4()) {
    const __be32 source = ek_outer4_src(&entry.outer.v4, entropy);
    same = std::memcmp(returned.source.bytes().data(), &source, sizeof(source)) == 0;
  } else {
    ek_ipv6_words outer{};
    ek_fill_outer6(&outer, &entry.outer.v6, entropy, 0, 0, 0);
    same = std::memcmp(returned.source.bytes().data(), outer.src, sizeof(outer.src)) == 0;
  }
  if (returned.method != EK_METHOD_GUE4 && returned.method != EK_METHOD_GUE6) return same;
  ek_udp_words udp{};
  ek_fill_gue(&udp, 0, entropy, 0);
  return same && ntohs(udp.source) == returned.source_port;
}

}  // namespace evenkeel::traffic
