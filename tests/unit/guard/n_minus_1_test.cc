// SPDX-License-Identifier: Apache-2.0
//
// LB004: what the loss of a backend, a rack or a zone leaves to the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

struct Spec {
  double capacity;
  const char* zone = "";
  const char* rack = "";
  int64_t weight = 100;
};

model::Config PoolOf(const std::vector<Spec>& specs, std::optional<double> peak = {}) {
  model::Config config = WebWith(specs.size());
  for (size_t i = 0; i < specs.size(); ++i) {
    model::Backend& b = config.pools[0].backends[i];
    if (specs[i].capacity > 0) b.capacity = specs[i].capacity;
    b.zone = specs[i].zone;
    b.rack = specs[i].rack;
    b.weight = specs[i].weight;
  }
  config.pools[0].policy.peak_load = peak;
  return config;
}

struct Case {
  const char* name;
  model::Config refused;
  model::Config passing;
  const char* observed;
  const char* fix;
};

class NMinus1 : public ::testing::TestWithParam<Case> {};

TEST_P(NMinus1, Refuses) {
  const auto violations = ViolationsOf(JudgeChange(nullptr, GetParam().refused).verdict, "LB004");
  ASSERT_FALSE(violations.empty());
  EXPECT_EQ(violations[0].severity, Severity::kBlock);
  EXPECT_THAT(violations[0].observed, HasSubstr(GetParam().observed));
  EXPECT_THAT(violations[0].fix, HasSubstr(GetParam().fix));
}

TEST_P(NMinus1, LetsTheNearestPass) {
  EXPECT_EQ(SeverityOf(JudgeChange(nullptr, GetParam().passing).verdict, "LB004"), Severity::kPass);
}

