// SPDX-License-Identifier: Apache-2.0
//
// What the capture build notes, and what not. That it forwards as the balancer does, all the other
// scenarios show, which run through it as well (EVENKEEL_TEST_PROGRAM).
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <time.h>

#include <algorithm>
#include <functional>
#include <iostream>

#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

Packet For(VipId vip, uint16_t sport = 40000) {
  const RawVip& row = AllVips()[vip];
  Packet packet;
  packet.dst = row.address;
  packet.proto = row.proto;
  packet.dport = row.port;
  packet.sport = sport;
  if (!packet.is_ipv4()) packet.src = "2001:db8:ffff::7";
  return packet;
}

Packet Expired(VipId vip) {
  Packet packet = For(vip);
  packet.ttl = 1;
  return packet;
}

uint64_t MonotonicNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

class CaptureTest : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    capture_ = balancer_->StartCapture();
  }

  // The verdicts of what is in the ring after this packet.
  std::vector<uint32_t> VerdictsAfter(const Packet& packet) {
    EXPECT_EQ(balancer_->Run(Build(packet)).error, 0);
    std::vector<uint32_t> verdicts;
    for (const Captured& captured : capture_->Take()) verdicts.push_back(captured.note.verdict);
    return verdicts;
  }

  CaptureTwin* capture_ = nullptr;
};

using Verdicts = std::vector<uint32_t>;

Packet NoVip() {
  Packet packet = For(kVipTcp4);
  packet.dst = "203.0.113.1";
  return packet;
}

TEST_F(CaptureTest, WithoutAFilterEverythingIsNoted) {
  EXPECT_EQ(VerdictsAfter(For(kVipTcp4)), Verdicts{EK_FORWARD});
  EXPECT_EQ(VerdictsAfter(For(kVipTcp6)), Verdicts{EK_FORWARD});
  EXPECT_EQ(VerdictsAfter(Expired(kVipTcp4)), Verdicts{EK_DROP_TTL});
  EXPECT_EQ(VerdictsAfter(NoVip()), Verdicts{EK_PASS_NO_VIP});
}

TEST_F(CaptureTest, OfAVip) {
  capture_->AskForVip(kVipTcp4);
  EXPECT_EQ(VerdictsAfter(For(kVipTcp4)), Verdicts{EK_FORWARD});
  EXPECT_EQ(VerdictsAfter(Expired(kVipTcp4)), Verdicts{EK_DROP_TTL});
  EXPECT_EQ(VerdictsAfter(For(kVipUdp4)), Verdicts{});
  EXPECT_EQ(VerdictsAfter(For(kVipTcp6)), Verdicts{});
  EXPECT_EQ(VerdictsAfter(NoVip()), Verdicts{});
  EXPECT_EQ(capture_->Count(kIngressIfindex).matched, 2u);
  capture_->AskForVip(kVipTcp6);
  EXPECT_EQ(VerdictsAfter(For(kVipTcp6)), Verdicts{EK_FORWARD});
}

TEST_F(CaptureTest, OfABackend) {
  const Packet packet = For(kVipTcp4);
  const Backend backend = BackendFor(Backends(kPoolIpip4), packet);
  Packet other = packet;
  while (BackendFor(Backends(kPoolIpip4), other).counter == backend.counter) ++other.sport;
  capture_->AskForBackend(backend.counter);
  ASSERT_EQ(VerdictsAfter(packet), Verdicts{EK_FORWARD});
  EXPECT_EQ(VerdictsAfter(other), Verdicts{});
  EXPECT_EQ(VerdictsAfter(NoVip()), Verdicts{});
  Packet expired = packet;
  expired.ttl = 1;
  EXPECT_EQ(VerdictsAfter(expired), Verdicts{EK_DROP_TTL}) << "it got to the backend";
  capture_->AskForVip(kVipUdp4);
  EXPECT_EQ(VerdictsAfter(packet), Verdicts{}) << "both must hold";
  capture_->AskForVip(kVipTcp4);
  EXPECT_EQ(VerdictsAfter(packet), Verdicts{EK_FORWARD});
}

