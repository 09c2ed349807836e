// SPDX-License-Identifier: Apache-2.0
//
// What a prober holds on to, and lets go: sockets, removed targets, its own lateness.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/probe/probe_fixture.h"
#include "tests/probe/server.h"

namespace evenkeel::testing {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kLimit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(Millis{10});
  }
  return true;
}

std::string BlackHole(int n) { return absl::StrCat("10.99.0.", n); }

TEST_F(ProbeTest, RefusesTargetsThatCannotBeProbedAndKeepsTheOthers) {
  Server server(8000);
  Start();
  SetTargets({To("127.0.0.1", 8000, Type::kTcp, Millis{100}, Millis{100})});
  const absl::Status status = prober_->SetTargets({To("10.0.0.1", 80), To("10.0.0.2", 0)});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "health check of 10.0.0.2 in pool web: port 0 cannot be probed; set health_check.port");
  seeing_.Clear();
  EXPECT_TRUE(seeing_.WaitFor("127.0.0.1", 8000, 3, kLimit));
}

TEST_F(ProbeTest, RefusesOptionsOfZero) {
  const probe::Sink sink = [](const probe::Target&, const probe::Result&) {};
  EXPECT_FALSE(probe::Prober::Start({.max_open_sockets = 0}, sink).ok());
  EXPECT_FALSE(probe::Prober::Start({.first_within = seconds{0}}, sink).ok());
}

TEST_F(ProbeTest, ProbesOnceWhatIsListedTwice) {
  Server server(8000);
  Start();
  const auto target = To("127.0.0.1", 8000, Type::kTcp, Millis{100}, Millis{100});
  SetTargets({target, target});
  EXPECT_TRUE(seeing_.WaitFor("127.0.0.1", 8000, 5, kLimit));
  const auto seen = seeing_.Of("127.0.0.1", 8000);
  EXPECT_GE(seen[4].at - seen[0].at, Millis{350});
}

TEST_F(ProbeTest, GivesNoResultOfRemovedTargets) {
  Server server(8000);
  Start();
  for (int round = 0; round < 20; ++round) {
    SetTargets({To("127.0.0.1", 8000, Type::kTcp, Millis{10}, Millis{10}),
                To("127.0.0.1", 8000, Type::kHttp, Millis{10}, Millis{10}),
                To(BlackHole(1), 80, Type::kTcp, Millis{20}, Millis{10})});
    std::this_thread::sleep_for(Millis{20 + round});
    SetTargets({});
    const size_t total = seeing_.total();
    std::this_thread::sleep_for(Millis{25});
    EXPECT_EQ(seeing_.total(), total) << round;
  }
  EXPECT_GT(seeing_.total(), 20u);
  EXPECT_TRUE(Eventually([&] {
    const probe::Stats stats = prober_->stats();
    return stats.open_sockets == 0 && stats.started == stats.ended;
  }));
}

TEST_F(ProbeTest, GivesNoResultOfRemovedTargetsWhoseProbesHaveEnded) {
  std::atomic<int> calls{0};
  Start({}, [&](const probe::Target&, const probe::Result&) {
    // After the first call all others are due, and end together.
    if (++calls == 1) std::this_thread::sleep_for(Millis{700});
    if (calls == 10) SetTargets({});
  });
  std::vector<probe::Target> targets;
  for (int n = 1; n <= 50; ++n) {
    targets.push_back(To(absl::StrCat("192.0.2.", n), 80, Type::kTcp, Millis{500}, Millis{500}));
  }
  SetTargets(targets);
  EXPECT_TRUE(Eventually([&] { return calls >= 10; }));
  EXPECT_TRUE(Eventually([&] { return prober_->stats().waiting == 0; }));
  std::this_thread::sleep_for(Millis{600});
  EXPECT_EQ(calls, 10);
  EXPECT_GT(prober_->stats().ended, 40u);
}

