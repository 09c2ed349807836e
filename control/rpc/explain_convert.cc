// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/explain_convert.h"

#include <cmath>
#include <cstdio>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "control/rpc/enum_convert.h"
#include "control/rpc/time_convert.h"

namespace evenkeel::rpc {
namespace {

using publish::Choice;

constexpr double kSeenSeconds = static_cast<double>(1u << EK_SEEN_SHIFT) / 1e9;

struct VerdictName {
  const char* name;
  const char* text;
};
constexpr VerdictName kVerdicts[] = {
#define EK_NAME(symbol, name, text) {name, text},
    EK_VERDICT_LIST(EK_NAME)
#undef EK_NAME
};
constexpr const char* kActions[] = {"XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX",
                                    "XDP_REDIRECT"};
constexpr const char* kMethods[] = {"", "l2", "ipip", "ipip6", "gue", "gue6"};
constexpr std::pair<Choice, v1::ExplainedPacket::Choice> kChoices[] = {
    {Choice::kNobody, v1::ExplainedPacket::NOBODY},
    {Choice::kOwner, v1::ExplainedPacket::OWNER},
    {Choice::kPrevious, v1::ExplainedPacket::PREVIOUS},
    {Choice::kPin, v1::ExplainedPacket::PIN},
    {Choice::kConnectionId, v1::ExplainedPacket::CONNECTION_ID}};

// The index of `name`; what is not there is a daemon of another version.
template <size_t N>
absl::StatusOr<size_t> IndexOf(const char* const (&names)[N], const std::string& name) {
  for (size_t i = 0; i < N; ++i) {
    if (name == names[i]) return i;
  }
  return absl::InternalError(absl::StrCat("the daemon's answer has \"", name,
                                          "\"; client and daemon are of different versions"));
}

std::string ToText(const dataplane::MacAddress& mac) {
  char text[18];
  std::snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                mac[4], mac[5]);
  return text;
}

dataplane::MacAddress ToMac(const std::string& text) {
  unsigned part[6] = {};
  dataplane::MacAddress mac{};
  if (std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x", &part[0], &part[1], &part[2], &part[3],
                  &part[4], &part[5]) != 6) {
    return mac;
  }
  for (size_t i = 0; i < mac.size(); ++i) mac[i] = static_cast<uint8_t>(part[i]);
  return mac;
}

void Encode(const publish::ExplainedServer& server, v1::ExplainedServer* out) {
  out->set_id(server.id);
  out->set_name(server.name);
  if (server.id != 0) out->set_address(server.address.ToString());
  out->set_share(server.share);
}

publish::ExplainedServer Decode(const v1::ExplainedServer& server) {
  return {.id = static_cast<uint16_t>(server.id()),
          .name = server.name(),
          .address = model::IpAddress::Parse(server.address()).value_or(model::IpAddress()),
          .share = server.share()};
}

void Encode(const publish::LimitAnswer& answer, v1::ExplainedLimit* out) {
  out->set_per_second(1e9 / answer.limit.interval_ns);
  out->set_burst(answer.limit.burst);
  out->set_within(answer.within);
}

publish::LimitAnswer Decode(const v1::ExplainedLimit& limit) {
  publish::LimitAnswer out{.limit = {.burst = limit.burst()}, .within = limit.within()};
  if (limit.per_second() >= 1) {
    out.limit.interval_ns = static_cast<uint32_t>(std::lround(1e9 / limit.per_second()));
  }
  return out;
}

void EncodeChoice(const publish::Explanation& e, v1::ExplainedPacket* out) {
  out->set_hash(e.hash);
  out->set_slot(e.slot);
  out->set_slots(e.slots);
  out->set_spread_by(e.spread_by);
  Encode(e.owner, out->mutable_owner());
  Encode(e.previous, out->mutable_previous());
  out->set_follows_owner(e.follows_owner);
  if (e.pin) {
    out->mutable_pin()->set_backend(e.pin->backend);
    out->mutable_pin()->set_age_seconds(e.pin_age * kSeenSeconds);
    out->mutable_pin()->set_holds(e.pin_holds);
    out->mutable_pin()->set_opening(e.pin->opening);
    out->mutable_pin()->set_closing(e.pin->closing);
  }
  for (const auto& [choice, proto] : kChoices) {
    if (choice == e.choice) out->set_choice(proto);
  }
  Encode(e.backend, out->mutable_backend());
  out->set_method(kMethods[e.method < std::size(kMethods) ? e.method : 0]);
  if (e.next_hop) {
    v1::ExplainedNextHop& hop = *out->mutable_next_hop();
    hop.set_interface(e.interface);
    hop.set_ifindex(e.next_hop->ifindex);
    hop.set_gateway(e.gateway);
    hop.set_mac(ToText(e.next_hop->dmac));
    hop.set_mtu(e.next_hop->mtu);
  }
  out->set_problem(e.problem);
  out->set_outer_source(e.outer_source);
  out->set_outer_destination(e.outer_destination);
}

