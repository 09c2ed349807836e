// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/logging.h"

#include <gmock/gmock.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace evenkeel::daemon {
namespace {

using ::testing::HasSubstr;

detect::AlarmEvent Raised() {
  detect::AlarmEvent event;
  event.alarm.id = "flows/web/10.0.1.11";
  event.alarm.pool = "web";
  event.alarm.severity = detect::Severity::kPage;
  event.alarm.text = "b1 has \"everything\"\nand more \xff";
  event.alarm.undo = "evenkeel rollback 40";
  return event;
}

// What `log` leads to on standard error, with the logger of a daemon.
std::string Logged(const std::string& format, const std::function<void()>& log) {
  const auto former = spdlog::default_logger();
  ::testing::internal::CaptureStderr();
  SetUpLogging("info", format);
  log();
  spdlog::default_logger()->flush();
  std::string text = ::testing::internal::GetCapturedStderr();
  SetUpLogging("info", "text");
  spdlog::set_default_logger(former);
  return text;
}

TEST(LogAlarm, IsAnObjectOnALineOfItsOwn) {
  const std::string text = Logged("json", [] {
    LogAlarm(Raised());
    spdlog::info("between \"them\"");
    detect::AlarmEvent over = Raised();
    over.what = detect::AlarmEvent::What::kCleared;
    LogAlarm(over);
  });
  std::vector<nlohmann::json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(lines.size(), 3u) << text;
  const nlohmann::json& alarm = lines[0].at("alarm");
  EXPECT_EQ(alarm.at("event"), "raised");
  EXPECT_EQ(alarm.at("id"), "flows/web/10.0.1.11");
  EXPECT_EQ(alarm.at("severity"), "page");
  EXPECT_EQ(alarm.at("undo"), "evenkeel rollback 40");
  EXPECT_THAT(alarm.at("text").get<std::string>(), HasSubstr("\"everything\"\nand"));
  EXPECT_FALSE(lines[1].contains("alarm"));
  EXPECT_EQ(lines[2].at("alarm").at("event"), "cleared");
  for (const nlohmann::json& line : lines) {
    EXPECT_EQ(line.at("time").get<std::string>().size(),
              lines[1].at("time").get<std::string>().size());
    EXPECT_TRUE(line.contains("level")) << line;
  }
}

TEST(LogAlarm, IsALineOfText) {
  const std::string text = Logged("text", [] { LogAlarm(Raised()); });
  EXPECT_THAT(text, HasSubstr("evenkeel rollback 40"));
  EXPECT_THAT(text, HasSubstr(" error: page: b1 has"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

}  // namespace
}  // namespace evenkeel::daemon
