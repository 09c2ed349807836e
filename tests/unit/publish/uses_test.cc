// SPDX-License-Identifier: Apache-2.0
//
// What still leads to a server that is drained: slots, older flows that stay, pinned ones.
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "control/publish/moves.h"
#include "tests/unit/publish/fixture.h"

namespace evenkeel::testing {
namespace {

using publish::ServerUse;
using publish::Tracker;

TEST(HeldByTest, CountsSlotsThatOthersOwnAndThoseThatPacketsUsed) {
  constexpr publish::FlowTimeouts kTimeouts{.idle = 100, .opening = 10, .closing = 5};
  const std::vector<uint32_t> words = {EK_SLOT(1, 0), EK_SLOT(1, 2), EK_SLOT(1, 2) | EK_SLOT_USED,
                                       EK_SLOT(2, 2), EK_SLOT(3, 2), EK_SLOT(3, 1)};
  Tracker tracker(static_cast<uint32_t>(words.size()));
  const std::vector<bool> away(words.size());
  tracker.Next(words, away, {.read = 10, .now = 10}, kTimeouts);
  std::vector<Tracker::Held> held = tracker.HeldBy(words, 3);
  EXPECT_EQ(held[2].slots, 3u) << "its own are not among them";
  EXPECT_EQ(held[2].used, 1u);
  EXPECT_EQ(held[1].slots, 1u);
  EXPECT_EQ(held[3].slots, 0u);
  // What was used before counts on, and what is used later comes to it.
  std::vector<uint32_t> later = words;
  later[2] = EK_SLOT(1, 2) | EK_SLOT_USED;
  tracker.Next(later, away, {.read = 20, .now = 20}, kTimeouts);
  later[2] = EK_SLOT(1, 2);
  later[4] = EK_SLOT(3, 2) | EK_SLOT_USED;
  tracker.Next(later, away, {.read = 30, .now = 30}, kTimeouts);
  held = tracker.HeldBy(later, 3);
  EXPECT_EQ(held[2].slots, 3u);
  EXPECT_EQ(held[2].used, 2u);
}

class UsesTest : public PublishingTest {
 protected:
  static constexpr uint16_t kFlows = 2000;
  static constexpr publish::FlowTimeouts kTimeouts{.idle = 20, .opening = 5, .closing = 3};

  void Begin(model::Config config) {
    publisher_.reset();
    publisher_ = std::make_unique<publish::Publisher>(&kernel_, &resolver_, kTestKey, kTimeouts,
                                                      std::chrono::hours(1));
    ASSERT_TRUE(publisher_->Adopt(nullptr).ok());
    config_ = std::move(config);
    ASSERT_TRUE(Apply(config_).ok());
    server_ = config_.pools[0].backends[0].address;
  }
  void SetState(model::AdminState state) {
    config_.pools[0].backends[0].state = state;
    ASSERT_TRUE(Apply(config_).ok());
  }
  size_t Send(bool opening, bool closing = false, uint16_t flows = kFlows) {
    size_t to_server = 0;
    for (uint16_t port = 1; port <= flows; ++port) {
      const auto to = kernel_.Deliver({.source = Ip("198.51.100.1"),
                                       .destination = Ip("192.0.2.1"),
                                       .source_port = port,
                                       .destination_port = 443,
                                       .ip_protocol = IPPROTO_TCP,
                                       .opening = opening},
                                      closing);
      to_server += to == server_;
    }
    return to_server;
  }
  ServerUse Use(bool sweep = true) {
    if (sweep) {
      EXPECT_TRUE(publisher_->SweepOnce().ok());
    }
    const std::vector<ServerUse> uses = publisher_->UsesOf(server_);
    EXPECT_EQ(uses.size(), 1u);
    return uses.empty() ? ServerUse{} : uses[0];
  }

