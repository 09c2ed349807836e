// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "control/maglev/maglev.h"

namespace evenkeel::maglev {
namespace {

constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();

struct Case {
  const char* name;
  std::vector<uint64_t> weights;
  uint32_t size;
  std::vector<uint32_t> expected;
};

class QuotaTable : public ::testing::TestWithParam<Case> {};

TEST_P(QuotaTable, IsExact) {
  EXPECT_EQ(Quotas(GetParam().weights, GetParam().size), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Quotas, QuotaTable,
    ::testing::Values(Case{"empty", {}, 7, {}}, Case{"nobody_serves", {0, 0}, 7, {0, 0}},
                      Case{"one", {5}, 7, {7}}, Case{"equal_ties_go_low", {1, 1, 1}, 7, {3, 2, 2}},
                      Case{"largest_remainder", {1, 2, 4}, 10, {1, 3, 6}},  // 1.43, 2.86, 5.71
                      Case{"zero_between", {1, 0, 1}, 6, {3, 0, 3}},
                      Case{"scale_does_not_matter",
                           {65536, 65536, 65536, 65536},
                           65537,
                           {16385, 16384, 16384, 16384}},
                      Case{"two_to_the_32", {uint64_t{1} << 32, uint64_t{1} << 32}, 11, {6, 5}},
                      Case{"largest_weights", {kHuge, kHuge, kHuge}, 9, {3, 3, 3}},
                      Case{"everyone_gets_a_slot", {1'000'000, 1, 1}, 11, {9, 1, 1}},
                      Case{"huge_against_one", {kHuge, 1}, 251, {250, 1}},
                      Case{"as_many_as_slots", {9, 1, 1}, 3, {1, 1, 1}},
                      // A first pass puts only the lightest below one slot; the second the next.
                      Case{"minimum_cascades", {1000, 100, 1}, 11, {9, 1, 1}},
                      Case{"more_than_slots", {1, 1, 1}, 2, {1, 1, 0}}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace evenkeel::maglev
