// SPDX-License-Identifier: Apache-2.0
//
// Frames of every length: cut short, padded, larger than a page, without headroom.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <memory>

#include "bpf/no_headroom.skel.h"
#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

struct Shape {
  std::string name;
  Packet packet;
};

std::vector<Shape> Shapes() {
  Packet six;
  six.src = "2001:db8:ffff::7";
  six.dst = "2001:db8::10";
  Packet options, udp, extended = six;
  options.ip_options = Bytes(12, 1);
  options.tcp_options = Bytes(8, 1);
  udp.proto = kUdp;
  udp.dport = 53;
  Packet tagged = options;
  tagged.tags = {ServiceTag(7), VlanTag(100)};
  extended.extensions = {{0, Bytes(6)}, ExtensionHeader::Auth(), {60, Bytes(14)}};
  return {{"tcp4", {}},  {"tcp4_options", options},   {"udp4", udp},
          {"tcp6", six}, {"tcp6_extended", extended}, {"tcp4_qinq", tagged}};
}

class Cut : public World, public ::testing::WithParamInterface<Shape> {};

TEST_P(Cut, IsNeverForwardedAndAlwaysCountedOnce) {
  const Bytes whole = Build(GetParam().packet);
  for (size_t length = kMinRunLength; length < whole.size(); ++length) {
    const Bytes frame(whole.begin(), whole.begin() + static_cast<long>(length));
    const CounterSet before = balancer_->ReadCounters();
    const RunResult result = balancer_->Run(frame);
    const CounterSet after = balancer_->ReadCounters();
    ASSERT_EQ(result.error, 0) << length;
    EXPECT_TRUE(result.action == XDP_DROP || result.action == XDP_PASS) << length;
    EXPECT_EQ(result.frame, frame) << length;
    EXPECT_EQ(after.TotalForwarded(), before.TotalForwarded()) << length;
    EXPECT_EQ(after.TotalNotForwarded(), before.TotalNotForwarded() + 1) << length;
    // From the moment that the address can be read, it is a VIP's, and the packet is dropped.
    const size_t addressed = LinkLength(whole) + (GetParam().packet.is_ipv4() ? 20 : 40);
    EXPECT_EQ(result.action, length < addressed ? XDP_PASS : XDP_DROP) << length;
  }
  EXPECT_NE(balancer_->Run(whole).action, XDP_DROP);
}

INSTANTIATE_TEST_SUITE_P(All, Cut, ::testing::ValuesIn(Shapes()),
                         [](const auto& param) { return param.param.name; });

// Jumbo frames come in several buffers: the end of the first is not the end of the packet.
TEST_F(World, JumboFramesOfSeveralBuffers) {
  std::vector<Backend> backends = Backends(kPoolIpip4);
  for (Backend& backend : backends) backend.mtu = 9216;
  balancer_->PutTable(kPoolIpip4, RoundRobin(kTableSize, 4), backends);
  for (const size_t payload : {3400u, 3800u, 4096u, 8192u, 9216u - 60u}) {
    Packet packet;
    packet.payload = payload;
    SCOPED_TRACE(payload);
    ExpectForwarded(packet, Build(packet), kVipTcp4, backends);
  }
}

TEST_F(World, JumboFrameAboveMtu) {
  Packet packet;
  packet.payload = 8000;
  ExpectVerdict(Build(packet), EK_DROP_TOO_BIG, kVipTcp4);
}

TEST_F(World, JumboFrameCutShort) {
  Packet packet;
  packet.payload = 8000;
  Bytes frame = Build(packet);
  frame.pop_back();
  ExpectVerdict(frame, EK_DROP_L3_LENGTH);
}

TEST_F(World, NoRoomForTheOuterHeader) {
  const std::unique_ptr<ek_no_headroom, decltype(&ek_no_headroom__destroy)> wrapper(
      ek_no_headroom__open_and_load(), ek_no_headroom__destroy);
  ASSERT_NE(wrapper, nullptr);
  const uint32_t zero = 0;
  const int next = balancer_->balancer_fd();
  ASSERT_EQ(bpf_map_update_elem(bpf_map__fd(wrapper->maps.ek_next), &zero, &next, BPF_ANY), 0);
  Packet packet;
  packet.padding = 128;
  const CounterSet before = balancer_->ReadCounters();
  const RunResult result =
      RunProgram(bpf_program__fd(wrapper->progs.ek_no_headroom), Build(packet));
  const CounterSet after = balancer_->ReadCounters();
  EXPECT_EQ(result.action, XDP_DROP);
  EXPECT_EQ(after.verdicts[EK_DROP_HEADROOM], before.verdicts[EK_DROP_HEADROOM] + 1);
  EXPECT_EQ(after.vips[kVipTcp4].drops, before.vips[kVipTcp4].drops + 1);
  EXPECT_EQ(after.TotalForwarded(), before.TotalForwarded());
}

}  // namespace
}  // namespace evenkeel::testing
