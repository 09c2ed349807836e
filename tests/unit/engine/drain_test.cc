// SPDX-License-Identifier: Apache-2.0
//
// When a server may be stopped, and what is said until then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using State = DrainProgress::State;

constexpr seconds kIdleTimeout{900};

DrainPlace Place(milliseconds idle) {
  DrainPlace place{.pool = "web", .backend = "web-3", .state = model::AdminState::kDraining};
  place.idle = idle;
  return place;
}
DrainPlace With(DrainPlace place, const std::function<void(DrainPlace&)>& change) {
  change(place);
  return place;
}

struct JudgeCase {
  const char* name;
  std::vector<DrainPlace> places;
  seconds quiet;
  State state;
  const char* text;
};
class JudgeDrainTest : public ::testing::TestWithParam<JudgeCase> {};

TEST_P(JudgeDrainTest, SaysWhatIsKnown) {
  DrainProgress progress;
  progress.address = *model::IpAddress::Parse("10.0.1.3");
  progress.places = GetParam().places;
  JudgeDrain(GetParam().quiet, kIdleTimeout, &progress);
  EXPECT_EQ(progress.state, GetParam().state) << progress.text;
  EXPECT_THAT(progress.text, HasSubstr(GetParam().text));
  EXPECT_EQ(progress.last(), progress.state != State::kDraining);
}

const DrainPlace kHeld = With(Place(seconds(60)), [](DrainPlace& p) {
  p.held_slots = 100;
  p.used_slots = 3;
  p.pinned_flows = 2;
});
const DrainPlace kServingElsewhere = With(Place(seconds(0)), [](DrainPlace& p) {
  p.pool = "api";
  p.backend = "api-1";
  p.state = model::AdminState::kEnabled;
  p.serving = true;
  p.slots = 40;
  p.idle.reset();
});

INSTANTIATE_TEST_SUITE_P(
    All, JudgeDrainTest,
    ::testing::Values(
        JudgeCase{"nothing_leads_there",
                  {Place(seconds(4))},
                  seconds(0),
                  State::kSafe,
                  "safe to stop: no slot leads to 10.0.1.3"},
        JudgeCase{
            "just_drained", {Place(seconds(1))}, seconds(0), State::kDraining, "0 packets for 1 s"},
        JudgeCase{"not_counted_yet",
                  {With(Place(seconds(0)), [](auto& p) { p.idle.reset(); })},
                  seconds(0),
                  State::kDraining,
                  "not counted yet"},
        JudgeCase{"packets_come",
                  {With(kHeld,
                        [](auto& p) {
                          p.idle = milliseconds(0);
                          p.packets_per_s = 12.4;
                        })},
                  seconds(0),
                  State::kDraining,
                  "12 packets/s; 2 connections are pinned to it"},
        JudgeCase{"idle_connections_are_named",
                  {kHeld},
                  seconds(0),
                  State::kDraining,
                  "0 packets for 60 s; 2 connections are pinned to it; connections from before may "
                  "be in 100 slots, packets came through 3 of them since; idle ones break if you "
                  "stop it; without a packet they count as ended in 14 min"},
        JudgeCase{"quiet_for_less_than_asked", {kHeld}, seconds(61), State::kDraining, "0 packets"},
        JudgeCase{"quiet_for_as_long_as_asked",
                  {kHeld},
                  seconds(60),
                  State::kQuiet,
                  "no packet for 60 s, as asked; in pool web 2 connections are pinned to it and "
                  "connections from before may be in 100 slots"},
        JudgeCase{"safe_says_more_than_quiet",
                  {Place(seconds(100))},
                  seconds(60),
                  State::kSafe,
                  "safe to stop: no slot"},
        JudgeCase{"pinned_alone",
                  {With(Place(seconds(60)), [](auto& p) { p.pinned_flows = 1; })},
                  seconds(0),
                  State::kDraining,
                  "1 connection is pinned to it"},
        JudgeCase{"without_tracking_nothing_is_held",
                  {With(kHeld, [](auto& p) { p.tracked = false; })},
                  seconds(0),
                  State::kSafe,
                  "safe to stop: no slot"},
        JudgeCase{"quic_ids_lead_there_until_they_are_old",
                  {With(Place(seconds(899)), [](auto& p) { p.by_id = true; })},
                  seconds(0),
                  State::kDraining,
                  "QUIC connection ids name it"},
        JudgeCase{"quic_ids_that_are_old",
                  {With(Place(seconds(900)), [](auto& p) { p.by_id = true; })},
                  seconds(0),
                  State::kSafe,
                  "safe to stop"},
        JudgeCase{"the_kernel_was_not_looked_at",
                  {With(Place(seconds(60)), [](auto& p) { p.known = false; })},
                  seconds(1),
                  State::kDraining,
                  "not looked at since"},
        JudgeCase{"it_owns_slots_yet",
                  {With(Place(seconds(60)), [](auto& p) { p.slots = 1; })},
                  seconds(1),
                  State::kDraining,
                  "it still owns 1 slot"},
        JudgeCase{"not_drained",
                  {kServingElsewhere},
                  seconds(1),
                  State::kServing,
                  "api-1 of pool api is not drained: it gets new connections"},
        JudgeCase{"out_but_not_drained",
                  {With(kServingElsewhere, [](auto& p) { p.slots = 0; })},
                  seconds(1),
                  State::kServing,
                  "may come back"},
        JudgeCase{"serves_another_pool",
                  {Place(seconds(60)), kServingElsewhere},
                  seconds(0),
                  State::kElsewhere,
                  "not safe to stop: pool web is done with it, but 10.0.1.3 also serves pool api "
                  "(as api-1)"},
        JudgeCase{"this_pool_first",
                  {kHeld, kServingElsewhere},
                  seconds(0),
                  State::kDraining,
                  "0 packets for 60 s"},
        JudgeCase{"drains_in_another_pool_too",
                  {Place(seconds(60)), With(kHeld, [](auto& p) { p.pool = "api"; })},
                  seconds(0),
                  State::kDraining,
                  "in pool api: 0 packets for 60 s"},
        JudgeCase{"quiet_in_another_pool",
                  {Place(seconds(60)), With(kHeld, [](auto& p) { p.pool = "api"; })},
                  seconds(60),
                  State::kQuiet,
                  "in pool api 2 connections"},
        JudgeCase{
            "disabled",
            {With(Place(seconds(5)), [](auto& p) { p.state = model::AdminState::kDisabled; })},
            seconds(0),
            State::kSafe,
            "was cut off"}),
    [](const auto& param) { return std::string(param.param.name); });