TEST_F(CaptureTest, OfDrops) {
  capture_->control().flags |= EK_CAPTURE_ONLY_DROPS;
  EXPECT_EQ(VerdictsAfter(For(kVipTcp4)), Verdicts{});
  EXPECT_EQ(VerdictsAfter(NoVip()), Verdicts{});
  EXPECT_EQ(VerdictsAfter(Expired(kVipTcp4)), Verdicts{EK_DROP_TTL});
  EXPECT_EQ(VerdictsAfter(Expired(kVipTcp6)), Verdicts{EK_DROP_TTL});
  EXPECT_EQ(capture_->Count(kIngressIfindex).matched, 2u);
  capture_->AskForVip(kVipTcp4);
  EXPECT_EQ(VerdictsAfter(Expired(kVipTcp6)), Verdicts{});
  EXPECT_EQ(VerdictsAfter(Expired(kVipTcp4)), Verdicts{EK_DROP_TTL});
}

TEST_F(CaptureTest, NotesTheDecisionsAndTheTime) {
  const Packet packet = For(kVipTcp4);
  const uint64_t before = MonotonicNs();
  balancer_->Run(Build(packet));
  const uint64_t after = MonotonicNs();
  const std::vector<Captured> taken = capture_->Take();
  ASSERT_EQ(taken.size(), 1u);
  const ek_captured& note = taken[0].note;
  EXPECT_EQ(note.vip, kVipTcp4);
  EXPECT_EQ(note.backend, BackendFor(Backends(kPoolIpip4), packet).counter);
  EXPECT_EQ(note.slot, ExpectedSlot(FlowHash(kKey, packet), kTableSize));
  EXPECT_EQ(note.active & EK_ACTIVE_GENERATION_MASK, 0u);
  EXPECT_NE(note.active, EK_ACTIVE_NONE);
  EXPECT_GE(note.time_ns, before);
  EXPECT_LE(note.time_ns, after);
}

TEST_F(CaptureTest, CutsAtTheLengthAskedFor) {
  for (const uint32_t snaplen : {1u, 60u, 256u}) {
    SCOPED_TRACE(snaplen);
    capture_->control().snaplen = snaplen;
    Packet packet = For(kVipTcp4);
    packet.payload = 1000;
    const Bytes frame = Build(packet);
    const Bytes sent = balancer_->Run(frame).frame;
    const std::vector<Captured> taken = capture_->Take();
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].in, Bytes(frame.begin(), frame.begin() + snaplen));
    EXPECT_EQ(taken[0].out, Bytes(sent.begin(), sent.begin() + snaplen));
    EXPECT_EQ(taken[0].note.length_in, frame.size());
    EXPECT_EQ(taken[0].note.length_out, sent.size());
  }
}

// A daemon that is dead does not go on to have packets copied; they are forwarded all the same.
TEST_F(CaptureTest, NothingOnceNobodyIsAlive) {
  capture_->control().alive_until_ns = MonotonicNs() - 10'000'000;
  const Packet packet = For(kVipTcp4);
  const RunResult result = balancer_->Run(Build(packet));
  EXPECT_EQ(result.frame, ExpectedFrame(Build(packet), BackendFor(Backends(kPoolIpip4), packet),
                                        FlowHash(kKey, packet)));
  EXPECT_TRUE(capture_->Take().empty());
  EXPECT_EQ(capture_->Count(kIngressIfindex).matched, 0u);
  capture_->control().alive_until_ns = MonotonicNs() + 60'000'000'000;
  EXPECT_EQ(VerdictsAfter(packet), Verdicts{EK_FORWARD});
}

TEST_F(CaptureTest, NoMoreThanAskedFor) {
  capture_->control().max_packets = 3;
  const Bytes frame = Build(For(kVipTcp4));
  for (int i = 0; i < 10; ++i) balancer_->Run(frame);
  EXPECT_EQ(capture_->Take().size(), 3u);
  EXPECT_EQ(capture_->control().taken, 3u);
}

