// SPDX-License-Identifier: Apache-2.0
//
// The first broken link names the cause of a skew.
#include <algorithm>

#include "absl/strings/match.h"
#include "world.h"

namespace evenkeel::detect::testing {
namespace {

using ::testing::HasSubstr;
using What = AlarmEvent::What;

void SampleManyClients(World& world) {
  for (int server = 1; server <= 10; ++server) SampleClients(world, 30, server, 30);
}

// Of pools that are known to be uneven by right.
constexpr Thresholds kAfterHours{.by_right_s = 4 * 3600};

bool HasPage(World& world) {
  const std::vector<Alarm> alarms = world.detector.Alarms();
  return std::any_of(alarms.begin(), alarms.end(),
                     [](const Alarm& alarm) { return alarm.severity == Severity::kPage; });
}

TEST(CauseTest, ADigestThatDiffersIsAForeignWrite) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  world.readback = Readback::kDiffers;
  world.Run(2, World::Skewed(world.plan, 1000, 0, 3));
  EXPECT_EQ(world.Find(Kind::kFlows)->diagnosis, Diagnosis::kMaps);
  EXPECT_NE(world.Find(Kind::kKernel), nullptr);
}

TEST(CauseTest, NothingKnownOfClientsIsSaidSo) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  world.Run(2, World::Skewed(world.plan, 1000, 0, 3));
  EXPECT_EQ(world.Find(Kind::kFlows)->diagnosis, Diagnosis::kUnexplained);
  EXPECT_THAT(world.detector.WantSamples(), ::testing::ElementsAre("web"));
  EXPECT_THAT(world.detector.Objection(0), HasSubstr("web-1"));
}

TEST(CauseTest, SamplesAreNotWantedInQuietTimes) {
  World world;
  world.Run(400, World::Even(world.plan, 1000));
  EXPECT_TRUE(world.detector.WantSamples().empty());
}

TEST(CauseTest, SamplingHasItsPauses) {
  PoolPlan plan = EvenPool("web", 10);
  plan.spread = Spread::kSource;
  World world(plan);
  int wanted = 0;
  for (int second = 0; second < 3000; ++second) {
    world.Second(World::Skewed(plan, 1000, 0, 4));
    wanted += static_cast<int>(world.detector.WantSamples().size());
  }
  EXPECT_GE(wanted, 550);
  EXPECT_LE(wanted, 650);
}

TEST(CauseTest, ManyClientsLeaveTheDataPath) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  world.Run(2, World::Skewed(world.plan, 1000, 0, 3));
  SampleManyClients(world);
  const std::vector<AlarmEvent> events = world.Run(1, World::Skewed(world.plan, 1000, 0, 3));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].what, What::kChanged);
  EXPECT_EQ(events[0].alarm.diagnosis, Diagnosis::kDataPath);
  EXPECT_EQ(events[0].alarm.severity, Severity::kPage);
}

// What one client does is no proof against the balancer: nobody is woken, but it is told.
TEST(CauseTest, OneClientThatOpensTheSameConnectionAgainAndAgain) {
  World world;
  std::vector<AlarmEvent> events;
  for (int second = 0; second < 330; ++second) {
    if (second % 10 == 0) {
      SampleManyClients(world);
      SampleClients(world, 120, 1, 1);
    }
    for (AlarmEvent& event : world.Second(World::Skewed(world.plan, 1000, 0, 3))) {
      events.push_back(std::move(event));
    }
  }
  ASSERT_EQ(events.size(), 1u);
  const Alarm& alarm = events[0].alarm;
  EXPECT_EQ(alarm.severity, Severity::kTicket);
  EXPECT_EQ(alarm.diagnosis, Diagnosis::kFewSources);
  ASSERT_EQ(alarm.evidence.heavy.size(), 1u);
  EXPECT_EQ(alarm.evidence.heavy[0].source, ClientAddress(1000));
  EXPECT_THAT(alarm.text, HasSubstr("Few clients make it: 192.0.3.232 port 4000"));
}

// The page goes out before anything is sampled. What is sampled then says why.
TEST(CauseTest, ASampleThatComesLaterExplainsThePage) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  const auto rates = World::Skewed(world.plan, 1000, 0, 3);
  world.Run(2, rates);
  ASSERT_EQ(world.Find(Kind::kFlows)->severity, Severity::kPage);
  EXPECT_NE(world.detector.Objection(0), "");
  SampleManyClients(world);
  SampleClients(world, 120, 1, 1);
  const std::vector<AlarmEvent> events = world.Run(2, rates);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].what, What::kChanged);
  EXPECT_EQ(events[0].alarm.diagnosis, Diagnosis::kFewSources);
  EXPECT_EQ(world.detector.Objection(0), "");
}

