// SPDX-License-Identifier: Apache-2.0
//
// Source rules: who may have a VIP. The oracle is a walk over the list of prefixes, bit by bit.
#include <arpa/inet.h>

#include <algorithm>
#include <random>
#include <set>

#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

constexpr uint16_t kGlobal = 1, kOwn = 2;
const RawRule kAllow4{"0.0.0.0", 0, EK_SOURCE_ALLOW}, kAllow6{"::", 0, EK_SOURCE_ALLOW};
const RawRule kDeny4{"0.0.0.0", 0, EK_SOURCE_DENY}, kDeny6{"::", 0, EK_SOURCE_DENY};

using Rules = std::vector<RawRule>;

RawRule Allow(const std::string& address, uint32_t length) {
  return {address, length, EK_SOURCE_ALLOW};
}
RawRule Deny(const std::string& address, uint32_t length) {
  return {address, length, EK_SOURCE_DENY};
}

// Denied by the longest prefix that the address begins with.
bool Denies(const Rules& rules, const std::string& source) {
  const Bytes address = AddressBytes(source);
  const auto bit = [](const Bytes& bytes, uint32_t i) { return bytes[i / 8] >> (7 - i % 8) & 1; };
  std::optional<RawRule> best;
  for (const RawRule& rule : rules) {
    const Bytes prefix = AddressBytes(rule.address);
    if (prefix.size() != address.size()) continue;
    uint32_t same = 0;
    while (same < rule.length && bit(prefix, same) == bit(address, same)) ++same;
    if (same == rule.length && (!best || rule.length >= best->length)) best = rule;
  }
  return best && best->action == EK_SOURCE_DENY;
}

struct Case {
  std::string name;
  Rules global, own;
  std::string source;
  bool denied;
};

std::vector<Case> Cases() {
  const Rules open = {kAllow4, kAllow6}, closed = {kDeny4, kDeny6};
  const auto with = [](Rules rules, const Rules& more) {
    rules.insert(rules.end(), more.begin(), more.end());
    return rules;
  };
  const RawRule net4 = Deny("198.51.100.0", 24), net6 = Deny("2001:db8:ffff::", 48);
  return {
      {"own-open", {}, open, "198.51.100.7", false},
      {"own-denies-4", {}, with(open, {net4}), "198.51.100.7", true},
      {"own-denies-6", {}, with(open, {net6}), "2001:db8:ffff::7", true},
      {"own-denies-first-address", {}, with(open, {net4}), "198.51.100.0", true},
      {"own-denies-last-address", {}, with(open, {net4}), "198.51.100.255", true},
      {"own-next-to-it-before", {}, with(open, {net4}), "198.51.99.255", false},
      {"own-next-to-it-after", {}, with(open, {net4}), "198.51.101.0", false},
      {"own-next-to-it-after-6", {}, with(open, {net6}), "2001:db9::", false},
      {"host-denied", {}, with(open, {Deny("198.51.100.7", 32)}), "198.51.100.7", true},
      {"host-beside-it", {}, with(open, {Deny("198.51.100.7", 32)}), "198.51.100.6", false},
      {"host-denied-6", {}, with(open, {Deny("2001:db8:ffff::7", 128)}), "2001:db8:ffff::7", true},
      {"host-beside-it-6", {}, with(open, {Deny("2001:db8::7", 128)}), "2001:db8::6", false},
      {"hole-in-a-denied-net",
       {},
       with(open, {net4, Allow("198.51.100.0", 28)}),
       "198.51.100.7",
       false},
      {"around-the-hole", {}, with(open, {net4, Allow("198.51.100.0", 28)}), "198.51.100.17", true},
      {"hole-in-the-hole",
       {},
       with(open, {net4, Allow("198.51.100.0", 28), Deny("198.51.100.7", 32)}),
       "198.51.100.7",
       true},
      {"hole-6", {}, with(open, {net6, Allow("2001:db8:ffff::", 64)}), "2001:db8:ffff::7", false},
      {"around-the-hole-6",
       {},
       with(open, {net6, Allow("2001:db8:ffff::", 64)}),
       "2001:db8:ffff:1::7",
       true},
      {"default-deny", {}, closed, "198.51.100.7", true},
      {"default-deny-6", {}, closed, "2001:db8:ffff::7", true},
      {"default-deny-allowed",
       {},
       with(closed, {Allow("198.51.100.0", 24)}),
       "198.51.100.7",
       false},
      {"default-deny-allowed-6",
       {},
       with(closed, {Allow("2001:db8::", 32)}),
       "2001:db8:ffff::7",
       false},
      {"default-deny-of-the-other-family", {}, {kAllow4, kDeny6}, "198.51.100.7", false},
      {"global-denies", with(open, {net4}), {}, "198.51.100.7", true},
      {"global-denies-6", with(open, {net6}), {}, "2001:db8:ffff::7", true},
      {"global-open", open, {}, "198.51.100.7", false},
      // The VIP's own set cannot give back what the global one takes.
      {"global-denies-own-allows", with(open, {net4}), with(closed, {Allow("198.51.100.7", 32)}),
       "198.51.100.7", true},
      {"global-allows-own-denies", open, with(open, {net4}), "198.51.100.7", true},
      {"both-allow", open, with(closed, {Allow("198.51.100.7", 32)}), "198.51.100.7", false},
  };
}

