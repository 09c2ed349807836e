// SPDX-License-Identifier: Apache-2.0
//
// Servers that stop to answer, on a real daemon with real sockets.
#include <gmock/gmock.h>

#include <mutex>

#include "tests/daemon/health_fixture.h"

namespace evenkeel::testing {
namespace {

using ::testing::HasSubstr;

TEST_F(HealthTest, WhoStopsToAnswerIsOutUntilItAnswersAgain) {
  StartWith({100, 100, 100, 100});
  std::mutex mutex;
  std::vector<engine::Event> events;
  const uint64_t watch = client_->Subscribe([&](const engine::Event& event) {
    const std::lock_guard lock(mutex);
    events.push_back(event);
  });
  const std::string etag = client_->Get()->etag;
  const auto refused_at = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  Refuse(2);
  const engine::PoolStatus out = WaitFor(HasShare(2, false));
  EXPECT_EQ(out.backends[1].health, "down");
  EXPECT_THAT(out.backends[1].health_cause, HasSubstr("connection refused"));
  EXPECT_NEAR(out.backends[0].share, 1.0 / 3, 0.001);
  EXPECT_GE(out.backends[1].health_since_unix_ns, refused_at.count());
  EXPECT_EQ(client_->Get()->etag, etag) << "nobody changed the configuration";

  // Nothing of it is lost with the daemon.
  End(SIGKILL);
  client_->Unsubscribe(watch);
  Start();
  EXPECT_THAT(Status().adoption, HasSubstr("matches"));
  EXPECT_EQ(Status().pools[0].backends[1].share, 0);

  Listen(2);
  const engine::PoolStatus back = WaitFor(HasShare(2, true));
  EXPECT_EQ(back.backends[1].health, "up");
  EXPECT_LT(back.backends[1].share, 0.25) << "step by step";
  const auto share = [](double least) {
    return [least](const engine::PoolStatus& pool) { return pool.backends[1].share >= least; };
  };
  const engine::PoolStatus half = WaitFor(share(0.1));
  EXPECT_LT(half.backends[1].admitted, 1);
  EXPECT_NEAR(half.backends[1].share, 0.25 * half.backends[1].admitted, 0.001);

  // A restart goes on where it was.
  End(SIGKILL);
  Start();
  EXPECT_THAT(Status().adoption, HasSubstr("matches"));
  EXPECT_LT(Status().pools[0].backends[1].admitted, 1);
  EXPECT_GE(Status().pools[0].backends[1].share, half.backends[1].share - 0.001);
  EXPECT_EQ(WaitFor(share(0.249)).backends[1].admitted, 1);
  const std::lock_guard lock(mutex);
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events[0].kind, engine::Event::Kind::kDown);
  EXPECT_EQ(events[0].subject, "web/web-2");
}

// When most fail at once it is more likely the probes than the servers.
TEST_F(HealthTest, WhenMostFailNobodyIsOut) {
  StartWith({100, 100, 100, 100, 100, 100});
  Refuse(1);
  WaitFor(HasShare(1, false));
  for (const int number : {2, 3, 4}) Refuse(number);
  const engine::PoolStatus panic =
      WaitFor([](const engine::PoolStatus& pool) { return !pool.panic.empty(); });
  EXPECT_THAT(panic.panic, HasSubstr("2 of 6"));
  const engine::PoolStatus all = WaitFor([](const engine::PoolStatus& pool) {
    return std::all_of(pool.backends.begin(), pool.backends.end(),
                       [](const auto& backend) { return backend.share > 0; });
  });
  EXPECT_TRUE(all.backends[0].held);
  EXPECT_EQ(all.backends[0].admitted, 1) << "at once: there is nobody to spare it";
  const auto changes = *client_->ListHealth(1);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].permille, 1000);
  EXPECT_THAT(changes[0].cause, HasSubstr("LB011")) << "not what its probes say";
  for (const int number : {1, 2, 3, 4}) Listen(number);
  WaitFor([](const engine::PoolStatus& pool) { return pool.panic.empty(); });
}

TEST_F(HealthTest, AnUnprobedPoolIsSaid) {
  std::string yaml = Yaml({100, 100});
  for (const auto& [from, to] : {std::pair("port: 80,", "port: 0,"), {"port: 8080, ", ""}}) {
    yaml.replace(yaml.find(from), std::string(from).size(), to);
  }
  Start({"--config", Write("web.yaml", yaml)});
  for (int i = 0; i < 100 && Status().notices.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_THAT(Status().notices, ::testing::Contains(HasSubstr("write health_check.port")));
  EXPECT_EQ(Status().pools[0].backends[0].health, "");
}

// Without web-4, web-1 would have 56 % of all: that server gets its packets still, and everybody
// can see it.
TEST_F(HealthTest, WhatWouldConcentrateTrafficIsHeldAndVisible) {
  StartWith({250, 100, 100, 100});
  Refuse(4);
  const engine::PoolStatus held =
      WaitFor([](const engine::PoolStatus& pool) { return pool.backends[3].held; });
  EXPECT_EQ(held.backends[3].health, "down");
  EXPECT_GT(held.backends[3].share, 0);
  EXPECT_THAT(held.backends[3].health_cause, HasSubstr("LB001"));
  const auto findings = *client_->Diagnose();
  EXPECT_TRUE(std::any_of(findings.begin(), findings.end(), [](const engine::Finding& finding) {
    return finding.check == "health" && finding.level == engine::Finding::Level::kFail &&
           finding.subject == "web/web-4";
  }));
  // With one server more it may go.
  Listen(5);
  ASSERT_EQ(Apply(model::ParseYaml(Yaml({250, 100, 100, 100, 100}), "test").config).kind,
            engine::Outcome::Kind::kApplied);
  WaitFor(HasShare(4, false));
}

// Echo needs no port, neither of the check nor of a VIP.
TEST_F(HealthTest, PingsThePoolOfAVipOfAllPorts) {
  std::string yaml = Yaml({100, 100, 100, 100});
  yaml.replace(yaml.find("port: 80,"), 9, "port: 0,");
  yaml.replace(yaml.find("type: tcp, port: 8080"), 21, "type: icmp");
  Start({"--config", Write("web.yaml", yaml)});
  WaitFor([](const engine::PoolStatus& pool) {
    return std::all_of(pool.backends.begin(), pool.backends.end(),
                       [](const auto& backend) { return backend.health == "up"; });
  });
  servers_->Run("ip address del 10.9.0.13/24 dev ek1");
  const engine::PoolStatus pool =
      WaitFor([](const engine::PoolStatus& p) { return p.backends[2].health == "down"; });
  EXPECT_THAT(pool.backends[2].health_cause, HasSubstr("no echo reply within 100ms"));
  EXPECT_EQ(pool.backends[0].health, "up");
}

}  // namespace
}  // namespace evenkeel::testing