  model::Config config_;
  model::IpAddress server_;
};

TEST_F(UsesTest, ADrainedServerKeepsItsFlowsUntilTheyWereIdleForLong) {
  Begin(MakeConfig(1, 4));
  const uint32_t owned = Use().slots;
  EXPECT_GT(owned, 200u);
  EXPECT_EQ(Use().held_slots, 0u);
  SetState(model::AdminState::kDraining);
  EXPECT_FALSE(Use(/*sweep=*/false).known) << "no sweep has seen this table";
  ServerUse use = Use();
  EXPECT_TRUE(use.entry);
  EXPECT_TRUE(use.known);
  EXPECT_TRUE(use.tracked);
  EXPECT_EQ(use.slots, 0u);
  EXPECT_EQ(use.held_slots, owned);
  EXPECT_EQ(use.used_slots, 0u);

  kernel_.Advance(1);
  EXPECT_GT(Send(/*opening=*/false, false, 3), 0u);
  use = Use();
  EXPECT_GT(use.used_slots, 0u);
  EXPECT_LE(use.used_slots, 3u);
  EXPECT_EQ(use.pinned, 0u) << "flows from before are not pinned";
  kernel_.Advance(kTimeouts.idle + 1);
  (void)Use();  // closes them
  kernel_.Advance(3);
  (void)Use();
  use = Use();
  EXPECT_EQ(use.held_slots, 0u);
  EXPECT_TRUE(use.known);
  EXPECT_TRUE(use.entry);
}

TEST_F(UsesTest, FlowsThatOpenedDuringAMoveArePinnedToIt) {
  Begin(MakeConfig(1, 4));
  SetState(model::AdminState::kDraining);
  SetState(model::AdminState::kEnabled);  // its slots are tracked: new flows are noted
  const size_t opened = Send(true);
  ASSERT_EQ(Send(false), opened);
  SetState(model::AdminState::kDraining);
  EXPECT_EQ(Use().pinned, opened);
  EXPECT_EQ(Send(false, /*closing=*/true), opened);
  kernel_.Advance(kTimeouts.closing);
  EXPECT_EQ(Use().pinned, 0u) << "they have closed";
}

TEST_F(UsesTest, ADisabledServerHasNothing) {
  Begin(MakeConfig(1, 4));
  SetState(model::AdminState::kDisabled);
  const ServerUse use = Use();
  EXPECT_FALSE(use.entry);
  EXPECT_TRUE(use.known);
  EXPECT_EQ(use.slots + use.held_slots, 0u);
}

TEST_F(UsesTest, WithoutTrackingHeldSlotsLeadNowhere) {
  model::Config config = MakeConfig(1, 4);
  config.vips[0].tracking = false;
  Begin(config);
  SetState(model::AdminState::kDraining);
  EXPECT_FALSE(Use().tracked);
  EXPECT_EQ(Send(false), 0u);
}

TEST_F(UsesTest, EveryPoolOfTheServerIsListed) {
  model::Config config = MakeConfig(2, 4);
  config.pools[1].backends[2].address = config.pools[0].backends[0].address;
  Begin(config);
  SetState(model::AdminState::kDraining);
  ASSERT_TRUE(publisher_->SweepOnce().ok());
  const std::vector<ServerUse> uses = publisher_->UsesOf(server_);
  ASSERT_EQ(uses.size(), 2u);
  EXPECT_EQ(uses[0].pool, "p0");
  EXPECT_EQ(uses[0].slots, 0u);
  EXPECT_EQ(uses[1].pool, "p1");
  EXPECT_GT(uses[1].slots, 0u);
}

TEST_F(UsesTest, AfterARestartNothingIsTakenForGranted) {
  Begin(MakeConfig(1, 4));
  SetState(model::AdminState::kDraining);
  const auto fleet = publisher_->applied();
  publisher_.reset();
  publisher_ = std::make_unique<publish::Publisher>(&kernel_, &resolver_, kTestKey, kTimeouts,
                                                    std::chrono::hours(1));
  ASSERT_TRUE(publisher_->Adopt(fleet).ok());
  EXPECT_FALSE(Use(/*sweep=*/false).known);
  EXPECT_GT(Use().held_slots, 200u);
}

// Pins that are read before the table is published may lack some.
TEST_F(UsesTest, ASweepThatBeganBeforeTheChangeDoesNotCount) {
  Begin(MakeConfig(1, 4));
  kernel_.OnPinsRead([&] { SetState(model::AdminState::kDraining); });
  ASSERT_TRUE(publisher_->SweepOnce().ok());
  kernel_.OnPinsRead(nullptr);
  EXPECT_FALSE(Use(/*sweep=*/false).known);
  EXPECT_TRUE(Use().known);
}

}  // namespace
}  // namespace evenkeel::testing
