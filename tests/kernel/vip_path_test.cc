// SPDX-License-Identifier: Apache-2.0
//
// The way of probes through VIPs, on a wire between two namespaces: every byte that leaves is what
// the balancer would have sent to that backend.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/socket.h>
// After it: both would define the same structures.
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <array>
#include <set>
#include <thread>

#include "control/daemon/vip_path.h"
#include "control/probe/socket.h"
#include "tests/harness/fake_dataplane/fleets.h"
#include "tests/harness/packet/oracle.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/packet_socket.h"
#include "tests/harness/scoped_netns/scoped_netns.h"

namespace evenkeel::testing {
namespace {

using daemon::VipPath;
using std::chrono::milliseconds;

constexpr Mac kOwnMac = {0x02, 0, 0, 0, 0, 0x0a};
constexpr Mac kNextHopMac = {0x02, 0, 0, 0, 0, 0x0b};
constexpr uint16_t kMark = 0x454b;
constexpr uint32_t kTable = 151;
const std::string kPayload = "are you there?";

struct Way {
  std::string name;
  uint8_t kernel_method;
  Method method;
  std::string vip;
  std::string server;
};

class VipPathTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    host_.Run("ip link add up0 type veth peer name up1 netns " + peer_.path());
    // Whole checksums: a veth would leave them to the one who takes the packet off the wire.
    host_.Run(
        "ip link set up0 address 02:00:00:00:00:0a mtu 1600 up; ethtool -K up0 tx off >/dev/null;"
        "ip addr add 10.9.0.1/24 dev up0; ip -6 addr add fd09::1/64 dev up0 nodad");
    peer_.Run("ip link set up1 address 02:00:00:00:00:0b mtu 1600 up");
    {
      const ScopedNetns::Entered entered(peer_);
      wire_ = std::make_unique<PacketSocket>("up1");
    }
    entered_ = std::make_unique<ScopedNetns::Entered>(host_);
    next_hop_.ifindex = if_nametoindex("up0");
    next_hop_.mtu = 1500;
    std::copy(kNextHopMac.begin(), kNextHopMac.end(), next_hop_.dmac.begin());
    std::copy(kOwnMac.begin(), kOwnMac.end(), next_hop_.smac.begin());
    Open();
  }
  void TearDown() override {
    path_.reset();
    entered_.reset();
  }

  void Open() {
    auto opened = VipPath::Open({.mark = kMark,
                                 .table = kTable,
                                 .encapsulation = {},
                                 .resolve = [this](const model::IpAddress& address) {
                                   neighbor::Resolution found;
                                   found.address = address;
                                   if (resolved_) found.next_hop = next_hop_;
                                   return found;
                                 }});
    ASSERT_TRUE(opened.ok()) << opened.status();
    path_ = *std::move(opened);
  }

  probe::Target To(const Way& way) {
    probe::Target target{
        .pool = "web", .address = Ip(way.server), .port = 53, .check = {}, .via = {}};
    const auto mark = path_->MarkOf("web", target.address);
    EXPECT_TRUE(mark.has_value());
    target.via = probe::Via{.vip = Ip(way.vip), .mark = mark.value_or(0)};
    return target;
  }

  // Frames that left for the backend with kPayload in them.
  std::vector<Bytes> Send(const probe::Target& target, const std::string& payload = kPayload) {
    const auto fd = probe::OpenUdpSocket(target);
    EXPECT_TRUE(fd.valid()) << errno;
    const auto to = probe::ToSocketAddress(target.destination(), target.port);
    EXPECT_EQ(::connect(fd.get(), to.get(), to.length), 0) << errno;
    ::send(fd.get(), payload.data(), payload.size(), 0);
    std::vector<Bytes> sent;
    for (int i = 0; i < 50 && sent.empty(); ++i) {
      std::this_thread::sleep_for(milliseconds(2));
      for (Bytes& frame : wire_->Receive()) {
        const std::string text(frame.begin(), frame.end());
        if (text.find(payload) != std::string::npos) sent.push_back(std::move(frame));
      }
    }
    return sent;
  }

  uint64_t Count(ek_probe_verdict verdict) {
    const auto counts = path_->Counts();
    EXPECT_TRUE(counts.ok()) << counts.status();
    return counts.ok() ? (*counts)[verdict] : 0;
  }

  ScopedNetns host_, peer_;
  std::unique_ptr<PacketSocket> wire_;
  std::unique_ptr<ScopedNetns::Entered> entered_;
  dataplane::NextHop next_hop_;
  bool resolved_ = true;
  std::unique_ptr<VipPath> path_;
};

