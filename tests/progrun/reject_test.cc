// SPDX-License-Identifier: Apache-2.0
//
// Packets that are not forwarded: every reason to drop, every reason to leave it to the host.
#include <algorithm>

#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

constexpr size_t kIp = kEthernetLength;

struct Scenario {
  std::string name;
  Packet packet;
  void (*bend)(Bytes& frame);  // applied to the built frame
  ek_verdict verdict;          // if the destination is a VIP's address
  std::optional<VipId> vip;    // whose drop it is, where one was found
};

void Leave(Bytes&) {}

template <typename Change>
Packet Tcp4(Change change) {
  Packet packet;
  change(packet);
  return packet;
}

template <typename Change>
Packet Udp4(Change change) {
  return Tcp4([&](Packet& p) {
    p.proto = kUdp;
    p.dport = 53;
    change(p);
  });
}

template <typename Change>
Packet Tcp6(Change change) {
  return Tcp4([&](Packet& p) {
    p.src = "2001:db8:ffff::7";
    p.dst = "2001:db8::10";
    change(p);
  });
}

void Same(Packet&) {}

ExtensionHeader Options(size_t size = 8) { return {60, Bytes(size - 2)}; }

std::vector<Scenario> Malformed() {
  return {
      {"ip4-version", Tcp4(Same), [](Bytes& f) { f[kIp] = 0x65; }, EK_DROP_L3_HEADER, {}},
      {"ip4-ihl-4", Tcp4(Same), [](Bytes& f) { f[kIp] = 0x44; }, EK_DROP_L3_HEADER, {}},
      {"ip4-ihl-0", Tcp4(Same), [](Bytes& f) { f[kIp] = 0x40; }, EK_DROP_L3_HEADER, {}},
      {"ip4-ihl-beyond-frame",
       Tcp4([](Packet& p) { p.payload = 0; }),
       [](Bytes& f) { f[kIp] = 0x4f, f.resize(kIp + 40); },
       EK_DROP_L3_TRUNCATED,
       {}},
      {"ip4-length-0", Tcp4(Same), [](Bytes& f) { Put16(f, kIp + 2, 0); }, EK_DROP_L3_LENGTH, {}},
      {"ip4-length-below-header",
       Tcp4([](Packet& p) { p.ip_options = Bytes(8, 1); }),
       [](Bytes& f) { Put16(f, kIp + 2, 27); },
       EK_DROP_L3_LENGTH,
       {}},
      {"ip4-length-beyond-frame",
       Tcp4(Same),
       [](Bytes& f) { Put16(f, kIp + 2, static_cast<uint16_t>(f.size() - kIp + 1)); },
       EK_DROP_L3_LENGTH,
       {}},
      {"ip4-length-65535",
       Tcp4(Same),
       [](Bytes& f) { Put16(f, kIp + 2, 65535); },
       EK_DROP_L3_LENGTH,
       {}},
      {"ip4-length-cuts-tcp",
       Tcp4(Same),
       [](Bytes& f) { Put16(f, kIp + 2, 39); },
       EK_DROP_L4_TRUNCATED,
       {}},
      {"ip4-length-cuts-tcp-options",
       Tcp4([](Packet& p) { p.tcp_options = Bytes(12, 1); }),
       [](Bytes& f) { Put16(f, kIp + 2, 51); },
       EK_DROP_L4_HEADER,
       {}},
      {"ip4-length-cuts-udp",
       Udp4(Same),
       [](Bytes& f) { Put16(f, kIp + 2, 27); },
       EK_DROP_L4_TRUNCATED,
       {}},
      {"ip4-frame-cuts-tcp",
       Tcp4(Same),
       [](Bytes& f) { f.resize(kIp + 20 + 19); },
       EK_DROP_L4_TRUNCATED,
       {}},
      {"tcp4-doff-4", Tcp4(Same), [](Bytes& f) { f[kIp + 32] = 0x40; }, EK_DROP_L4_HEADER, {}},
      {"tcp4-doff-0", Tcp4(Same), [](Bytes& f) { f[kIp + 32] = 0; }, EK_DROP_L4_HEADER, {}},
      {"tcp4-doff-beyond-packet",
       Tcp4([](Packet& p) { p.payload = 39; }),
       [](Bytes& f) { f[kIp + 32] = 0xf0; },
       EK_DROP_L4_HEADER,
       {}},
      {"udp4-length-7", Udp4(Same), [](Bytes& f) { Put16(f, kIp + 24, 7); }, EK_DROP_L4_HEADER, {}},
      {"udp4-length-0", Udp4(Same), [](Bytes& f) { Put16(f, kIp + 24, 0); }, EK_DROP_L4_HEADER, {}},
      {"udp4-length-beyond-packet",
       Udp4(Same),
       [](Bytes& f) { Put16(f, kIp + 24, 8 + 33); },
       EK_DROP_L4_HEADER,
       {}},
      {"vlan-ip4-length-beyond-frame",
       Tcp4([](Packet& p) {
         p.tags = {ServiceTag(7), VlanTag(1)};
       }),
       [](Bytes& f) { f.pop_back(); },
       EK_DROP_L3_LENGTH,
       {}},
      {"ip6-version", Tcp6(Same), [](Bytes& f) { f[kIp] = 0x40; }, EK_DROP_L3_HEADER, {}},
      {"ip6-length-0",
       Tcp6(Same),
       [](Bytes& f) { Put16(f, kIp + 4, 0); },
       EK_DROP_L4_TRUNCATED,
       {}},
      {"ip6-length-beyond-frame",
       Tcp6(Same),
       [](Bytes& f) { Put16(f, kIp + 4, 53); },
       EK_DROP_L3_LENGTH,
       {}},
      {"ip6-frame-cuts-tcp",
       Tcp6(Same),
       [](Bytes& f) { f.resize(kIp + 40 + 10); },
       EK_DROP_L4_TRUNCATED,
       {}},
      {"ip6-one-ext-too-many",
       Tcp6([](Packet& p) { p.extensions.assign(EK_MAX_IPV6_EXT_HEADERS + 1, Options()); }),
       Leave,
       EK_DROP_L3_EXT,
       {}},
      {"ip6-255-ext",
       Tcp6([](Packet& p) { p.extensions.assign(255, Options()); }),
       Leave,
       EK_DROP_L3_EXT,
       {}},
      {"ip6-ext-beyond-packet",
       Tcp6([](Packet& p) { p.extensions = {Options()}; }),
       [](Bytes& f) { f[kIp + 41] = 200; },
       EK_DROP_L3_EXT,
       {}},
      {"ip6-ext-longest-beyond-packet",
       Tcp6([](Packet& p) { p.extensions = {Options()}; }),
       [](Bytes& f) { f[kIp + 41] = 255; },
       EK_DROP_L3_EXT,
       {}},
      {"ip6-auth-too-short",
       Tcp6([](Packet& p) { p.extensions = {ExtensionHeader::Auth()}; }),
       [](Bytes& f) { f[kIp + 41] = 255; },
       EK_DROP_L3_EXT,
       {}},
      {"ip6-ext-cut-by-frame",
       Tcp6([](Packet& p) { p.extensions = {Options(64)}; }),
       [](Bytes& f) { f.resize(kIp + 40 + 7); },
       EK_DROP_L3_EXT,
       {}},
  };
}