// Where such pools are known to be uneven, by right: the report says it in five minutes, and an
// alarm it is where it stays.
TEST(CauseTest, AffinityToSourcesWithoutASampleIsATicketAfterHoursWhereToldTo) {
  PoolPlan plan = EvenPool("web", 10);
  plan.spread = Spread::kSource;
  World world(plan, kAfterHours);
  const auto rates = World::Skewed(plan, 1000, 0, 4);
  EXPECT_TRUE(world.Run(310, rates).empty());
  EXPECT_EQ(world.Report().verdict, Verdict::kBroken);
  EXPECT_EQ(world.Report().diagnosis, Diagnosis::kFewSources);
  EXPECT_THAT(world.Report().text, HasSubstr("client's address"));
  const int seconds = 310 + world.Until(What::kRaised, rates, 5 * 3600);
  EXPECT_NEAR(seconds, 4 * 3600, 60);
  const Alarm* alarm = world.Find(Kind::kFlows);
  ASSERT_NE(alarm, nullptr);
  EXPECT_EQ(alarm->severity, Severity::kTicket);
  EXPECT_EQ(alarm->diagnosis, Diagnosis::kFewSources);
  EXPECT_EQ(alarm->undo, "");
  EXPECT_EQ(world.detector.Objection(0), "");
}

TEST(CauseTest, AffinityToSourcesIsATicketAfterFiveMinutes) {
  PoolPlan plan = EvenPool("web", 10);
  plan.spread = Spread::kSource;
  World world(plan);
  const int seconds = world.Until(What::kRaised, World::Skewed(plan, 1000, 0, 1.9), 3600);
  EXPECT_GE(seconds, 295);
  EXPECT_LE(seconds, 310);
  const Alarm* alarm = world.Find(Kind::kFlows);
  ASSERT_NE(alarm, nullptr);
  EXPECT_EQ(alarm->severity, Severity::kTicket);
  EXPECT_EQ(alarm->diagnosis, Diagnosis::kFewSources);
  EXPECT_LE(world.Until(What::kCleared, World::Even(plan, 1000), 600), 130);
  EXPECT_EQ(world.Report().verdict, Verdict::kMatches);
}

// Who is to have no new flows gets some: no client explains that, sampled or not.
TEST(CauseTest, ClientsDoNotExplainFlowsOfADrainingServer) {
  PoolPlan plan = EvenPool("web", 10);
  plan.spread = Spread::kSource;
  SetShares({0, .12, .11, .11, .11, .11, .11, .11, .11, .11}, &plan);
  World world(plan);
  World::Rates rates = World::Even(plan, 1000);
  rates.flows[0] = 40;
  EXPECT_LE(world.Until(What::kRaised, rates, 60), 12);
}

