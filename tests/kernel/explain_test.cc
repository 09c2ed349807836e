// SPDX-License-Identifier: Apache-2.0
//
// What explain says of a packet, against what ek_balancer, the program that real packets meet, does
// with it thereafter.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <netinet/in.h>

#include <map>
#include <random>

#include "control/dataplane/unique_fd.h"
#include "control/publish/publisher.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/map_dump.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"

namespace evenkeel::testing {
namespace {

using publish::Choice;
using publish::Explanation;
using publish::Flow;

constexpr int kFlows = 8000;

model::Config EveryWay() {
  model::Config config;
  model::Pool quic = MakePool("quic", 2, {1, 2, 3, 4});
  quic.quic = model::QuicIds{.config_id = 1, .server_id_length = 1};
  for (size_t i = 0; i < 4; ++i) quic.backends[i].server_id = "0" + std::to_string(i + 1);
  model::Pool six = MakePool("six", 0, {1, 2, 3, 4});
  for (size_t i = 0; i < 4; ++i) {
    six.backends[i].address = Ip("2001:db8:1::" + std::to_string(i + 1));
  }
  model::Pool udp = MakePool("udp", 4, {1, 2, 3, 4});
  udp.forwarding = model::Forwarding::kGue;
  model::Pool source = MakePool("source", 5, {1, 2, 3, 4});
  source.affinity = model::Affinity::kSource;
  source.affinity_prefix4 = 24;
  config.pools = {MakePool("plain", 1, {1, 2, 3, 4}), quic, six, udp, source};
  config.vips = {MakeVip("tcp", "192.0.2.10", 443, "plain"),
                 MakeVip("quic", "192.0.2.10", 443, "quic", model::Protocol::kQuic),
                 MakeVip("six", "2001:db8::10", 0, "six"),
                 MakeVip("udp", "192.0.2.11", 53, "udp", model::Protocol::kUdp),
                 MakeVip("source", "192.0.2.12", 80, "source")};
  config.source_rules = {
      MakeRules("edge", {"198.51.100.0/26", "2001:db8:7::/64"}, {"198.51.100.3/32"})};
  config.global_source_rules = "edge";
  return config;
}

class ExplainKernelTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    dataplane_ = OpenSmall(dir_.path());
    ASSERT_NE(dataplane_, nullptr);
    publisher_ = std::make_unique<publish::Publisher>(
        dataplane_.get(), &resolver_, kTestKey, publish::FlowTimeouts{}, std::chrono::hours(1));
    ASSERT_TRUE(publisher_->Adopt(nullptr).ok());
    program_ = dataplane::UniqueFd(bpf_obj_get((dir_.path() + "/balancer").c_str()));
    ASSERT_TRUE(program_.valid());
  }

  void Publish(const model::Config& config) {
    const Judged judged = Judge(config, publisher_->applied());
    ASSERT_TRUE(judged.approval) << judged.refusal;
    const auto published = publisher_->Publish(*judged.approval, ++revision_);
    ASSERT_TRUE(published.ok()) << published.status();
  }
  // Each pool gets a fifth server: slots move.
  void Move(model::Config config) {
    for (size_t p = 0; p < config.pools.size(); ++p) {
      model::Pool& pool = config.pools[p];
      model::Backend more = pool.backends[0];
      more.name = pool.name + "-more";
      auto bytes = more.address.bytes();
      bytes[more.address.is_ipv4() ? 3 : 15] = 77;
      more.address = more.address.is_ipv4()
                         ? model::IpAddress::FromIpv4({bytes[0], bytes[1], bytes[2], bytes[3]})
                         : model::IpAddress::FromIpv6(bytes);
      if (pool.quic) more.server_id = "05";
      pool.backends.push_back(more);
    }
    Publish(config);
  }

  std::vector<Explanation> Explain(const std::vector<Flow>& flows) {
    auto result = publisher_->Explain(flows);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->packets : std::vector<Explanation>{};
  }