class SourceRules : public World {
 protected:
  // Every VIP has both sets.
  void Use(const Rules& global, const Rules& own) {
    std::vector<RawVip> vips = AllVips();
    for (RawVip& vip : vips) {
      vip.global_rules = global.empty() ? 0 : kGlobal;
      vip.rules = own.empty() ? 0 : kOwn;
    }
    if (!global.empty()) balancer_->PutRules(kGlobal, global);
    if (!own.empty()) balancer_->PutRules(kOwn, own);
    word_ = balancer_->PutGeneration(1, vips);
    balancer_->Activate(word_);
  }

  static Packet From(const std::string& source, VipId vip4 = kVipTcp4, VipId vip6 = kVipTcp6) {
    Packet packet;
    packet.src = source;
    const RawVip& row = AllVips()[source.find(':') == std::string::npos ? vip4 : vip6];
    packet.dst = row.address;
    packet.proto = row.proto;
    packet.dport = row.port != 0 ? row.port : 8080;
    return packet;
  }

  void ExpectJudged(const Packet& packet, const Bytes& frame, VipId vip, bool denied) {
    if (denied) {
      ExpectVerdict(frame, EK_DROP_SOURCE, vip);
    } else {
      ExpectForwarded(packet, frame, vip, Backends(PoolOf(vip)));
    }
  }

  uint32_t word_ = 0;
};

TEST_F(SourceRules, OnEveryKindOfVip) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    Use(c.global, c.own);
    ASSERT_EQ(Denies(c.global, c.source) || Denies(c.own, c.source), c.denied) << "the oracle";
    const bool v4 = c.source.find(':') == std::string::npos;
    const auto vips = v4 ? std::vector{kVipTcp4, kVipUdp4, kVip4in6, kVipL2v4, kVipAnyPort4}
                         : std::vector{kVipTcp6, kVipUdp6, kVipL2v6, kVipAnyPort6};
    for (const VipId vip : vips) {
      SCOPED_TRACE(vip);
      Packet packet = From(c.source, vip, vip);
      ExpectJudged(packet, Build(packet), vip, c.denied);
      packet.tcp_flags = kTcpSyn;
      packet.tags = {ServiceTag(7), VlanTag(100)};
      ExpectJudged(packet, Build(packet), vip, c.denied);
    }
  }
}

// Only VIPs have rules: another port of the address, another address, are the host's.
TEST_F(SourceRules, DoNotTouchTheHostsTraffic) {
  Use({kDeny4, kDeny6}, {kDeny4, kDeny6});
  Packet ssh = From("198.51.100.7");
  ssh.dport = 22;
  ExpectVerdict(Build(ssh), EK_PASS_NO_VIP);
  ssh.dst = "192.0.2.99";
  ExpectVerdict(Build(ssh), EK_PASS_NO_VIP);
  Packet ssh6 = From("2001:db8:ffff::7");
  ssh6.dport = 22;
  ExpectVerdict(Build(ssh6), EK_PASS_NO_VIP);
}

