// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::HasSubstr;

class WatchTest : public CliTest {
 protected:
  WatchTest() {
    using Kind = engine::Event::Kind;
    daemon_.events = {
        {1'772'366'400'000'000'000, Kind::kApplied, 7, "", "by alice: add web-4"},
        {1'772'366'401'000'000'000, Kind::kUnreachable, 0, "10.0.1.14", "no route\033[2J"}};
  }
};

TEST_F(WatchTest, PrintsOneLineAnEvent) {
  const Ran ran = Run({"watch", "-n", "2"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out,
            "2026-03-01 12:00:00 UTC  applied revision 7: by alice: add web-4\n"
            "2026-03-01 12:00:01 UTC  unreachable 10.0.1.14: no route\\x1b[2J\n");
}

TEST_F(WatchTest, PrintsOneJsonObjectALine) {
  const Ran ran = Run({"watch", "-n", "2", "-o", "json"});
  std::istringstream lines(ran.out);
  std::vector<nlohmann::json> events;
  for (std::string line; std::getline(lines, line);) events.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0]["kind"], "applied");
  EXPECT_EQ(events[0]["revision"], 7);
  EXPECT_EQ(events[1]["subject"], "10.0.1.14");
}

TEST_F(WatchTest, EndsWhenTheUserInterrupts) {
  EXPECT_EQ(Run({"watch"}).code, 0);  // the fixture's sleep is interrupted at once
}

TEST_F(WatchTest, DaemonThatGoesAwayIsAnError) {
  env_.sleep = [this](std::chrono::milliseconds) {
    daemon_.down = absl::UnavailableError("evenkeeld went away");
    return true;
  };
  const Ran ran = Run({"watch"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("went away"));
}

}  // namespace
}  // namespace evenkeel::cli
