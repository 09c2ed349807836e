// SPDX-License-Identifier: Apache-2.0
//
// Limits of a VIP: packets of one source, new flows of all. Intervals are of seconds, so that what
// a test sends comes at once.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

constexpr ek_limit kThree{.interval_ns = 4'000'000'000, .burst = 3};
constexpr ek_limit kMany{.interval_ns = 1000, .burst = 1'000'000};

class Limits : public World {
 protected:
  void Use(const ek_limit& source, const ek_limit& new_flow, uint16_t rules = 0) {
    std::vector<RawVip> vips = AllVips();
    for (const VipId vip : {kVipTcp4, kVipTcp6, kVipUdp4}) {
      vips[vip].source_limit = source;
      vips[vip].new_flow_limit = new_flow;
      vips[vip].rules = rules;
    }
    word_ = balancer_->PutGeneration(1, vips);
    balancer_->Activate(word_);
  }

  static Packet From(const std::string& source, uint8_t flags = kTcpAck) {
    Packet packet;
    packet.src = source;
    packet.tcp_flags = flags;
    if (source.find(':') != std::string::npos) packet.dst = "2001:db8::10";
    return packet;
  }
  static VipId VipOf(const Packet& packet) { return packet.is_ipv4() ? kVipTcp4 : kVipTcp6; }

  void ExpectPasses(const Packet& packet) { ExpectForwarded(packet, VipOf(packet)); }
  void ExpectDropped(const Packet& packet, ek_verdict verdict) {
    ExpectVerdict(Build(packet), verdict, VipOf(packet));
  }

  uint32_t word_ = 0;
};

TEST_F(Limits, OfNewFlowsDropOpeningPacketsOnly) {
  Use({}, kThree);
  for (const char* client : {"198.51.100.1", "198.51.100.2", "198.51.100.3"}) {
    ExpectPasses(From(client, kTcpSyn));
  }
  for (const char* client : {"198.51.100.4", "198.51.100.1"}) {
    ExpectDropped(From(client, kTcpSyn), EK_DROP_NEW_FLOW_LIMIT);
    ExpectPasses(From(client));
    ExpectPasses(From(client, kTcpSyn | kTcpAck));
  }
  // The other family is another VIP, with a limit of its own.
  for (int i = 0; i < 3; ++i) ExpectPasses(From("2001:db8:ffff::7", kTcpSyn));
  ExpectDropped(From("2001:db8:ffff::7", kTcpSyn), EK_DROP_NEW_FLOW_LIMIT);
}

TEST_F(Limits, OfNewFlowsFillUpAgain) {
  Use({}, kThree);
  const Packet syn = From("198.51.100.1", kTcpSyn);
  for (int i = 0; i < 3; ++i) ExpectPasses(syn);
  ExpectDropped(syn, EK_DROP_NEW_FLOW_LIMIT);
  // As if four seconds had passed.
  balancer_->SetFlowDue(kVipTcp4, balancer_->FlowDue(kVipTcp4) - kThree.interval_ns);
  ExpectPasses(syn);
  ExpectDropped(syn, EK_DROP_NEW_FLOW_LIMIT);
  balancer_->SetFlowDue(kVipTcp4, std::numeric_limits<uint64_t>::max() / 2);
  ExpectDropped(syn, EK_DROP_NEW_FLOW_LIMIT);
}

TEST_F(Limits, OfASourceConcernItAlone) {
  Use(kThree, {});
  for (const char* client : {"198.51.100.1", "198.51.100.2"}) {
    ExpectPasses(From(client, kTcpSyn));
    ExpectPasses(From(client));
    Packet other = From(client);  // another flow of the same source
    other.sport = 1234;
    ExpectPasses(other);
    ExpectDropped(From(client), EK_DROP_SOURCE_LIMIT);
    ExpectDropped(From(client, kTcpSyn), EK_DROP_SOURCE_LIMIT);
  }
}

TEST_F(Limits, OfASourceAreOfANetworkInIpv6) {
  Use(kThree, {});
  ExpectPasses(From("2001:db8:ffff:1::1"));
  ExpectPasses(From("2001:db8:ffff:1::2"));
  ExpectPasses(From("2001:db8:ffff:1:ffff::"));
  ExpectDropped(From("2001:db8:ffff:1::3"), EK_DROP_SOURCE_LIMIT);
  ExpectPasses(From("2001:db8:ffff:2::1"));
}

TEST_F(Limits, OfASourceAreOfEachVip) {
  Use(kThree, {});
  for (int i = 0; i < 3; ++i) ExpectPasses(From("198.51.100.1"));
  ExpectDropped(From("198.51.100.1"), EK_DROP_SOURCE_LIMIT);
  Packet udp = From("198.51.100.1");
  udp.proto = kUdp;
  udp.dport = 53;
  for (int i = 0; i < 3; ++i) ExpectForwarded(udp, kVipUdp4);
  ExpectVerdict(Build(udp), EK_DROP_SOURCE_LIMIT, kVipUdp4);
  Packet unlimited = From("198.51.100.1");
  unlimited.dst = "192.0.2.20";
  for (int i = 0; i < 10; ++i) ExpectForwarded(unlimited, kVip4in6);
}

TEST_F(Limits, WriteNothingForVipsWithoutOne) {
  Use({}, {});
  for (int i = 0; i < 3; ++i) ExpectPasses(From("198.51.100.1", kTcpSyn));
  EXPECT_TRUE(balancer_->LimitedSources().empty());
  EXPECT_EQ(balancer_->FlowDue(kVipTcp4), 0u);
  Use({}, kMany);
  ExpectPasses(From("198.51.100.1"));
  EXPECT_TRUE(balancer_->LimitedSources().empty());
  EXPECT_EQ(balancer_->FlowDue(kVipTcp4), 0u) << "it opens nothing";
}

// Rules, then the source's limit, then that of new flows: what an earlier one drops costs the later
// ones nothing.
TEST_F(Limits, ComeAfterTheRulesAndInOrder) {
  balancer_->PutRules(7, {{"0.0.0.0", 0, EK_SOURCE_ALLOW},
                          {"203.0.113.0", 24, EK_SOURCE_DENY},
                          {"::", 0, EK_SOURCE_ALLOW}});
  Use(kThree, kThree, 7);
  for (int i = 0; i < 5; ++i) ExpectDropped(From("203.0.113.7", kTcpSyn), EK_DROP_SOURCE);
  EXPECT_TRUE(balancer_->LimitedSources().empty());
  EXPECT_EQ(balancer_->FlowDue(kVipTcp4), 0u);
  ExpectPasses(From("198.51.100.1", kTcpSyn));
  const uint64_t due = balancer_->FlowDue(kVipTcp4);
  EXPECT_NE(due, 0u);
  ExpectPasses(From("198.51.100.1"));
  ExpectPasses(From("198.51.100.1"));
  for (int i = 0; i < 5; ++i) {
    ExpectDropped(From("198.51.100.1", kTcpSyn), EK_DROP_SOURCE_LIMIT);
  }
  EXPECT_EQ(balancer_->FlowDue(kVipTcp4), due);
}

TEST_F(Limits, CountErrorsAndFragmentsForTheClient) {
  Use(kThree, {});
  const Packet flow = From("198.51.100.7");
  for (int i = 0; i < 3; ++i) ExpectPasses(flow);
  Packet answer = flow;
  std::swap(answer.src, answer.dst);
  std::swap(answer.sport, answer.dport);
  const Bytes quoted = Build(answer);
  Packet error;
  error.src = "203.0.113.1";
  error.proto = kIcmp;
  error.icmp = IcmpMessage(3, 4, 1400, Bytes(quoted.begin() + kEthernetLength, quoted.end()));
  ExpectVerdict(Build(error), EK_DROP_SOURCE_LIMIT, kVipTcp4);
  Packet first = flow;
  first.fragment_field = 0x2000;
  ExpectVerdict(Build(first), EK_DROP_SOURCE_LIMIT, kVipTcp4);
}

// An error is about a flow that is there, whatever packet it quotes.
TEST_F(Limits, OfNewFlowsDoNotConcernErrors) {
  Use({}, kThree);
  balancer_->SetFlowDue(kVipTcp4, std::numeric_limits<uint64_t>::max() / 2);
  const Packet flow = From("198.51.100.7");
  Packet answer = flow;
  std::swap(answer.src, answer.dst);
  std::swap(answer.sport, answer.dport);
  answer.tcp_flags = kTcpSyn;
  const Bytes quoted = Build(answer);
  Packet error;
  error.src = "203.0.113.1";
  error.proto = kIcmp;
  error.icmp = IcmpMessage(3, 4, 1400, Bytes(quoted.begin() + kEthernetLength, quoted.end()));
  ExpectForwarded(flow, Build(error), kVipTcp4, Backends(PoolOf(kVipTcp4)));
}

TEST_F(Limits, AreNotUsedUpByProbes) {
  Use(kThree, kThree);
  balancer_->Stage(word_);
  for (int i = 0; i < 10; ++i) {
    EXPECT_NE(balancer_->Verify(Build(From("198.51.100.1", kTcpSyn))).action, XDP_DROP);
  }
  EXPECT_TRUE(balancer_->LimitedSources().empty());
  EXPECT_EQ(balancer_->FlowDue(kVipTcp4), 0u);
}

// As many threads as there are processors send at once. A packet that lost four times to others
// passes: that this happens twice in a test without a single fault is not to be expected.
TEST_F(Limits, HoldOverAllProcessors) {
  constexpr uint32_t kBurst = 20'000;
  const ek_limit limit{.interval_ns = 4'000'000'000, .burst = kBurst};
  const unsigned threads = std::max(2u, std::thread::hardware_concurrency());
  const struct {
    const char* name;
    ek_limit source, new_flow;
  } cases[] = {{"per-source", limit, {}}, {"new-flows", {}, limit}};
  for (const auto& [name, source, new_flow] : cases) {
    SCOPED_TRACE(name);
    Use(source, new_flow);
    const Bytes frame = Build(From("198.51.100.1", kTcpSyn));
    ASSERT_NE(balancer_->Run(frame).action, XDP_DROP);  // the source has its entry
    std::atomic<uint32_t> passed = 1;
    const auto begin = std::chrono::steady_clock::now();
    {
      std::vector<std::jthread> senders;
      for (unsigned i = 0; i < threads; ++i) {
        senders.emplace_back([&] {
          for (uint32_t n = 0; n < kBurst; ++n) {
            if (balancer_->Run(frame).action != XDP_DROP) ++passed;
          }
        });
      }
    }
    const auto seconds =
        std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - begin);
    EXPECT_GE(passed, kBurst);
    EXPECT_LE(passed, kBurst + 1 + static_cast<uint32_t>(seconds.count()) / 4 + 1);
  }
}

// Who has no bucket is not limited: 64 VIPs have one here.
TEST_F(Limits, WithoutACounterDropNothing) {
  std::vector<RawVip> vips = AllVips();
  vips[kVipTcp4].new_flow_limit = {.interval_ns = 4'000'000'000, .burst = 1};
  vips[kVipTcp4].counter = 1000;
  balancer_->Activate(balancer_->PutGeneration(1, vips));
  for (int i = 0; i < 5; ++i) {
    EXPECT_NE(balancer_->Run(Build(From("198.51.100.1", kTcpSyn))).action, XDP_DROP);
  }
}

}  // namespace
}  // namespace evenkeel::testing