// Later ones, of packets whose first fragment nobody has seen. frag_test.cc has the others.
std::vector<Scenario> Fragments() {
  return {
      {"tcp4-last-fragment",
       Tcp4([](Packet& p) { p.fragment_field = 0x0010; }),
       Leave,
       EK_DROP_FRAGMENT,
       {}},
      {"udp4-fragment",
       Udp4([](Packet& p) { p.fragment_field = 0x2001; }),
       Leave,
       EK_DROP_FRAGMENT,
       {}},
      {"tcp6-last-fragment",
       Tcp6([](Packet& p) { p.extensions = {ExtensionHeader::Fragment(8)}; }),
       Leave,
       EK_DROP_FRAGMENT,
       {}},
      {"ip6-first-fragment-extended",
       Tcp6([](Packet& p) {
         p.extensions = {ExtensionHeader::Fragment(1), Options()};
       }),
       Leave,
       EK_DROP_FRAGMENT,
       {}},
  };
}

// Dropped after the VIP was found.
std::vector<Scenario> Unfit() {
  const auto too_big = [](size_t headers) {
    return [headers](Packet& p) { p.payload = 1500 - headers + 1; };
  };
  return {
      {"tcp4-ttl-1", Tcp4([](Packet& p) { p.ttl = 1; }), Leave, EK_DROP_TTL, kVipTcp4},
      {"tcp4-ttl-0", Tcp4([](Packet& p) { p.ttl = 0; }), Leave, EK_DROP_TTL, kVipTcp4},
      {"tcp6-hop-limit-1", Tcp6([](Packet& p) { p.ttl = 1; }), Leave, EK_DROP_TTL, kVipTcp6},
      {"tcp6-hop-limit-0", Tcp6([](Packet& p) { p.ttl = 0; }), Leave, EK_DROP_TTL, kVipTcp6},
      {"tcp4-l2-ttl-1", Tcp4([](Packet& p) { p.dst = "192.0.2.30", p.ttl = 1; }), Leave,
       EK_DROP_TTL, kVipL2v4},
      {"vlan-tcp4-ttl-1", Tcp4([](Packet& p) { p.tags = {VlanTag(1)}, p.ttl = 1; }), Leave,
       EK_DROP_TTL, kVipTcp4},
      {"tcp4-above-mtu", Tcp4(too_big(60)), Leave, EK_DROP_TOO_BIG, kVipTcp4},
      {"tcp4-4in6-above-mtu", Tcp4([&](Packet& p) { p.dst = "192.0.2.20", too_big(80)(p); }), Leave,
       EK_DROP_TOO_BIG, kVip4in6},
      {"tcp4-l2-above-mtu", Tcp4([&](Packet& p) { p.dst = "192.0.2.30", too_big(40)(p); }), Leave,
       EK_DROP_TOO_BIG, kVipL2v4},
  };
}