// 1.6 times, of so many clients that they cannot make it.
TEST(CauseTest, BeyondWhatClientsCanMakeIsATicketWithinMinutes) {
  PoolPlan plan = EvenPool("web", 10);
  plan.spread = Spread::kSource;
  for (const int clients : {400, 40, 3}) {  // of a server; with 40 z is 4.7
    World world(plan, kAfterHours);
    int seconds = 0, differ = 0;
    while (++seconds < 900 && world.Find(Kind::kFlows) == nullptr) {
      if (seconds % 3 == 0 && !world.detector.WantSamples().empty()) {
        for (int server = 1; server <= 10; ++server) {
          SampleClients(world, server == 1 ? 384 : 240, server, clients);
        }
      }
      world.Second(World::Skewed(plan, 20'000, 0, 1.7));
      if (absl::StrContains(world.Report().text, "clients differ so much")) ++differ;
    }
    EXPECT_EQ(differ > 0, clients == 40);
    const Alarm* alarm = world.Find(Kind::kFlows);
    if (clients != 400) {
      EXPECT_EQ(alarm, nullptr);
      EXPECT_EQ(world.Report().diagnosis, Diagnosis::kFewSources);
      continue;
    }
    ASSERT_NE(alarm, nullptr);
    EXPECT_GE(seconds, 299);
    EXPECT_LE(seconds, 420);
    EXPECT_EQ(alarm->severity, Severity::kTicket);
    EXPECT_EQ(alarm->diagnosis, Diagnosis::kDataPath);
  }
}

// Half a minute of samples, so that all of them are of the time in question.
TEST(CauseTest, AffinityToSourcesWithManyOfThemPagesAsAnyOther) {
  PoolPlan plan = EvenPool("web", 10);
  plan.spread = Spread::kSource;
  World world(plan);
  int paged = 0;
  for (int second = 1; second <= 60 && paged == 0; ++second) {
    for (int server = 1; server <= 10; ++server) SampleClients(world, 200, server, 200);
    world.Second(World::Skewed(plan, 1000, 0, 4));
    const Alarm* alarm = world.Find(Kind::kFlows);
    if (alarm != nullptr && alarm->severity == Severity::kPage) paged = second;
  }
  EXPECT_GE(paged, 30);
  EXPECT_LE(paged, 32);
  EXPECT_EQ(world.Find(Kind::kFlows)->diagnosis, Diagnosis::kDataPath);
}

// A client that came after the sample: what is known of clients is not of now.
TEST(CauseTest, AnOldSampleWakesNobody) {
  PoolPlan plan = EvenPool("web", 10);
  plan.spread = Spread::kSource;
  World world(plan);
  world.Run(100, World::Even(plan, 1000));
  for (int server = 1; server <= 10; ++server) SampleClients(world, 200, server, 200);
  world.Run(20, World::Skewed(plan, 1000, 0, 6));
  EXPECT_EQ(world.Find(Kind::kFlows), nullptr);
}

// Nine clients, none of them a twentieth, on one of 26 servers: rare, but seen in a month of many
// pools, and nobody's fault.
TEST(CauseTest, ClientsOfMiddleSizeThatMeetWakeNobody) {
  PoolPlan plan = EvenPool("web", 26);
  plan.spread = Spread::kSource;
  World world(plan);
  int others = 0;
  const auto sample = [&](int server, int client) {
    world.detector.NoteFlow({.pool = "web",
                             .server = Address(server),
                             .source = ClientAddress(client),
                             .source_port = 4000,
                             .destination_port = 443,
                             .ip_protocol = 6,
                             .opening = true,
                             .packets = 1,
                             .bytes = 60});
  };
  for (int second = 0; second < 900; ++second) {
    for (int i = 0; i < 6 * 26; ++i) sample(1 + i % 26, 100 + others++ % 60'000);
    for (int i = 0; i < 22; ++i) sample(1, i < 6 ? 1 : 2 + i % 8);
    world.Second(World::Skewed(plan, 700, 0, 4.3));
    ASSERT_FALSE(HasPage(world)) << second;
  }
}

// Five minutes remember a client that is gone, when samples know it no more.
TEST(CauseTest, AClientThatIsGoneIsNoTicket) {
  PoolPlan plan = EvenPool("web", 10);
  plan.spread = Spread::kSource;
  World world(plan, kAfterHours);
  for (int second = 0; second < 600; ++second) {
    const bool there = second < 300;
    if (second % 3 == 0) {
      for (int server = 1; server <= 10; ++server) SampleClients(world, 200, server, 200);
      if (there) SampleClients(world, 1000, 1, 1);
    }
    world.Second(there ? World::Skewed(plan, 20'000, 0, 4) : World::Even(plan, 20'000));
    ASSERT_TRUE(world.detector.Alarms().empty()) << second;
  }
}

TEST(CauseTest, UnevenQueuesAreUpstream) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  for (int i = 0; i < 8; ++i) {
    world.lanes.push_back({LaneReading::Kind::kQueue, "rx-" + std::to_string(i), 0});
  }
  const auto rates = World::Skewed(world.plan, 1000, 0, 3);
  for (int second = 0; second < 20; ++second) {
    for (size_t i = 0; i < 8; ++i) world.lanes[i].packets += i == 3 ? 8000 : 300;
    world.Second(rates);
  }
  const Alarm* alarm = world.Find(Kind::kFlows);
  ASSERT_NE(alarm, nullptr);
  EXPECT_EQ(alarm->diagnosis, Diagnosis::kUpstream);
  EXPECT_THAT(alarm->text, HasSubstr("queue rx-3"));
}

// SYNs that nobody answers come again: the server gets more "new flows", and nothing else.
TEST(CauseTest, AServerThatDoesNotAnswerIsNotTheBalancersFault) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  World::Rates rates = World::Even(world.plan, 1000);
  rates.flows[2] = 400;
  rates.packets.assign(10, 1000);
  rates.packets[2] = 420;
  world.Run(5, rates);
  const Alarm* alarm = world.Find(Kind::kFlows);
  ASSERT_NE(alarm, nullptr);
  EXPECT_EQ(alarm->diagnosis, Diagnosis::kBackend);
  EXPECT_EQ(alarm->severity, Severity::kTicket) << "health has time to find it";
  EXPECT_THAT(alarm->text, HasSubstr("does not answer"));
  world.health[2] = Health::kDown;
  EXPECT_TRUE(world.Find(Kind::kFlows)->severity == Severity::kTicket);
  world.Run(30, rates);
  EXPECT_EQ(world.Find(Kind::kFlows)->severity, Severity::kTicket);
  EXPECT_EQ(world.detector.Objection(0), "");
}

TEST(CauseTest, WhereHealthDoesNotFindItSomebodyIsWoken) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  World::Rates rates = World::Even(world.plan, 1000);
  rates.flows[2] = 400;
  rates.packets.assign(10, 1000);
  rates.packets[2] = 420;
  const int seconds = world.Until(What::kEscalated, rates, 60);
  EXPECT_GE(seconds, 15);
  EXPECT_LE(seconds, 22);
  EXPECT_EQ(world.Find(Kind::kFlows)->diagnosis, Diagnosis::kBackend);
}

