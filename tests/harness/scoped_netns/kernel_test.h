// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_KERNEL_TEST_H_
#define EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_KERNEL_TEST_H_

#include <gtest/gtest.h>

namespace evenkeel::testing {

// Tests that need root and a bpffs: skipped visibly without the privilege, failed where
// EVENKEEL_REQUIRE_KERNEL is set.
class KernelTest : public ::testing::Test {
 protected:
  void SetUp() override;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_KERNEL_TEST_H_
