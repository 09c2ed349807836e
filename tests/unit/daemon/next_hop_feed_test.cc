// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/next_hop_feed.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>

namespace evenkeel::daemon {
namespace {

neighbor::Resolution Make(const char* address, const char* problem) {
  neighbor::Resolution resolution;
  resolution.address = *model::IpAddress::Parse(address);
  resolution.problem = problem;
  return resolution;
}

TEST(NextHopFeedTest, HandsOnTheNewestOfEachBackend) {
  NextHopFeed feed;
  feed.Push(Make("10.0.0.1", "old"));
  feed.Push(Make("10.0.0.2", "two"));
  feed.Push(Make("10.0.0.1", "new"));
  std::vector<std::string> problems;
  std::promise<void> done;
  feed.Start([&](const neighbor::Resolution& resolution) {
    problems.push_back(resolution.problem);
    if (problems.size() == 2) done.set_value();
  });
  ASSERT_EQ(done.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
  feed.Stop();
  EXPECT_EQ(problems, (std::vector<std::string>{"new", "two"}));
}

TEST(NextHopFeedTest, PushingNeverWaitsForTheConsumer) {
  NextHopFeed feed;
  std::promise<void> entered, leave;
  bool first = true;
  feed.Start([&](const neighbor::Resolution&) {
    if (!std::exchange(first, false)) return;
    entered.set_value();
    leave.get_future().wait_for(std::chrono::seconds(5));
  });
  feed.Push(Make("10.0.0.1", "a"));
  ASSERT_EQ(entered.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
  feed.Push(Make("10.0.0.2", "b"));
  leave.set_value();
  feed.Stop();
  feed.Push(Make("10.0.0.3", "after the end"));
}

}  // namespace
}  // namespace evenkeel::daemon