  // As a packet of the wire: it counts, pins, and takes from limits.
  dataplane::ProbeResult Send(const Flow& flow) {
    const std::vector<uint8_t> frame = publish::BuildFrame(flow);
    dataplane::ProbeResult result;
    result.packet.resize(512);
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(), .data_out = result.packet.data(),
                .data_size_in = static_cast<uint32_t>(frame.size()),
                .data_size_out = static_cast<uint32_t>(result.packet.size()), .repeat = 1);
    EXPECT_EQ(bpf_prog_test_run_opts(program_.get(), &run), 0);
    result.verdict = run.retval;
    result.packet.resize(run.data_size_out);
    return result;
  }

  static std::string SentTo(const dataplane::ProbeResult& result) {
    if (result.verdict == XDP_PASS) return "host";
    if (result.verdict != XDP_TX && result.verdict != XDP_REDIRECT) return "nowhere";
    const auto& frame = result.packet;
    if (frame[12] == 0x08) {
      return model::IpAddress::FromIpv4({frame[30], frame[31], frame[32], frame[33]}).ToString();
    }
    std::array<uint8_t, 16> bytes;
    std::copy_n(frame.begin() + 38, 16, bytes.begin());
    return model::IpAddress::FromIpv6(bytes).ToString();
  }
  static std::string Said(const Explanation& e) {
    if (e.verdict == EK_PASS_NO_VIP) return "host";
    return e.verdict == EK_FORWARD ? e.backend.address.ToString() : "nowhere";
  }

  ScopedPinDir dir_;
  FakeResolver resolver_;
  std::unique_ptr<dataplane::KernelDataPlane> dataplane_;
  std::unique_ptr<publish::Publisher> publisher_;
  dataplane::UniqueFd program_;
  uint64_t revision_ = 0;
};

// Few clients and ports, so that many flows come back and are pinned by then.
Flow RandomFlow(std::mt19937& random) {
  const auto pick = [&](uint32_t n) { return static_cast<uint8_t>(random() % n); };
  Flow flow;
  flow.source_port = static_cast<uint16_t>(1000 + random() % 12);
  const uint8_t client = pick(100);
  flow.source = model::IpAddress::FromIpv4({198, 51, 100, client});
  flow.ip_protocol = IPPROTO_TCP;
  flow.opening = pick(3) == 0;
  switch (pick(6)) {
    case 0:
      flow.destination = Ip("192.0.2.10");
      flow.destination_port = 443;
      break;
    case 1:
      flow.destination = Ip("192.0.2.10");
      flow.destination_port = 443;
      flow.ip_protocol = IPPROTO_UDP;
      // An Initial, or a short header with a connection id of one of six servers, five of which
      // are.
      flow.payload = {0x40, 0x20, pick(7)};
      if (pick(3) == 0) flow.payload = {0xc0, 0, 0, 0, 1, 8, pick(200)};
      flow.payload.resize(24);
      break;
    case 2:
      flow.destination = Ip("2001:db8::10");
      flow.source = Ip("2001:db8:" + std::to_string(7 + pick(3)) + "::" + std::to_string(client));
      flow.destination_port = static_cast<uint16_t>(80 + pick(2));
      break;
    case 3:
      flow.destination = Ip("192.0.2.11");
      flow.destination_port = 53;
      flow.ip_protocol = IPPROTO_UDP;
      break;
    case 4:
      flow.destination = Ip("192.0.2.12");
      flow.destination_port = 80;
      break;
    default:
      flow.destination = Ip("192.0.2.13");
      flow.destination_port = 80;
  }
  if (flow.ip_protocol != IPPROTO_TCP) flow.opening = false;
  return flow;
}

TEST_F(ExplainKernelTest, IsWhatTheProgramDoesThereafter) {
  Publish(EveryWay());
  Move(EveryWay());
  std::mt19937 random(5);
  std::map<Choice, int> choices;
  std::map<std::string, int> forwarded;  // by VIP
  std::map<ek_verdict, int> verdicts;
  for (int i = 0; i < kFlows; ++i) {
    const Flow flow = RandomFlow(random);
    const auto explained = Explain({flow});
    ASSERT_EQ(explained.size(), 1u);
    const Explanation& e = explained[0];
    ASSERT_EQ(e.disagreement, "") << "flow " << i;
    ASSERT_EQ(Said(e), SentTo(Send(flow)))
        << "flow " << i << " from " << flow.source.ToString() << " port " << flow.source_port
        << " for " << e.vip_name << ", opening " << e.opens;
    ++verdicts[e.verdict];
    if (e.verdict != EK_FORWARD) continue;
    ++choices[e.choice];
    ++forwarded[e.vip_name];
  }
  for (const char* vip : {"tcp", "quic", "six", "udp", "source"}) {
    EXPECT_GT(forwarded[vip], 300) << vip;
  }
  for (const Choice choice :
       {Choice::kOwner, Choice::kPrevious, Choice::kPin, Choice::kConnectionId}) {
    EXPECT_GT(choices[choice], 100) << static_cast<int>(choice);
  }
  EXPECT_GT(verdicts[EK_DROP_SOURCE], 500);
  EXPECT_GT(verdicts[EK_PASS_NO_VIP], 500);
}