// Not ours to judge.
std::vector<Scenario> Foreign() {
  return {
      {"tcp4-other-address",
       Tcp4([](Packet& p) { p.dst = "192.0.2.11"; }),
       Leave,
       EK_PASS_NO_VIP,
       {}},
      {"tcp4-vip-address-other-port",
       Tcp4([](Packet& p) { p.dport = 80; }),
       Leave,
       EK_PASS_NO_VIP,
       {}},
      {"udp4-vip-of-tcp", Udp4([](Packet& p) { p.dport = 443; }), Leave, EK_PASS_NO_VIP, {}},
      {"udp4-any-port-vip-of-tcp",
       Udp4([](Packet& p) { p.dst = "192.0.2.40"; }),
       Leave,
       EK_PASS_NO_VIP,
       {}},
      {"udp4-marker-is-no-service",
       Udp4([](Packet& p) { p.dport = 0; }),
       Leave,
       EK_PASS_NO_VIP,
       {}},
      {"tcp6-other-address",
       Tcp6([](Packet& p) { p.dst = "2001:db8::11"; }),
       Leave,
       EK_PASS_NO_VIP,
       {}},
      {"tcp6-vip-address-other-port",
       Tcp6([](Packet& p) { p.dport = 80; }),
       Leave,
       EK_PASS_NO_VIP,
       {}},
      {"icmp4-to-vip", Tcp4([](Packet& p) { p.proto = 1; }), Leave, EK_PASS_NO_VIP, {}},
      {"icmp6-to-vip", Tcp6([](Packet& p) { p.proto = 58; }), Leave, EK_PASS_NO_VIP, {}},
      {"icmp6-fragment-to-vip",
       Tcp6([](Packet& p) { p.proto = 58, p.extensions = {ExtensionHeader::Fragment(9)}; }),
       Leave,
       EK_PASS_NO_VIP,
       {}},
      {"icmp4-fragment-to-vip",
       Tcp4([](Packet& p) { p.proto = 1, p.fragment_field = 0x2000; }),
       Leave,
       EK_PASS_NO_VIP,
       {}},
      {"igmp",
       Tcp4([](Packet& p) { p.proto = 2, p.dst = "224.0.0.1"; }),
       Leave,
       EK_PASS_NO_VIP,
       {}},
      {"sctp-to-vip", Tcp4([](Packet& p) { p.proto = 132; }), Leave, EK_PASS_NO_VIP, {}},
      {"ipip-to-vip", Tcp4([](Packet& p) { p.proto = 4; }), Leave, EK_PASS_NO_VIP, {}},
      {"esp6-to-vip", Tcp6([](Packet& p) { p.proto = 50; }), Leave, EK_PASS_NO_VIP, {}},
      {"no-next-header6-to-vip", Tcp6([](Packet& p) { p.proto = 59; }), Leave, EK_PASS_NO_VIP, {}},
      {"ttl-1-other-address",
       Tcp4([](Packet& p) { p.dst = "192.0.2.11", p.ttl = 1; }),
       Leave,
       EK_PASS_NO_VIP,
       {}},
      {"arp", Tcp4([](Packet& p) { p.ether_type = 0x0806; }), Leave, EK_PASS_NOT_IP, {}},
      {"vlan-no-vip",
       Tcp4([](Packet& p) { p.tags = {VlanTag(1)}, p.dport = 80; }),
       Leave,
       EK_PASS_NO_VIP,
       {}},
      {"vlan-arp",
       Tcp4([](Packet& p) { p.tags = {VlanTag(1)}, p.ether_type = 0x0806; }),
       Leave,
       EK_PASS_NOT_IP,
       {}},
      {"vlan-three-tags",
       Tcp4([](Packet& p) {
         p.tags = {ServiceTag(1), VlanTag(2), VlanTag(3)};
       }),
       Leave,
       EK_PASS_NOT_IP,
       {}},
      {"vlan-cut-in-tag",
       Tcp4([](Packet& p) { p.tags = {VlanTag(1)}; }),
       [](Bytes& f) { f.resize(kIp + 3); },
       EK_PASS_NOT_IP,
       {}},
      {"qinq-cut-in-second-tag",
       Tcp4([](Packet& p) {
         p.tags = {ServiceTag(1), VlanTag(2)};
       }),
       [](Bytes& f) { f.resize(kIp + 7); },
       EK_PASS_NOT_IP,
       {}},
      {"vlan-cut-before-address",
       Tcp4([](Packet& p) { p.tags = {VlanTag(1)}; }),
       [](Bytes& f) { f.resize(kIp + 4 + 19); },
       EK_PASS_UNREADABLE,
       {}},
      {"legacy-q-in-q-type",
       Tcp4([](Packet& p) { p.ether_type = 0x9100; }),
       Leave,
       EK_PASS_NOT_IP,
       {}},
      {"length-not-type",
       Tcp4([](Packet& p) { p.ether_type = 0x0026; }),
       Leave,
       EK_PASS_NOT_IP,
       {}},
      {"ip4-as-ip6-to-vip",
       Tcp4([](Packet& p) { p.ether_type = 0x86dd; }),
       Leave,
       EK_PASS_UNREADABLE,
       {}},
      {"ip4-cut-before-address",
       Tcp4(Same),
       [](Bytes& f) { f.resize(kIp + 19); },
       EK_PASS_UNREADABLE,
       {}},
      {"ip6-cut-before-address",
       Tcp6(Same),
       [](Bytes& f) { f.resize(kIp + 39); },
       EK_PASS_UNREADABLE,
       {}},
  };
}

