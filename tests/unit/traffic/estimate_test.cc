// SPDX-License-Identifier: Apache-2.0
//
// What counters alone say about a change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/traffic/compare.h"
#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::testing {
namespace {

using model::AdminState;
using traffic::PoolTraffic;

class EstimateTest : public ::testing::Test {
 protected:
  EstimateTest() {
    observed_.rates.interval = std::chrono::seconds(5);
    observed_.rates.vips = {{"v0", 1000.0}};
    // Not in proportion to their slots.
    Rate(0, 400);
    Rate(1, 300);
    Rate(2, 200);
    Rate(3, 100);
  }

  void Rate(size_t backend, double rate) {
    observed_.rates.backends["p0"].emplace_back(before_.pools[0].backends[backend].address, rate);
  }

  std::vector<PoolTraffic> Compare() {
    const auto running = guard::BuildFleet(before_, kTestKey, nullptr);
    const auto candidate = guard::BuildFleet(after_, kTestKey, running->get());
    return traffic::CompareTraffic(**running, **candidate, dataplane::HashKeyWords(kTestKey),
                                   observed_);
  }
  double Moved() {
    const auto pools = Compare();
    EXPECT_EQ(pools.size(), 1u);
    EXPECT_DOUBLE_EQ(pools[0].packets_per_s.value_or(-1), 1000);
    return pools[0].moved_packets_per_s.value_or(-1);
  }

  model::Config before_ = MakeConfig(1, 4), after_ = before_;
  traffic::Observed observed_;
};

TEST_F(EstimateTest, IsTheRateOfTheBackendsWhoseSlotsMove) {
  after_.pools[0].backends[1].state = AdminState::kDraining;
  EXPECT_NEAR(Moved(), 300, 30) << "all of one backend's, hardly any of the others'";
  after_ = before_;
  after_.pools[0].backends[0].state = AdminState::kDisabled;
  EXPECT_NEAR(Moved(), 400, 30);
}

TEST_F(EstimateTest, OfNothingThatMovesIsZero) {
  after_.pools[0].backends[1].capacity = 77;
  EXPECT_EQ(Moved(), 0);
}

// A draining backend has no slots and goes on with what it has.
TEST_F(EstimateTest, OfABackendWithoutSlotsIsWhatItLoses) {
  before_.pools[0].backends[3].state = AdminState::kDraining;
  after_ = before_;
  after_.pools[0].backends[0].capacity = 77;
  EXPECT_EQ(Moved(), 0);
  after_.pools[0].backends[3].state = AdminState::kDisabled;
  EXPECT_NEAR(Moved(), 100, 1e-9);
}

TEST_F(EstimateTest, OfOneOfTwoVipsIsItsPart) {
  before_.vips.push_back(MakeVip("v1", "192.0.2.99", 80, "p0"));
  observed_.rates.vips = {{"v0", 750.0}, {"v1", 250.0}};
  after_ = before_;
  after_.vips.pop_back();
  EXPECT_NEAR(Moved(), 250, 1e-9);
}

TEST_F(EstimateTest, OfAVipWithoutTrafficIsZero) {
  observed_.rates.vips = {{"v0", 0.0}};
  after_.pools[0].backends[1].state = AdminState::kDisabled;
  const auto pools = Compare();
  EXPECT_EQ(pools[0].packets_per_s, 0.0);
  EXPECT_EQ(pools[0].moved_packets_per_s, 0.0);
}

TEST_F(EstimateTest, IsNotMadeWithoutTwoReadings) {
  observed_.rates = {};
  after_.pools[0].backends[1].state = AdminState::kDisabled;
  EXPECT_FALSE(Compare()[0].packets_per_s);
  EXPECT_FALSE(Compare()[0].moved_packets_per_s);
}

}  // namespace
}  // namespace evenkeel::testing
