// SPDX-License-Identifier: Apache-2.0
#include "control/traffic/frame.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "bpf/lib/parse.h"
#include "bpf/lib/quoted.h"

namespace evenkeel::traffic {
namespace {

// A long header up to the connection id, and as much of that as can name a server.
constexpr ptrdiff_t kQuicHead = 16;

model::IpAddress ReadAddress(const void* at, uint8_t version) {
  std::array<uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), at, version == 4 ? 4 : 16);
  if (version == 6) return model::IpAddress::FromIpv6(bytes);
  return model::IpAddress::FromIpv4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

// As ek_balance_special goes on where the parser found no whole TCP or UDP packet.
ek_verdict ReadSpecial(ek_verdict verdict, ek_packet& packet, uint8_t* end) {
  if (verdict == EK_PASS_NO_VIP) {
    const ek_icmp* icmp = ek_get_icmp(&packet, end);
    if (icmp != nullptr && ek_is_icmp_error(&packet, icmp)) return ek_parse_quoted(&packet, end);
  } else if (verdict == EK_DROP_FRAGMENT && packet.fragment == EK_FRAGMENT_FIRST) {
    return ek_parse_first_fragment(&packet, end);
  }
  return verdict;
}

}  // namespace

std::optional<publish::Flow> ParseFrame(std::span<const uint8_t> head, uint32_t length) {
  std::vector<uint8_t> bytes(head.begin(), head.end());  // the parser's are not const
  uint8_t* const end = bytes.data() + bytes.size();
  ek_cursor cursor{bytes.data(), end};
  ek_packet packet{};
  ek_verdict verdict = ek_parse(&cursor, &packet, /*with_tags=*/1);
  if (verdict != EK_FORWARD) verdict = ReadSpecial(verdict, packet, end);
  if (verdict != EK_FORWARD || !ek_frame_holds(&packet, length)) return std::nullopt;

  publish::Flow flow;
  const auto* l3 = static_cast<const uint8_t*>(packet.l3);
  flow.source = ReadAddress(packet.client, packet.version);
  flow.destination = ReadAddress(l3 + (packet.version == 4 ? 16 : 24), packet.version);
  flow.source_port = ntohs(packet.sport);
  flow.destination_port = ntohs(packet.dport);
  flow.ip_protocol = packet.proto;
  flow.opening = packet.proto == IPPROTO_TCP && ek_opens_flow(packet.flags);
  if (packet.proto == IPPROTO_UDP && packet.fragment == EK_FRAGMENT_NONE && !packet.is_error) {
    const uint8_t* payload = static_cast<const uint8_t*>(packet.l4) + sizeof(udphdr);
    flow.payload.assign(payload, payload + std::min<ptrdiff_t>(end - payload, kQuicHead));
  }
  return flow;
}

}  // namespace evenkeel::traffic