// Of the maps of the real data plane not a byte: counters, limits, pins, marks of slots.
TEST_F(ExplainKernelTest, ChangesNothingThatPacketsSee) {
  model::Config config = EveryWay();
  for (model::Vip& vip : config.vips) {
    vip.limits.per_source = model::RateLimit{.rate = 100, .burst = 100};
    if (vip.protocol != model::Protocol::kUdp) {
      vip.limits.new_flows = model::RateLimit{.rate = 100, .burst = 1000};
    }
  }
  Publish(config);
  Move(config);
  publisher_->Settle();
  std::mt19937 random(6);
  std::vector<Flow> flows;
  for (int i = 0; i < 1000; ++i) flows.push_back(RandomFlow(random));
  for (int i = 0; i < 500; ++i) Send(flows[static_cast<size_t>(i)]);
  const auto before = DumpPinnedMaps(dir_.path());
  const auto explained = Explain(flows);
  ASSERT_EQ(explained.size(), flows.size());
  const auto after = DumpPinnedMaps(dir_.path());
  EXPECT_TRUE(before == after);
  size_t pinned = 0, moving = 0;
  for (const Explanation& e : explained) {
    pinned += e.choice == Choice::kPin;
    moving += e.previous.id != 0;
  }
  EXPECT_GT(pinned, 10u);
  EXPECT_GT(moving, 50u);
  Send(flows[0]);
  EXPECT_FALSE(DumpPinnedMaps(dir_.path()) == after) << "a real packet does";
}

TEST_F(ExplainKernelTest, SaysWhatALimitWillDo) {
  model::Config config = MakeConfig(1, 3);
  config.vips[0].limits.per_source = model::RateLimit{.rate = 1, .burst = 3};
  Publish(config);
  const Flow flow{.source = Ip("198.51.100.1"),
                  .destination = Ip("192.0.2.1"),
                  .source_port = 7,
                  .destination_port = 443,
                  .ip_protocol = IPPROTO_TCP};
  std::vector<std::string> said;
  for (int i = 0; i < 5; ++i) {
    const auto explained = Explain({flow});
    ASSERT_EQ(explained.size(), 1u);
    ASSERT_TRUE(explained[0].source_limit);
    EXPECT_EQ(explained[0].disagreement, "");
    said.push_back(Said(explained[0]));
    EXPECT_EQ(said.back(), SentTo(Send(flow))) << "packet " << i;
  }
  EXPECT_EQ(said[4], "nowhere");
  EXPECT_NE(said[2], "nowhere");
}

TEST_F(ExplainKernelTest, AForeignWriterIsAFinding) {
  Publish(MakeConfig(1, 3));
  const Flow flow{.source = Ip("198.51.100.1"),
                  .destination = Ip("192.0.2.1"),
                  .source_port = 7,
                  .destination_port = 443,
                  .ip_protocol = IPPROTO_TCP};
  const Explanation before = Explain({flow})[0];
  const auto active = dataplane_->ReadActive();
  ASSERT_TRUE(active.ok());
  // The slot's owner by the map alone.
  const dataplane::UniqueFd tables(bpf_obj_get((dir_.path() + "/map_ek_tables").c_str()));
  uint32_t inner = 0;
  ASSERT_EQ(bpf_map_lookup_elem(tables.get(), &active->image.vips[0].table, &inner), 0);
  const dataplane::UniqueFd table(bpf_map_get_fd_by_id(inner));
  ek_line line{};
  const uint32_t index = before.slot / EK_SLOTS_PER_LINE;
  ASSERT_EQ(bpf_map_lookup_elem(table.get(), &index, &line), 0);
  const uint16_t other = before.owner.id == 1 ? 2 : 1;
  line.slot[before.slot % EK_SLOTS_PER_LINE] = EK_SLOT(other, 0);
  ASSERT_EQ(bpf_map_update_elem(table.get(), &index, &line, BPF_ANY), 0);
  const Explanation after = Explain({flow})[0];
  EXPECT_NE(after.disagreement.find("in the state that was published"), std::string::npos);
  EXPECT_EQ(after.backend.id, other);
  EXPECT_EQ(Said(after), SentTo(Send(flow))) << "it goes where the kernel's table says";
}

}  // namespace
}  // namespace evenkeel::testing
