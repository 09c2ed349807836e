// SPDX-License-Identifier: Apache-2.0
//
// Where user space says that a frame goes, against where the loaded program sends it.
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <random>
#include <set>

#include "bpf/abi/sample.h"
#include "control/publish/publisher.h"
#include "control/traffic/frame.h"
#include "control/traffic/route.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/packet/mutate.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"

namespace evenkeel::testing {
namespace {

constexpr int kFrames = 20000;

model::Pool SixPool(const std::string& name) {
  model::Pool pool = MakePool(name, 0, {});
  for (int i = 1; i <= 4; ++i) {
    model::Backend backend;
    backend.name = name + "-" + std::to_string(i);
    backend.address = Ip("2001:db8:1::" + std::to_string(i));
    pool.backends.push_back(backend);
  }
  return pool;
}

// Every way that leads to a slot, for the addresses of SeedPackets().
model::Config EveryWay() {
  model::Config config;
  model::Pool source = MakePool("source", 2, {1, 2, 3, 4});
  source.affinity = model::Affinity::kSource;
  source.affinity_prefix4 = 24;
  model::Pool quic = MakePool("quic", 3, {1, 2, 3, 4});
  quic.quic = model::QuicIds{.config_id = 1, .server_id_length = 1};
  for (size_t i = 0; i < 4; ++i) quic.backends[i].server_id = "0" + std::to_string(i + 1);
  config.pools = {MakePool("plain", 1, {1, 2, 3, 4}), source, quic, SixPool("six")};
  model::Pool six_source = SixPool("six-source");
  six_source.affinity = model::Affinity::kSource;
  six_source.affinity_prefix6 = 56;
  config.pools.push_back(six_source);
  config.vips = {MakeVip("tcp", "192.0.2.10", 443, "plain"),
                 MakeVip("tcp-source", "192.0.2.10", 80, "source"),
                 MakeVip("tcp-port", "192.0.2.10", 0, "plain"),
                 MakeVip("quic", "192.0.2.10", 443, "quic", model::Protocol::kQuic),
                 MakeVip("udp", "192.0.2.10", 0, "plain", model::Protocol::kUdp),
                 MakeVip("six", "2001:db8::10", 443, "six"),
                 MakeVip("six-udp", "2001:db8::10", 443, "six-source", model::Protocol::kUdp)};
  config.vips[2].spread_by = model::SpreadBy::kDestinationPort;
  return config;
}

std::vector<Bytes> Seeds() {
  std::vector<Packet> packets = SeedPackets();
  for (const char* destination : {"192.0.2.10", "2001:db8::10"}) {
    for (const uint16_t port : {443, 80, 5000}) {
      for (const uint8_t proto : {kTcp, kUdp}) {
        Packet packet;
        packet.dst = destination;
        if (!packet.is_ipv4()) packet.src = "2001:db8::7";
        packet.dport = port;
        packet.proto = proto;
        packets.push_back(packet);
        packet.tags = {VlanTag(3)};
        packets.push_back(packet);
        // A connection id of the third server.
        packet.data = {0x40, 0x20, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        packets.push_back(packet);
      }
    }
  }
  std::vector<Bytes> frames;
  for (const Packet& packet : packets) frames.push_back(Build(packet));
  return frames;
}

class RouteTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    dataplane_ = OpenSmall(dir_.path());
    ASSERT_NE(dataplane_, nullptr);
    state_ = Judge(EveryWay(), nullptr);
    ASSERT_TRUE(state_.approval) << state_.refusal;
    publisher_ = std::make_unique<publish::Publisher>(dataplane_.get(), &resolver_, kTestKey);
    ASSERT_TRUE(publisher_->Adopt(nullptr).ok());
    const auto published = publisher_->Publish(*state_.approval, 1);
    ASSERT_TRUE(published.ok()) << published.status();
    generation_ = published->generation;
    for (const auto& pool : state_.fleet->pools) {
      for (const model::Backend& backend : pool->config.backends) servers_.insert(backend.address);
    }
  }

  // The server in the outer header; nullopt: it did not go to one.
  std::optional<model::IpAddress> SentTo(const dataplane::ProbeResult& result) const {
    if (result.verdict != XDP_TX && result.verdict != XDP_REDIRECT) return std::nullopt;
    const Bytes& frame = result.packet;
    const size_t l3 = LinkLength(frame);
    if (frame.size() < l3 + 40) return std::nullopt;
    model::IpAddress to;
    if (EtherType(frame) == 0x0800) {
      to = model::IpAddress::FromIpv4(
          {frame[l3 + 16], frame[l3 + 17], frame[l3 + 18], frame[l3 + 19]});
    } else {
      std::array<uint8_t, 16> bytes;
      std::copy_n(frame.begin() + static_cast<ptrdiff_t>(l3) + 24, 16, bytes.begin());
      to = model::IpAddress::FromIpv6(bytes);
    }
    return servers_.contains(to) ? std::optional(to) : std::nullopt;
  }

  ScopedPinDir dir_;
  FakeResolver resolver_;
  std::unique_ptr<dataplane::KernelDataPlane> dataplane_;
  std::unique_ptr<publish::Publisher> publisher_;
  Judged state_;
  uint32_t generation_ = 0;
  std::set<model::IpAddress> servers_;
};

TEST_F(RouteTest, IsTheProgramsForMutatedFrames) {
  const traffic::Router router(*state_.fleet, dataplane::HashKeyWords(kTestKey));
  const std::vector<Bytes> seeds = Seeds();
  std::mt19937 random(11);
  std::map<std::string, int> forwarded;  // by VIP
  int by_id = 0;
  for (int i = 0; i < kFrames; ++i) {
    Bytes frame = seeds[static_cast<size_t>(i) % seeds.size()];
    if (i >= static_cast<int>(seeds.size())) frame = Mutate(std::move(frame), random);
    if (frame.size() < 14) continue;  // the kernel runs no such test
    const auto result = dataplane_->Probe(generation_, frame);
    ASSERT_TRUE(result.ok()) << result.status();
    const auto flow =
        traffic::ParseFrame(std::span(frame).first(std::min<size_t>(frame.size(), EK_SAMPLE_HEAD)),
                            static_cast<uint32_t>(frame.size()));
    const auto route = flow ? router.Find(*flow) : std::nullopt;
    if (const auto server = SentTo(*result)) {
      ASSERT_TRUE(route && route->server) << "frame " << i << " goes to " << server->ToString();
      ASSERT_EQ(*route->server, *server) << "frame " << i << " for " << route->vip->name;
      ++forwarded[route->vip->name];
      by_id += route->by_id;
    } else if (route && route->server) {
      // Dropped on its way there (TTL, MTU), or its sender was told so.
      ASSERT_NE(result->verdict, static_cast<uint32_t>(XDP_PASS)) << "frame " << i;
    }
  }
  for (const model::Vip& vip : state_.fleet->vips) EXPECT_GT(forwarded[vip.name], 100) << vip.name;
  EXPECT_GT(by_id, 50);
}

}  // namespace
}  // namespace evenkeel::testing
