// SPDX-License-Identifier: Apache-2.0
#include "control/traffic/returned.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <random>

#include "tests/harness/fake_dataplane/fleets.h"
#include "tests/harness/packet/packet.h"

namespace evenkeel::traffic {
namespace {

using testing::Bytes;
using testing::Ip;

constexpr uint64_t kHash = 0x89abcdef01234567;

struct Way {
  uint8_t method;
  std::string server;
  bool inner_ipv4;
};
const std::vector<Way> kWays = {{EK_METHOD_IPIP4, "10.0.0.11", true},
                                {EK_METHOD_IPIP6, "fd00::11", true},
                                {EK_METHOD_IPIP6, "fd00::11", false},
                                {EK_METHOD_GUE4, "10.0.0.11", true},
                                {EK_METHOD_GUE6, "fd00::11", false}};

publish::Flow FlowOf(const Way& way) {
  return {.source = Ip(way.inner_ipv4 ? "198.51.100.7" : "2001:db8:1::7"),
          .destination = Ip(way.inner_ipv4 ? "192.0.2.10" : "2001:db8::10"),
          .source_port = 40000,
          .destination_port = 443,
          .ip_protocol = IPPROTO_TCP};
}

// What the data plane sends, by the prediction that it is compared with at each publishing.
Bytes Sent(const Way& way) {
  const dataplane::BackendImage backend{.address = Ip(way.server),
                                        .method = way.method,
                                        .counter = 0,
                                        .next_hop = dataplane::NextHop{.ifindex = 1, .mtu = 1500}};
  const publish::Expectation expected =
      publish::Predict(FlowOf(way), kHash, 0, &backend, dataplane::Encapsulation{});
  EXPECT_TRUE(expected.forwarded);
  return Bytes(expected.packet.begin() + 14, expected.packet.end());
}

// From the router before the server, as an IP packet.
Bytes Error(const Way& way, uint8_t type, uint8_t code, size_t quoted = 548) {
  const bool ipv4 = Ip(way.server).is_ipv4();
  Bytes sent = Sent(way);
  sent.resize(std::min(sent.size(), quoted));
  testing::Packet packet;
  packet.src = ipv4 ? "10.0.0.254" : "fd00::254";
  packet.dst = ipv4 ? "172.16.3.4" : "100::5";
  packet.proto = ipv4 ? testing::kIcmp : testing::kIcmpv6;
  packet.icmp = testing::IcmpMessage(type, code, 0, sent);
  const Bytes frame = testing::Build(packet);
  return Bytes(frame.begin() + 14, frame.end());
}
Bytes Unreachable(const Way& way, size_t quoted = 548) {
  return Ip(way.server).is_ipv4() ? Error(way, 3, 2, quoted) : Error(way, 1, 4, quoted);
}

TEST(ReturnedTest, NamesServerFlowAndWhoSaysSo) {
  for (const Way& way : kWays) {
    SCOPED_TRACE(int{way.method});
    const auto returned = ParseReturned(Unreachable(way), 6080);
    ASSERT_TRUE(returned.has_value());
    EXPECT_EQ(returned->server, Ip(way.server));
    EXPECT_EQ(returned->method, way.method);
    EXPECT_EQ(returned->what,
              Ip(way.server).is_ipv4() ? "protocol unreachable" : "port unreachable");
    EXPECT_EQ(returned->from, Ip(Ip(way.server).is_ipv4() ? "10.0.0.254" : "fd00::254"));
    const publish::Flow flow = FlowOf(way);
    EXPECT_EQ(returned->flow.source, flow.source);
    EXPECT_EQ(returned->flow.destination, flow.destination);
    EXPECT_EQ(returned->flow.source_port, flow.source_port);
    EXPECT_EQ(returned->flow.destination_port, flow.destination_port);
    EXPECT_EQ(returned->flow.ip_protocol, flow.ip_protocol);
  }
}

// Each bit of the hash that the outer headers show is looked at.
TEST(ReturnedTest, OnlyTheFlowsOwnHeadersAreOurs) {
  for (const Way& way : kWays) {
    SCOPED_TRACE(int{way.method});
    const auto returned = ParseReturned(Unreachable(way), 6080);
    ASSERT_TRUE(returned.has_value());
    EXPECT_TRUE(IsOurs(*returned, kHash, {}));
    int seen = 0;
    for (int bit = 0; bit < 64; ++bit) {
      if (!IsOurs(*returned, kHash ^ uint64_t{1} << bit, {})) ++seen;
    }
    const int least = Ip(way.server).is_ipv4() ? 16 : 32;
    EXPECT_GE(seen, way.method == EK_METHOD_GUE4 ? 30 : least);
    dataplane::Encapsulation other;
    other.source4 = Ip("172.17.0.0");
    other.source6 = Ip("100:0:0:1::");
    EXPECT_FALSE(IsOurs(*returned, kHash, other));
  }
}

TEST(ReturnedTest, WhatSaysNothingAboutTheServerIsLeft) {
  const Way& ipip4 = kWays[0];
  const Way& ipip6 = kWays[2];
  EXPECT_FALSE(ParseReturned(Error(ipip4, 3, 4), 6080)) << "fragmentation needed";
  EXPECT_FALSE(ParseReturned(Error(ipip4, 11, 0), 6080)) << "time exceeded";
  EXPECT_FALSE(ParseReturned(Error(ipip4, 0, 0), 6080)) << "an echo reply";
  EXPECT_FALSE(ParseReturned(Error(ipip6, 2, 0), 6080)) << "packet too big";
  EXPECT_FALSE(ParseReturned(Error(ipip6, 4, 0), 6080)) << "another parameter problem";
  EXPECT_EQ(ParseReturned(Error(ipip6, 4, 1), 6080)->what, "next header not recognized");
  EXPECT_FALSE(ParseReturned(Unreachable(kWays[3]), 6081)) << "another UDP port";
  EXPECT_FALSE(ParseReturned(Unreachable(ipip4, 28), 6080)) << "RFC 792's least names no flow";
  Bytes fragment = Unreachable(ipip4);
  fragment[6] |= 0x20;
  EXPECT_FALSE(ParseReturned(fragment, 6080));
}

TEST(ReturnedTest, NoBytesBreakIt) {
  std::mt19937 random(7);
  for (int i = 0; i < 200'000; ++i) {
    Bytes bytes = Unreachable(kWays[i % kWays.size()]);
    bytes.resize(random() % (bytes.size() + 1));
    for (int n = static_cast<int>(random() % 4); n > 0 && !bytes.empty(); --n) {
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    }
    // On the heap with its exact size: a byte too far is found by the sanitizer.
    const std::vector<uint8_t> exact(bytes);
    (void)ParseReturned(exact, 6080);
  }
}

}  // namespace
}  // namespace evenkeel::traffic