void Encode(const publish::Explanation& e, v1::ExplainedPacket* out) {
  out->set_source(e.flow.source.ToString());
  out->set_source_port(e.flow.source_port);
  out->set_destination(e.flow.destination.ToString());
  out->set_destination_port(e.flow.destination_port);
  out->set_ip_protocol(e.flow.ip_protocol);
  out->set_opens(e.opens);
  out->set_verdict(kVerdicts[e.verdict].name);
  out->set_verdict_text(kVerdicts[e.verdict].text);
  if (e.action < std::size(kActions)) out->set_action(kActions[e.action]);
  out->set_disagreement(e.disagreement);
  if (!e.vip) return;
  out->set_for_vip(true);
  out->set_vip(e.vip_name);
  out->set_vip_port(e.vip->port);
  out->set_pool(e.pool);
  for (const publish::RuleAnswer& answer : e.rules) {
    v1::ExplainedRules& rules = *out->add_rules();
    rules.set_set(answer.set);
    rules.set_global(answer.global);
    rules.set_prefix(answer.prefix);
    rules.set_denied(answer.denied);
  }
  if (e.source_limit) Encode(*e.source_limit, out->mutable_source_limit());
  if (e.new_flow_limit) Encode(*e.new_flow_limit, out->mutable_new_flow_limit());
  if (e.slots != 0) EncodeChoice(e, out);
}

void DecodeChoice(const v1::ExplainedPacket& packet, publish::Explanation* out) {
  out->hash = packet.hash();
  out->slot = packet.slot();
  out->slots = packet.slots();
  out->spread_by = packet.spread_by();
  out->owner = Decode(packet.owner());
  out->previous = Decode(packet.previous());
  out->follows_owner = packet.follows_owner();
  if (packet.has_pin()) {
    out->pin = dataplane::Pin{.flow = packet.hash(),
                              .backend = static_cast<uint16_t>(packet.pin().backend()),
                              .closing = packet.pin().closing(),
                              .opening = packet.pin().opening()};
    out->pin_age = static_cast<uint32_t>(std::lround(packet.pin().age_seconds() / kSeenSeconds));
    out->pin_holds = packet.pin().holds();
  }
  for (const auto& [choice, proto] : kChoices) {
    if (proto == packet.choice()) out->choice = choice;
  }
  out->backend = Decode(packet.backend());
  if (packet.has_next_hop()) {
    const v1::ExplainedNextHop& hop = packet.next_hop();
    out->interface = hop.interface();
    out->gateway = hop.gateway();
    out->next_hop = dataplane::NextHop{.ifindex = hop.ifindex(),
                                       .dmac = ToMac(hop.mac()),
                                       .mtu = static_cast<uint16_t>(hop.mtu())};
  }
  out->problem = packet.problem();
  out->outer_source = packet.outer_source();
  out->outer_destination = packet.outer_destination();
}

absl::StatusOr<publish::Explanation> Decode(const v1::ExplainedPacket& packet) {
  publish::Explanation out;
  const auto source = model::IpAddress::Parse(packet.source());
  if (!source.ok()) return absl::InternalError(source.status().message());
  const auto destination = model::IpAddress::Parse(packet.destination());
  if (!destination.ok()) return absl::InternalError(destination.status().message());
  out.flow = {.source = *source,
              .destination = *destination,
              .source_port = static_cast<uint16_t>(packet.source_port()),
              .destination_port = static_cast<uint16_t>(packet.destination_port()),
              .ip_protocol = static_cast<uint8_t>(packet.ip_protocol())};
  out.opens = packet.opens();
  constexpr const char* kNames[] = {
#define EK_NAME(symbol, name, text) name,
      EK_VERDICT_LIST(EK_NAME)
#undef EK_NAME
  };
  const auto verdict = IndexOf(kNames, packet.verdict());
  if (!verdict.ok()) return verdict.status();
  out.verdict = static_cast<ek_verdict>(*verdict);
  const auto action = IndexOf(kActions, packet.action());
  if (!action.ok()) return action.status();
  out.action = static_cast<uint32_t>(*action);
  out.disagreement = packet.disagreement();
  if (!packet.for_vip()) return out;
  out.vip = dataplane::VipKey{.address = *destination,
                              .port = static_cast<uint16_t>(packet.vip_port()),
                              .ip_protocol = static_cast<uint8_t>(packet.ip_protocol())};
  out.vip_name = packet.vip();
  out.pool = packet.pool();
  for (const v1::ExplainedRules& rules : packet.rules()) {
    out.rules.push_back({.set = rules.set(),
                         .global = rules.global(),
                         .prefix = rules.prefix(),
                         .denied = rules.denied()});
  }
  if (packet.has_source_limit()) out.source_limit = Decode(packet.source_limit());
  if (packet.has_new_flow_limit()) out.new_flow_limit = Decode(packet.new_flow_limit());
  const auto method = IndexOf(kMethods, packet.method());
  if (!method.ok()) return method.status();
  out.method = static_cast<uint8_t>(*method);
  if (packet.slots() != 0) DecodeChoice(packet, &out);
  return out;
}

