// SPDX-License-Identifier: Apache-2.0
//
// Packets and bytes against new flows: elephants, and connections that stay where they were.
#include "world.h"

namespace evenkeel::detect::testing {
namespace {

using ::testing::HasSubstr;
using What = AlarmEvent::What;

World::Rates Elephant(const PoolPlan& plan, double times) {
  World::Rates rates = World::Even(plan, 100);
  rates.packets.assign(10, 1000);
  rates.bytes.assign(10, 1'000'000);
  rates.bytes[6] *= times;
  return rates;
}

// Where single flows are known to carry much by right.
constexpr Thresholds kAfterHours{.by_right_s = 4 * 3600};

// The report says so in five minutes all the same.
TEST(LoadTest, BytesThatAreUnevenForFiveMinutesAreInTheReport) {
  World world(EvenPool("web", 10), kAfterHours);
  const auto rates = Elephant(world.plan, 3);
  EXPECT_TRUE(world.Run(290, rates).empty());
  EXPECT_EQ(world.Report().verdict, Verdict::kMatches);
  EXPECT_TRUE(world.Run(21, rates).empty());
  const PoolReport report = world.Report();
  EXPECT_EQ(report.links[2].state, LinkState::kHolds);
  EXPECT_EQ(report.links[3].state, LinkState::kBroken);
  EXPECT_EQ(report.diagnosis, Diagnosis::kElephant);
  EXPECT_THAT(report.text, HasSubstr("web-7"));
  EXPECT_THAT(report.text, HasSubstr("is not the cause"));
  world.Run(130, World::Even(world.plan, 100));
  EXPECT_EQ(world.Report().verdict, Verdict::kMatches);
}

class LoadTicketTest : public ::testing::TestWithParam<int> {};  // after seconds

TEST_P(LoadTicketTest, BytesThatAreUnevenForSoLong) {
  World world(EvenPool("web", 10), {.by_right_s = static_cast<double>(GetParam())});
  const auto rates = Elephant(world.plan, 3);
  const int seconds = world.Until(What::kRaised, rates, 5 * 3600);
  EXPECT_NEAR(seconds, GetParam(), 60);
  const Alarm* alarm = world.Find(Kind::kLoad);
  ASSERT_NE(alarm, nullptr);
  EXPECT_EQ(alarm->severity, Severity::kTicket);
  EXPECT_EQ(alarm->diagnosis, Diagnosis::kElephant);
  EXPECT_EQ(alarm->name, "web-7");
  EXPECT_EQ(alarm->evidence.unit, "bytes");
  EXPECT_LE(world.Until(What::kCleared, World::Even(world.plan, 100), 200), 130);
}

INSTANTIATE_TEST_SUITE_P(Load, LoadTicketTest, ::testing::Values(300, 4 * 3600));

TEST(LoadTest, FiveMinutesAreTheDefault) {
  EXPECT_EQ(Thresholds().by_right_s, 300);
  World world;
  EXPECT_TRUE(world.Run(3600, Elephant(world.plan, 1.4)).empty()) << "below 1.5 times";
}

TEST(LoadTest, ASampleNamesTheFlow) {
  World world(EvenPool("web", 10), kAfterHours);
  const auto rates = Elephant(world.plan, 3);
  for (int i = 0; i < 4 * 3600 + 60; ++i) {
    if (i == 320) {
      EXPECT_THAT(world.Report().text, HasSubstr("192.0.0.1 port 5555"));
    }
    if (i % 10 == 0) {
      for (int packet = 0; packet < 100; ++packet) {
        FlowSample sample{.pool = "web",
                          .server = Address(packet < 30 ? 7 : packet % 10 + 1),
                          .source = ClientAddress(packet < 30 ? 1 : 100 + packet),
                          .source_port = static_cast<uint16_t>(packet < 30 ? 5555 : packet),
                          .destination_port = 443,
                          .ip_protocol = 6,
                          .opening = false,
                          .packets = 100,
                          .bytes = packet < 30 ? 1500u : 300u};
        world.detector.NoteFlow(sample);
      }
    }
    world.Second(rates);
  }
  const Alarm* alarm = world.Find(Kind::kLoad);
  ASSERT_NE(alarm, nullptr);
  ASSERT_GE(alarm->evidence.heavy.size(), 1u);
  EXPECT_EQ(alarm->evidence.heavy[0].source, ClientAddress(1));
  EXPECT_THAT(alarm->text, HasSubstr("192.0.0.1 port 5555 to port 443 (tcp)"));
}

TEST(LoadTest, FourTenthsMoreIsNothing) {
  World world;
  EXPECT_TRUE(world.Run(900, Elephant(world.plan, 1.5)).empty());  // 1.43 times its share
}

TEST(LoadTest, TooFewPacketsSayNothing) {
  World world;
  World::Rates rates = World::Even(world.plan, 1);
  rates.packets.assign(10, 4);
  rates.packets[0] = 25;  // 2,200 expected in six minutes
  EXPECT_TRUE(world.Run(900, rates).empty());
}

// While slots change hands older connections are where they were: new flows are the witness.
TEST(LoadTest, MovingSlotsExcusePacketsAndNotNewFlows) {
  World world;
  world.moving = 100;
  World::Rates rates = World::Even(world.plan, 1000);
  rates.packets.assign(10, 500);
  rates.packets[0] = 20'000;
  EXPECT_TRUE(world.Run(900, rates).empty());
  EXPECT_EQ(world.Report().links[3].state, LinkState::kUnknown);
  World::Rates skewed = World::Skewed(world.plan, 1000, 0, 3);
  skewed.packets = rates.packets;
  EXPECT_EQ(world.Until(What::kRaised, skewed, 10), 1);
  EXPECT_EQ(world.Find(Kind::kFlows)->severity, Severity::kPage);
}

// What was counted during the move does not count after it.
TEST(LoadTest, FiveMinutesBeginWhenNothingMovesAnyMore) {
  World world;
  world.moving = 100;
  const auto rates = Elephant(world.plan, 3);
  world.Run(600, rates);
  world.moving = 0;
  int seconds = 1;
  while (world.Second(rates), world.Report().verdict == Verdict::kMatches && seconds < 600) {
    ++seconds;
  }
  EXPECT_GE(seconds, 298);
  EXPECT_LE(seconds, 311);
}

TEST(LoadTest, ASkewOfNewFlowsIsNotSaidTwice) {
  World world;
  world.Run(400, World::Skewed(world.plan, 1000, 0, 3));
  EXPECT_NE(world.Find(Kind::kFlows), nullptr);
  EXPECT_EQ(world.Find(Kind::kLoad), nullptr);
}

}  // namespace
}  // namespace evenkeel::detect::testing
