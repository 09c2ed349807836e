// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/alarm_convert.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "control/rpc/convert_parts.h"
#include "control/rpc/time_convert.h"

namespace evenkeel::rpc {
namespace {

constexpr std::string_view kHealthWords[] = {"unknown", "up", "down"};

std::string Text(std::string_view text) { return std::string(text); }

// The value whose word it is, among the first ones up to `last`.
template <typename Enum>
Enum FromWord(const std::string& word, Enum last, const char* field, Problems* problems) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (detect::ToString(static_cast<Enum>(i)) == word) return static_cast<Enum>(i);
  }
  AddProblem(problems, field, absl::StrCat("is \"", word, "\", which is not known here"));
  return Enum{};
}

std::optional<model::IpAddress> MaybeAddress(const std::string& text, const char* field,
                                             Problems* problems) {
  if (text.empty()) return std::nullopt;
  return AddressFromProto(text, field, problems);
}

void Encode(const detect::Evidence& evidence, v1::AlarmEvidence* out) {
  out->set_unit(evidence.unit);
  out->set_window_s(evidence.window_s);
  out->set_expected(evidence.expected);
  out->set_observed(evidence.observed);
  out->set_expected_share(evidence.expected_share);
  out->set_observed_share(evidence.observed_share);
  out->set_ratio(evidence.ratio);
  out->set_z(evidence.z);
  out->set_dispersion(evidence.dispersion);
  for (const detect::Heavy& flow : evidence.heavy) {
    v1::HeavyFlow* to = out->add_heavy();
    if (flow.source) to->set_source(flow.source->ToString());
    to->set_source_port(flow.source_port);
    to->set_destination_port(flow.destination_port);
    to->set_ip_protocol(flow.ip_protocol);
    to->set_share(flow.share);
  }
}

detect::Evidence Decode(const v1::AlarmEvidence& evidence, Problems* problems) {
  detect::Evidence result{.unit = evidence.unit(),
                          .window_s = evidence.window_s(),
                          .expected = evidence.expected(),
                          .observed = evidence.observed(),
                          .expected_share = evidence.expected_share(),
                          .observed_share = evidence.observed_share(),
                          .ratio = evidence.ratio(),
                          .z = evidence.z(),
                          .dispersion = evidence.dispersion(),
                          .heavy = {}};
  for (const v1::HeavyFlow& flow : evidence.heavy()) {
    result.heavy.push_back(
        {.source = MaybeAddress(flow.source(), "alarm.evidence.heavy.source", problems),
         .source_port = static_cast<uint16_t>(flow.source_port()),
         .destination_port = static_cast<uint16_t>(flow.destination_port()),
         .ip_protocol = static_cast<uint8_t>(flow.ip_protocol()),
         .share = flow.share()});
  }
  return result;
}

detect::Health HealthFromWord(const std::string& word) {
  for (size_t i = 0; i < std::size(kHealthWords); ++i) {
    if (kHealthWords[i] == word) return static_cast<detect::Health>(i);
  }
  return detect::Health::kUnknown;
}

}  // namespace

void Encode(const detect::Alarm& alarm, v1::Alarm* out) {
  out->set_id(alarm.id);
  out->set_pool(alarm.pool);
  out->set_kind(Text(detect::ToString(alarm.kind)));
  if (alarm.server) out->set_server(alarm.server->ToString());
  out->set_name(alarm.name);
  out->set_page(alarm.severity == detect::Severity::kPage);
  out->set_diagnosis(Text(detect::ToString(alarm.diagnosis)));
  out->set_text(alarm.text);
  Encode(alarm.evidence, out->mutable_evidence());
  SetTime(alarm.since_unix_ns, out->mutable_since());
  if (alarm.page_since_unix_ns != 0) {
    SetTime(alarm.page_since_unix_ns, out->mutable_page_since());
  }
  out->set_revision(alarm.revision);
  out->set_insufficient(alarm.insufficient);
  for (const detect::Change& change : alarm.changes) {
    v1::AlarmChange* to = out->add_changes();
    to->set_revision(change.revision);
    to->set_author(change.author);
    to->set_reason(change.reason);
    to->set_summary(change.summary);
    SetTime(change.unix_ns, to->mutable_time());
  }
  for (const detect::HealthChange& change : alarm.health) {
    v1::AlarmHealth* to = out->add_health();
    to->set_pool(change.pool);
    to->set_server(change.server.ToString());
    to->set_name(change.name);
    to->set_to(Text(kHealthWords[static_cast<size_t>(change.to)]));
    to->set_cause(change.cause);
    SetTime(change.unix_ns, to->mutable_time());
  }
  out->set_undo(alarm.undo);
  if (!alarm.acknowledged) return;
  out->set_acknowledged_by(alarm.acknowledged->who);
  SetTime(alarm.acknowledged->unix_ns, out->mutable_acknowledged_at());
}

