// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/exposition.h"

#include <gmock/gmock.h>

#include "tests/unit/metrics/status.h"

namespace evenkeel::metrics {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;

TEST(PoolTotals, OnlyGrow) {
  PoolTotals totals;
  engine::Status status = WebStatus();
  totals.Add(status);
  EXPECT_EQ(totals.totals().at("web").packets, 0u) << "what was counted before is not known";
  status.pools[0].backends[0].counter.packets += 40;
  status.pools[0].backends[1].counter.packets += 2;
  status.pools[0].backends[1].counter.bytes += 9;
  status.pools[0].backends[1].counter.new_flows += 1;
  totals.Add(status);
  EXPECT_EQ(totals.totals().at("web").packets, 42u);
  EXPECT_EQ(totals.totals().at("web").bytes, 9u);
  EXPECT_EQ(totals.totals().at("web").new_flows, 1u);
  // One goes, with all that it counted; another comes, and counts from 0.
  status.pools[0].backends[0].name = "web-3";
  status.pools[0].backends[0].counter = {.packets = 8, .bytes = 0, .new_flows = 0, .drops = 0};
  totals.Add(status);
  EXPECT_EQ(totals.totals().at("web").packets, 50u);
  // A counter that was set to 0 meanwhile.
  status.pools[0].backends[1].counter.packets = 3;
  totals.Add(status);
  EXPECT_EQ(totals.totals().at("web").packets, 53u);
}

TEST(PoolTotals, OfAPoolThatGoesAndComesBackBeginAgain) {
  PoolTotals totals;
  const engine::Status with = WebStatus();
  engine::Status without = with;
  without.pools.clear();
  totals.Add(with);
  totals.Add(without);
  EXPECT_TRUE(totals.totals().empty());
  totals.Add(with);
  EXPECT_EQ(totals.totals().at("web").packets, 300u);
}

TEST(Exposition, IsGatheredAtMostOnceASecond) {
  int asked = 0;
  int64_t now = kSecond;
  absl::Status problem;
  Tallies tallies;
  Exposition exposition({.status = [&]() -> absl::StatusOr<engine::Status> {
                           ++asked;
                           if (!problem.ok()) return problem;
                           return WebStatus();
                         },
                         .tallies = &tallies,
                         .now_unix_ns = [] { return int64_t{0}; },
                         .steady_ns = [&] { return now; }});
  const auto first = exposition.Text();
  ASSERT_TRUE(first.ok());
  EXPECT_THAT(*first, HasSubstr("evenkeel_revision 41"));
  now += kSecond - 1;
  EXPECT_EQ(*exposition.Text(), *first);
  EXPECT_EQ(asked, 1);
  now += 1;
  EXPECT_TRUE(exposition.Text().ok());
  EXPECT_EQ(asked, 2);
  now += kSecond;
  problem = absl::UnavailableError("gone");
  EXPECT_EQ(exposition.Text().status(), problem) << "nothing old is given out for new";
}

}  // namespace
}  // namespace evenkeel::metrics