INSTANTIATE_TEST_SUITE_P(
    Guard, NMinus1,
    ::testing::Values(
        Case{
            "backend", PoolOf({{100}, {100}, {100}}, 161), PoolOf({{100}, {100}, {100}}, 160),
            "losing backend web-1 leaves web-2 with 80.5 % of its capacity at the peak load of 161",
            "carries at most 160"},
        Case{"two_backends", PoolOf({{100}, {100}}, 81), PoolOf({{100}, {100}}, 80),
             "with 81.0 % of its capacity", "carries at most 80"},
        Case{"weights_beyond_capacity", PoolOf({{100, "", "", 200}, {100}, {100}}, 130),
             PoolOf({{100}, {100}, {100}}, 130), "leaves web-1 with 86.7 %",
             "lower the weight of web-1, which has 50.0 % of slots"},
        Case{"zone", PoolOf({{100, "a"}, {100, "b"}, {100, "b"}}, 81),
             PoolOf({{100, "a"}, {100, "b"}, {100, "b"}}, 80),
             "losing zone b leaves web-1 with 81.0 %", "add capacity outside of b"},
        Case{"rack", PoolOf({{100, "", "r1"}, {100, "", "r2"}, {100, "", "r2"}}, 81),
             PoolOf({{100, "", "r1"}, {100, "", "r2"}, {100, "", "r2"}}, 80),
             "losing rack r2 leaves web-1 with 81.0 %", "outside of r2"},
        Case{"zone_of_some_is_not_known", PoolOf({{100}, {100, "b"}, {100, "b"}}, 81),
             PoolOf({{100}, {100, "b"}, {100, "b"}}, 80), "losing zone b", "outside of b"},
        Case{"shape_of_zones", PoolOf({{300, "a", "", 300}, {80, "b", "", 80}}),
             PoolOf({{200, "a", "", 200}, {100, "b", "", 100}}),
             "at a load of 25.0 % of all capacity", "declare policy.peak_load"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(NMinus1, OnlyWarnsWithoutCapacities) {
  const model::Config config = PoolOf({{0, "a"}, {0, "b"}, {0, "b"}, {0, "b"}});
  const auto violations = ViolationsOf(JudgeChange(nullptr, config).verdict, "LB004");
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_EQ(violations[0].severity, Severity::kWarn);
  EXPECT_THAT(violations[0].observed,
              HasSubstr("losing zone b leaves web-1 with 100.0 % of its weight"));
  const model::Config mixed = PoolOf({{100, "a"}, {0, "b"}, {100, "b"}, {100, "b"}}, 1000);
  EXPECT_EQ(SeverityOf(JudgeChange(nullptr, mixed).verdict, "LB004"), Severity::kWarn);
}

TEST(NMinus1, DoesNotJudgeAZoneThatIsAllThereIs) {
  const model::Config config = PoolOf({{100, "a", "r"}, {100, "a", "r"}}, 80);
  EXPECT_EQ(JudgeChange(nullptr, config).verdict.severity, Severity::kPass);
}

TEST(NMinus1, LeavesADeclaredSingleBackendAlone) {
  model::Config config = PoolOf({{100}}, 1000);
  config.pools[0].policy.single_backend = model::SingleBackend{"license", "team"};
  EXPECT_EQ(JudgeChange(nullptr, config).verdict.severity, Severity::kPass);
}

TEST(NMinus1, DoesNotHoldUpTheDrainOfOne) {
  const model::Config base = PoolOf({{100}, {100}, {100}}, 160);
  ASSERT_FALSE(JudgeChange(nullptr, base).verdict.refused());
  model::Config candidate = base;
  candidate.pools[0].backends[0].state = model::AdminState::kDraining;
  const Verdict verdict = JudgeChange(&base, candidate).verdict;
  EXPECT_EQ(SeverityOf(verdict, "LB004"), Severity::kWarn);
  EXPECT_FALSE(verdict.refused());
}

TEST(NMinus1, DoesNotHoldUpAnImprovementThatIsNotEnough) {
  const model::Config base = PoolOf({{100}, {100}, {100}, {100}, {100}}, 500);
  model::Config candidate = PoolOf({{100}, {100}, {100}, {100}, {100}, {100}}, 500);
  EXPECT_EQ(SeverityOf(JudgeChange(&base, candidate).verdict, "LB004"), Severity::kWarn);
  candidate = PoolOf({{100}, {100}, {100}, {100}}, 500);
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), Contains("LB004"));
}

// The oracle: the table is really built without the lost server, and the hottest is looked for.
TEST(NMinus1, SaysWhatATableWithoutTheLostServerWouldSay) {
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    std::vector<Spec> specs(2 + random() % 9);
    double total = 0;
    for (Spec& spec : specs) {
      spec.weight = 50 + random() % 100;
      spec.capacity = static_cast<double>(50 + random() % 100);
      total += spec.capacity;
    }
    const double peak = total * (0.2 + 0.05 * static_cast<double>(random() % 12));
    const model::Config config = PoolOf(specs, peak);
    double worst = 0;
    for (size_t lost = 0; lost < specs.size(); ++lost) {
      model::Config rest = config;
      rest.pools[0].backends.erase(rest.pools[0].backends.begin() + static_cast<ptrdiff_t>(lost));
      const auto built = Built(rest);
      const BuiltPool& pool = *built->pools[0];
      for (size_t i = 0; i < pool.slots.size(); ++i) {
        const double share = pool.slots[i] / static_cast<double>(pool.table->size);
        worst = std::max(worst, peak * share / *pool.config.backends[i].capacity);
      }
    }
    if (std::abs(worst - 0.8) < 0.001) continue;  // within the tolerance of some slots
    const auto blocking = BlockingRules(JudgeChange(nullptr, config).verdict);
    if (worst > 0.8) {
      EXPECT_THAT(blocking, Contains("LB004")) << worst;
    } else {
      EXPECT_THAT(blocking, Not(Contains("LB004"))) << worst;
    }
  }
}

}  // namespace
}  // namespace evenkeel::guard::testing