// The bits of the flow's hash that can be seen in the outer headers.
uint32_t EntropyOf(const Bytes& frame, Method method) {
  const size_t ip = kEthernetLength;
  uint32_t entropy = 0;
  if (method == Method::kIpip6 || method == Method::kGue6) return Get32(frame, ip + 8 + 12);
  if (method == Method::kGue4) entropy = Get16(frame, ip + 20) & 0x3fff;
  return entropy | static_cast<uint32_t>(frame[ip + 14]) << 16 |
         static_cast<uint32_t>(frame[ip + 15]) << 24;
}

class EveryWay : public VipPathTest, public ::testing::WithParamInterface<Way> {};

TEST_P(EveryWay, PutsOnTheWireWhatTheBalancerWould) {
  const Way& way = GetParam();
  ASSERT_TRUE(
      path_->SetServers({{.pool = "web", .address = Ip(way.server), .method = way.kernel_method}})
          .ok());
  const std::vector<Bytes> sent = Send(To(way));
  ASSERT_EQ(sent.size(), 1u);
  const Bytes& frame = sent[0];
  const bool inner4 = way.vip.find(':') == std::string::npos;

  // What the balancer would have got: one hop younger.
  Bytes inner = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0, 0};
  Put16(inner, 12, inner4 ? 0x0800 : 0x86dd);
  Append(inner, std::span(frame).subspan(kEthernetLength + OuterLength(way.method)));
  const std::string source = inner4 ? "10.9.0.1" : "fd09::1";
  const size_t addresses = kEthernetLength + (inner4 ? 12 : 8);
  const size_t width = inner4 ? 4 : 16;
  const auto at = [&](size_t from) {
    return Bytes(inner.begin() + static_cast<std::ptrdiff_t>(from),
                 inner.begin() + static_cast<std::ptrdiff_t>(from + width));
  };
  EXPECT_EQ(at(addresses), AddressBytes(source));
  EXPECT_EQ(at(addresses + width), AddressBytes(way.vip));
  // UDP checksum over the pseudo header (RFC 768, RFC 8200).
  const size_t udp = kEthernetLength + (inner4 ? 20 : 40);
  const std::span<const uint8_t> datagram = std::span(inner).subspan(udp);
  Bytes sum = AddressBytes(source);
  Append(sum, AddressBytes(way.vip));
  Append(sum, Bytes{0, kUdp, 0, static_cast<uint8_t>(datagram.size())});
  Append(sum, datagram);
  EXPECT_EQ(ChecksumFinish(ChecksumAdd(0, sum)), 0);
  ++inner[kEthernetLength + (inner4 ? 8 : 7)];
  if (inner4) FixIpv4Checksum(inner, kEthernetLength);

  const Backend backend{.method = way.method,
                        .address = way.server,
                        .source = Ip(way.server).is_ipv4() ? "172.16.0.0" : "100::",
                        .hop = {.dmac = kNextHopMac, .smac = kOwnMac, .ifindex = 99}};
  const uint64_t hash =
      way.method == Method::kL2 ? 0 : uint64_t{EntropyOf(frame, way.method)} << 32;
  EXPECT_EQ(frame, ExpectedFrame(inner, backend, hash));
  EXPECT_EQ(Count(EK_PROBE_SENT), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, EveryWay,
    ::testing::Values(Way{"ipip4", EK_METHOD_IPIP4, Method::kIpip4, "192.0.2.10", "10.9.0.11"},
                      Way{"ipip6", EK_METHOD_IPIP6, Method::kIpip6, "2001:db8::10", "fd09::11"},
                      Way{"ipv4_in_ipv6", EK_METHOD_IPIP6, Method::kIpip6, "192.0.2.10",
                          "fd09::11"},
                      Way{"gue4", EK_METHOD_GUE4, Method::kGue4, "192.0.2.10", "10.9.0.11"},
                      Way{"gue6", EK_METHOD_GUE6, Method::kGue6, "2001:db8::10", "fd09::11"},
                      Way{"l2_4", EK_METHOD_L2, Method::kL2, "192.0.2.10", "10.9.0.11"},
                      Way{"l2_6", EK_METHOD_L2, Method::kL2, "2001:db8::10", "fd09::11"}),
    [](const auto& way) { return way.param.name; });

const Way kPlain{"", EK_METHOD_IPIP4, Method::kIpip4, "192.0.2.10", "10.9.0.11"};

