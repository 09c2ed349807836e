// SPDX-License-Identifier: Apache-2.0
#include "world.h"

namespace evenkeel::detect::testing {
namespace {

using ::testing::HasSubstr;
using What = AlarmEvent::What;
using LaneKind = LaneReading::Kind;

class UpstreamTest : public ::testing::Test {
 protected:
  void SetLanes(LaneKind kind, size_t n) {
    world.lanes.clear();
    for (size_t i = 0; i < n; ++i) world.lanes.push_back({kind, std::to_string(i), 0});
  }
  // The first gets `times` its share of so many a second.
  std::vector<AlarmEvent> Run(int seconds, double packets, double times) {
    std::vector<AlarmEvent> events;
    const auto n = static_cast<double>(world.lanes.size());
    for (int second = 0; second < seconds; ++second) {
      for (size_t i = 0; i < world.lanes.size(); ++i) {
        const double part = i == 0 ? times / n : (1 - times / n) / (n - 1);
        world.lanes[i].packets += static_cast<uint64_t>(packets * part);
      }
      for (AlarmEvent& e : world.Second(World::Even(world.plan, 1000))) {
        events.push_back(std::move(e));
      }
    }
    return events;
  }
  World world;
};

TEST_F(UpstreamTest, EvenLanesAreNoAlarm) {
  SetLanes(LaneKind::kQueue, 8);
  EXPECT_TRUE(Run(200, 10'000, 1).empty());
  EXPECT_TRUE(Run(200, 10'000, 1.9).empty());
}

TEST_F(UpstreamTest, OneQueueWithMostIsATicketOfNoPool) {
  SetLanes(LaneKind::kQueue, 8);
  const std::vector<AlarmEvent> events = Run(20, 10'000, 4);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].alarm.id, "upstream/queue 0");
  EXPECT_EQ(events[0].alarm.severity, Severity::kTicket);
  EXPECT_EQ(events[0].alarm.diagnosis, Diagnosis::kUpstream);
  EXPECT_EQ(events[0].alarm.pool, "");
  EXPECT_THAT(events[0].alarm.text,
              HasSubstr("queue 0 gets 50.0 % of the packets instead of 12.5 %"));
  EXPECT_TRUE(world.detector.Acknowledge("upstream/queue 0", "kim", 1));
  const std::vector<AlarmEvent> after = Run(150, 10'000, 1);
  ASSERT_EQ(after.size(), 1u);
  EXPECT_EQ(after[0].what, What::kCleared);
}

TEST_F(UpstreamTest, OneOfTwoInterfacesWithEverything) {
  SetLanes(LaneKind::kInterface, 2);
  Run(30, 10'000, 1.96);
  EXPECT_NE(world.Find(Kind::kUpstream), nullptr);
}

TEST_F(UpstreamTest, FewPacketsSayNothing) {
  SetLanes(LaneKind::kHost, 4);
  EXPECT_TRUE(Run(200, 300, 3.5).empty());
}

TEST_F(UpstreamTest, ASingleFlowExplainsAQueue) {
  SetLanes(LaneKind::kCpu, 4);
  for (int i = 0; i < 600; ++i) {
    world.detector.NoteFlow({.pool = "web",
                             .server = Address(1),
                             .source = ClientAddress(i % 2 == 0 ? 1 : i),
                             .source_port = 1,
                             .destination_port = 443,
                             .ip_protocol = 6,
                             .opening = false,
                             .packets = 1,
                             .bytes = 1000});
  }
  Run(20, 10'000, 2.5);
  ASSERT_NE(world.Find(Kind::kUpstream), nullptr);
  EXPECT_EQ(world.Find(Kind::kUpstream)->diagnosis, Diagnosis::kElephant);
}

// Before it blames those who spread packets, it asks for a sample, and waits a moment for it.
TEST_F(UpstreamTest, ASampleIsWantedFirst) {
  SetLanes(LaneKind::kCpu, 4);
  Run(60, 10'000, 1);
  EXPECT_TRUE(world.detector.WantSamples().empty());
  int waited = 0;
  for (; world.detector.WantSamples().empty() && waited < 60; ++waited) Run(1, 10'000, 3);
  ASSERT_LT(waited, 60);
  EXPECT_EQ(world.Find(Kind::kUpstream), nullptr);
  EXPECT_TRUE(Run(1, 10'000, 3).empty());
  EXPECT_FALSE(world.detector.WantSamples().empty());
  Run(3, 10'000, 3);
  ASSERT_NE(world.Find(Kind::kUpstream), nullptr) << "there is none";
  EXPECT_EQ(world.Find(Kind::kUpstream)->diagnosis, Diagnosis::kUpstream);
  EXPECT_FALSE(world.detector.WantSamples().empty()) << "one may still say otherwise";
}

TEST_F(UpstreamTest, ALaneThatGoesTakesItsAlarmAlong) {
  SetLanes(LaneKind::kQueue, 8);
  Run(30, 10'000, 4);
  world.lanes.clear();
  const std::vector<AlarmEvent> events = world.Run(1, World::Even(world.plan, 1000));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].what, What::kCleared);
}

}  // namespace
}  // namespace evenkeel::detect::testing
