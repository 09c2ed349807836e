// SPDX-License-Identifier: Apache-2.0
#include "control/cli/explain_report.h"

#include <netinet/in.h>

#include "absl/strings/str_format.h"
#include "control/cli/cat.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

using publish::Choice;
using publish::Explanation;
using Json = nlohmann::ordered_json;

struct Verdict {
  std::string_view name, text;
};
constexpr Verdict kVerdicts[] = {
#define EK_NAME(symbol, name, text) {name, text},
    EK_VERDICT_LIST(EK_NAME)
#undef EK_NAME
};

constexpr double kSeenSeconds = static_cast<double>(1u << EK_SEEN_SHIFT) / 1e9;

std::string_view MethodText(uint8_t method) {
  switch (method) {
    case EK_METHOD_L2:
      return "none, new MAC addresses only (l2)";
    case EK_METHOD_IPIP4:
      return "in IPv4 (ipip)";
    case EK_METHOD_IPIP6:
      return "in IPv6 (ipip)";
    case EK_METHOD_GUE4:
      return "in UDP over IPv4 (gue)";
    case EK_METHOD_GUE6:
      return "in UDP over IPv6 (gue)";
    default:
      return "none is known";
  }
}

std::string_view MethodName(uint8_t method) {
  constexpr std::string_view kNames[] = {"", "l2", "ipip", "ipip6", "gue", "gue6"};
  return method < std::size(kNames) ? kNames[method] : "";
}

std::string_view ChoiceName(Choice choice) {
  switch (choice) {
    case Choice::kOwner:
      return "owner";
    case Choice::kPrevious:
      return "previous";
    case Choice::kPin:
      return "pin";
    case Choice::kConnectionId:
      return "connection_id";
    case Choice::kNobody:
      break;
  }
  return "nobody";
}

std::string_view ActionName(uint32_t action) {
  constexpr std::string_view kNames[] = {"XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX",
                                         "XDP_REDIRECT"};
  return action < std::size(kNames) ? kNames[action] : "an unknown XDP action";
}