TEST_F(SourceRules, OfOneVipLeaveTheOthers) {
  balancer_->PutRules(kOwn, {kDeny4, kDeny6});
  std::vector<RawVip> vips = AllVips();
  vips[kVipTcp4].rules = kOwn;
  balancer_->Activate(balancer_->PutGeneration(1, vips));
  const Packet tcp = From("198.51.100.7"), udp = From("198.51.100.7", kVipUdp4);
  ExpectVerdict(Build(tcp), EK_DROP_SOURCE, kVipTcp4);
  ExpectForwarded(udp, kVipUdp4);
}

TEST_F(SourceRules, JudgeEveryFragment) {
  Use({}, {kAllow4, kAllow6, Deny("198.51.100.0", 24), Deny("2001:db8:ffff::", 48)});
  for (const bool v4 : {true, false}) {
    for (const bool denied : {true, false}) {
      const VipId vip = v4 ? kVipUdp4 : kVipUdp6;
      Packet flow = From(v4 ? (denied ? "198.51.100.7" : "198.51.101.7")
                            : (denied ? "2001:db8:ffff::7" : "2001:db8:fffe::7"),
                         kVipUdp4, kVipUdp6);
      Packet first = flow, later = flow;
      if (v4) {
        first.fragment_field = 0x2000;
        later.fragment_field = 0x0009;
      } else {
        first.extensions = {ExtensionHeader::Fragment(1, 77)};
        later.extensions = {ExtensionHeader::Fragment(9 << 3, 77)};
      }
      Bytes frame = Build(first);
      Put16(frame, TransportOffset(first) + 4, 4000);
      ExpectJudged(flow, frame, vip, denied);
      ExpectJudged(flow, Build(later), vip, denied);
    }
  }
}

// The router that complains is of no interest, as everywhere.
TEST_F(SourceRules, JudgeAnErrorByTheClientThatItQuotes) {
  Use({}, {kAllow4, kAllow6, Deny("198.51.100.0", 24), Deny("2001:db8:ffff::", 48)});
  struct {
    const char *client, *router;
    bool denied;
  } const cases[] = {{"198.51.100.7", "203.0.113.1", true},
                     {"203.0.113.7", "198.51.100.1", false},
                     {"2001:db8:ffff::7", "2001:db8:1::1", true},
                     {"2001:db8:1::7", "2001:db8:ffff::1", false}};
  for (const auto& c : cases) {
    const Packet flow = From(c.client);
    const VipId vip = flow.is_ipv4() ? kVipTcp4 : kVipTcp6;
    Packet answer = flow;
    std::swap(answer.src, answer.dst);
    std::swap(answer.sport, answer.dport);
    const Bytes quoted = Build(answer);
    const Bytes quote(quoted.begin() + kEthernetLength, quoted.end());
    Packet error;
    error.src = c.router;
    error.dst = flow.dst;
    error.proto = flow.is_ipv4() ? kIcmp : kIcmpv6;
    error.icmp = IcmpMessage(flow.is_ipv4() ? 3 : 2, flow.is_ipv4() ? 4 : 0, 1400, quote);
    ExpectJudged(flow, Build(error), vip, c.denied);
  }
}

// An echo request has an address and no VIP: the global set judges it.
TEST_F(SourceRules, OfAllVipsJudgeEchoRequests) {
  const Rules rules = {kAllow4, kAllow6, Deny("198.51.100.0", 24), Deny("2001:db8:ffff::", 48)};
  Use(rules, {});
  ExpectVerdict(Build(EchoRequest("198.51.100.7", "192.0.2.10", 8)), EK_DROP_SOURCE);
  ExpectVerdict(Build(EchoRequest("2001:db8:ffff::7", "2001:db8::10", 8)), EK_DROP_SOURCE);
  EXPECT_EQ(balancer_->Run(Build(EchoRequest("198.51.101.7", "192.0.2.10", 8))).action, XDP_TX);
  Use({}, rules);
  EXPECT_EQ(balancer_->Run(Build(EchoRequest("198.51.100.7", "192.0.2.10", 8))).action, XDP_TX);
}