TEST_F(ProbeTest, LetsTargetsThatStayGoOnInTheirRhythm) {
  Server server(8000);
  Start({.first_within = Millis{50}});  // what is new is probed at once
  const auto stays = To("127.0.0.1", 8000, Type::kTcp, Millis{500}, Millis{500});
  const auto hangs = To(BlackHole(100), 80, Type::kTcp, Millis{500}, Millis{400});
  for (int n = 1; n <= 30; ++n) {
    SetTargets({stays, hangs, To(BlackHole(n), 80)});
    std::this_thread::sleep_for(Millis{100});
  }
  SetTargets({stays});
  EXPECT_GE(seeing_.Of("127.0.0.1", 8000).size(), 5u);
  EXPECT_LE(seeing_.Of("127.0.0.1", 8000).size(), 8u);
  EXPECT_GE(seeing_.Of(BlackHole(100), 80).size(), 4u);
}

TEST_F(ProbeTest, TakesANewSetFromItsSink) {
  Server server(8000);
  // Not when the test may be over: its prober is not its own any more then.
  Start({}, [this, times = 3](const probe::Target&, const probe::Result&) mutable {
    if (times-- > 0) SetTargets({To("127.0.0.2", 8000, Type::kTcp, Millis{50}, Millis{50})});
  });
  SetTargets({To("127.0.0.1", 8000, Type::kTcp, Millis{50}, Millis{50})});
  EXPECT_TRUE(seeing_.WaitFor("127.0.0.2", 8000, 3, kLimit));
  EXPECT_EQ(seeing_.Of("127.0.0.1", 8000).size(), 1u);
}

TEST_F(ProbeTest, HoldsNoMoreSocketsThanItMayAndDropsNoProbe) {
  constexpr int kTargets = 60;
  constexpr size_t kSockets = 10;
  Start({.max_open_sockets = kSockets});
  std::vector<probe::Target> targets;
  for (int n = 1; n <= kTargets; ++n) {
    targets.push_back(
        To(BlackHole(n), 80, n % 2 ? Type::kTcp : Type::kHttp, Millis{500}, Millis{200}));
  }
  SetTargets(targets);
  uint64_t most_open = 0;
  uint64_t most_waiting = 0;
  // 10 at a time, 200 ms each: all have had their turn twice after 2.4 s.
  const bool all = Eventually([&] {
    const probe::Stats stats = prober_->stats();
    most_open = std::max(most_open, stats.open_sockets);
    most_waiting = std::max(most_waiting, stats.waiting);
    for (int n = 1; n <= kTargets; ++n) {
      if (seeing_.Of(BlackHole(n), 80).size() < 2) return false;
    }
    return true;
  });
  EXPECT_TRUE(all);
  EXPECT_LE(most_open, kSockets);
  EXPECT_GE(most_open, kSockets - 2);
  EXPECT_GT(most_waiting, 10u);
  const probe::Stats stats = prober_->stats();
  EXPECT_GT(stats.late, 60u);
  EXPECT_GT(stats.skipped, 60u);
  for (int n = 1; n <= kTargets; ++n) {
    for (const Seen& seen : seeing_.Of(BlackHole(n), 80)) {
      EXPECT_EQ(seen.result.cause, "no answer within 200ms");
    }
  }
}