std::string MacText(const dataplane::MacAddress& mac) {
  return absl::StrFormat("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                         mac[5]);
}

std::string ServerText(const publish::ExplainedServer& server) {
  if (server.id == 0) return "nobody";
  if (server.name.empty()) return server.address.ToString();
  return Cat(server.name, " (", server.address.ToString(), ")");
}

std::string RuleText(const publish::RuleAnswer& answer) {
  return Cat(answer.set.empty() ? "a set that the daemon does not know" : answer.set,
             answer.global ? " (global): " : ": ", answer.denied ? "denied" : "allowed",
             answer.prefix.empty() ? "" : Cat(" by ", answer.prefix));
}

std::string LimitText(std::string_view what, const publish::LimitAnswer& answer) {
  return Cat(what, ", ", absl::StrFormat("%.4g", 1e9 / answer.limit.interval_ns), "/s, burst ",
             answer.limit.burst, ": ",
             answer.within ? "within at this moment" : "above at this moment");
}

std::string MovingText(const Explanation& e) {
  if (e.previous.id == 0) return "no: all of it goes to the owner";
  if (e.follows_owner) return Cat("yes, from ", ServerText(e.previous), "; followed at once");
  if (e.previous.id == e.owner.id) return "no more; pinned connections are still looked for";
  return Cat("yes, from ", ServerText(e.previous), ", which keeps its older connections");
}

std::string PinText(const Explanation& e) {
  if (e.previous.id == 0 || e.follows_owner) return "not asked: the slot does not move";
  if (e.choice == Choice::kConnectionId) return "not asked: a connection id names the server";
  if (!e.pin) return "no";
  return Cat("yes, last packet ", absl::StrFormat("%.0f", e.pin_age * kSeenSeconds), " s ago",
             e.pin->closing ? ", closing" : "", e.pin->opening ? ", only its first was seen" : "",
             e.pin_holds ? "" : "; its server serves no more");
}

std::string BackendText(const Explanation& e) {
  std::string why;
  switch (e.choice) {
    case Choice::kOwner:
      why = "owner of the slot";
      break;
    case Choice::kPrevious:
      why = "previous owner of the slot";
      break;
    case Choice::kPin:
      why = "the connection is pinned to it";
      break;
    case Choice::kConnectionId:
      why = "its id is in the connection id";
      break;
    case Choice::kNobody:
      return "nobody: the slot has no owner";
  }
  return Cat(ServerText(e.backend), ": ", why, "; has ", Percent(e.backend.share),
             " of the pool's slots");
}

std::string NextHopText(const Explanation& e) {
  if (!e.next_hop) return Cat("none: ", e.problem.empty() ? "not resolved yet" : e.problem);
  return Cat(MacText(e.next_hop->dmac), " through ",
             e.interface.empty() ? Cat("interface ", e.next_hop->ifindex) : e.interface,
             e.gateway.empty() ? ", on link" : Cat(", gateway ", e.gateway), ", MTU ",
             e.next_hop->mtu);
}

std::string EncapsulationText(const Explanation& e) {
  const std::string method(MethodText(e.method));
  if (e.outer_destination.empty()) return method;
  return Cat(method, ", from ", e.outer_source, " to ", e.outer_destination);
}

class Lines {
 public:
  void Add(std::string label, std::string text, Style style = Style::kPlain) {
    rows_.push_back({{std::move(label), Style::kDim}, {std::move(text), style}});
  }
  const std::vector<std::vector<Cell>>& rows() const { return rows_; }

 private:
  std::vector<std::vector<Cell>> rows_;
};

void AddDecisions(const Explanation& e, Lines* lines) {
  if (!e.vip) {
    lines->Add("VIP", "none has this address, port and protocol: the host gets the packet");
    return;
  }
  const std::string endpoint = EndpointText(e.vip->address, e.vip->port, e.vip->ip_protocol);
  lines->Add("VIP",
             e.vip_name.empty() ? endpoint : Cat(e.vip_name, ", ", endpoint, ", pool ", e.pool));
  if (e.rules.empty()) lines->Add("rules", "none");
  for (size_t i = 0; i < e.rules.size(); ++i) {
    lines->Add(i == 0 ? "rules" : "", RuleText(e.rules[i]),
               e.rules[i].denied ? Style::kBad : Style::kPlain);
  }
  if (e.slots == 0) return;
  if (!e.source_limit && !e.new_flow_limit) lines->Add("limits", "none for this packet");
  if (e.source_limit) {
    lines->Add("limits", LimitText("packets of one source", *e.source_limit),
               e.source_limit->within ? Style::kPlain : Style::kBad);
  }
  if (e.new_flow_limit) {
    lines->Add(e.source_limit ? "" : "limits", LimitText("new flows", *e.new_flow_limit),
               e.new_flow_limit->within ? Style::kPlain : Style::kBad);
  }
  lines->Add("hash", absl::StrFormat("%016x, the slot follows from the %s", e.hash,
                                     e.spread_by == "port"     ? "destination port"
                                     : e.spread_by == "source" ? "source address"
                                                               : "whole flow"));
  lines->Add("slot", Cat(e.slot, " of ", e.slots));
  lines->Add("owner", ServerText(e.owner));
  lines->Add("moving", MovingText(e));
  lines->Add("pinned", PinText(e));
  lines->Add("backend", BackendText(e), e.choice == Choice::kNobody ? Style::kBad : Style::kBold);
  if (e.backend.id == 0) return;
  lines->Add("next hop", NextHopText(e), e.next_hop ? Style::kPlain : Style::kBad);
  lines->Add("encapsulated", EncapsulationText(e));
}

Json ServerJson(const publish::ExplainedServer& server) {
  if (server.id == 0) return nullptr;
  return {{"name", server.name}, {"address", server.address.ToString()}, {"share", server.share}};
}

Json LimitJson(const std::optional<publish::LimitAnswer>& answer) {
  if (!answer) return nullptr;
  return {{"per_second", 1e9 / answer->limit.interval_ns},
          {"burst", answer->limit.burst},
          {"within", answer->within}};
}

void AddChoice(const Explanation& e, Json* out) {
  (*out)["hash"] = absl::StrFormat("%016x", e.hash);
  (*out)["spread_by"] = e.spread_by;
  (*out)["slot"] = e.slot;
  (*out)["slots"] = e.slots;
  (*out)["owner"] = ServerJson(e.owner);
  (*out)["previous_owner"] = ServerJson(e.previous);
  (*out)["pin"] = nullptr;
  if (e.pin) {
    (*out)["pin"] = {{"age_seconds", e.pin_age * kSeenSeconds},
                     {"opening", e.pin->opening},
                     {"closing", e.pin->closing},
                     {"holds", e.pin_holds}};
  }
  (*out)["chosen_by"] = ChoiceName(e.choice);
  (*out)["backend"] = ServerJson(e.backend);
  (*out)["next_hop"] = nullptr;
  if (e.next_hop) {
    (*out)["next_hop"] = {{"interface", e.interface},
                          {"gateway", e.gateway},
                          {"mac", MacText(e.next_hop->dmac)},
                          {"mtu", e.next_hop->mtu}};
  }
  (*out)["problem"] = e.problem;
  (*out)["encapsulation"] = {{"method", MethodName(e.method)},
                             {"source", e.outer_source},
                             {"destination", e.outer_destination}};
}

}  // namespace

std::string_view VerdictName(ek_verdict verdict) { return kVerdicts[verdict].name; }
std::string_view VerdictText(ek_verdict verdict) { return kVerdicts[verdict].text; }