TEST_F(SourceRules, OfTheStagedGenerationAreWhatProbesMeet) {
  Use({}, {kAllow4, Deny("198.51.100.0", 24)});
  const uint32_t open = balancer_->PutGeneration(0, AllVips());
  balancer_->Activate(open);
  balancer_->Stage(word_);
  const Bytes frame = Build(From("198.51.100.7"));
  const CounterSet before = balancer_->ReadCounters();
  EXPECT_EQ(balancer_->Verify(frame).action, XDP_DROP);
  EXPECT_NE(balancer_->Verify(Build(From("198.51.101.7"))).action, XDP_DROP);
  EXPECT_EQ(balancer_->ReadCounters().verdicts, before.verdicts);
  EXPECT_NE(balancer_->Run(frame).action, XDP_DROP);
}

// Faults of the tables that must never be: counted as such.
TEST_F(SourceRules, ThatAreMissingAreAnInternalFault) {
  std::vector<RawVip> vips = AllVips();
  for (RawVip& vip : vips) vip.rules = 9;
  balancer_->Activate(balancer_->PutGeneration(1, vips));
  ExpectVerdict(Build(From("198.51.100.7")), EK_DROP_INTERNAL, kVipTcp4);
  balancer_->PutRules(9, {kAllow4});
  ExpectForwarded(From("198.51.100.7"), kVipTcp4);
  ExpectVerdict(Build(From("2001:db8:ffff::7")), EK_DROP_INTERNAL, kVipTcp6);
}

std::string RandomAddress(std::mt19937& random, bool v4) {
  // Few distinct bits, so that prefixes and addresses meet and nest.
  const auto part = [&] { return random() % 4 * 85; };
  char text[64];
  if (v4) {
    std::snprintf(text, sizeof(text), "%lu.%lu.%lu.%lu", part() % 224, part(), part(), part());
  } else {
    std::snprintf(text, sizeof(text), "2001:%lx:%lx::%lx:%lx", part(), part() << 8, part() << 4,
                  part());
  }
  return text;
}

std::string Masked(const std::string& address, uint32_t length) {
  Bytes bytes = AddressBytes(address);
  for (uint32_t i = length; i < bytes.size() * 8; ++i) {
    bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] & ~(0x80 >> i % 8));
  }
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof(text));
}

TEST_F(SourceRules, AgreeWithTheOracleOnRandomPrefixes) {
  std::mt19937 random(20251125);
  size_t denied = 0, judged = 0;
  for (int round = 0; round < 20; ++round) {
    for (const bool v4 : {true, false}) {
      const uint32_t bits = v4 ? 32 : 128;
      Rules rules = {random() % 2 ? kAllow4 : kDeny4, random() % 2 ? kAllow6 : kDeny6};
      std::set<std::pair<std::string, uint32_t>> seen;
      for (int i = 0; i < 200; ++i) {
        const uint32_t length = 1 + random() % bits;
        const std::string prefix = Masked(RandomAddress(random, v4), length);
        if (!seen.emplace(prefix, length).second) continue;
        rules.push_back({prefix, length, static_cast<uint32_t>(random() % 2)});
      }
      Use({}, rules);
      for (int i = 0; i < 100; ++i) {
        const Packet packet = From(RandomAddress(random, v4));
        const bool expected = Denies(rules, packet.src);
        const RunResult result = balancer_->Run(Build(packet));
        ASSERT_EQ(result.action == XDP_DROP, expected) << packet.src << " in round " << round;
        denied += expected;
        ++judged;
      }
    }
  }
  EXPECT_GT(denied, judged / 5);
  EXPECT_LT(denied, judged * 4 / 5);
}

}  // namespace
}  // namespace evenkeel::testing