class DrainTest : public EngineFixture {
 protected:
  void SetUp() override {
    pause_ = [this](milliseconds time) {
      steady_ns_ += std::chrono::nanoseconds(time).count();
      if (after_) after_();
    };
    EngineFixture::SetUp();
    MustStart();
    kernel_.uses = [this](const model::IpAddress& server) {
      asked_ = server;
      return std::vector<publish::ServerUse>{use_};
    };
    use_ = {.pool = "web", .entry = true};
    Count(1000);
    MustApply(MakeConfig(4));
    Edit(model::AdminState::kDraining);
  }
  void Edit(model::AdminState state) {
    Request request;
    request.change.edit = {.pool = "web", .backend = "web-3", .state = state};
    request.reason = "a test";
    ASSERT_EQ(engine_->Apply(request).kind, Outcome::Kind::kApplied);
  }
  void Count(uint64_t packets) {
    packets_ = packets;
    kernel_.counters.backends = {{.pool = "web",
                                  .backend = "web-3",
                                  .address = *model::IpAddress::Parse("10.0.1.3"),
                                  .counter = {.packets = packets}}};
  }
  // All that is told, up to `most` readings.
  std::vector<DrainProgress> Watch(const DrainQuery& query, size_t most = 100) {
    std::vector<DrainProgress> told;
    status_ = engine_->WatchDrain(query, [&](const DrainProgress* progress) {
      if (progress != nullptr) told.push_back(*progress);
      return told.size() < most;
    });
    return told;
  }

  publish::ServerUse use_;
  model::IpAddress asked_;
  uint64_t packets_ = 0;
  std::function<void()> after_;  // each pause
  absl::Status status_;
};

TEST_F(DrainTest, GoesOnWhilePacketsComeAndEndsWhenNothingLeadsThere) {
  use_.held_slots = 7;
  int pauses = 0;
  after_ = [&] {
    ++pauses;
    if (pauses <= 50) Count(packets_ + 2);  // 20 a second for five seconds
    if (pauses == 100) use_.held_slots = 0;
  };
  const std::vector<DrainProgress> told = Watch({.pool = {}, .backend = "web-3"});
  ASSERT_TRUE(status_.ok()) << status_;
  ASSERT_EQ(told.size(), 11u) << "one a second, and one when it is done";
  EXPECT_EQ(asked_.ToString(), "10.0.1.3");
  EXPECT_EQ(told[0].places[0].pool, "web") << "it is the only one";
  EXPECT_NEAR(told[3].places[0].packets_per_s, 20, 0.1);
  EXPECT_EQ(*told[3].places[0].idle, milliseconds(0));
  EXPECT_NEAR(static_cast<double>(told[9].places[0].idle->count()), 4000, 1);
  EXPECT_EQ(told[9].places[0].packets_per_s, 0);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(told[i].state, State::kDraining) << i;
  EXPECT_EQ(told[10].state, State::kSafe) << told[10].text;
}