std::string EndpointText(const model::IpAddress& address, uint16_t port, uint8_t ip_protocol) {
  const std::string host =
      address.is_ipv4() ? address.ToString() : Cat("[", address.ToString(), "]");
  return Cat(host, ":", port == 0 ? "*" : Cat(port), ip_protocol == IPPROTO_TCP ? "/tcp" : "/udp");
}

std::string GenerationText(const engine::ExplainReport& report, int64_t now_unix_ns) {
  if (!report.result.published) return "nothing is published";
  return Cat(report.result.generation, ", published ", UtcTime(report.result.published_unix_ns),
             " (", Ago(report.result.published_unix_ns, now_unix_ns), "), digest ",
             report.result.digest.ToShort());
}

std::string RevisionText(const engine::ExplainReport& report) {
  const engine::ExplainedRevision& revision = report.revision;
  if (revision.revision == 0) return "none is noted";
  if (!revision.problem.empty()) return Cat(revision.revision, "; ", revision.problem);
  return Cat(revision.revision, " by ", revision.author, ", ", UtcTime(revision.created_unix_ns),
             ": ", revision.reason, revision.ticket.empty() ? "" : Cat(" [", revision.ticket, "]"));
}

void PrintExplanation(Printer& out, const engine::ExplainReport& report, const Explanation& packet,
                      int64_t now_unix_ns) {
  const publish::Flow& flow = packet.flow;
  const bool tcp = flow.ip_protocol == IPPROTO_TCP;
  const std::string client = EndpointText(flow.source, flow.source_port, flow.ip_protocol);
  Lines lines;
  lines.Add("packet", Cat(client.substr(0, client.rfind('/')), " to ",
                          EndpointText(flow.destination, flow.destination_port, flow.ip_protocol),
                          packet.opens ? ", opens a connection" : "",
                          tcp ? (flow.opening || packet.opens ? " (SYN)" : " (ACK)") : ""));
  lines.Add("generation", GenerationText(report, now_unix_ns));
  lines.Add("revision", RevisionText(report));
  if (report.result.published) AddDecisions(packet, &lines);
  const bool dropped = packet.verdict != EK_FORWARD && packet.verdict != EK_PASS_NO_VIP;
  lines.Add("verdict", Cat(VerdictName(packet.verdict), ": ", VerdictText(packet.verdict)),
            dropped ? Style::kBad : Style::kGood);
  if (packet.disagreement.empty()) {
    lines.Add("program",
              Cat("agrees, ", ActionName(packet.action),
                  packet.verdict == EK_DROP_SOURCE_LIMIT || packet.verdict == EK_DROP_NEW_FLOW_LIMIT
                      ? "; it was run without limits, which count"
                      : ""));
  } else {
    lines.Add("program", Cat("THE PROGRAM DID SOMETHING ELSE: ", packet.disagreement), Style::kBad);
  }
  out.Table(0, lines.rows());
}

void AddGeneration(const engine::ExplainReport& report, Json* document) {
  const publish::ExplainResult& result = report.result;
  (*document)["published"] = result.published;
  (*document)["generation"] = result.published ? Json(result.generation) : Json(nullptr);
  (*document)["published_at"] = Rfc3339(result.published_unix_ns);
  (*document)["digest"] = result.published ? result.digest.ToHex() : "";
  (*document)["revision"] = nullptr;
  if (report.revision.revision == 0) return;
  (*document)["revision"] = {{"number", report.revision.revision},
                             {"author", report.revision.author},
                             {"reason", report.revision.reason},
                             {"ticket", report.revision.ticket},
                             {"created_at", Rfc3339(report.revision.created_unix_ns)},
                             {"problem", report.revision.problem}};
}

Json ToJson(const Explanation& packet) {
  const publish::Flow& flow = packet.flow;
  Json out = {{"source", flow.source.ToString()},
              {"source_port", flow.source_port},
              {"destination", flow.destination.ToString()},
              {"destination_port", flow.destination_port},
              {"protocol", flow.ip_protocol == IPPROTO_TCP ? "tcp" : "udp"},
              {"opens", packet.opens},
              {"vip", nullptr}};
  if (packet.vip) {
    out["vip"] = packet.vip_name;
    out["pool"] = packet.pool;
    out["rules"] = Json::array();
    for (const publish::RuleAnswer& answer : packet.rules) {
      out["rules"].push_back({{"set", answer.set},
                              {"global", answer.global},
                              {"prefix", answer.prefix},
                              {"denied", answer.denied}});
    }
    out["source_limit"] = LimitJson(packet.source_limit);
    out["new_flow_limit"] = LimitJson(packet.new_flow_limit);
    if (packet.slots != 0) AddChoice(packet, &out);
  }
  out["verdict"] = VerdictName(packet.verdict);
  out["action"] = ActionName(packet.action);
  out["agrees"] = packet.disagreement.empty();
  out["disagreement"] = packet.disagreement;
  return out;
}

}  // namespace evenkeel::cli