std::string Name(const ::testing::TestParamInfo<Scenario>& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

Bytes FrameOf(const Scenario& scenario) {
  Bytes frame = Build(scenario.packet);
  scenario.bend(frame);
  return frame;
}

// The same fault to an address that is no VIP's.
Scenario Elsewhere(Scenario scenario) {
  scenario.packet.dst = scenario.packet.is_ipv4() ? "192.0.2.11" : "2001:db8::11";
  return scenario;
}

class Rejected : public World, public ::testing::WithParamInterface<Scenario> {};
TEST_P(Rejected, WithItsReason) {
  ExpectVerdict(FrameOf(GetParam()), GetParam().verdict, GetParam().vip);
}
INSTANTIATE_TEST_SUITE_P(Malformed, Rejected, ::testing::ValuesIn(Malformed()), Name);
INSTANTIATE_TEST_SUITE_P(Fragment, Rejected, ::testing::ValuesIn(Fragments()), Name);
INSTANTIATE_TEST_SUITE_P(Unfit, Rejected, ::testing::ValuesIn(Unfit()), Name);
INSTANTIATE_TEST_SUITE_P(Foreign, Rejected, ::testing::ValuesIn(Foreign()), Name);

class MalformedElsewhere : public World, public ::testing::WithParamInterface<Scenario> {};
TEST_P(MalformedElsewhere, IsTheHosts) {
  ExpectVerdict(FrameOf(Elsewhere(GetParam())), EK_PASS_UNREADABLE);
}
INSTANTIATE_TEST_SUITE_P(All, MalformedElsewhere, ::testing::ValuesIn(Malformed()), Name);

class FragmentElsewhere : public World, public ::testing::WithParamInterface<Scenario> {};
TEST_P(FragmentElsewhere, IsTheHosts) {
  ExpectVerdict(FrameOf(Elsewhere(GetParam())), EK_PASS_NO_VIP);
}
INSTANTIATE_TEST_SUITE_P(All, FragmentElsewhere, ::testing::ValuesIn(Fragments()), Name);

}  // namespace
}  // namespace evenkeel::testing
