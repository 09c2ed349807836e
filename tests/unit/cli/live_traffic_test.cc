// SPDX-License-Identifier: Apache-2.0
//
// What a plan shows of the traffic of now.
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

traffic::PoolTraffic WebTraffic() {
  return {.pool = "web",
          .packets_per_s = 12300.4,
          .moved_packets_per_s = 3210.0,
          .sampled = {.packets = 1000, .flows = 402},
          .moved = {.packets = 260, .flows = 105},
          .staying = {.packets = 250, .flows = 101},
          .cut = {.packets = 10, .flows = 4}};
}

class LiveTrafficTest : public CliTest {
 protected:
  LiveTrafficTest() {
    traffic::LiveTraffic live;
    live.pools = {WebTraffic()};
    live.interval = milliseconds(5000);
    live.sample = {.one_in = 12, .packets = 1100, .missed = 0, .lasted = milliseconds(300)};
    daemon_.live_traffic = live;
  }

  Ran Plan(std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"plan", "-f", WriteConfig("five.yaml", WebConfig(5))};
    args.insert(args.end(), more.begin(), more.end());
    return Run(args);
  }
  traffic::LiveTraffic& live() { return *daemon_.live_traffic; }
  // Without the breaks of lines.
  std::string Text() {
    std::istringstream words(Plan().out);
    std::string text;
    for (std::string word; words >> word;) text += (text.empty() ? "" : " ") + word;
    return text;
  }
};

TEST_F(LiveTrafficTest, SaysWhatMovesWhatStaysAndWhatIsCut) {
  EXPECT_THAT(Text(),
              AllOf(HasSubstr("Live traffic: web 12.3 k packets/s, of which the slots that move "
                              "carry about 3.21 k by the counters"),
                    HasSubstr("! 105 of 402 sampled flows (26.00 % of the packets) get another "
                              "owner: 101 stay on their backend until they end, 4 are cut off"),
                    HasSubstr("Looked at 1100 packets in 300 ms, one in 12")));
  live().pools[0].cut = {};
  EXPECT_THAT(Text(), HasSubstr("- 105 of 402 sampled flows"));
  live().sample->missed = 7;
  EXPECT_THAT(Text(), HasSubstr("for 7 more there was no room"));
}

TEST_F(LiveTrafficTest, SaysWhatIsNotKnown) {
  live().sample.reset();
  live().not_sampled = "Linux 5 does not permit it";
  EXPECT_THAT(Text(), AllOf(HasSubstr("12.3 k packets/s"), Not(HasSubstr("flows")),
                            HasSubstr("Not sampled: Linux 5 does not permit it")));
  live().pools[0].packets_per_s.reset();
  live().pools[0].moved_packets_per_s.reset();
  EXPECT_THAT(Text(), HasSubstr("web packets/s are not known yet"));
  EXPECT_EQ(Plan().code, 0);
}

TEST_F(LiveTrafficTest, SaysThatNothingCame) {
  traffic::PoolTraffic& web = live().pools[0];
  web.sampled = web.moved = web.staying = web.cut = {};
  EXPECT_THAT(Text(), HasSubstr("no packet of it was seen"));
  live().sample->packets = 0;
  EXPECT_THAT(Text(), HasSubstr("No packet came in 300 ms"));
}

TEST_F(LiveTrafficTest, IsLeftOutWhereThereIsNone) {
  live().pools.clear();
  EXPECT_THAT(Plan().out, Not(HasSubstr("Live traffic")));
  daemon_.live_traffic.reset();
  EXPECT_THAT(Plan().out, Not(HasSubstr("Live traffic")));
  EXPECT_TRUE(Plan({"-o", "json"}).Json()["live_traffic"].is_null());
}

TEST_F(LiveTrafficTest, IsShortUnlessAllIsAskedFor) {
  live().pools.assign(23, WebTraffic());
  EXPECT_THAT(Plan().out, HasSubstr("... and 3 pools more"));
  EXPECT_THAT(Plan({"--all"}).out, Not(HasSubstr("... and 3 pools more")));
}

TEST_F(LiveTrafficTest, FitsInto80Columns) {
  std::istringstream lines(Plan().out);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Plan of ")) continue;  // has the file's path
    EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST_F(LiveTrafficTest, JsonHasEveryNumber) {
  nlohmann::json json = Plan({"-o", "json"}).Json()["live_traffic"];
  EXPECT_EQ(json["interval_s"], 5.0);
  EXPECT_EQ(json["not_sampled"], "");
  EXPECT_EQ(json["sample"],
            nlohmann::json({{"one_in", 12}, {"packets", 1100}, {"missed", 0}, {"lasted_s", 0.3}}));
  EXPECT_EQ(json["pools"][0], nlohmann::json({{"pool", "web"},
                                              {"packets_per_s", 12300.4},
                                              {"moved_packets_per_s", 3210.0},
                                              {"sampled", {{"packets", 1000}, {"flows", 402}}},
                                              {"moved", {{"packets", 260}, {"flows", 105}}},
                                              {"staying", {{"packets", 250}, {"flows", 101}}},
                                              {"cut", {{"packets", 10}, {"flows", 4}}}}));
  live().pools[0].packets_per_s.reset();
  live().sample.reset();
  live().interval = milliseconds(0);
  json = Plan({"-o", "json"}).Json()["live_traffic"];
  EXPECT_TRUE(json["interval_s"].is_null());
  EXPECT_TRUE(json["sample"].is_null());
  EXPECT_TRUE(json["pools"][0]["packets_per_s"].is_null());
}

TEST_F(LiveTrafficTest, LooksForAsLongAsIsAskedFor) {
  const auto asked = [&](std::vector<std::string> more) {
    EXPECT_EQ(Plan(std::move(more)).code, 0);
    return daemon_.planned_requests.back().sample_for;
  };
  EXPECT_EQ(asked({}), milliseconds(300));
  EXPECT_EQ(asked({"--sample", "1.5s"}), milliseconds(1500));
  EXPECT_EQ(asked({"--sample", "2s"}), milliseconds(2000));
  EXPECT_EQ(asked({"--no-sample"}), milliseconds(0));
  daemon_.planned_requests.clear();
  for (const char* wrong : {"0", "2001ms", "1us", "soon", "-1s"}) {
    const Ran ran = Plan({std::string("--sample=") + wrong});
    EXPECT_EQ(ran.code, 1) << wrong;
    EXPECT_THAT(ran.err, HasSubstr("--sample"));
  }
  EXPECT_EQ(Plan({"--sample", "1s", "--no-sample"}).code, 1);
  EXPECT_TRUE(daemon_.planned_requests.empty());
}

TEST_F(LiveTrafficTest, ApplyAsksForNoSample) {
  const std::string file = WriteConfig("five.yaml", WebConfig(5));
  EXPECT_EQ(Run({"apply", "-f", file, "--reason", "more", "--yes"}).code, 0);
  ASSERT_FALSE(daemon_.planned_requests.empty());
  for (const engine::Request& request : daemon_.planned_requests) {
    EXPECT_EQ(request.sample_for, milliseconds(0));
  }
  EXPECT_EQ(Run({"check", file}).code, 0);
  EXPECT_EQ(daemon_.planned_requests.back().sample_for, milliseconds(0));
}

}  // namespace
}  // namespace evenkeel::cli
