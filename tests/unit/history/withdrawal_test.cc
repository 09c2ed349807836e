// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/history/history_fixture.h"

namespace evenkeel::history {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using WithdrawalTest = HistoryTest;

Withdrawal Make(const std::string& vip, bool withdrawn, int64_t at = 1) {
  return {.unix_ns = at, .vip = vip, .withdrawn = withdrawn, .author = "alice", .reason = "r"};
}

// "-web" withdrawn, "+web" announced, "*" for all.
std::vector<std::string> Words(History& history) {
  std::vector<std::string> words;
  const auto withdrawals = history.Withdrawals();
  for (const Withdrawal& w : *withdrawals) {
    words.push_back((w.withdrawn ? "-" : "+") + (w.vip.empty() ? "*" : w.vip));
  }
  return words;
}

TEST_F(WithdrawalTest, TheLastWordCountsAndSurvivesARestart) {
  auto history = MustOpen();
  EXPECT_THAT(Words(*history), IsEmpty());
  ASSERT_TRUE(history->RecordWithdrawals({Make("web", true), Make("dns", true)}).ok());
  ASSERT_TRUE(history->RecordWithdrawals({Make("web", false)}).ok());
  history.reset();
  history = MustOpen();
  EXPECT_THAT(Words(*history), ElementsAre("-dns", "+web"));
  const Withdrawal dns = history->Withdrawals()->front();
  EXPECT_EQ(dns.unix_ns, 1);
  EXPECT_EQ(dns.author, "alice");
  EXPECT_EQ(dns.reason, "r");
}

TEST_F(WithdrawalTest, AllEndsWhatWasBefore) {
  auto history = MustOpen();
  ASSERT_TRUE(history->RecordWithdrawals({Make("web", true), Make("", true)}).ok());
  EXPECT_THAT(Words(*history), ElementsAre("-*"));
  ASSERT_TRUE(history->RecordWithdrawals({Make("web", false)}).ok());
  EXPECT_THAT(Words(*history), ElementsAre("-*", "+web"));
  ASSERT_TRUE(history->RecordWithdrawals({Make("", false)}).ok());
  EXPECT_THAT(Words(*history), ElementsAre("+*"));
}

TEST_F(WithdrawalTest, WhatIsInForceIsNotPruned) {
  auto history = MustOpen();
  ASSERT_TRUE(history
                  ->RecordWithdrawals({Make("", true, 1), Make("web", true, 2),
                                       Make("web", false, 3), Make("dns", true, 100)})
                  .ok());
  ASSERT_TRUE(history->Prune(50).ok());
  EXPECT_THAT(Words(*history), ElementsAre("-*", "+web", "-dns"));
  EXPECT_TRUE(history->Check().ok());
}

}  // namespace
}  // namespace evenkeel::history
