// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/bench/sample.h"

namespace evenkeel::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The sample with other ratios: of the first scenario, and of the other program in the second.
Results With(double first, double other) {
  Results results = Sample();
  results.scenarios[0].programs[0] = Program("evenkeel", first);
  results.scenarios[1].programs[1] = Program("other", other);
  return results;
}

TEST(CompareTest, QuotientOfMedians) {
  const auto changes = Compare(Sample(), With(2.2, 1.5));
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(changes[0].scenario, "tcp4-data-1");
  EXPECT_DOUBLE_EQ(changes[0].quotient(), 1.1);
  EXPECT_DOUBLE_EQ(changes[1].quotient(), 1);
  EXPECT_EQ(changes[2].program, "other");
  EXPECT_DOUBLE_EQ(changes[2].quotient(), 0.5);
}

TEST(CompareTest, SlowerIsMoreThanTheLimit) {
  const struct {
    const char* name;
    double first, limit;
    bool slower;
  } cases[] = {
      {"same", 2, 0, false},           {"within", 2.19, 10, false}, {"beyond", 2.21, 10, true},
      {"wider-limit", 2.5, 30, false}, {"faster", 1, 10, false},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(AnySlower(Compare(Sample(), With(one.first, 3)), one.limit), one.slower) << one.name;
  }
}

TEST(CompareTest, WhatOneRunAloneHasIsNoFault) {
  Results fewer = Sample();
  fewer.scenarios.erase(fewer.scenarios.begin());
  const auto gone = Compare(Sample(), fewer), added = Compare(fewer, Sample());
  ASSERT_EQ(gone.size(), 3u);
  EXPECT_FALSE(gone[2].after.has_value());
  EXPECT_FALSE(added[0].before.has_value());
  EXPECT_FALSE(AnySlower(gone, 0));
  EXPECT_FALSE(AnySlower(added, 0));
  EXPECT_THAT(CompareText(Sample(), fewer, 10), HasSubstr("not measured"));
  EXPECT_THAT(CompareText(fewer, Sample(), 10), HasSubstr("new"));
}

TEST(CompareTest, TextNamesWhatChanged) {
  EXPECT_EQ(CompareText(Sample(), With(2.5, 1.5), 10),
            "ratio to the floor         program        before      now  now/then\n"
            "tcp4-data-1                evenkeel         2.00     2.50     1.250  SLOWER\n"
            "no-vip4                    evenkeel         1.50     1.50     1.000\n"
            "no-vip4                    other            3.00     1.50     0.500  faster\n");
}

TEST(CompareTest, SaysWhenTheMachineIsAnother) {
  Results elsewhere = Sample();
  EXPECT_THAT(CompareText(Sample(), elsewhere, 10), Not(HasSubstr("Some CPU")));
  elsewhere.machine.cpu = "Other CPU";
  EXPECT_THAT(CompareText(Sample(), elsewhere, 10),
              HasSubstr("before: Some CPU, Linux 6.1.0; now: Other CPU, Linux 6.1.0\n"));
}

}  // namespace
}  // namespace evenkeel::bench