TEST_F(DrainTest, ItIsQuietSinceBeforeSomebodyWaited) {
  use_.held_slots = 7;
  Pass(seconds(6));  // the daemon counts
  Pass(seconds(60));
  const std::vector<DrainProgress> told = Watch({.backend = "web-3", .quiet = seconds(60)});
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].state, State::kQuiet) << told[0].text;
}

TEST_F(DrainTest, OnePacketBeginsTheQuietAnew) {
  use_.held_slots = 7;
  int pauses = 0;
  after_ = [&] {
    if (++pauses == 40) Count(packets_ + 1);
  };
  const std::vector<DrainProgress> told = Watch({.backend = "web-3", .quiet = seconds(5)});
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back().state, State::kQuiet);
  EXPECT_EQ(told.size(), 1u + 4 + 5);
}

TEST_F(DrainTest, EndsWhenSomebodyTakesTheDrainBack) {
  use_.held_slots = 7;
  int pauses = 0;
  after_ = [&] {
    if (++pauses == 15) Edit(model::AdminState::kEnabled);
  };
  const std::vector<DrainProgress> told = Watch({.backend = "web-3"});
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back().state, State::kServing);
  EXPECT_EQ(told.size(), 3u);
}

TEST_F(DrainTest, AKernelThatIsNotAsIntendedIsNotTrusted) {
  use_.known = false;
  const std::vector<DrainProgress> told = Watch({.backend = "web-3", .quiet = seconds(1)}, 8);
  EXPECT_EQ(told.size(), 8u);
  EXPECT_EQ(told.back().state, State::kDraining);
}

TEST_F(DrainTest, WhatThereIsNotIsNamed) {
  EXPECT_TRUE(Watch({.backend = "web-33"}).empty());
  EXPECT_EQ(status_.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status_.message()), AllOf(HasSubstr("web-33"), HasSubstr("web-3")));
  Watch({.backend = "web-3", .quiet = seconds(-1)});
  EXPECT_EQ(status_.code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(DrainTest, OneThatIsRemovedMeanwhileIsSaidToBe) {
  use_.held_slots = 7;
  int pauses = 0;
  after_ = [&] {
    if (++pauses != 15) return;
    model::Config config = engine_->Get()->config;
    config.pools[0].backends.erase(config.pools[0].backends.begin() + 2);
    MustApply(config);
  };
  EXPECT_EQ(Watch({.backend = "web-3"}).size(), 2u);
  EXPECT_EQ(status_.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status_.message()), HasSubstr("any more"));
}

TEST(DrainMonitorTest, ACounterThatBeginsAnewCountsFromZero) {
  const model::Config config = [] {
    model::Config c = MakeConfig(4);
    c.pools[0].backends[0].weight = 0;
    return c;
  }();
  const auto fleet = *guard::BuildFleet(config, {1, 2, 3}, nullptr);
  const model::IpAddress server = config.pools[0].backends[0].address;
  DrainMonitor monitor;
  publish::CounterReport report;
  const auto note = [&](uint64_t packets, int64_t s) {
    report.backends = {
        {.pool = "web", .backend = "web-1", .address = server, .counter = {.packets = packets}}};
    monitor.Note(report, *fleet, s * 1'000'000'000);
  };
  EXPECT_FALSE(monitor.Find("web", server).has_value());
  note(100, 1);
  note(100, 11);
  EXPECT_EQ(monitor.Find("web", server)->idle, seconds(10));
  note(0, 12);
  EXPECT_EQ(monitor.Find("web", server)->idle, seconds(11)) << "nothing came";
  note(30, 15);
  EXPECT_EQ(monitor.Find("web", server)->idle, seconds(0));
  EXPECT_EQ(monitor.Find("web", server)->packets_per_s, 10);
  EXPECT_FALSE(monitor.Find("web", config.pools[0].backends[1].address).has_value()) << "it serves";
}

}  // namespace
}  // namespace evenkeel::engine
