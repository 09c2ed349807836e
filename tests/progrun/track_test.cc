// SPDX-License-Identifier: Apache-2.0
//
// Slots that change hands: where packets go, what is pinned, and that nothing else is written.
#include <ctime>

#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

constexpr uint16_t kFormer = 2, kOwner = 1, kThird = 3;  // pool-local ids
constexpr uint8_t kFin = 0x01, kRst = 0x04;

uint32_t Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const uint64_t ns =
      static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
  return static_cast<uint32_t>(ns >> EK_SEEN_SHIFT);
}

class Track : public World {
 protected:
  static Packet Web(uint8_t tcp_flags) {
    Packet packet;  // 198.51.100.7 -> 192.0.2.10:443
    packet.tcp_flags = tcp_flags;
    return packet;
  }
  static uint64_t Flow() { return FlowHash(kKey, Web(kTcpAck)); }
  static uint32_t Slot() { return ExpectedSlot(Flow(), kTableSize); }
  static ek_pin PinTo(uint16_t id, uint32_t age = 0, uint16_t flags = 0) {
    return {Backends(kPoolIpip4)[id - 1u].counter, Now() - age, id, flags};
  }

  void SetSlot(uint16_t owner, uint16_t previous) {
    balancer_->SetSlot(kPoolIpip4, Slot(), EK_SLOT(owner, previous));
  }
  uint32_t Word() {
    const ek_line line = balancer_->GetLine(kPoolIpip4, Slot() / EK_SLOTS_PER_LINE);
    return line.slot[Slot() % EK_SLOTS_PER_LINE];
  }
  void ExpectTo(uint16_t id, const Packet& packet) {
    ExpectForwardedTo(Backends(kPoolIpip4)[id - 1u], packet, Build(packet), kVipTcp4);
  }
  // The backend that the flow is pinned to, 0: to none.
  uint16_t Pinned(bool opening) {
    const auto pins = balancer_->ReadPins(opening);
    const auto it = pins.find(Flow());
    if (it == pins.end()) return 0;
    EXPECT_EQ(it->second.counter, Backends(kPoolIpip4)[it->second.backend - 1u].counter);
    EXPECT_LE(Now() - it->second.seen, 2u);
    return it->second.backend;
  }
  void ExpectNoPins() {
    EXPECT_TRUE(balancer_->ReadPins(false).empty());
    EXPECT_TRUE(balancer_->ReadPins(true).empty());
  }
};

TEST_F(Track, SteadySlotWritesNothing) {
  SetSlot(kOwner, 0);
  for (const uint8_t flags : {kTcpSyn, kTcpAck, kFin}) ExpectTo(kOwner, Web(flags));
  ExpectNoPins();
  EXPECT_EQ(Word(), EK_SLOT(kOwner, 0));
}

TEST_F(Track, MovingSlotSendsWhatIsOlderToThePreviousOwner) {
  SetSlot(kOwner, kFormer);
  ExpectTo(kFormer, Web(kTcpAck));
  EXPECT_EQ(Word(), EK_SLOT(kOwner, kFormer) | EK_SLOT_USED);
  ExpectTo(kFormer, Web(kTcpAck));
  ExpectTo(kFormer, Web(kFin | kTcpAck));
  ExpectNoPins();
}

TEST_F(Track, MovingSlotPinsWhatOpens) {
  SetSlot(kOwner, kFormer);
  ExpectTo(kOwner, Web(kTcpSyn));
  EXPECT_EQ(Pinned(true), kOwner);
  EXPECT_EQ(Pinned(false), 0);
  ExpectTo(kOwner, Web(kTcpAck));
  EXPECT_EQ(Pinned(true), 0) << "promoted by its second packet";
  EXPECT_EQ(Pinned(false), kOwner);
  ExpectTo(kOwner, Web(kTcpAck));
  EXPECT_EQ(Word(), EK_SLOT(kOwner, kFormer)) << "the previous owner was not used";
}

TEST_F(Track, AFurtherMoveLeavesPinnedFlowsWhereTheyAre) {
  SetSlot(kOwner, kFormer);
  ExpectTo(kOwner, Web(kTcpSyn));
  SetSlot(kThird, kFormer);
  ExpectTo(kOwner, Web(kTcpAck));
  SetSlot(kThird, kThird);
  ExpectTo(kOwner, Web(kTcpAck));
  EXPECT_EQ(Pinned(false), kOwner);
}

TEST_F(Track, ASynThatRepeatsGoesWhereTheFirstWent) {
  SetSlot(kOwner, kFormer);
  ExpectTo(kOwner, Web(kTcpSyn));
  SetSlot(kThird, kFormer);
  ExpectTo(kOwner, Web(kTcpSyn));
}

TEST_F(Track, AForgedSynDoesNotMoveALiveConnection) {
  SetSlot(kOwner, kFormer);
  balancer_->PutPin(Flow(), PinTo(kThird), false);
  ExpectTo(kThird, Web(kTcpSyn));
  ExpectTo(kThird, Web(kTcpAck));
}

TEST_F(Track, ANewConnectionOfAnOldTupleGoesToTheOwner) {
  SetSlot(kOwner, kFormer);
  balancer_->PutPin(Flow(), PinTo(kThird, EK_REOPEN_AFTER + 1), false);
  ExpectTo(kOwner, Web(kTcpSyn));
  EXPECT_EQ(Pinned(false), 0);
  EXPECT_EQ(Pinned(true), kOwner);
  balancer_->PutPin(Flow(), PinTo(kThird, 0, EK_PIN_CLOSING), false);
  ExpectTo(kOwner, Web(kTcpSyn));
  ExpectTo(kOwner, Web(kTcpAck));
}

