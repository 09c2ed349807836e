// SPDX-License-Identifier: Apache-2.0
#include "control/publish/probe.h"

#include <netinet/in.h>

#include <linux/bpf.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "absl/strings/str_cat.h"
#include "bpf/lib/hash.h"
#include "control/publish/ledger.h"

namespace evenkeel::publish {
namespace {

constexpr size_t kEthernetLength = 14;
constexpr size_t kIpv4Length = 20;
constexpr size_t kIpv6Length = 40;
constexpr size_t kUdpLength = 8;
constexpr uint8_t kOuterTtl = 64;
constexpr uint16_t kEtherTypeIpv4 = 0x0800;
constexpr uint16_t kEtherTypeIpv6 = 0x86dd;

using Bytes = std::vector<uint8_t>;

void Put16(Bytes& out, uint16_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}

void Put32(Bytes& out, uint32_t value) {
  Put16(out, static_cast<uint16_t>(value >> 16));
  Put16(out, static_cast<uint16_t>(value));
}

void Append(Bytes& out, std::span<const uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void PutAddress(Bytes& out, const model::IpAddress& address) {
  Append(out, std::span(address.bytes()).first(address.is_ipv4() ? 4 : 16));
}

// RFC 791; the flags say "do not fragment".
void PutIpv4(Bytes& out, uint8_t tos, uint16_t total, uint8_t ttl, uint8_t protocol,
             std::span<const uint8_t> source, const model::IpAddress& destination) {
  const size_t start = out.size();
  Put16(out, static_cast<uint16_t>(0x4500 | tos));
  Put16(out, total);
  Put32(out, 0x00004000);
  Put16(out, static_cast<uint16_t>(ttl << 8 | protocol));
  Put16(out, 0);
  Append(out, source);
  PutAddress(out, destination);
  uint32_t sum = 0;
  for (size_t i = start; i < out.size(); i += 2) {
    sum += static_cast<uint32_t>(out[i] << 8 | out[i + 1]);
  }
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  const uint16_t check = static_cast<uint16_t>(~sum);
  out[start + 10] = static_cast<uint8_t>(check >> 8);
  out[start + 11] = static_cast<uint8_t>(check);
}

// RFC 8200.
void PutIpv6(Bytes& out, uint8_t traffic_class, uint32_t flow_label, uint16_t payload,
             uint8_t next_header, uint8_t hops, std::span<const uint8_t> source,
             const model::IpAddress& destination) {
  Put32(out, 0x60000000u | static_cast<uint32_t>(traffic_class << 20) | flow_label);
  Put16(out, payload);
  Put16(out, static_cast<uint16_t>(next_header << 8 | hops));
  Append(out, source);
  PutAddress(out, destination);
}

Bytes TransportOf(const Flow& flow) {
  Bytes out;
  Put16(out, flow.source_port);
  Put16(out, flow.destination_port);
  if (flow.ip_protocol == IPPROTO_TCP) {
    Put32(out, 1);                               // sequence
    Put32(out, flow.opening ? 0 : 1);            // acknowledgement
    Put16(out, flow.opening ? 0x5002 : 0x5010);  // five words, SYN or ACK
    Put16(out, 0xffff);
    Put32(out, 0);  // checksum is the hosts' business; urgent pointer
  } else {
    Put16(out, static_cast<uint16_t>(8 + flow.payload.size()));
    Put16(out, 0);
    Append(out, flow.payload);
  }
  return out;
}

Bytes IpPacket(const Flow& flow, uint8_t ttl) {
  const Bytes transport = TransportOf(flow);
  const uint16_t length = static_cast<uint16_t>(transport.size());
  Bytes out;
  const auto& source = flow.source.bytes();
  if (flow.destination.is_ipv4()) {
    PutIpv4(out, 0, static_cast<uint16_t>(kIpv4Length + length), ttl, flow.ip_protocol,
            std::span(source).first(4), flow.destination);
  } else {
    PutIpv6(out, 0, 0, length, flow.ip_protocol, ttl, source, flow.destination);
  }
  Append(out, transport);
  return out;
}

void PutEthernet(Bytes& out, std::span<const uint8_t> to, std::span<const uint8_t> from,
                 bool ipv4) {
  Append(out, to);
  Append(out, from);
  Put16(out, ipv4 ? kEtherTypeIpv4 : kEtherTypeIpv6);
}

// The host bits of the outer source come from the hash, in the memory order of this host.
std::array<uint8_t, 4> OuterSource4(const dataplane::Encapsulation& encapsulation,
                                    uint32_t entropy) {
  std::array<uint8_t, 4> source;
  std::memcpy(source.data(), &entropy, source.size());
  for (int bit = 0; bit < encapsulation.source4_prefix; ++bit) {
    const uint8_t mask = static_cast<uint8_t>(0x80 >> bit % 8);
    const uint8_t wanted = encapsulation.source4.bytes()[static_cast<size_t>(bit / 8)];
    uint8_t& byte = source[static_cast<size_t>(bit / 8)];
    byte = static_cast<uint8_t>((byte & ~mask) | (wanted & mask));
  }
  return source;
}

std::array<uint8_t, 16> OuterSource6(const dataplane::Encapsulation& encapsulation,
                                     uint32_t entropy) {
  std::array<uint8_t, 16> source{};
  std::copy_n(encapsulation.source6.bytes().begin(), 8, source.begin());
  for (size_t i = 0; i < 4; ++i) source[12 + i] = static_cast<uint8_t>(entropy >> (24 - 8 * i));
  return source;
}

// draft-ietf-intarea-gue, variant 1: the packet follows the UDP header.
void PutGue(Bytes& out, uint16_t port, uint32_t entropy, size_t inner) {
  Put16(out, static_cast<uint16_t>(49152 + entropy % 16384));
  Put16(out, port);
  Put16(out, static_cast<uint16_t>(kUdpLength + inner));
  Put16(out, 0);
}

std::string AddressIn(const Bytes& packet) {
  if (packet.size() >= kEthernetLength + kIpv4Length && packet[12] == 0x08) {
    std::array<uint8_t, 4> bytes;
    std::copy_n(packet.begin() + 30, 4, bytes.begin());
    return model::IpAddress::FromIpv4(bytes).ToString();
  }
  if (packet.size() >= kEthernetLength + kIpv6Length && packet[12] == 0x86) {
    std::array<uint8_t, 16> bytes;
    std::copy_n(packet.begin() + 38, 16, bytes.begin());
    return model::IpAddress::FromIpv6(bytes).ToString();
  }
  return "nowhere";
}

}  // namespace

Flow ClientFlow(const dataplane::VipKey& vip, uint32_t number, uint16_t port) {
  Flow flow;
  flow.destination = vip.address;
  flow.destination_port = vip.port != 0 ? vip.port : port;
  flow.ip_protocol = vip.ip_protocol;
  flow.source_port = static_cast<uint16_t>(1024 + number % 32768);
  const uint32_t host = number / 32768 % 8192 + 1;
  const uint8_t high = static_cast<uint8_t>(host >> 8);
  const uint8_t low = static_cast<uint8_t>(host);
  // Addresses set apart for benchmarks (RFC 2544, RFC 5180).
  flow.source =
      vip.address.is_ipv4()
          ? model::IpAddress::FromIpv4({198, 18, high, low})
          : model::IpAddress::FromIpv6({0x20, 0x01, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low});
  return flow;
}

uint64_t HashFlow(const std::array<uint64_t, 2>& key, const Flow& flow, uint32_t vip_flags) {
  const __u64 words[2] = {key[0], key[1]};
  const __be16 sport = htons(flow.source_port);
  const __be16 dport = htons(flow.destination_port);
  __be32 source[4];
  __be32 destination[4];
  std::memcpy(source, flow.source.bytes().data(), sizeof(source));
  std::memcpy(destination, flow.destination.bytes().data(), sizeof(destination));
  const bool ipv4 = flow.destination.is_ipv4();
  const uint64_t whole =
      ipv4 ? ek_flow_hash4(words, source[0], destination[0], sport, dport, flow.ip_protocol)
           : ek_flow_hash6(words, source, destination, sport, dport, flow.ip_protocol);
  if (vip_flags & EK_VIP_HASH_PORT) {
    return ek_join_hashes(whole, ek_port_hash(words, dport, flow.ip_protocol));
  }
  if (!(vip_flags & EK_VIP_HASH_SRC)) return whole;
  if (ipv4) {
    return ek_join_hashes(whole, ek_source_hash4(words, source[0], EK_VIP_PREFIX4(vip_flags)));
  }
  return ek_join_hashes(
      whole, ek_source_hash6(words, ek_sip_word(source[0], source[1]),
                             ek_sip_word(source[2], source[3]), EK_VIP_PREFIX6(vip_flags)));
}

uint32_t SlotOf(uint64_t hash, uint32_t table_size) { return ek_hash_slot(hash, table_size); }

std::vector<uint8_t> BuildFrame(const Flow& flow, uint8_t ttl) {
  // Locally administered addresses: nobody's.
  constexpr std::array<uint8_t, 6> kTo = {0x02, 0, 0, 0, 0, 1};
  constexpr std::array<uint8_t, 6> kFrom = {0x02, 0, 0, 0, 0, 2};
  Bytes frame;
  PutEthernet(frame, kTo, kFrom, flow.destination.is_ipv4());
  Append(frame, IpPacket(flow, ttl));
  return frame;
}

Expectation Predict(const Flow& flow, uint64_t hash, uint32_t vip_flags,
                    const dataplane::BackendImage* backend,
                    const dataplane::Encapsulation& encapsulation) {
  const Bytes inner = IpPacket(flow, 63);
  const bool ipv4 = flow.destination.is_ipv4();
  if (backend == nullptr || !backend->next_hop) return {};
  if (inner.size() + OuterLength(backend->method) > backend->next_hop->mtu) return {};
  const uint32_t entropy = ek_hash_entropy(hash);
  // The frames' own DSCP is 0, and so is a copy of it.
  const uint8_t tos = vip_flags & EK_VIP_COPY_DSCP ? uint8_t{0} : EK_VIP_TOS(vip_flags);
  const bool gue = backend->method == EK_METHOD_GUE4 || backend->method == EK_METHOD_GUE6;
  const size_t payload = inner.size() + (gue ? kUdpLength : 0);
  const dataplane::NextHop& hop = *backend->next_hop;
  Expectation expected{.forwarded = true, .packet = {}};
  Bytes& out = expected.packet;
  switch (backend->method) {
    case EK_METHOD_L2:
      PutEthernet(out, hop.dmac, hop.smac, ipv4);
      break;
    case EK_METHOD_IPIP4:
    case EK_METHOD_GUE4:
      if (!ipv4) return {};  // 6in4 is not made
      PutEthernet(out, hop.dmac, hop.smac, true);
      PutIpv4(out, tos, static_cast<uint16_t>(kIpv4Length + payload), kOuterTtl,
              gue ? IPPROTO_UDP : IPPROTO_IPIP, OuterSource4(encapsulation, entropy),
              backend->address);
      break;
    case EK_METHOD_IPIP6:
    case EK_METHOD_GUE6:
      PutEthernet(out, hop.dmac, hop.smac, false);
      PutIpv6(out, tos, entropy & 0xfffff, static_cast<uint16_t>(payload),
              gue    ? IPPROTO_UDP
              : ipv4 ? IPPROTO_IPIP
                     : IPPROTO_IPV6,
              kOuterTtl, OuterSource6(encapsulation, entropy), backend->address);
      break;
    default:
      return {};
  }
  if (gue) PutGue(out, encapsulation.gue_port, entropy, inner.size());
  Append(out, inner);
  return expected;
}

absl::Status Compare(const Expectation& expected, const dataplane::ProbeResult& result) {
  const bool forwarded = result.verdict == XDP_TX || result.verdict == XDP_REDIRECT;
  if (!expected.forwarded) {
    if (result.verdict == XDP_DROP) return absl::OkStatus();
    return absl::InternalError(
        absl::StrCat("it must be dropped, and left with XDP action ", result.verdict));
  }
  if (!forwarded) {
    return absl::InternalError(absl::StrCat("it must go to ", AddressIn(expected.packet),
                                            ", and got XDP action ", result.verdict));
  }
  if (result.packet == expected.packet) return absl::OkStatus();
  const auto [a, b] = std::mismatch(expected.packet.begin(), expected.packet.end(),
                                    result.packet.begin(), result.packet.end());
  return absl::InternalError(absl::StrCat(
      "it must go to ", AddressIn(expected.packet), " and left for ", AddressIn(result.packet),
      "; byte ", a - expected.packet.begin(), " of ", result.packet.size(), " differs"));
}

}  // namespace evenkeel::publish
