// SPDX-License-Identifier: Apache-2.0
//
// Flows that are held where they were, and what becomes of them: while a sweep is slow, and when
// they are let go.
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "tests/unit/publish/fixture.h"

namespace evenkeel::testing {
namespace {

using publish::Publisher;

// Flows of slots that move, and what packets do while a sweep has read their pins and not yet
// dropped those that look dead.
class SlowSweepTest : public PublishingTest {
 protected:
  static constexpr uint32_t kFlows = 2000;

  void SetUp() override {
    publisher_ = std::make_unique<Publisher>(&kernel_, &resolver_, kTestKey, kTimeouts,
                                             std::chrono::hours(1));
    ASSERT_TRUE(publisher_->Adopt(nullptr).ok());
    model::Config config = MakeConfig(1, 4);
    ASSERT_TRUE(Apply(config).ok());
    config.pools[0].backends[0].weight = 90;
    ASSERT_TRUE(Apply(config).ok());
    Send(true);
    Send(false);
    pinned_ = kernel_.ReadPins()->size();
    ASSERT_GT(pinned_, 10u);
  }
  void Send(bool opening) {
    for (uint16_t port = 1; port <= kFlows; ++port) {
      kernel_.Deliver({.source = Ip("198.51.100.1"),
                       .destination = Ip("192.0.2.1"),
                       .source_port = port,
                       .destination_port = 443,
                       .ip_protocol = IPPROTO_TCP,
                       .opening = opening});
    }
  }

  static constexpr publish::FlowTimeouts kTimeouts{.idle = 10, .opening = 5, .closing = 5};
  size_t pinned_ = 0;
};

TEST_F(SlowSweepTest, PinsThatAreRenewedMeanwhileStay) {
  kernel_.Advance(kTimeouts.idle - 1);
  kernel_.OnPinsRead([&] {
    Send(false);
    kernel_.Advance(kTimeouts.idle - 1);
  });
  ASSERT_TRUE(publisher_->SweepOnce().ok());
  kernel_.OnPinsRead(nullptr);
  EXPECT_EQ(kernel_.ReadPins()->size(), pinned_);
}

TEST_F(SlowSweepTest, FlowsThatOpenAnewMeanwhileStayPinned) {
  kernel_.Advance(kTimeouts.idle);
  kernel_.OnPinsRead([&] {
    Send(true);
    Send(false);
  });
  ASSERT_TRUE(publisher_->SweepOnce().ok());
  kernel_.OnPinsRead(nullptr);
  EXPECT_EQ(kernel_.ReadPins()->size(), pinned_);
  kernel_.Advance(kTimeouts.idle);
  ASSERT_TRUE(publisher_->SweepOnce().ok());
  EXPECT_EQ(kernel_.ReadPins()->size(), 0u) << "dead ones go";
}

// Flows that a change attracted, after it was taken back.
class LetGoTest : public SlowSweepTest {
 protected:
  void SetUp() override {
    SlowSweepTest::SetUp();
    pool_ = publisher_->applied()->pools[0]->name();
    model::Config config = publisher_->applied()->ToConfig();
    config.pools[0].backends[0].weight = 100;
    held_ = Where();
    ASSERT_TRUE(Apply(config).ok());
    ASSERT_EQ(Where(), held_) << "they stay";
  }
  std::vector<std::string> Where() {
    std::vector<std::string> servers;
    for (uint16_t port = 1; port <= kFlows; ++port) {
      servers.push_back(kernel_
                            .Deliver({.source = Ip("198.51.100.1"),
                                      .destination = Ip("192.0.2.1"),
                                      .source_port = port,
                                      .destination_port = 443,
                                      .ip_protocol = IPPROTO_TCP,
                                      .opening = false})
                            ->ToString());
    }
    return servers;
  }
  // Flows that are not where they were held.
  size_t Gone() {
    const std::vector<std::string> now = Where();
    size_t gone = 0;
    for (size_t i = 0; i < now.size(); ++i) gone += now[i] != held_[i];
    return gone;
  }
  void SweepTimes(int times) {
    for (int i = 0; i < times; ++i) ASSERT_TRUE(publisher_->SweepOnce().ok());
  }

  std::string pool_;
  std::vector<std::string> held_;
};

TEST_F(LetGoTest, TheyStayUnlessThatIsAsked) {
  SweepTimes(30);
  EXPECT_EQ(Gone(), 0u);
}

TEST_F(LetGoTest, TheyGoBitByBitUntilNoneIsHeld) {
  publisher_->LetGo({pool_});
  SweepTimes(1);
  const size_t first = Gone();
  SweepTimes(24);
  const size_t all = Gone();
  EXPECT_GT(all, 20u);
  EXPECT_LT(first, all / 2) << "not all at once";
  EXPECT_TRUE(kernel_.ReadPins()->empty());
  EXPECT_TRUE(publisher_->Tracking().pools.empty());
}

TEST_F(LetGoTest, WhatWasLetGoDoesNotComeBackWhenItsSlotMovesAgain) {
  publisher_->LetGo({pool_});
  SweepTimes(25);
  const std::vector<std::string> owners = Where();
  model::Config config = publisher_->applied()->ToConfig();
  config.pools[0].backends[0].weight = 90;
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_EQ(Where(), owners);
}

TEST_F(LetGoTest, TheNextChangeEndsIt) {
  publisher_->LetGo({pool_});
  model::Config config = publisher_->applied()->ToConfig();
  config.pools[0].backends[1].weight = 90;
  ASSERT_TRUE(Apply(config).ok());
  SweepTimes(25);
  EXPECT_EQ(Gone(), 0u);
}

TEST_F(LetGoTest, OtherPoolsAreLeftAlone) {
  publisher_->LetGo({"another"});
  SweepTimes(25);
  EXPECT_EQ(Gone(), 0u);
}

}  // namespace
}  // namespace evenkeel::testing