// A flood of SYNs at the whole pool: others have no more packets for a flow.
TEST(CauseTest, SynsWithoutMoreAreUsualWhereAllHaveThem) {
  World world;
  World::Rates rates = World::Even(world.plan, 1000);
  rates.packets = rates.flows;
  world.Run(60, rates);
  rates = World::Skewed(world.plan, 1000, 0, 3);
  rates.packets = rates.flows;
  world.Run(3, rates);
  EXPECT_EQ(world.Find(Kind::kFlows)->diagnosis, Diagnosis::kUnexplained);
}

TEST(CauseTest, ASkewThatBringsAServerDownKeepsItsCause) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  const auto rates = World::Skewed(world.plan, 1000, 0, 4);
  world.Run(15, rates);
  ASSERT_EQ(world.Find(Kind::kFlows)->diagnosis, Diagnosis::kUnexplained);
  world.health[0] = Health::kDown;
  world.Run(30, rates);
  EXPECT_EQ(world.Find(Kind::kFlows)->diagnosis, Diagnosis::kUnexplained);
  EXPECT_EQ(world.Find(Kind::kFlows)->severity, Severity::kPage);
}

// Plain UDP: packets stand for flows, a hundred for one, and nobody is woken without a sample.
TEST(CauseTest, PlainUdpIsATicketUnlessClientsAreKnown) {
  PoolPlan plan = EvenPool("dns", 10);
  plan.counts_flows = false;
  for (const bool sampled : {false, true}) {
    World world(plan);
    World::Rates rates = World::Even(plan, 0);
    rates.packets.assign(10, 7'777.0);
    rates.packets[0] = 30'000;
    int seconds = 0;
    while (++seconds < 5 * 3600 && world.Find(Kind::kFlows) == nullptr) {
      for (int server = 1; sampled && server <= 10; ++server) {
        SampleClients(world, 200, server, 200);
      }
      world.Second(rates);
    }
    const Alarm* alarm = world.Find(Kind::kFlows);
    ASSERT_NE(alarm, nullptr);
    EXPECT_EQ(alarm->evidence.unit, "packets");
    EXPECT_EQ(alarm->severity, sampled ? Severity::kPage : Severity::kTicket);
    EXPECT_TRUE(sampled ? seconds <= 35 : seconds >= 295 && seconds <= 310) << seconds;
  }
}

// 51 expected flows' worth of packets in 10 s.
TEST(CauseTest, PlainUdpOfLittleTraffic) {
  PoolPlan plan = EvenPool("dns", 10);
  plan.counts_flows = false;
  World world(plan);
  World::Rates rates = World::Even(plan, 0);
  rates.packets.assign(10, 400);
  rates.packets[0] = 1500;
  int seconds = 0;
  while (++seconds < 60 && world.Find(Kind::kFlows) == nullptr) {
    for (int server = 1; server <= 10; ++server) SampleClients(world, 200, server, 200);
    world.Second(rates);
  }
  EXPECT_GE(seconds, 30);
  EXPECT_LE(seconds, 45);
}

// A pool where nobody is woken needs a sample all the time that it looks uneven.
TEST(CauseTest, SamplingHasNoPausesWhereAPageMayGoOut) {
  World world;
  world.Run(400, World::Even(world.plan, 1000));
  // 1.45 times is no alarm, and nothing to look at; 1.9 times is, and no page.
  const auto rates = World::Skewed(world.plan, 1000, 0, 1.9);
  world.Run(60, rates);
  for (int second = 0; second < 180; ++second) {
    ASSERT_TRUE(world.detector.Alarms().empty());
    EXPECT_EQ(world.detector.WantSamples().size(), 1u) << second;
    world.Second(rates);
  }
}

// Two clients of a tenth each on one of 25 servers, told by the sample.
TEST(CauseTest, FewSourcesThatASampleShowsWakeNobody) {
  PoolPlan plan = EvenPool("web", 25);
  plan.spread = Spread::kSource;
  World world(plan);
  for (int second = 0; second < 330; ++second) {
    for (int server = 1; server <= 25; ++server) SampleClients(world, 40, server, 40);
    SampleClients(world, 250, 1, 2);
    world.Second(World::Skewed(plan, 5000, 0, 6));
    EXPECT_FALSE(HasPage(world)) << second;
  }
  EXPECT_EQ(world.Report().diagnosis, Diagnosis::kFewSources);
}

}  // namespace
}  // namespace evenkeel::detect::testing