TEST_F(CaptureTest, WhatIsAboveTheRateIsCountedAsMissed) {
  // One in four seconds, five at once.
  capture_->control().rate = {.interval_ns = 4'000'000'000u, .burst = 5};
  const Bytes frame = Build(For(kVipTcp4));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(balancer_->Run(frame).error, 0);
  const size_t taken = capture_->Take().size();
  const ek_capture_count count = capture_->Count(kIngressIfindex);
  EXPECT_GE(taken, 5u);
  EXPECT_LE(taken, 6u) << "a token more where the machine stood still for seconds";
  EXPECT_EQ(count.matched, 20u);
  EXPECT_EQ(count.over_rate, 20u - taken);
  EXPECT_EQ(count.no_room, 0u);
}

// A reader that does not read costs what it misses: the ring does not grow, and packets go on.
TEST_F(CaptureTest, WhatFindsNoRoomIsCountedAsMissed) {
  Packet packet = For(kVipTcp4);
  packet.payload = 1400;
  const Bytes frame = Build(packet);
  const Bytes first = balancer_->Run(frame).frame;
  constexpr uint32_t kFrames = EK_CAPTURE_RING / 2800;  // twice 1,400 bytes each
  for (uint32_t i = 1; i < kFrames; ++i) balancer_->Run(frame);
  ASSERT_EQ(balancer_->Run(frame).frame, first);
  const ek_capture_count count = capture_->Count(kIngressIfindex);
  EXPECT_EQ(count.matched, kFrames + 1);
  EXPECT_GT(count.no_room, 0u);
  EXPECT_EQ(capture_->control().taken, kFrames + 1 - count.no_room);
  EXPECT_EQ(capture_->Take().size(), kFrames + 1 - count.no_room);
  EXPECT_EQ(VerdictsAfter(packet), Verdicts{EK_FORWARD}) << "there is room again";
}

TEST_F(CaptureTest, NothingIsPublished) {
  balancer_->Activate(EK_ACTIVE_NONE);
  EXPECT_EQ(VerdictsAfter(For(kVipTcp4)), Verdicts{EK_PASS_NO_VIP});
}

// The fewest nanoseconds of many runs; in scripts/vm --icount, instructions.
uint32_t Fewest(int program, const Bytes& frame, const std::function<void()>& between) {
  Bytes out(frame.size() + 256);
  uint32_t fewest = ~0u;
  for (int i = 0; i < 3000; ++i) {
    if (i % 1000 == 0) between();
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(), .data_out = out.data(),
                .data_size_in = static_cast<uint32_t>(frame.size()),
                .data_size_out = static_cast<uint32_t>(out.size()), .repeat = 1);
    EXPECT_EQ(bpf_prog_test_run_opts(program, &run), 0);
    fewest = std::min(fewest, run.duration);
  }
  return fewest;
}

TEST_F(World, CostsMoreTheMoreOfAPacketIsTaken) {
  const Bytes frame = Build(For(kVipTcp4));
  const uint32_t off = Fewest(balancer_->balancer_fd(), frame, [] {});
  CaptureTwin& capture = *balancer_->StartCapture();
  capture.control().snaplen = 256;
  const int program = balancer_->balancer_fd();
  const auto empty = [&] { capture.Take(); };
  const uint32_t taken = Fewest(program, frame, empty);
  capture.control().rate = {.interval_ns = ~0u, .burst = 1};
  const uint32_t over_rate = Fewest(program, frame, empty);
  capture.AskForVip(kVipTcp6);
  const uint32_t other_vip = Fewest(program, frame, empty);
  capture.control().alive_until_ns = 0;
  const uint32_t dead = Fewest(program, frame, empty);
  std::cout << "balancer: " << off << ", capture build that nobody keeps alive: " << dead
            << ", packet of another VIP: " << other_vip << ", above the rate: " << over_rate
            << ", taken: " << taken << "\n";
  EXPECT_LT(off, taken);
  EXPECT_LE(other_vip, over_rate);
  EXPECT_LE(over_rate, taken);
}

}  // namespace
}  // namespace evenkeel::testing
