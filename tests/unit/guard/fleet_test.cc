// SPDX-License-Identifier: Apache-2.0
#include "control/guard/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "control/guard/replace_pools.h"
#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

TEST(BuildFleet, ListsServingBackendsInOrderOfAddress) {
  model::Config config = WebWith(5);
  auto& backends = config.pools[0].backends;
  backends[1].state = model::AdminState::kDraining;
  backends[2].weight = 0;
  std::reverse(backends.begin(), backends.end());
  const auto fleet = Built(config);
  const BuiltTable& table = *fleet->pools[0]->table;
  EXPECT_EQ(table.servers,
            (std::vector<model::IpAddress>{Ip("10.0.1.11"), Ip("10.0.1.14"), Ip("10.0.1.15")}));
  EXPECT_EQ(table.CountSlots(), table.intended);
  EXPECT_EQ(fleet->pools[0]->slots, table.intended);
  EXPECT_EQ(std::accumulate(table.intended.begin(), table.intended.end(), 0u), 65537u);
}

TEST(BuildFleet, DoesNotDependOnOrderOrNames) {
  model::Config config = WebWith(7);
  const auto fleet = Built(config);
  auto& backends = config.pools[0].backends;
  std::rotate(backends.begin(), backends.begin() + 3, backends.end());
  for (auto& backend : backends) backend.name = "z" + backend.name;
  EXPECT_EQ(Built(config)->digest, fleet->digest);
}

TEST(BuildFleet, AnEmptyPoolOwnsNothing) {
  const auto fleet = Built(WebWith(0));
  EXPECT_TRUE(fleet->pools[0]->table->servers.empty());
  EXPECT_THAT(fleet->pools[0]->table->owner, Each(maglev::kNoOwner));
}

// What policy refuses is built all the same, so that the guard can judge it with the rest.
TEST(BuildFleet, ADuplicateServerIsOneWithTheSumOfItsWeights) {
  model::Config config = WebWith(3);
  config.pools[0].backends[1].address = config.pools[0].backends[0].address;
  const auto fleet = Built(config);
  const BuiltTable& table = *fleet->pools[0]->table;
  ASSERT_EQ(table.servers.size(), 2u);
  EXPECT_NEAR(table.intended[0], 65537 * 2 / 3.0, 1);
}

TEST(BuildFleet, AbsurdWeightsNeitherFailNorOverflow) {
  for (int64_t weight : {int64_t{-1}, int64_t{1} << 32, std::numeric_limits<int64_t>::max(),
                         std::numeric_limits<int64_t>::min()}) {
    model::Config config = WebWith(4);
    for (auto& b : config.pools[0].backends) b.weight = weight;
    config.pools[0].backends[3].address = config.pools[0].backends[2].address;
    const auto fleet = Built(config);
    const auto slots = fleet->pools[0]->table->CountSlots();
    EXPECT_EQ(slots.size(), weight > 0 ? 3u : 0u) << weight;
    for (uint32_t s : slots) EXPECT_LE(s, 65537 / 2 + 1) << weight;
  }
}

TEST(BuildFleet, MoreServersThanSlotsOwnNothing) {
  model::Config config = WebWith(300);
  config.pools[0].table_size = 251;
  const auto fleet = Built(config);
  EXPECT_THAT(fleet->pools[0]->table->owner, Each(maglev::kNoOwner));
  EXPECT_TRUE(Judge(fleet, nullptr, {}).verdict.refused());
}

TEST(BuildFleet, ReusesWhatWouldBeTheSame) {
  model::Config config = WebWith(4);
  config.pools.push_back(MakePool("api", 4, 7));
  const auto first = Built(config);
  config.pools[0].backends[0].weight = 90;
  config.pools[1].health_check.emplace();
  config.pools[1].backends[0].zone = "b";
  const auto second = Built(config, first);
  EXPECT_NE(second->pools[0]->table, first->pools[0]->table);
  EXPECT_EQ(second->pools[1]->table, first->pools[1]->table);
  EXPECT_EQ(second->digest, Built(config)->digest);
}

TEST(ReplacePool, BuildsWhatTheWholeWouldAndSharesTheRest) {
  model::Config config = WebWith(4);
  config.pools.push_back(MakePool("api", 4, 7));
  const auto first = Built(config);
  config.pools[0].backends[0].weight = 90;
  const auto second = ReplacePool(*first, config.pools[0]);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ((*second)->digest, Built(config)->digest);
  EXPECT_EQ((*second)->ToConfig(), config);
  EXPECT_EQ((*second)->pools[1], first->pools[1]);
  config.pools.push_back(MakePool("new", 3, 8));
  const auto third = ReplacePool(**second, config.pools[2]);
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_TRUE((*third)->HasConfigOf(*Built(config)));
  EXPECT_FALSE((*third)->HasConfigOf(**second));
}

TEST(ReplacePools, SeveralAtOnceAreAsOneAfterTheOther) {
  model::Config config = WebWith(4);
  config.pools.push_back(MakePool("api", 4, 7));
  config.pools.push_back(MakePool("dns", 4, 8));
  const auto first = Built(config);
  config.pools[0].backends[0].weight = 90;
  config.pools[2].backends[1].state = model::AdminState::kDisabled;
  config.pools.push_back(MakePool("new", 3, 9));
  const auto like = Built(config);
  const auto second =
      ReplacePools(*first, {config.pools[2], config.pools[0], config.pools[3]}, like.get());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ((*second)->digest, like->digest);
  EXPECT_EQ((*second)->ToConfig(), config);
  EXPECT_EQ((*second)->pools[1], first->pools[1]) << "shared with what it was made of";
  EXPECT_EQ((*second)->pools[2], like->pools[2]) << "and with what it is like";
  config.pools[1].table_size = 4;
  EXPECT_FALSE(ReplacePools(*first, {config.pools[0], config.pools[1]}, nullptr).ok());
}

TEST(ReplacePool, RefusesWhatIsStructurallyInvalid) {
  model::Pool pool = MakePool("web", 4);
  pool.backends[1].name = pool.backends[0].name;
  const auto fleet = ReplacePool(*Built(WebWith(4)), pool);
  EXPECT_EQ(fleet.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(BuildFleet, ReusesNothingOfAnotherKey) {
  const auto first = Built(WebWith(4));
  const auto other = BuildFleet(WebWith(4), {9}, first.get());
  ASSERT_TRUE(other.ok());
  EXPECT_NE((*other)->digest, first->digest);
}

TEST(BuildFleet, RefusesWhatIsStructurallyInvalid) {
  model::Config config = WebWith(4);
  config.vips[0].pool = "none";
  const auto fleet = BuildFleet(config, TestKey(), nullptr);
  ASSERT_FALSE(fleet.ok());
  EXPECT_EQ(fleet.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(fleet.status().message()), HasSubstr("vips[0].pool"));
}

TEST(BuildFleet, QuicIsUdpThatIsTreatedInAnotherWay) {
  model::Config config = WebWith(4);
  config.vips[0].protocol = model::Protocol::kUdp;
  const Digest udp = Built(config)->digest;
  config.vips[0].protocol = model::Protocol::kQuic;
  EXPECT_NE(Built(config)->digest, udp);
  EXPECT_EQ(Built(config)->pools[0]->digest, Built(WebWith(4))->pools[0]->digest);
  config.vips[0].protocol = model::Protocol::kTcp;
  EXPECT_NE(Built(config)->digest, udp);
}

}  // namespace
}  // namespace evenkeel::guard::testing
