// SPDX-License-Identifier: Apache-2.0
//
// Live load against capacity: what the status shows, and when there is an alarm.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Four servers for 1000 packets a second each, two racks.
class SpareTest : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    MustStart();
    config_ = MakeConfig(4);
    config_.pools[0].capacity_unit = model::CapacityUnit::kPackets;
    for (size_t i = 0; i < 4; ++i) {
      config_.pools[0].backends[i].capacity = 1000;
      config_.pools[0].backends[i].rack = i < 2 ? "r1" : "r2";
    }
    MustApply(config_);
    engine_->Subscribe([this](const Event& event) {
      if (event.kind == Event::Kind::kNoSpare || event.kind == Event::Kind::kSpare) {
        events_.push_back(event);
      }
    });
  }
  // Each server has `rate` packets a second for so long.
  void Carry(uint64_t rate, seconds time) {
    for (seconds passed{0}; passed < time; passed += seconds(5)) {
      packets_ += 5 * rate;
      kernel_.counters.backends.clear();
      for (int i = 1; i <= 4; ++i) {
        kernel_.counters.backends.push_back(
            {.pool = "web",
             .backend = absl::StrCat("web-", i),
             .address = *model::IpAddress::Parse(absl::StrCat("10.0.1.", i)),
             .counter = {
                 .packets = packets_, .bytes = 100 * packets_, .new_flows = packets_ / 10}});
      }
      Pass(seconds(5));
    }
  }
  PoolStatus Pool() { return engine_->GetStatus()->pools[0]; }

  model::Config config_;
  uint64_t packets_ = 0;
  std::vector<Event> events_;
};

TEST_F(SpareTest, TheStatusHasLoadAndWhatALossWouldBring) {
  Carry(400, seconds(20));
  const PoolStatus pool = Pool();
  EXPECT_EQ(pool.capacity_unit, model::CapacityUnit::kPackets);
  EXPECT_NEAR(pool.backends[0].load, 400, 1);
  EXPECT_NEAR(pool.backends[0].load_after, 800, 2);
  EXPECT_EQ(pool.backends[0].worst_loss, "rack r2");
  EXPECT_EQ(pool.backends[0].capacity, 1000);
  ASSERT_EQ(pool.domains.size(), 2u);
  EXPECT_NEAR(pool.domains[1].load, 800, 1);
  EXPECT_NEAR(pool.domains[1].use, 0.8, 0.01);
  EXPECT_EQ(pool.no_spare, "");
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(SpareTest, InBitsAndNewFlows) {
  config_.pools[0].capacity_unit = model::CapacityUnit::kBits;
  MustApply(config_);
  Carry(100, seconds(10));
  EXPECT_NEAR(Pool().backends[0].load, 80'000, 10);
  config_.pools[0].capacity_unit = model::CapacityUnit::kNewFlows;
  MustApply(config_);
  EXPECT_NEAR(Pool().backends[0].load, 10, 1);
}

TEST_F(SpareTest, AnAlarmWhereTheLossOfARackWouldBeTooMuch) {
  Carry(600, seconds(10));
  EXPECT_THAT(events_, IsEmpty()) << "a peak";
  Carry(600, seconds(10));
  ASSERT_EQ(events_.size(), 1u);
  EXPECT_EQ(events_[0].kind, Event::Kind::kNoSpare);
  EXPECT_EQ(events_[0].subject, "web");
  EXPECT_THAT(events_[0].message, HasSubstr("of its capacity without rack r"));
  EXPECT_THAT(Pool().no_spare, HasSubstr("120"));
  EXPECT_THAT(*engine_->Diagnose(), Contains(Field(&Finding::check, "spare-capacity")));
  Carry(300, seconds(20));
  EXPECT_EQ(events_.size(), 1u) << "a gap";
  Carry(300, seconds(20));
  ASSERT_EQ(events_.size(), 2u);
  EXPECT_EQ(events_[1].kind, Event::Kind::kSpare);
  EXPECT_EQ(Pool().no_spare, "");
}

TEST_F(SpareTest, AGapStartsTheWaitOver) {
  for (int i = 0; i < 10; ++i) {
    Carry(600, seconds(5));
    Carry(300, seconds(10));
  }
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(SpareTest, WithoutAUnitNothingIsSaid) {
  config_.pools[0].capacity_unit = model::CapacityUnit::kNone;
  MustApply(config_);
  Carry(9000, seconds(30));
  EXPECT_THAT(events_, IsEmpty());
  EXPECT_THAT(Pool().domains, IsEmpty());
}

TEST_F(SpareTest, WhoseUnitIsTakenAwayHasNoAlarm) {
  Carry(600, seconds(20));
  ASSERT_EQ(events_.size(), 1u);
  config_.pools[0].capacity_unit = model::CapacityUnit::kNone;
  MustApply(config_);
  Pass(seconds(1));
  EXPECT_EQ(Pool().no_spare, "");
}

}  // namespace
}  // namespace evenkeel::engine
