// SPDX-License-Identifier: Apache-2.0
#include "control/health/server_health.h"

#include <gmock/gmock.h>

#include <vector>

namespace evenkeel::health {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kSecond = 1'000'000'000;

// A letter per probe, one a second: 's' succeeded, 'f' failed. A digit is as many seconds without.
struct HistoryCase {
  const char* name;
  const char* probes;
  Health health;
};

Health After(const char* probes) {
  const model::HealthCheck check;
  ServerHealth server{Dampening{}};
  int64_t now = 100 * kSecond;
  for (const char* p = probes; *p != 0; ++p) {
    now += (*p == 's' || *p == 'f' ? 1 : *p - '0') * kSecond;
    if (*p == 's' || *p == 'f') {
      server.Note({*p == 's', "x"}, check, now);
    } else {
      server.Tick(now);
    }
  }
  return server.state();
}

class ServerHistory : public ::testing::TestWithParam<HistoryCase> {};

TEST_P(ServerHistory, EndsThere) { EXPECT_EQ(After(GetParam().probes), GetParam().health); }

INSTANTIATE_TEST_SUITE_P(
    Health, ServerHistory,
    ::testing::Values(HistoryCase{"nothing_known", "", Health::kUnknown},
                      HistoryCase{"one_success", "s", Health::kUnknown},
                      HistoryCase{"rise", "ss", Health::kUp},
                      HistoryCase{"success_in_between", "ssffsff", Health::kUp},
                      HistoryCase{"failure_in_between", "sfs", Health::kUnknown},
                      HistoryCase{"fall", "ssfff", Health::kDown},
                      HistoryCase{"fall_of_an_unknown", "fff", Health::kDown},
                      HistoryCase{"one_less_than_fall", "ssff", Health::kUp},
                      HistoryCase{"back_too_early", "fffss", Health::kRecovering},
                      HistoryCase{"back_too_early_then_on_time", "fffss2", Health::kRecovering},
                      HistoryCase{"hold_over", "fffss3", Health::kUp},
                      HistoryCase{"hold_over_at_a_probe", "fffsssss", Health::kUp},
                      HistoryCase{"late", "fff9ss", Health::kUp},
                      HistoryCase{"late_by_one", "fff9s", Health::kDown},
                      HistoryCase{"failure_while_held", "fffssf9", Health::kDown},
                      HistoryCase{"rise_anew_after_that", "fffssfs9", Health::kDown}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ServerHealth, SaysWhy) {
  model::HealthCheck check;
  ServerHealth server{Dampening{}};
  std::vector<std::string> causes;
  const auto note = [&](bool ok, const char* cause, int64_t at) {
    if (const auto change = server.Note({ok, cause}, check, at * kSecond)) {
      causes.push_back(change->cause);
      EXPECT_EQ(change->to, server.state());
      EXPECT_EQ(change->cause, server.cause());
    }
  };
  note(false, "no route", 1);
  note(false, "no route", 2);
  note(false, "connection refused", 3);
  note(true, "", 4);
  note(true, "", 5);
  note(false, "", 6);
  check.rise = 1;
  note(true, "", 7);
  ASSERT_TRUE(server.Tick(8 * kSecond).has_value());
  EXPECT_EQ(server.cause(), "probes succeed, was held down for 5 s");
  check.fall = 1;
  note(false, "timeout", 9);
  EXPECT_THAT(causes,
              ElementsAre("3 probes failed: connection refused",
                          "2 probes succeeded, held down for 5 s", "1 probe failed",
                          "1 probe succeeded, held down for 5 s", "1 probe failed: timeout"));
}

// Seconds that the server is held down, for each time that it fails after `up` seconds of health.
std::vector<int64_t> HoldsOf(const std::vector<int64_t>& up) {
  model::HealthCheck check;
  check.rise = check.fall = 1;
  ServerHealth server{Dampening{}};
  int64_t now = 0;
  std::vector<int64_t> holds;
  server.Note({true}, check, now);
  for (const int64_t seconds : up) {
    now += seconds * kSecond;
    server.Note({false, "x"}, check, now);
    const int64_t failed = now;
    server.Note({true}, check, now);
    EXPECT_EQ(server.state(), Health::kRecovering);
    while (server.state() != Health::kUp) server.Tick(now += kSecond);
    holds.push_back((now - failed) / kSecond);
    EXPECT_EQ(now, server.hold_until_ns());
    EXPECT_EQ(now, server.since_ns());
  }
  return holds;
}

TEST(Dampening, DoublesTheHoldWithEachFlapUpToAMaximum) {
  EXPECT_THAT(HoldsOf({1, 1, 1, 1, 1, 1, 1, 1}), ElementsAre(5, 10, 20, 40, 80, 160, 300, 300));
}

TEST(Dampening, DecaysWithEachWindowOfHealth) {
  EXPECT_THAT(HoldsOf({1, 1, 1, 599}), ElementsAre(5, 10, 20, 40));
  EXPECT_THAT(HoldsOf({1, 1, 1, 600, 600}), ElementsAre(5, 10, 20, 20, 20));
  EXPECT_THAT(HoldsOf({1, 1, 1, 1800}), ElementsAre(5, 10, 20, 5));
  EXPECT_THAT(HoldsOf({1, 1, 1, 100000, 1}), ElementsAre(5, 10, 20, 5, 10));
}

TEST(Dampening, TheMaximumDecaysAtOnceToo) {
  EXPECT_THAT(HoldsOf({1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 600}),
              ElementsAre(5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 160));
}

TEST(ServerHealth, IsHeldNotAtAllAfterARestart) {
  ServerHealth server{Dampening{}};
  server.AssumeDown(kSecond);
  EXPECT_EQ(server.state(), Health::kDown);
  server.Note({true}, {}, kSecond);
  server.Note({true}, {}, kSecond);
  EXPECT_EQ(server.state(), Health::kUp);
}

TEST(ServerHealth, IsDownSinceItFailedThoughItsProbesSucceedBetween) {
  model::HealthCheck check;
  check.rise = check.fall = 1;
  ServerHealth server{Dampening{}};
  server.Note({false, "x"}, check, kSecond);
  server.Note({true}, check, 2 * kSecond);
  server.Note({false, "x"}, check, 3 * kSecond);
  EXPECT_EQ(server.state(), Health::kDown);
  EXPECT_EQ(server.since_ns(), kSecond);
}

TEST(ServerHealth, WaitsUntilItsProbesSucceedHoweverTheyFail) {
  ServerHealth server{Dampening{}};
  server.Wait();
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(server.Note({false, "x"}, {}, kSecond).has_value());
  EXPECT_FALSE(server.Note({true}, {}, kSecond).has_value());
  EXPECT_TRUE(server.Note({true}, {}, kSecond).has_value());
  EXPECT_EQ(server.state(), Health::kUp);
}

}  // namespace
}  // namespace evenkeel::health