TEST_F(Track, FinAndRstMarkThePin) {
  for (const uint8_t flags : {kFin, kRst}) {
    SetSlot(kOwner, kFormer);
    balancer_->PutPin(Flow(), PinTo(kThird, 9), false);
    ExpectTo(kThird, Web(static_cast<uint8_t>(flags | kTcpAck)));
    EXPECT_EQ(balancer_->ReadPins(false).at(Flow()).flags, EK_PIN_CLOSING);
    ExpectTo(kThird, Web(kTcpAck));
  }
}

TEST_F(Track, ThePinOfABackendThatIsGoneIsVoid) {
  SetSlot(kOwner, kFormer);
  ek_pin another = PinTo(kThird);
  another.counter = 99;  // the id was given to another backend
  ek_pin nobody = PinTo(kThird);
  nobody.backend = 4000;
  for (const ek_pin& pin : {another, nobody}) {
    for (const bool opening : {false, true}) {
      balancer_->PutPin(Flow(), pin, opening);
      ExpectTo(kOwner, Web(kTcpAck));
    }
  }
}

TEST_F(Track, TrackedSlotHonoursPinsAndMakesNone) {
  SetSlot(kOwner, kOwner);
  ExpectTo(kOwner, Web(kTcpAck));
  ExpectNoPins();
  EXPECT_EQ(Word(), EK_SLOT(kOwner, kOwner));
  balancer_->PutPin(Flow(), PinTo(kThird), false);
  ExpectTo(kThird, Web(kTcpAck));
}

TEST_F(Track, WithoutAnOwnerOnlyOldFlowsGoOn) {
  SetSlot(0, kFormer);
  ExpectTo(kFormer, Web(kTcpAck));
  ExpectVerdict(Build(Web(kTcpSyn)), EK_DROP_NO_BACKEND, kVipTcp4);
  ExpectNoPins();
}

TEST_F(Track, StatelessVipFollowsTheOwnerAtOnce) {
  std::vector<RawVip> vips = AllVips();
  vips[kVipTcp4].flags = EK_VIP_STATELESS;
  balancer_->Activate(balancer_->PutGeneration(1, vips));
  SetSlot(kOwner, kFormer);
  balancer_->PutPin(Flow(), PinTo(kThird), false);
  for (const uint8_t flags : {kTcpSyn, kTcpAck}) ExpectTo(kOwner, Web(flags));
  EXPECT_EQ(Word(), EK_SLOT(kOwner, kFormer));
}

TEST_F(Track, VerifyingWritesNothing) {
  SetSlot(kOwner, kFormer);
  balancer_->Stage(EK_ACTIVE_HAS_VIPS4 | EK_ACTIVE_HAS_VIPS6 | EK_ACTIVE_HAS_ANY_PORT4 |
                   EK_ACTIVE_HAS_ANY_PORT6);
  for (const auto& [flags, id] : {std::pair(kTcpSyn, kOwner), std::pair(kTcpAck, kFormer)}) {
    const RunResult result = balancer_->Verify(Build(Web(flags)));
    const Backend backend = Backends(kPoolIpip4)[id - 1u];
    EXPECT_EQ(Describe(result.frame), Describe(ExpectedFrame(Build(Web(flags)), backend, Flow())));
  }
  ExpectNoPins();
  EXPECT_EQ(Word(), EK_SLOT(kOwner, kFormer));
}

TEST_F(Track, AFloodOfUnknownPacketsPinsNothing) {
  for (uint32_t slot = 0; slot < kTableSize; ++slot) {
    balancer_->SetSlot(kPoolIpip4, slot, EK_SLOT(kOwner, kFormer));
  }
  Packet packet = Web(kTcpAck);
  for (uint16_t port = 1; port <= 2000; ++port) {
    packet.sport = port;
    ASSERT_EQ(balancer_->Run(Build(packet)).error, 0);
  }
  ExpectNoPins();
}

TEST_F(Track, AFloodOfSynsDisplacesNoEstablishedFlow) {
  for (uint32_t slot = 0; slot < kTableSize; ++slot) {
    balancer_->SetSlot(kPoolIpip4, slot, EK_SLOT(kOwner, kFormer));
  }
  ExpectTo(kOwner, Web(kTcpSyn));
  ExpectTo(kOwner, Web(kTcpAck));
  Packet packet = Web(kTcpSyn);
  packet.src = "198.51.100.8";
  for (uint32_t i = 0; i < EK_MAX_OPENING + 20000; ++i) {
    if (i == 60000) packet.src = "198.51.100.9";
    packet.sport = static_cast<uint16_t>(i % 60000 + 1);
    ASSERT_EQ(balancer_->Run(Build(packet)).error, 0);
  }
  EXPECT_EQ(balancer_->ReadPins(false).size(), 1u);
  EXPECT_LE(balancer_->ReadPins(true).size(), EK_MAX_OPENING);
  SetSlot(kThird, kFormer);
  ExpectTo(kOwner, Web(kTcpAck));
}

}  // namespace
}  // namespace evenkeel::testing
