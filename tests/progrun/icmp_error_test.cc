// SPDX-License-Identifier: Apache-2.0
//
// ICMP errors about what a server sent from the VIP: they reach the server of that flow.
#include <algorithm>

#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

struct Flow {
  std::string name;
  VipId vip;
  Packet packet;  // from the client to the VIP
};

Flow FlowTo(const std::string& name, VipId vip) {
  const RawVip& row = AllVips()[vip];
  Packet packet;
  packet.dst = row.address;
  packet.proto = row.proto;
  packet.dport = row.port != 0 ? row.port : 8080;
  if (!packet.is_ipv4()) packet.src = "2001:db8:ffff::7";
  return {name, vip, packet};
}

std::vector<Flow> Flows() {
  return {FlowTo("tcp4", kVipTcp4),   FlowTo("udp4", kVipUdp4),      FlowTo("tcp4in6", kVip4in6),
          FlowTo("tcp4l2", kVipL2v4), FlowTo("any4", kVipAnyPort4),  FlowTo("tcp6", kVipTcp6),
          FlowTo("udp6", kVipUdp6),   FlowTo("udp6l2", kVipUdpL2v6), FlowTo("any6", kVipAnyPort6)};
}

// What the server sent to the client.
Packet Answer(const Packet& packet) {
  Packet answer = packet;
  std::swap(answer.src, answer.dst);
  std::swap(answer.sport, answer.dport);
  answer.ttl = 1;
  answer.payload = 1400;
  return answer;
}

// The IP packet of a frame, cut to `size` bytes.
Bytes Quote(const Bytes& frame, size_t size) {
  const auto ip = frame.begin() + static_cast<long>(LinkLength(frame));
  return Bytes(ip, std::min(frame.end(), ip + static_cast<long>(size)));
}

// From a router on the way to the client.
Packet Error(const Packet& answer, uint8_t type, uint8_t code, const Bytes& quote) {
  Packet error;
  error.src = answer.is_ipv4() ? "203.0.113.254" : "2001:db8:aaaa::fe";
  error.dst = answer.src;
  error.proto = answer.is_ipv4() ? kIcmp : kIcmpv6;
  error.icmp = IcmpMessage(type, code, 1400, quote);
  return error;
}

// IP header and the least that must be quoted of the transport header.
size_t Least(const Packet& answer) { return TransportOffset(answer) - kEthernetLength + 8; }

class IcmpError : public World, public ::testing::WithParamInterface<Flow> {
 protected:
  const Packet& packet() const { return GetParam().packet; }
  Packet answer() const { return Answer(packet()); }

  void ExpectAtTheServer(const Packet& error) {
    ExpectForwarded(packet(), Build(error), GetParam().vip, Backends(PoolOf(GetParam().vip)));
  }
  Packet Default(const Bytes& quote) const {
    return Error(answer(), answer().is_ipv4() ? 3 : 2, answer().is_ipv4() ? 4 : 0, quote);
  }
  Packet Default() const { return Default(Quote(Build(answer()), 128)); }
};

TEST_P(IcmpError, OfEveryKindReachesTheServer) {
  const std::pair<uint8_t, uint8_t> kinds4[] = {{3, 0}, {3, 1}, {3, 3}, {3, 4}, {11, 0}, {12, 0}};
  const std::pair<uint8_t, uint8_t> kinds6[] = {{1, 0}, {1, 4}, {2, 0}, {3, 0}, {4, 1}};
  const bool v4 = packet().is_ipv4();
  for (const auto& [type, code] : v4 ? std::span<const std::pair<uint8_t, uint8_t>>(kinds4)
                                     : std::span<const std::pair<uint8_t, uint8_t>>(kinds6)) {
    SCOPED_TRACE(int{type});
    ExpectAtTheServer(Error(answer(), type, code, Quote(Build(answer()), 128)));
  }
}

TEST_P(IcmpError, QuotingAsLittleAsPermitted) {
  for (const size_t size : {Least(answer()), Least(answer()) + 1, size_t{548}}) {
    ExpectAtTheServer(Default(Quote(Build(answer()), size)));
  }
}