// What is left out of `port` is 0, which the engine judges.
uint16_t ReadPort(uint32_t port, const std::string& path, Problems* problems) {
  if (port > 65535) AddProblem(problems, path, "must be at most 65535");
  return static_cast<uint16_t>(port);
}

engine::ExplainPacket Decode(const v1::ExplainPacket& packet, const std::string& path,
                             Problems* problems) {
  engine::ExplainPacket out{.vip = packet.vip(), .opening = packet.opening()};
  const auto source = model::IpAddress::Parse(packet.source());
  if (source.ok()) {
    out.source = *source;
  } else {
    AddProblem(problems, absl::StrCat(path, ".source"), std::string(source.status().message()));
  }
  out.source_port = ReadPort(packet.source_port(), absl::StrCat(path, ".source_port"), problems);
  out.port = ReadPort(packet.port(), absl::StrCat(path, ".port"), problems);
  out.payload.assign(packet.payload().begin(), packet.payload().end());
  if (packet.vip().empty() == packet.address().empty()) {
    AddProblem(problems, absl::StrCat(path, ".vip"), "either vip or address must be set");
  } else if (!packet.address().empty()) {
    const auto address = model::IpAddress::Parse(packet.address());
    if (address.ok()) {
      out.address = *address;
    } else {
      AddProblem(problems, absl::StrCat(path, ".address"), std::string(address.status().message()));
    }
    out.protocol = FromProto(packet.protocol(), absl::StrCat(path, ".protocol"), problems);
  }
  return out;
}

}  // namespace

v1::ExplainRequest ToProto(const engine::ExplainRequest& request) {
  v1::ExplainRequest out;
  for (const engine::ExplainPacket& packet : request.packets) {
    v1::ExplainPacket& message = *out.add_packets();
    message.set_source(packet.source.ToString());
    message.set_source_port(packet.source_port);
    message.set_vip(packet.vip);
    if (packet.address) message.set_address(packet.address->ToString());
    message.set_port(packet.port);
    message.set_protocol(ToProto(packet.protocol));
    message.set_opening(packet.opening);
    message.set_payload(std::string(packet.payload.begin(), packet.payload.end()));
  }
  return out;
}

absl::StatusOr<engine::ExplainRequest> FromProto(const v1::ExplainRequest& request) {
  // Before anything is made of them.
  if (static_cast<size_t>(request.packets_size()) > publish::kMaxExplained) {
    return absl::InvalidArgumentError(absl::StrCat("packets: at most ", publish::kMaxExplained,
                                                   " at once, not ", request.packets_size()));
  }
  engine::ExplainRequest out;
  Problems problems;
  for (const v1::ExplainPacket& packet : request.packets()) {
    out.packets.push_back(
        Decode(packet, absl::StrCat("packets[", out.packets.size(), "]"), &problems));
  }
  if (!problems.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(problems.front().field, ": ", problems.front().message));
  }
  return out;
}

v1::ExplainResponse ToProto(const engine::ExplainReport& report) {
  v1::ExplainResponse out;
  out.set_published(report.result.published);
  if (report.result.published) {
    out.set_generation(report.result.generation);
    SetTime(report.result.published_unix_ns, out.mutable_published_at());
    out.set_digest(report.result.digest.ToHex());
  }
  if (report.revision.revision != 0) {
    v1::ExplainRevision& revision = *out.mutable_revision();
    revision.set_revision(report.revision.revision);
    revision.set_author(report.revision.author);
    revision.set_reason(report.revision.reason);
    revision.set_ticket(report.revision.ticket);
    if (report.revision.created_unix_ns != 0) {
      SetTime(report.revision.created_unix_ns, revision.mutable_created_at());
    }
    revision.set_problem(report.revision.problem);
  }
  for (const publish::Explanation& packet : report.result.packets) {
    Encode(packet, out.add_packets());
  }
  return out;
}

absl::StatusOr<engine::ExplainReport> FromProto(const v1::ExplainResponse& response) {
  engine::ExplainReport out;
  out.result.published = response.published();
  out.result.generation = response.generation();
  out.result.revision = response.revision().revision();
  if (response.has_published_at()) {
    out.result.published_unix_ns = ReadTime(response.published_at());
  }
  if (out.result.published) {
    const auto digest = guard::Digest::FromHex(response.digest());
    if (!digest.ok()) return absl::InternalError(digest.status().message());
    out.result.digest = *digest;
  }
  out.revision = {.revision = response.revision().revision(),
                  .author = response.revision().author(),
                  .reason = response.revision().reason(),
                  .ticket = response.revision().ticket(),
                  .created_unix_ns = ReadTime(response.revision().created_at()),
                  .problem = response.revision().problem()};
  for (const v1::ExplainedPacket& packet : response.packets()) {
    auto decoded = Decode(packet);
    if (!decoded.ok()) return decoded.status();
    out.result.packets.push_back(*std::move(decoded));
  }
  return out;
}

}  // namespace evenkeel::rpc
