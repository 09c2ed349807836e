// SPDX-License-Identifier: Apache-2.0
#include "control/cli/server_changes.h"

#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

guard::BackendChange Backend(const std::string& name, uint8_t host, double before, double after) {
  guard::BackendChange b;
  b.name = name;
  b.address = model::IpAddress::FromIpv4({10, 0, 0, host});
  b.share_before = before;
  b.share_after = after;
  b.removed = after == 0 && before > 0;
  return b;
}

struct FailureCase {
  const char* name;
  std::vector<guard::BackendChange> backends;
  const char *lost, *busiest;  // null: no failure leaves anybody
  double share;
};

class WorstFailureTest : public testing::TestWithParam<FailureCase> {};

TEST_P(WorstFailureTest, IsOfTheServerThatLeavesTheMost) {
  guard::PoolChange pool;
  pool.backends = GetParam().backends;
  const std::optional<Failure> worst = WorstFailure(pool);
  ASSERT_EQ(worst.has_value(), GetParam().lost != nullptr);
  if (!worst) return;
  EXPECT_EQ(worst->lost, GetParam().lost);
  EXPECT_EQ(worst->busiest, GetParam().busiest);
  EXPECT_NEAR(worst->share, GetParam().share, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(
    All, WorstFailureTest,
    testing::Values(
        FailureCase{"nobody", {}, nullptr, nullptr, 0},
        FailureCase{"one", {Backend("a", 1, 1, 1)}, nullptr, nullptr, 0},
        FailureCase{"two", {Backend("a", 1, 0, 0.5), Backend("b", 2, 0, 0.5)}, "b", "a", 1},
        FailureCase{"uneven",
                    {Backend("a", 1, 0, 0.2), Backend("b", 2, 0, 0.5), Backend("c", 3, 0, 0.3)},
                    "c",
                    "b",
                    0.5 / 0.7},
        FailureCase{"one_removed",
                    {Backend("a", 1, 0.4, 0.5), Backend("b", 2, 0.2, 0), Backend("c", 3, 0.4, 0.5)},
                    "c",
                    "a",
                    1},
        FailureCase{"two_names_of_one_server",
                    {Backend("a", 1, 0, 0.25), Backend("a2", 1, 0, 0.25), Backend("b", 2, 0, 0.5)},
                    "b",
                    "a",
                    1}),
    [](const auto& tested) { return tested.param.name; });

class ServerChangesTest : public CliTest {};

TEST_F(ServerChangesTest, PlanShowsAServerInEveryPoolItIsIn) {
  model::Config config = WebConfig(5);
  config.pools.push_back(config.pools[0]);
  config.pools[1].name = "api";
  const std::string file = WriteConfig("two.yaml", config);
  EXPECT_THAT(Run({"plan", "-f", file}).out,
              AllOf(HasSubstr("Servers in several of these pools:"),
                    ContainsRegex("10.0.1.11 +web 25.00 % -> 20.00 %, api 0.00 % -> 20.00 %"),
                    ContainsRegex("If web-[1-5] fails, web-[1-5] has 25.00 %")));
  const nlohmann::json json = Run({"plan", "-f", file, "-o", "json"}).Json();
  ASSERT_EQ(json["servers"].size(), 5u);
  EXPECT_EQ(json["servers"][0]["pools"].size(), 2u);
  EXPECT_NEAR(json["pools"][0]["worst_failure"]["share"].get<double>(), 0.25, 1e-4);
}

}  // namespace
}  // namespace evenkeel::cli