TEST_P(IcmpError, QuotingOptionsAndTags) {
  Packet bent = answer();
  if (bent.is_ipv4()) {
    bent.ip_options = Bytes(40, 1);
  } else {
    bent.extensions = {ExtensionHeader::Fragment(0)};  // atomic
  }
  Packet error = Default(Quote(Build(bent), Least(bent)));
  ExpectAtTheServer(error);
  error.tags = {ServiceTag(7), VlanTag(100)};
  ExpectAtTheServer(error);
}

TEST_P(IcmpError, QuotingAFirstFragment) {
  Packet bent = answer();
  if (bent.is_ipv4()) {
    bent.fragment_field = 0x2000;
  } else {
    bent.extensions = {ExtensionHeader::Fragment(1)};
  }
  ExpectAtTheServer(Default(Quote(Build(bent), 128)));
}

TEST_P(IcmpError, QuotingALaterFragmentIsTheHosts) {
  Packet bent = answer();
  if (bent.is_ipv4()) {
    bent.fragment_field = 0x0010;
  } else {
    bent.extensions = {ExtensionHeader::Fragment(0x10)};
  }
  ExpectVerdict(Build(Default(Quote(Build(bent), 128))), EK_PASS_NO_VIP);
}

TEST_P(IcmpError, WithOtherExtensionHeadersIsTheHosts) {
  if (packet().is_ipv4()) return;
  Packet quoted = answer(), error = Default();
  quoted.extensions = {{0, Bytes(6)}};
  error.extensions = {{60, Bytes(6)}};
  ExpectVerdict(Build(Default(Quote(Build(quoted), 128))), EK_PASS_NO_VIP);
  ExpectVerdict(Build(error), EK_PASS_NO_VIP);
}

// Nobody's flow: another source, another port, another protocol, no header at all.
TEST_P(IcmpError, AboutSomethingElseIsTheHosts) {
  Packet other = answer(), client = answer(), strange = answer();
  other.src = other.is_ipv4() ? "192.0.2.11" : "2001:db8::11";
  client.sport = 9;
  strange.proto = 132;
  ExpectVerdict(Build(Default(Quote(Build(other), 128))), EK_PASS_NO_VIP);
  if (GetParam().vip != kVipAnyPort4 && GetParam().vip != kVipAnyPort6) {
    ExpectVerdict(Build(Default(Quote(Build(client), 128))), EK_PASS_NO_VIP);
  }
  ExpectVerdict(Build(Default(Quote(Build(strange), 128))), EK_PASS_NO_VIP);
  ExpectVerdict(Build(Default(Bytes(128))), EK_PASS_NO_VIP);
}

TEST_P(IcmpError, CutBeforeThePortsIsTheHosts) {
  const Bytes quote = Quote(Build(answer()), 128);
  for (size_t size = 0; size < Least(answer()) - 4; ++size) {
    ExpectVerdict(Build(Default(Quote(Build(answer()), size))), EK_PASS_NO_VIP);
  }
}

TEST_P(IcmpError, CutByTheFrameIsTheHosts) {
  Bytes frame = Build(Default());
  frame.pop_back();
  ExpectVerdict(frame, EK_PASS_NO_VIP);
}

TEST_P(IcmpError, WithoutHopsLeft) {
  Packet error = Default();
  error.ttl = 1;
  ExpectVerdict(Build(error), EK_DROP_TTL, GetParam().vip);
}

// No error about an error.
TEST_P(IcmpError, AboveTheMtuIsDroppedInSilence) {
  Packet bent = answer();
  bent.payload = 3000;
  ExpectVerdict(Build(Default(Quote(Build(bent), 1500))), EK_DROP_TOO_BIG, GetParam().vip);
}

TEST_P(IcmpError, FollowsEveryFlow) {
  for (uint16_t port = 1000; port < 1100; ++port) {
    Packet flow = packet();
    flow.sport = port;
    const Packet reply = Answer(flow);
    const Packet error = Error(reply, flow.is_ipv4() ? 11 : 3, 0, Quote(Build(reply), 128));
    ExpectForwarded(flow, Build(error), GetParam().vip, Backends(PoolOf(GetParam().vip)));
  }
}

INSTANTIATE_TEST_SUITE_P(All, IcmpError, ::testing::ValuesIn(Flows()),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace evenkeel::testing
