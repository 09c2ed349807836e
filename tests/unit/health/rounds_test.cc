// SPDX-License-Identifier: Apache-2.0
#include "control/health/rounds.h"

#include <gtest/gtest.h>

#include "control/model/ip_address.h"

namespace evenkeel::health {
namespace {

class RoundsTest : public ::testing::Test {
 protected:
  // "+", "-" with the cause, or "" where nothing counts.
  std::string Say(const std::string& witness, bool ok) {
    const auto counts = rounds_.Note(server_, witness, {.ok = ok, .cause = ok ? "" : witness});
    if (!counts) return "";
    return counts->ok ? "+" : "-" + counts->cause;
  }
  void Have(std::set<std::string> witnesses) { rounds_.Configure({{server_, witnesses}}); }

  Rounds rounds_;
  Rounds::Server server_{"web", model::IpAddress::FromIpv4({10, 0, 0, 1})};
};

TEST_F(RoundsTest, OneWitnessIsBelievedEachTime) {
  Have({"a"});
  EXPECT_EQ(Say("a", true), "+");
  EXPECT_EQ(Say("a", false), "-a");
  EXPECT_EQ(Say("a", false), "-a");
  EXPECT_EQ(Say("a", true), "+");
}

TEST_F(RoundsTest, ASuccessIsOneOfAll) {
  Have({"a", "b", "c"});
  EXPECT_EQ(Say("a", true), "");
  EXPECT_EQ(Say("a", true), "");
  EXPECT_EQ(Say("b", true), "");
  EXPECT_EQ(Say("c", true), "+");
  EXPECT_EQ(Say("c", true), "") << "a new round";
  EXPECT_EQ(Say("a", true), "");
  EXPECT_EQ(Say("b", true), "+");
}

TEST_F(RoundsTest, WhoAlwaysFailsKeepsTheServerFailing) {
  Have({"a", "b"});
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(Say("a", true), "");
    EXPECT_EQ(Say("b", false), "-b");
  }
}

TEST_F(RoundsTest, AHiccupOfAllIsOneFailure) {
  Have({"a", "b", "c"});
  EXPECT_EQ(Say("a", false), "-a");
  EXPECT_EQ(Say("b", false), "");
  EXPECT_EQ(Say("c", false), "");
  EXPECT_EQ(Say("a", false), "-a") << "the next round";
  EXPECT_EQ(Say("c", false), "");
  EXPECT_EQ(Say("a", true), "");
  EXPECT_EQ(Say("b", true), "");
  EXPECT_EQ(Say("c", true), "+");
  EXPECT_EQ(Say("c", false), "-c");
}

TEST_F(RoundsTest, AnOldSuccessDoesNotCountAfterAFailure) {
  Have({"a", "b"});
  EXPECT_EQ(Say("a", true), "");
  EXPECT_EQ(Say("b", false), "-b");
  EXPECT_EQ(Say("b", true), "");
  EXPECT_EQ(Say("a", true), "+");
}

TEST_F(RoundsTest, StrangersSayNothing) {
  Have({"a"});
  EXPECT_EQ(Say("b", false), "");
  server_.first = "other";
  EXPECT_EQ(Say("a", false), "");
}

TEST_F(RoundsTest, AChangeOfWitnessesBeginsAnewAndNoChangeDoesNot) {
  Have({"a", "b"});
  EXPECT_EQ(Say("a", true), "");
  Have({"a", "b"});
  EXPECT_EQ(Say("b", true), "+");
  EXPECT_EQ(Say("a", true), "");
  Have({"a", "c"});
  EXPECT_EQ(Say("c", true), "");
  EXPECT_EQ(Say("a", true), "+");
  rounds_.Configure({});
  EXPECT_EQ(Say("a", true), "");
}

}  // namespace
}  // namespace evenkeel::health
