// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/table.h"

#include <gtest/gtest.h>

#include "tests/unit/bench/sample.h"

namespace evenkeel::bench {
namespace {

TEST(TableTest, OneGroupOfColumnsForEachProgram) {
  EXPECT_EQ(
      TableHeader({"evenkeel", "other"}) + TableRow(Sample().scenarios[1]),
      "                            harness    floor   evenkeel, ns                 ratio     "
      "             other, ns                    ratio\n"
      "scenario                         ns       ns        min   median      max      min median  "
      "  max        min   median      max      min median    max\n"
      "no-vip4                        32.0     52.0       60.0     75.0     90.0     1.40   1.50  "
      " 1.80      120.0    150.0    180.0     2.90   3.00   3.30\n");
}

TEST(TableTest, MachineOnALineAndEachMitigation) {
  EXPECT_EQ(MachineText(Sample().machine),
            "Some CPU, 2 CPUs, Linux 6.1.0, clang version 14.0.6, GNU 12.2.0; load 0.5\n"
            "spectre_v2: Mitigation: Retpolines\n");
}

}  // namespace
}  // namespace evenkeel::bench
