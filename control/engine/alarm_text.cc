// SPDX-License-Identifier: Apache-2.0
#include "control/engine/alarm_text.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace evenkeel::engine {
namespace {

using nlohmann::ordered_json;

std::string Text(std::string_view text) { return std::string(text); }

ordered_json TimeOrNull(int64_t unix_ns) {
  return unix_ns == 0 ? ordered_json(nullptr) : ordered_json(UtcText(unix_ns));
}

ordered_json ToJson(const detect::Evidence& evidence) {
  ordered_json heavy = ordered_json::array();
  for (const detect::Heavy& flow : evidence.heavy) {
    heavy.push_back({{"source", flow.source ? flow.source->ToString() : ""},
                     {"source_port", flow.source_port},
                     {"destination_port", flow.destination_port},
                     {"ip_protocol", flow.ip_protocol},
                     {"share", flow.share}});
  }
  return {{"unit", evidence.unit},
          {"window_s", evidence.window_s},
          {"expected", evidence.expected},
          {"observed", evidence.observed},
          {"expected_share", evidence.expected_share},
          {"observed_share", evidence.observed_share},
          {"ratio", evidence.ratio},
          {"z", evidence.z},
          {"dispersion", evidence.dispersion},
          {"heavy", heavy}};
}

}  // namespace

std::string UtcText(int64_t unix_ns) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixNanos(unix_ns),
                          absl::UTCTimeZone());
}

std::string_view ToString(detect::AlarmEvent::What what) {
  switch (what) {
    case detect::AlarmEvent::What::kRaised:
      return "raised";
    case detect::AlarmEvent::What::kEscalated:
      return "escalated";
    case detect::AlarmEvent::What::kChanged:
      return "changed";
    case detect::AlarmEvent::What::kCleared:
      return "cleared";
  }
  return "";
}

std::string_view ToString(detect::Health health) {
  switch (health) {
    case detect::Health::kUp:
      return "up";
    case detect::Health::kDown:
      return "down";
    case detect::Health::kUnknown:
      break;
  }
  return "unknown";
}

std::string ChangeLine(const detect::Change& change) {
  std::string line = absl::StrCat("revision ", change.revision, " by ", change.author, " at ",
                                  UtcText(change.unix_ns));
  if (!change.reason.empty()) absl::StrAppend(&line, ": ", change.reason);
  if (!change.summary.empty()) absl::StrAppend(&line, " (", change.summary, ")");
  return line;
}

std::string HealthLine(const detect::HealthChange& change) {
  return absl::StrCat(change.name.empty() ? change.server.ToString() : change.name, " of pool ",
                      change.pool, " ", Text(ToString(change.to)), " at ", UtcText(change.unix_ns),
                      ": ", change.cause);
}

std::string AlarmLine(const detect::AlarmEvent& event) {
  const detect::Alarm& alarm = event.alarm;
  if (event.what == detect::AlarmEvent::What::kCleared) {
    return absl::StrCat("over: ", alarm.text);
  }
  std::string line = absl::StrCat(Text(detect::ToString(alarm.severity)), ": ", alarm.text);
  if (!alarm.changes.empty()) {
    absl::StrAppend(&line, "; last change: ", ChangeLine(alarm.changes.front()));
  }
  if (!alarm.health.empty()) {
    absl::StrAppend(&line, "; health: ", HealthLine(alarm.health.front()));
  }
  if (!alarm.undo.empty()) absl::StrAppend(&line, "; undo: ", alarm.undo);
  return line;
}

ordered_json ToJson(const detect::Alarm& alarm) {
  ordered_json changes = ordered_json::array(), health = ordered_json::array();
  for (const detect::Change& change : alarm.changes) {
    changes.push_back({{"revision", change.revision},
                       {"author", change.author},
                       {"reason", change.reason},
                       {"summary", change.summary},
                       {"time", UtcText(change.unix_ns)}});
  }
  for (const detect::HealthChange& change : alarm.health) {
    health.push_back({{"pool", change.pool},
                      {"server", change.server.ToString()},
                      {"name", change.name},
                      {"to", Text(ToString(change.to))},
                      {"cause", change.cause},
                      {"time", UtcText(change.unix_ns)}});
  }
  ordered_json acknowledged = nullptr;
  if (alarm.acknowledged) {
    acknowledged = {{"by", alarm.acknowledged->who},
                    {"time", UtcText(alarm.acknowledged->unix_ns)}};
  }
  return {{"id", alarm.id},
          {"severity", Text(detect::ToString(alarm.severity))},
          {"pool", alarm.pool},
          {"kind", Text(detect::ToString(alarm.kind))},
          {"server", alarm.server ? alarm.server->ToString() : ""},
          {"name", alarm.name},
          {"diagnosis", Text(detect::ToString(alarm.diagnosis))},
          {"balancer", detect::IsBalancer(alarm.diagnosis)},
          {"text", alarm.text},
          {"since", UtcText(alarm.since_unix_ns)},
          {"page_since", TimeOrNull(alarm.page_since_unix_ns)},
          {"revision", alarm.revision},
          {"insufficient_data", alarm.insufficient},
          {"undo", alarm.undo},
          {"changes", changes},
          {"health", health},
          {"evidence", ToJson(alarm.evidence)},
          {"acknowledged", acknowledged}};
}

ordered_json ToJson(const detect::PoolReport& report) {
  ordered_json links = ordered_json::array(), servers = ordered_json::array();
  for (const detect::LinkReport& link : report.links) {
    links.push_back({{"link", Text(detect::ToString(link.link))},
                     {"state", Text(detect::ToString(link.state))},
                     {"detail", link.detail}});
  }
  for (const detect::ServerShares& server : report.servers) {
    servers.push_back(
        {{"address", server.address.ToString()},
         {"name", server.name},
         {"intended", server.intended},
         {"built", server.built},
         {"kernel", server.kernel ? ordered_json(*server.kernel) : ordered_json(nullptr)},
         {"flows", server.flows},
         {"packets", server.packets},
         {"bytes", server.bytes},
         {"ratio", server.ratio},
         {"z", server.z},
         {"sufficient", server.sufficient}});
  }
  return {{"verdict", Text(detect::ToString(report.verdict))},
          {"diagnosis", report.diagnosis ? Text(detect::ToString(*report.diagnosis)) : ""},
          {"text", report.text},
          {"revision", report.revision},
          {"unchanged_since", TimeOrNull(report.unchanged_since_unix_ns)},
          {"links", links},
          {"servers", servers}};
}

}  // namespace evenkeel::engine
