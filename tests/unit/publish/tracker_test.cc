// SPDX-License-Identifier: Apache-2.0
#include "control/publish/tracker.h"

#include <gtest/gtest.h>

#include "control/publish/moves.h"

namespace evenkeel::publish {
namespace {

constexpr FlowTimeouts kTimeouts{.idle = 100, .opening = 10, .closing = 5};

struct MoveCase {
  const char* name;
  uint32_t now;
  uint16_t owner;
  uint32_t next;
};

// Ids 1, 2 and 3 have an entry, 9 has none.
class NextSlotTest : public ::testing::TestWithParam<MoveCase> {};

TEST_P(NextSlotTest, IsWhatTheDesignSays) {
  const Serving serving = {false, true, true, true};
  EXPECT_EQ(NextSlot(GetParam().now, GetParam().owner, serving), GetParam().next);
}

INSTANTIATE_TEST_SUITE_P(
    All, NextSlotTest,
    ::testing::Values(MoveCase{"steady_stays", EK_SLOT(1, 0), 1, EK_SLOT(1, 0)},
                      MoveCase{"steady_moves", EK_SLOT(1, 0), 2, EK_SLOT(2, 1)},
                      MoveCase{"from_nobody", EK_SLOT(0, 0), 2, EK_SLOT(2, 0)},
                      MoveCase{"to_nobody", EK_SLOT(1, 0), 0, EK_SLOT(0, 1)},
                      MoveCase{"a_dead_owner_is_nobodys_previous", EK_SLOT(9, 0), 2, EK_SLOT(2, 0)},
                      MoveCase{"moving_stays", EK_SLOT(2, 1), 2, EK_SLOT(2, 1)},
                      MoveCase{"moving_moves_on", EK_SLOT(2, 1), 3, EK_SLOT(3, 1)},
                      MoveCase{"moving_comes_back", EK_SLOT(2, 1), 1, EK_SLOT(1, 1)},
                      MoveCase{"its_previous_died", EK_SLOT(2, 9), 2, EK_SLOT(2, 2)},
                      MoveCase{"its_previous_died_and_it_moves", EK_SLOT(2, 9), 3, EK_SLOT(3, 3)},
                      MoveCase{"tracked_stays", EK_SLOT(2, 2), 2, EK_SLOT(2, 2)},
                      MoveCase{"tracked_moves", EK_SLOT(2, 2), 3, EK_SLOT(3, 2)},
                      MoveCase{"tracked_owner_died", EK_SLOT(9, 9), 3, EK_SLOT(3, 3)},
                      MoveCase{"nobody_and_previous_died", EK_SLOT(2, 9), 0, EK_SLOT(0, 2)},
                      MoveCase{"used_does_not_matter", EK_SLOT(2, 1) | EK_SLOT_USED, 2,
                               EK_SLOT(2, 1)}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(NextSlots, AnotherSizeMovesNothing) {
  const std::vector<uint32_t> now = {EK_SLOT(1, 0), EK_SLOT(2, 0)};
  const Serving serving = {false, true, true};
  EXPECT_EQ(NextSlots(now, std::vector<uint16_t>{2, 1}, serving),
            (std::vector<uint32_t>{EK_SLOT(2, 1), EK_SLOT(1, 2)}));
  EXPECT_EQ(NextSlots(now, std::vector<uint16_t>{2, 1, 1}, serving),
            (std::vector<uint32_t>{EK_SLOT(2, 0), EK_SLOT(1, 0), EK_SLOT(1, 0)}));
}

struct PinCase {
  const char* name;
  dataplane::Pin pin;
  uint32_t age;
  bool alive;
};

TEST(IsAlive, DependsOnWhatWasSeen) {
  const dataplane::Pin open{.seen = 1000};
  dataplane::Pin closing = open, opening = open, met = open;
  closing.closing = true;
  opening.opening = true;
  met.opening = met.met = true;
  for (const PinCase& c :
       {PinCase{"idle", open, 99, true}, PinCase{"dead", open, 100, false},
        PinCase{"closing", closing, 4, true}, PinCase{"closed", closing, 5, false},
        PinCase{"met", met, 99, true}, PinCase{"met-and-dead", met, 100, false},
        PinCase{"opening", opening, 9, true}, PinCase{"never-answered", opening, 10, false}}) {
    EXPECT_EQ(IsAlive(c.pin, 1000 + c.age, kTimeouts), c.alive) << c.name;
  }
  EXPECT_TRUE(IsAlive(open, 999, kTimeouts)) << "a packet came after the clock was read";
}

class TrackerTest : public ::testing::Test {
 protected:
  // One slot; what becomes of it.
  uint32_t Sweep(uint32_t word, uint32_t now, bool away = false) {
    return Sweep(word, {.read = now, .now = now}, away);
  }
  uint32_t Sweep(uint32_t word, Tracker::Times times, bool away = false) {
    const auto sweep = tracker_.Next(std::vector<uint32_t>{word}, {away}, times, kTimeouts);
    moving_ = sweep.moving;
    if (sweep.changes.empty()) return word & ~EK_SLOT_USED;
    EXPECT_EQ(sweep.changes.size(), 1u);
    return EK_SLOT(EK_SLOT_OWNER(word), sweep.changes[0].previous);
  }

  Tracker tracker_{1};
  uint32_t moving_ = 0;
};

// A sweep of many tables takes a while: the words are younger than the pins.
TEST_F(TrackerTest, ASweepThatTakesLongClosesNothingTooEarly) {
  const uint32_t moving = EK_SLOT(2, 1), tracked = EK_SLOT(2, 2);
  EXPECT_EQ(Sweep(moving, 10), moving);
  EXPECT_EQ(Sweep(moving | EK_SLOT_USED, {.read = 50, .now = 70}), moving);
  EXPECT_EQ(Sweep(moving, {.read = 169, .now = 180}), moving) << "used till 70";
  EXPECT_EQ(Sweep(moving, {.read = 170, .now = 180}), tracked);
  EXPECT_EQ(Sweep(tracked, {.read = 181, .now = 190}), tracked) << "pins read before it settled";
  EXPECT_EQ(Sweep(tracked, {.read = 182, .now = 190}), EK_SLOT(2, 0));
}

TEST_F(TrackerTest, ASlotComesToRestWhenItsPreviousOwnerIsIdleAndNoPinIsAway) {
  const uint32_t moving = EK_SLOT(2, 1), tracked = EK_SLOT(2, 2);
  EXPECT_EQ(Sweep(moving, 10), moving);
  EXPECT_EQ(Sweep(moving | EK_SLOT_USED, 50), moving);
  EXPECT_EQ(Sweep(moving, 149), moving);
  EXPECT_EQ(Sweep(moving, 150), tracked);
  EXPECT_EQ(Sweep(tracked, 151), tracked) << "packets may still use the former word";
  EXPECT_EQ(Sweep(tracked, 153, /*away=*/true), tracked);
  EXPECT_EQ(Sweep(tracked, 154), EK_SLOT(2, 0));
  EXPECT_EQ(moving_, 1u);
  EXPECT_EQ(Sweep(EK_SLOT(2, 0), 155), EK_SLOT(2, 0));
  EXPECT_EQ(moving_, 0u);
}

TEST_F(TrackerTest, AFurtherMoveOfATrackedSlotBeginsAnew) {
  EXPECT_EQ(Sweep(EK_SLOT(2, 1), 10), EK_SLOT(2, 1));
  EXPECT_EQ(Sweep(EK_SLOT(2, 1), 110), EK_SLOT(2, 2));
  EXPECT_EQ(Sweep(EK_SLOT(2, 2), 500, /*away=*/true), EK_SLOT(2, 2));
  EXPECT_EQ(Sweep(EK_SLOT(3, 2), 510), EK_SLOT(3, 2)) << "2 was used until just now";
  EXPECT_EQ(Sweep(EK_SLOT(3, 2), 610), EK_SLOT(3, 3));
}

// The move, the way back and the next move may all come between two sweeps.
TEST_F(TrackerTest, ATrackedSlotThatNoSweepSawCountsAsUsedUntilItsTableIsReplaced) {
  EXPECT_EQ(Sweep(EK_SLOT(3, 2), 10), EK_SLOT(3, 2));
  tracker_.NoteReplaced(std::vector<uint32_t>{EK_SLOT(3, 2)}, 60);  // moved back to 2
  tracker_.NoteReplaced(std::vector<uint32_t>{EK_SLOT(2, 2)}, 90);  // and to 3 again
  EXPECT_EQ(Sweep(EK_SLOT(3, 2), 120), EK_SLOT(3, 2)) << "idle since 10, by what sweeps saw";
  EXPECT_EQ(Sweep(EK_SLOT(3, 2), 189), EK_SLOT(3, 2));
  EXPECT_EQ(Sweep(EK_SLOT(3, 2), 190), EK_SLOT(3, 3));
}

TEST_F(TrackerTest, WithoutAnOwnerThePreviousOneStays) {
  EXPECT_EQ(Sweep(EK_SLOT(0, 1), 10), EK_SLOT(0, 1));
  EXPECT_EQ(Sweep(EK_SLOT(0, 1), 1000), EK_SLOT(0, 1));
}

}  // namespace
}  // namespace evenkeel::publish
