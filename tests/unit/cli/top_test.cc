// SPDX-License-Identifier: Apache-2.0
#include "control/cli/top_view.h"

#include "control/cli/text.h"
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class TopTest : public CliTest {
 protected:
  TopTest() {
    env_.sleep = [](std::chrono::milliseconds) { return true; };
    engine::Status& s = daemon_.status;
    s.instance = "edge";
    s.applied = *daemon_.Get();
    s.applied.revision = 41;
    s.digest_matches = true;
    s.vips = {{s.applied.config.vips[0],
               {.packets = 1000, .bytes = 10'000, .new_flows = 100, .drops = 0}}};
    engine::PoolStatus pool;
    pool.name = "web";
    pool.distribution.emplace();
    pool.distribution->verdict = detect::Verdict::kMatches;
    for (int i = 1; i <= 4; ++i) {
      engine::BackendStatus backend;
      backend.name = "web-" + std::to_string(i);
      backend.address = model::IpAddress::FromIpv4({10, 0, 1, static_cast<uint8_t>(i)});
      backend.share = 0.25;
      backend.counter.packets = static_cast<uint64_t>(i) * 100;
      pool.backends.push_back(backend);
      pool.distribution->servers.push_back({.address = backend.address,
                                            .name = backend.name,
                                            .intended = 0.25,
                                            .built = 0.25,
                                            .kernel = 0.25,
                                            .flows = i == 2 ? 0.76 : 0.08,
                                            .ratio = i == 2 ? 3.04 : 0.32,
                                            .sufficient = i != 4});
    }
    s.pools = {pool};
  }
  StatusSample Sample(int64_t second) { return {daemon_.status, 1'000'000'000 * second}; }

  std::vector<std::string> Draw(size_t columns = 80, size_t rows = 24) {
    std::optional<StatusSample> before = Sample(10);
    StatusSample now = Sample(12);
    now.status.vips[0].counter.packets += 2000;
    for (engine::BackendStatus& backend : now.status.pools[0].backends) {
      backend.counter.packets *= 3;
    }
    std::vector<std::string> lines;
    for (const ScreenLine& line : RenderTop(now, before, "", columns, rows, false, &state_)) {
      std::string text;
      for (const Cell& cell : line) text += cell.text;
      EXPECT_LE(DisplayWidth(text), columns) << text;
      lines.push_back(text);
    }
    EXPECT_LE(lines.size(), rows);
    return lines;
  }
  std::string Text(size_t columns = 80, size_t rows = 24) {
    std::string text;
    for (const std::string& line : Draw(columns, rows)) text += line + "\n";
    return text;
  }
  // Backends in the order in which they stand.
  std::vector<std::string> Order() {
    std::vector<std::string> names;
    for (const std::string& line : Draw()) {
      if (const size_t at = line.find("  web-"); at == 0) names.push_back(line.substr(2, 5));
    }
    return names;
  }

  TopState state_;
};

TEST_F(TopTest, Has80ColumnsAndWhatIsExpectedAndObserved) {
  EXPECT_THAT(Text(), AllOf(HasSubstr("evenkeel edge  revision 41 by "),
                            HasSubstr("kernel matches"), HasSubstr("1.00 k packets/s"),
                            HasSubstr("Pool web  matches"), HasSubstr("25.0 %"),
                            HasSubstr("76.0 %"), HasSubstr("3.04"), HasSubstr("q quit")));
  const std::vector<std::string> lines = Draw();
  const auto fourth = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("web-4") != std::string::npos;
  });
  ASSERT_NE(fourth, lines.end());
  EXPECT_THAT(*fourth, Not(HasSubstr("0.32"))) << "too little was seen to say so";
}

TEST_F(TopTest, AlarmsStandAboveEverythingWithWhatToType) {
  detect::Alarm alarm;
  alarm.pool = "web";
  alarm.severity = detect::Severity::kPage;
  alarm.text = "web-2 gets 3.0x its share";
  alarm.undo = "evenkeel rollback 40";
  daemon_.status.alarms = {alarm};
  const std::string text = Text();
  EXPECT_THAT(text, AllOf(HasSubstr("ALARM web: web-2 gets 3.0x its share"),
                          HasSubstr("evenkeel rollback 40")));
  EXPECT_LT(text.find("ALARM"), text.find("Pool web"));
  daemon_.status.alarms.assign(5, alarm);
  EXPECT_THAT(Text(), HasSubstr("and 2 more; evenkeel status has all"));
}

TEST_F(TopTest, SortsFiltersAndScrolls) {
  EXPECT_THAT(Order(), testing::ElementsAre("web-1", "web-2", "web-3", "web-4"));
  EXPECT_TRUE(TakeKey('s', 10, &state_));
  EXPECT_THAT(Order()[3], "web-4") << "what is not known is last";
  EXPECT_TRUE(TakeKey('s', 10, &state_));
  EXPECT_THAT(Order(), testing::ElementsAre("web-4", "web-3", "web-2", "web-1"));
  TakeKey('s', 10, &state_);
  EXPECT_EQ(state_.sort, TopSort::kName);

  EXPECT_TRUE(TakeKey('/', 10, &state_));
  for (const char key : std::string("1.3")) TakeKey(key, 10, &state_);
  EXPECT_THAT(Draw().back(), HasSubstr("filter: 1.3_"));
  TakeKey('\r', 10, &state_);
  EXPECT_THAT(Order(), testing::ElementsAre("web-3"));
  TakeKey('/', 10, &state_);
  TakeKey(27, 10, &state_);
  EXPECT_THAT(Order(), SizeIs(4));

  TakeKey(kKeyDown, 10, &state_);
  EXPECT_THAT(Draw(80, 10), Not(testing::Contains(HasSubstr("Pool web"))));
  TakeKey(kKeyPageDown, 1000, &state_);
  Draw(80, 10);
  EXPECT_LT(state_.scroll, 10u) << "not beyond the end";
  TakeKey(kKeyPageUp, 1000, &state_);
  EXPECT_EQ(state_.scroll, 0u);
}

TEST_F(TopTest, PausesHelpsAndEnds) {
  EXPECT_TRUE(TakeKey('p', 10, &state_));
  EXPECT_THAT(Text(), HasSubstr("PAUSED"));
  TakeKey('?', 10, &state_);
  EXPECT_THAT(Text(), AllOf(HasSubstr("SKEW      observed"), Not(HasSubstr("Pool web"))));
  EXPECT_FALSE(TakeKey('x', 10, &state_));
  TakeKey('q', 10, &state_);
  EXPECT_TRUE(state_.ending);
}

TEST_F(TopTest, FitsAnyScreen) {
  for (const size_t columns : {1, 20, 40, 79, 80, 132, 400}) {
    for (const size_t rows : {1, 2, 5, 24, 60}) Draw(columns, rows);
  }
  daemon_.status.pools[0].backends[0].name = "bad\033[2Jname";
  EXPECT_THAT(Text(), Not(HasSubstr("\033")));
}

TEST_F(TopTest, WithoutATerminalItPrintsOneScreenAfterTheOther) {
  const Ran ran = Run({"top", "-n", "2"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("evenkeel edge"), HasSubstr("web-4"), Not(HasSubstr("\033")),
                             Not(HasSubstr("q quit"))));
  const Ran json = Run({"top", "-n", "1", "-o", "json"});
  EXPECT_EQ(json.Json()["schema"], "evenkeel.status/v1");
  daemon_.down = absl::UnavailableError("no daemon");
  EXPECT_EQ(Run({"top", "-n", "1"}).code, 1);
}

}  // namespace
}  // namespace evenkeel::cli