TEST_F(VipPathTest, WhatCannotBeSentIsCountedAndDropped) {
  const VipPath::Server server{
      .pool = "web", .address = Ip(kPlain.server), .method = EK_METHOD_IPIP4};
  ASSERT_TRUE(path_->SetServers({server}).ok());
  probe::Target target = To(kPlain);
  resolved_ = false;
  ASSERT_TRUE(path_->Refresh().ok());
  EXPECT_TRUE(Send(target).empty());
  EXPECT_EQ(Count(EK_PROBE_NO_NEXTHOP), 1u);
  resolved_ = true;
  next_hop_.mtu = 68;
  ASSERT_TRUE(path_->Refresh().ok());
  EXPECT_TRUE(Send(target, "a payload that does not fit any more").empty());
  EXPECT_EQ(Count(EK_PROBE_TOO_BIG), 1u);
  next_hop_.mtu = 1500;
  ASSERT_TRUE(path_->Refresh().ok());
  EXPECT_EQ(Send(target).size(), 1u) << "and it is right again";
  target.via->vip = Ip("2001:db8::10");
  EXPECT_TRUE(Send(target).empty()) << "IPv6 in IPv4";
  EXPECT_GE(Count(EK_PROBE_BAD_METHOD), 1u);
  target.via->vip = Ip(kPlain.vip);
  ASSERT_TRUE(path_->SetServers({}).ok());
  EXPECT_TRUE(Send(target).empty());
  EXPECT_EQ(Count(EK_PROBE_NO_PATH), 1u);
  EXPECT_EQ(Count(EK_PROBE_INTERNAL), 0u);
}

TEST_F(VipPathTest, AMarkIsNotGivenToTheNextOneAtOnce) {
  const auto server = [](const std::string& address) {
    return VipPath::Server{.pool = "web", .address = Ip(address), .method = EK_METHOD_IPIP4};
  };
  ASSERT_TRUE(path_->SetServers({server("10.9.0.11"), server("10.9.0.12")}).ok());
  const auto kept = path_->MarkOf("web", Ip("10.9.0.12"));
  const auto gone = path_->MarkOf("web", Ip("10.9.0.11"));
  ASSERT_TRUE(path_->SetServers({server("10.9.0.12"), server("10.9.0.13")}).ok());
  EXPECT_EQ(path_->MarkOf("web", Ip("10.9.0.12")), kept);
  EXPECT_EQ(path_->MarkOf("web", Ip("10.9.0.11")), std::nullopt);
  EXPECT_NE(path_->MarkOf("web", Ip("10.9.0.13")), gone);
  EXPECT_EQ(path_->MarkOf("other", Ip("10.9.0.13")), std::nullopt);
}

TEST_F(VipPathTest, PacketsWithoutTheMarkGoTheirOwnWay) {
  ASSERT_TRUE(
      path_->SetServers({{.pool = "web", .address = Ip(kPlain.server), .method = EK_METHOD_IPIP4}})
          .ok());
  const dataplane::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM, 0));
  const auto to = probe::ToSocketAddress(Ip("192.0.2.10"), 53);
  EXPECT_NE(::connect(fd.get(), to.get(), to.length), 0) << "there is no route";
  EXPECT_EQ(errno, ENETUNREACH);
}

// To look after the route must cost others nothing: no notification, no route looked up anew.
TEST_F(VipPathTest, WhatIsInPlaceIsLeftAlone) {
  ASSERT_TRUE(
      path_->SetServers({{.pool = "web", .address = Ip(kPlain.server), .method = EK_METHOD_IPIP4}})
          .ok());
  const dataplane::UniqueFd events(
      ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl groups{};
  groups.nl_family = AF_NETLINK;
  groups.nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE;
  ASSERT_EQ(::bind(events.get(), reinterpret_cast<sockaddr*>(&groups), sizeof(groups)), 0);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(path_->Refresh().ok());
  std::array<char, 4096> buffer;
  EXPECT_LT(::recv(events.get(), buffer.data(), buffer.size(), 0), 0) << "something was changed";
  host_.Run("ip route flush table 151; ip -6 rule del priority 150");
  while (::recv(events.get(), buffer.data(), buffer.size(), 0) > 0) {
  }
  ASSERT_TRUE(path_->Refresh().ok());
  EXPECT_GT(::recv(events.get(), buffer.data(), buffer.size(), 0), 0) << "and made good";
  EXPECT_EQ(Send(To(kPlain)).size(), 1u);
}

TEST_F(VipPathTest, TakesOverWhatAKilledDaemonLeft) {
  path_.reset();
  EXPECT_EQ(host_.Output("ip rule show priority 150; ip -6 rule show priority 150;"
                         "ip route show table 151; ip -6 route show table 151"),
            "");
  Open();
  auto killed = std::move(path_);
  Open();
  ASSERT_TRUE(
      path_->SetServers({{.pool = "web", .address = Ip(kPlain.server), .method = EK_METHOD_IPIP4}})
          .ok());
  EXPECT_EQ(Send(To(kPlain)).size(), 1u) << "the route leads through the new program";
  EXPECT_EQ(Count(EK_PROBE_SENT), 1u);
}

}  // namespace
}  // namespace evenkeel::testing
