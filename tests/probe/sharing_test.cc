// SPDX-License-Identifier: Apache-2.0
//
// A pool of black holes and a pool that is well, and too few sockets for the first.
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/probe/probe_fixture.h"
#include "tests/probe/server.h"

namespace evenkeel::testing {
namespace {

TEST_F(ProbeTest, APoolOfBlackHolesDoesNotStarveTheOthers) {
  Server server(8000);
  Start({.max_open_sockets = 64});
  std::vector<probe::Target> targets;
  for (int n = 0; n < 600; ++n) {  // each would hold a socket all the time
    auto target = To(absl::StrCat("10.99.0.", 1 + n % 200), static_cast<uint16_t>(80 + n / 200),
                     n % 2 ? Type::kTcp : Type::kHttp, Millis{2000}, Millis{2000});
    target.pool = "dead";
    targets.push_back(target);
  }
  SetTargets(targets);
  const auto end = std::chrono::steady_clock::now() + kLimit;
  while (prober_->stats().waiting < 100 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(Millis{10});
  }
  ASSERT_GE(prober_->stats().waiting, 100u);
  std::vector<std::string> well;
  for (int n = 1; n <= 50; ++n) {
    well.push_back(absl::StrCat("127.0.1.", n));
    auto target = To(well.back(), 8000, Type::kTcp, Millis{200}, Millis{200});
    target.pool = "well";
    targets.push_back(target);
  }
  SetTargets(targets);
  // Those that hold all sockets by now end within 2 s.
  std::this_thread::sleep_for(Millis{2500});
  seeing_.Clear();
  std::this_thread::sleep_for(Millis{3000});
  for (const std::string& address : well) {
    const std::vector<Seen> seen = seeing_.Of(address, 8000);
    EXPECT_GE(seen.size(), 13u) << address << ": 15 rounds, and the jitter";
    for (const Seen& s : seen) EXPECT_EQ(s.result.cause, "") << address;
  }
  size_t dead = 0;
  for (const auto& [key, all] : seeing_.All())
    dead += key.first.starts_with("10.99.") ? all.size() : 0;
  EXPECT_GE(dead, 30u) << "half of the sockets, for 2 s each";
}

}  // namespace
}  // namespace evenkeel::testing
