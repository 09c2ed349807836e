// SPDX-License-Identifier: Apache-2.0
//
// The packet parser under libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer. Whatever the
// bytes: nothing outside the frame is read, and what is called fit to forward is whole.
#include <cstdlib>
#include <cstring>
#include <memory>

#include "tests/fuzz/packet/packet_host.h"

namespace {

using evenkeel::testing::HostParse;

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckForward(const HostParse& parse, const uint8_t* frame, size_t length) {
  const auto* l3 = static_cast<const uint8_t*>(parse.packet.l3);
  const size_t minimum =
      (parse.packet.version == 4 ? 20u : 40u) + (parse.packet.proto == IPPROTO_TCP ? 20u : 8u);
  Require(l3 == frame + 14 + parse.packet.tag_len);
  Require(parse.packet.tag_len % 4 == 0 && parse.packet.tag_len <= 8);
  Require(l3[0] >> 4 == parse.packet.version);
  Require(parse.packet.proto == IPPROTO_TCP || parse.packet.proto == IPPROTO_UDP);
  Require(parse.packet.ip_len >= minimum);
  Require(14 + parse.packet.tag_len + parse.packet.ip_len <= length);
  const auto* client = static_cast<const uint8_t*>(parse.packet.client);
  Require(client == l3 + (parse.packet.version == 4 ? 12 : 8));
}

// A QUIC VIP looks behind the UDP header, too. The server id is a number of the bytes it names.
void CheckQuic(const HostParse& parse, const uint8_t* end) {
  if (parse.packet.proto != IPPROTO_UDP) return;
  const auto* payload = static_cast<const uint8_t*>(parse.packet.l4) + 8;
  const ek_quic quic = ek_classify_quic(payload, end);
  Require(quic.kind == EK_QUIC_OTHER || payload + 6 <= end);
  for (uint32_t length = 1; length <= EK_QUIC_MAX_ID; ++length) {
    __u64 server = 0;
    if (!ek_quic_server(&quic, end, quic.id == nullptr || quic.id >= end ? 0 : quic.id[0] >> 5,
                        length, &server))
      continue;
    Require(length == 8 || server >> (8 * length) == 0);
    Require(static_cast<uint8_t>(server) == quic.id[length]);
  }
}

// A dropped packet's addresses are read afterwards, to see whether it is for a VIP.
void CheckDrop(const HostParse& parse, const uint8_t* frame, size_t length) {
  const size_t header = parse.packet.version == 4 ? 20 : 40;
  Require(parse.packet.version == 4 || parse.packet.version == 6);
  Require(parse.packet.l3 == frame + 14 + parse.packet.tag_len);
  Require(14 + parse.packet.tag_len + header <= length);
}

// What the special path does with packets that are neither TCP nor UDP: answers in place, or takes
// the flow of the quoted packet.
void CheckIcmp(HostParse& parse, uint8_t* frame, size_t length) {
  ek_packet& packet = parse.packet;
  uint8_t* end = frame + length;
  ek_icmp* icmp = ek_get_icmp(&packet, end);
  if (icmp == nullptr) return;
  const auto* start = reinterpret_cast<uint8_t*>(icmp);
  Require(start >= frame + 14 + 20 && start + 8 <= end);
  if (ek_is_icmp_error(&packet, icmp)) {
    if (ek_parse_quoted(&packet, end) != EK_FORWARD) return;
    const auto* client = static_cast<uint8_t*>(packet.client);
    Require(client >= start + 8 && client + (packet.version == 4 ? 4 : 16) + 4 <= end);
    Require(packet.proto == IPPROTO_TCP || packet.proto == IPPROTO_UDP);
    return;
  }
  if (!ek_is_echo_request(&packet, icmp)) return;
  if (packet.version == 4) {
    ek_echo_reply4(static_cast<iphdr*>(packet.l3), icmp);
  } else {
    ek_echo_reply6(static_cast<ipv6hdr*>(packet.l3), icmp);
  }
  Require(icmp->type == (packet.version == 4 ? 0 : 129));
}

void CheckFragment(HostParse& parse, uint8_t* frame, size_t length) {
  ek_packet& packet = parse.packet;
  Require(packet.fragment != EK_FRAGMENT_NONE);
  Require(packet.l4 >= frame + 14 + 20 && packet.l4 <= frame + length);
  if (packet.fragment == EK_FRAGMENT_FIRST &&
      ek_parse_first_fragment(&packet, frame + length) == EK_FORWARD) {
    Require(static_cast<uint8_t*>(packet.l4) + 8 <= frame + length && packet.l4_len >= 8);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A buffer of exactly this size: one byte beyond it is an error that the sanitizer reports.
  const std::unique_ptr<uint8_t[]> frame(new uint8_t[size]);
  if (size > 0) std::memcpy(frame.get(), data, size);
  HostParse parse = evenkeel::testing::ParseOnHost(frame.get(), size);
  Require(parse.verdict < EK_VERDICT_COUNT);
  Require(size == 0 || std::memcmp(frame.get(), data, size) == 0);
  switch (parse.verdict) {
    case EK_FORWARD:
      CheckForward(parse, frame.get(), size);
      CheckQuic(parse, frame.get() + size);
      break;
    case EK_PASS_NO_VIP:
      CheckIcmp(parse, frame.get(), size);
      break;
    case EK_DROP_FRAGMENT:
      CheckDrop(parse, frame.get(), size);
      CheckFragment(parse, frame.get(), size);
      break;
    case EK_PASS_NOT_IP:
    case EK_PASS_UNREADABLE:
      break;
    default:
      CheckDrop(parse, frame.get(), size);
  }
  return 0;
}
