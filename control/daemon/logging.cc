// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/logging.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "control/engine/alarm_text.h"

namespace evenkeel::daemon {
namespace {

// The logger whose messages are JSON already.
constexpr char kAlarms[] = "evenkeeld-alarms";

// The message as a JSON string: whatever is logged, one line stays one object.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    const std::string text(message.payload.data(), message.payload.size());
    if (std::string_view(message.logger_name.data(), message.logger_name.size()) == kAlarms) {
      constexpr std::string_view kKey = R"("alarm":)";
      out.append(kKey.data(), kKey.data() + kKey.size());
      out.append(text.data(), text.data() + text.size());
      return;
    }
    constexpr std::string_view kKey = R"("message":)";
    out.append(kKey.data(), kKey.data() + kKey.size());
    const std::string quoted =
        nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    out.append(quoted.data(), quoted.data() + quoted.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

std::unique_ptr<spdlog::formatter> MakeFormatter(const std::string& format) {
  auto formatter =
      std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc, "\n");
  formatter->add_flag<JsonMessage>('*');
  formatter->set_pattern(format == "json" ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%*})"
                                          : "%Y-%m-%dT%H:%M:%S.%eZ %l: %v");
  return formatter;
}

spdlog::level::level_enum LevelOf(const detect::AlarmEvent& event) {
  if (event.what == detect::AlarmEvent::What::kCleared) return spdlog::level::info;
  return event.alarm.severity == detect::Severity::kPage ? spdlog::level::err : spdlog::level::warn;
}

// Names and reasons are text of somebody's: a line of the log stays one line.
std::string OneLine(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return text;
}

}  // namespace

void SetUpLogging(const std::string& level, const std::string& format) {
  auto logger = std::make_shared<spdlog::logger>("evenkeeld",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(MakeFormatter(format));
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(logger);
  spdlog::drop(kAlarms);
  if (format != "json") return;
  auto alarms =
      std::make_shared<spdlog::logger>(kAlarms, logger->sinks().begin(), logger->sinks().end());
  alarms->set_level(logger->level());
  alarms->flush_on(spdlog::level::debug);
  spdlog::register_logger(std::move(alarms));
}

void LogAlarm(const detect::AlarmEvent& event) {
  const auto alarms = spdlog::get(kAlarms);
  if (alarms == nullptr) {
    spdlog::log(LevelOf(event), "{}", OneLine(engine::AlarmLine(event)));
    return;
  }
  nlohmann::ordered_json alarm = engine::ToJson(event.alarm);
  alarm["event"] = std::string(engine::ToString(event.what));
  alarms->log(LevelOf(event), "{}",
              alarm.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace evenkeel::daemon