TEST_F(ProbeTest, ClosesEverySocketHoweverAProbeEnds) {
  Server silent(8000, [](const Connection& c) { c.WaitForPeer(); });
  Server answering(8001, [](const Connection& c) {
    c.ReadRequest();
    c.Send(HttpAnswer(200, std::string(100'000, 'x')));
  });
  Server closing(8002, [](const Connection&) {});
  const size_t before = Descriptors();
  Start();
  const size_t idle = Descriptors();
  for (int round = 0; round < 2; ++round) {
    std::vector<probe::Target> targets;
    for (const Type type : {Type::kTcp, Type::kHttp, Type::kHttps}) {
      for (const uint16_t port : {8000, 8001, 8002, 8003}) {
        targets.push_back(To("127.0.0.1", port, type, Millis{50}, Millis{30}));
      }
      targets.push_back(To(BlackHole(1), 80, type, Millis{50}, Millis{30}));
    }
    SetTargets(targets);
    EXPECT_TRUE(seeing_.WaitFor(BlackHole(1), 80, 60, kLimit));
    SetTargets({});  // while some run
    EXPECT_EQ(DescriptorsDownTo(idle), idle);
    EXPECT_EQ(prober_->stats().open_sockets, 0u);
    seeing_.Clear();
  }
  SetTargets({To(BlackHole(1), 80, Type::kTcp, Millis{5000}, Millis{5000}),
              To(BlackHole(1), 80, Type::kHttp, Millis{5000}, Millis{5000})});
  EXPECT_TRUE(Eventually([&] { return prober_->stats().open_sockets == 2; }));
  prober_.reset();  // while they run
  EXPECT_EQ(DescriptorsDownTo(before), before);
}

TEST_F(ProbeTest, LeavesNoConnectionsInTimeWait) {
  Server tcp(8000, [](const Connection& c) { c.WaitForPeer(); });
  Start();
  SetTargets({To("127.0.0.1", 8000, Type::kTcp, Millis{10}, Millis{10})});
  EXPECT_TRUE(seeing_.WaitFor("127.0.0.1", 8000, 100, kLimit));
  SetTargets({});
  EXPECT_EQ(netns_->Output("ss -Htan state time-wait"), "");
}

TEST_F(ProbeTest, BlamesItselfWhenItHasNoDescriptorLeft) {
  Server server(8000);
  Start();
  rlimit former{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &former), 0);
  const int lowest_free = fcntl(0, F_DUPFD_CLOEXEC, 0);
  ASSERT_GE(lowest_free, 0);
  close(lowest_free);
  const rlimit none{.rlim_cur = static_cast<rlim_t>(lowest_free), .rlim_max = former.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  SetTargets({To("127.0.0.1", 8000, Type::kTcp, Millis{100}, Millis{100}),
              To("127.0.0.2", 8000, Type::kHttp, Millis{100}, Millis{100})});
  EXPECT_TRUE(seeing_.WaitFor("127.0.0.1", 8000, 2, kLimit));
  EXPECT_TRUE(seeing_.WaitFor("127.0.0.2", 8000, 2, kLimit));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &former), 0);
  for (const char* address : {"127.0.0.1", "127.0.0.2"}) {
    const probe::Result first = seeing_.Of(address, 8000)[0].result;
    EXPECT_FALSE(first.healthy);
    EXPECT_TRUE(first.own_fault);
    EXPECT_EQ(first.cause, "this host has no file descriptor left") << address;
  }
}

// A host that stood still must not take it for a failure of all its backends.
TEST_F(ProbeTest, DoesNotBlameTargetsForItsOwnStall) {
  Server slow(8000, [](const Connection& c) {
    c.ReadRequest();
    c.Sleep(Millis{500});
    c.Send(HttpAnswer(200, "ok"));
  });
  std::atomic<bool> stalled{false};
  Start({}, [&](const probe::Target& target, const probe::Result&) {
    // Stands still while probes of both kinds run: there are four targets of each.
    if (target.port != 8001 || prober_->stats().open_sockets < 6) return;
    if (!stalled.exchange(true)) std::this_thread::sleep_for(Millis{2000});
  });
  std::vector<probe::Target> targets = {
      To("127.0.0.9", 8001, Type::kTcp, Millis{10}, Millis{10})};  // the sink's chance to stall
  for (int n = 1; n <= 4; ++n) {
    targets.push_back(
        To(absl::StrCat("127.0.0.", n), 8000, Type::kHttp, Millis{1000}, Millis{900}));
    targets.push_back(To(BlackHole(n), 80, Type::kTcp, Millis{1000}, Millis{900}));
  }
  SetTargets(targets);
  EXPECT_TRUE(Eventually([&] { return stalled.load(); }));
  std::this_thread::sleep_for(Millis{3500});
  SetTargets({});
  size_t own_faults = 0;
  size_t read_late = 0;  // answers that came in time and waited for the prober
  for (const auto& [key, all] : seeing_.All()) {
    for (const Seen& seen : all) {
      if (seen.result.healthy && seen.result.took > Millis{1200}) ++read_late;
      if (seen.result.own_fault) {
        ++own_faults;
        EXPECT_EQ(seen.result.cause, "no answer within 900ms, but this host was stalled meanwhile");
      } else if (key.second == 8000) {
        EXPECT_EQ(seen.result.cause, "") << key.first;
      }
    }
  }
  EXPECT_GT(own_faults, 0u);
  EXPECT_GT(read_late, 0u);
}

}  // namespace
}  // namespace evenkeel::testing
