// SPDX-License-Identifier: Apache-2.0
//
// One daemon, several interfaces.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/traffic_fixture.h"

namespace evenkeel::testing {
namespace {

constexpr Seen kBalanced = {
    .forwarded = 1, .vip_to_host = 0, .filtered_to_host = 1, .other_to_host = 1};
constexpr Seen kNotAttached = {
    .forwarded = 0, .vip_to_host = 1, .filtered_to_host = 1, .other_to_host = 1};

class TrafficTest : public TrafficFixture {};

TEST_F(TrafficTest, ComesInByEveryInterface) {
  for (const std::string mode : {"native", "generic"}) {
    SCOPED_TRACE(mode);
    Start({"--config", config_, "--interface", "es0", "--mode", mode});
    ASSERT_EQ(Status().interfaces.size(), 2u);
    for (const engine::InterfaceStatus& interface : Status().interfaces) {
      EXPECT_EQ(interface.mode, mode) << interface.name;
    }
    EXPECT_EQ(Exchange(*outside_), kBalanced);
    EXPECT_EQ(Exchange(*second_outside_), kBalanced) << "in by es0, out by ek0";
    End(SIGKILL);
    EXPECT_EQ(Exchange(*outside_), kBalanced);
    EXPECT_EQ(Exchange(*second_outside_), kBalanced);
  }
}

TEST_F(TrafficTest, AnInterfaceThatIsNoLongerNamedIsLeft) {
  Start({"--config", config_, "--interface", "es0"});
  End(SIGTERM);
  Start();
  EXPECT_EQ(Status().interfaces.size(), 1u);
  EXPECT_EQ(Exchange(*outside_), kBalanced);
  EXPECT_EQ(Exchange(*second_outside_), kNotAttached);
}

}  // namespace
}  // namespace evenkeel::testing