detect::Alarm Decode(const v1::Alarm& alarm, Problems* problems) {
  detect::Alarm result;
  result.id = alarm.id();
  result.pool = alarm.pool();
  result.kind = FromWord(alarm.kind(), detect::Kind::kUpstream, "alarm.kind", problems);
  result.server = MaybeAddress(alarm.server(), "alarm.server", problems);
  result.name = alarm.name();
  result.severity = alarm.page() ? detect::Severity::kPage : detect::Severity::kTicket;
  result.diagnosis =
      FromWord(alarm.diagnosis(), detect::Diagnosis::kUnexplained, "alarm.diagnosis", problems);
  result.text = alarm.text();
  result.evidence = Decode(alarm.evidence(), problems);
  result.since_unix_ns = ReadTime(alarm.since());
  result.page_since_unix_ns = ReadTime(alarm.page_since());
  result.revision = alarm.revision();
  result.insufficient = alarm.insufficient();
  for (const v1::AlarmChange& change : alarm.changes()) {
    result.changes.push_back({.revision = change.revision(),
                              .author = change.author(),
                              .reason = change.reason(),
                              .summary = change.summary(),
                              .unix_ns = ReadTime(change.time()),
                              .pools = {},
                              .undo = {}});
  }
  for (const v1::AlarmHealth& change : alarm.health()) {
    result.health.push_back(
        {.pool = change.pool(),
         .name = change.name(),
         .server = AddressFromProto(change.server(), "alarm.health.server", problems),
         .to = HealthFromWord(change.to()),
         .cause = change.cause(),
         .unix_ns = ReadTime(change.time())});
  }
  result.undo = alarm.undo();
  if (!alarm.acknowledged_by().empty()) {
    result.acknowledged = {.who = alarm.acknowledged_by(),
                           .unix_ns = ReadTime(alarm.acknowledged_at())};
  }
  return result;
}

void Encode(const detect::PoolReport& report, v1::Distribution* out) {
  out->set_revision(report.revision);
  SetTime(report.unchanged_since_unix_ns, out->mutable_unchanged_since());
  out->set_verdict(Text(detect::ToString(report.verdict)));
  if (report.diagnosis) out->set_diagnosis(Text(detect::ToString(*report.diagnosis)));
  out->set_text(report.text);
  for (const detect::LinkReport& link : report.links) {
    v1::DistributionLink* to = out->add_links();
    to->set_link(Text(detect::ToString(link.link)));
    to->set_state(Text(detect::ToString(link.state)));
    to->set_detail(link.detail);
  }
  for (const detect::ServerShares& server : report.servers) {
    v1::ServerShares* to = out->add_servers();
    to->set_address(server.address.ToString());
    to->set_name(server.name);
    to->set_intended(server.intended);
    to->set_built(server.built);
    if (server.kernel) to->set_kernel(*server.kernel);
    to->set_flows(server.flows);
    to->set_packets(server.packets);
    to->set_bytes(server.bytes);
    to->set_ratio(server.ratio);
    to->set_z(server.z);
    to->set_sufficient(server.sufficient);
  }
}

detect::PoolReport Decode(const std::string& pool, const v1::Distribution& report,
                          Problems* problems) {
  detect::PoolReport result;
  result.pool = pool;
  result.revision = report.revision();
  result.unchanged_since_unix_ns = ReadTime(report.unchanged_since());
  result.verdict = FromWord(report.verdict(), detect::Verdict::kBroken, "verdict", problems);
  if (!report.diagnosis().empty()) {
    result.diagnosis =
        FromWord(report.diagnosis(), detect::Diagnosis::kUnexplained, "diagnosis", problems);
  }
  result.text = report.text();
  for (int i = 0; i < report.links_size() && i < static_cast<int>(detect::kLinks); ++i) {
    const v1::DistributionLink& link = report.links(i);
    result.links[static_cast<size_t>(i)] = {
        .link = FromWord(link.link(), detect::Link::kHealth, "link", problems),
        .state = FromWord(link.state(), detect::LinkState::kBroken, "link.state", problems),
        .detail = link.detail()};
  }
  for (const v1::ServerShares& server : report.servers()) {
    result.servers.push_back(
        {.address = AddressFromProto(server.address(), "servers.address", problems),
         .name = server.name(),
         .intended = server.intended(),
         .built = server.built(),
         .kernel = server.has_kernel() ? std::optional(server.kernel()) : std::nullopt,
         .flows = server.flows(),
         .packets = server.packets(),
         .bytes = server.bytes(),
         .ratio = server.ratio(),
         .z = server.z(),
         .sufficient = server.sufficient()});
  }
  return result;
}

}  // namespace evenkeel::rpc
