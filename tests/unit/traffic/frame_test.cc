// SPDX-License-Identifier: Apache-2.0
//
// What is made of a frame; publish_kernel_test holds it against the program.
#include "control/traffic/frame.h"

#include <gtest/gtest.h>

#include "bpf/abi/sample.h"
#include "tests/harness/fake_dataplane/fleets.h"
#include "tests/harness/packet/packet.h"

namespace evenkeel::testing {
namespace {

using traffic::ParseFrame;

std::optional<publish::Flow> Parse(const Bytes& frame) {
  return ParseFrame(std::span(frame).first(std::min<size_t>(frame.size(), EK_SAMPLE_HEAD)),
                    static_cast<uint32_t>(frame.size()));
}

void ExpectFlow(const std::optional<publish::Flow>& flow, const Packet& packet) {
  ASSERT_TRUE(flow);
  EXPECT_EQ(flow->source, Ip(packet.src));
  EXPECT_EQ(flow->destination, Ip(packet.dst));
  EXPECT_EQ(flow->source_port, packet.sport);
  EXPECT_EQ(flow->destination_port, packet.dport);
  EXPECT_EQ(flow->ip_protocol, packet.proto);
}

struct Case {
  const char* name;
  Packet packet;
};

Packet Of(void (*change)(Packet&)) {
  Packet packet;
  change(packet);
  return packet;
}
constexpr auto kSix = [](Packet& p) {
  p.src = "2001:db8::7";
  p.dst = "2001:db8::10";
};

class FlowOf : public ::testing::TestWithParam<Case> {};

TEST_P(FlowOf, IsFound) { ExpectFlow(Parse(Build(GetParam().packet)), GetParam().packet); }

INSTANTIATE_TEST_SUITE_P(
    All, FlowOf,
    ::testing::Values(Case{"tcp4", Packet{}}, Case{"tcp6", Of(kSix)},
                      Case{"udp4", Of([](Packet& p) { p.proto = kUdp; })},
                      Case{"longer_than_the_head", Of([](Packet& p) { p.payload = 1400; })},
                      Case{"two_tags", Of([](Packet& p) {
                             p.tags = {ServiceTag(7), VlanTag(9)};
                           })},
                      Case{"ip_options", Of([](Packet& p) { p.ip_options = Bytes(40, 1); })},
                      Case{"first_fragment", Of([](Packet& p) { p.fragment_field = 0x2000; })},
                      Case{"padded", Of([](Packet& p) { p.payload = 0, p.padding = 6; })},
                      Case{"extension_headers", Of([](Packet& p) {
                             kSix(p);
                             p.extensions.assign(8, {.type = 60, .body = Bytes(14)});
                             p.tags = {ServiceTag(7), VlanTag(9)};
                           })}),
    [](const auto& test) { return test.param.name; });

TEST(ParseFrame, FindsNoneWhereTheDataPlaneFindsNone) {
  Packet later, third_tag, echo = EchoRequest("198.51.100.7", "192.0.2.10", 8), deep;
  later.fragment_field = 0x00b9;
  third_tag.tags = {ServiceTag(7), VlanTag(9), VlanTag(10)};
  kSix(deep);
  deep.extensions.assign(4, {.type = 60, .body = Bytes(62)});
  for (const Packet& packet : {later, third_tag, echo, deep}) {
    EXPECT_FALSE(Parse(Build(packet)));
  }
  Bytes cut = Build(Packet{});
  cut.pop_back();
  EXPECT_FALSE(Parse(cut)) << "the frame does not hold the packet";
  for (size_t size = 0; size < 54; ++size) {
    EXPECT_FALSE(ParseFrame(std::span(cut).first(size), 1000)) << size;
  }
}

TEST(ParseFrame, TakesAnErrorForTheFlowThatItQuotes) {
  Packet quoted;  // from the VIP to the client
  quoted.src = "192.0.2.10";
  quoted.dst = "198.51.100.7";
  quoted.sport = 443;
  quoted.dport = 40000;
  Packet error;
  error.src = "203.0.113.1";
  error.proto = kIcmp;
  const Bytes packet = Build(quoted);
  error.icmp = IcmpMessage(3, 4, 1400, std::span(packet).subspan(14, 28));
  ExpectFlow(Parse(Build(error)), Packet{});
}

TEST(ParseFrame, KeepsOfUdpWhatAConnectionIdIsReadFrom) {
  Packet packet;
  packet.proto = kUdp;
  packet.data = {0x40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
  const auto flow = Parse(Build(packet));
  ASSERT_TRUE(flow);
  EXPECT_EQ(flow->payload, Bytes(packet.data.begin(), packet.data.begin() + 16));
  packet.fragment_field = 0x2000;
  EXPECT_TRUE(Parse(Build(packet))->payload.empty());
}

TEST(ParseFrame, TellsWhatOpensAFlow) {
  EXPECT_FALSE(Parse(Build(Packet{}))->opening);
  EXPECT_TRUE(Parse(Build(Of([](Packet& p) { p.tcp_flags = kTcpSyn; })))->opening);
}

}  // namespace
}  // namespace evenkeel::testing
