// SPDX-License-Identifier: Apache-2.0
#include "control/cli/explain_summary.h"

#include <tuple>

#include "absl/hash/hash.h"
#include "control/cli/cat.h"
#include "control/cli/explain_report.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

double Part(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

uint64_t FlowId(const publish::Flow& flow) {
  return absl::HashOf(flow.source, flow.source_port, flow.destination, flow.destination_port,
                      flow.ip_protocol);
}

}  // namespace

void ExplainSummary::Add(const publish::Explanation& packet, uint64_t count) {
  const uint64_t flow = FlowId(packet.flow);
  total_ += count;
  flows_.insert(flow);
  verdicts_[packet.verdict] += count;
  if (!packet.disagreement.empty()) {
    if (differing_ == 0) {
      first_difference_ =
          Cat(EndpointText(packet.flow.source, packet.flow.source_port, packet.flow.ip_protocol),
              ": ", packet.disagreement);
    }
    differing_ += count;
  }
  if (!packet.vip || packet.verdict != EK_FORWARD) return;
  const std::string endpoint =
      EndpointText(packet.vip->address, packet.vip->port, packet.vip->ip_protocol);
  Vip& vip = vips_[packet.vip_name.empty() ? endpoint : packet.vip_name];
  vip.endpoint = endpoint;
  vip.pool = packet.pool;
  const std::string name =
      packet.backend.name.empty() ? packet.backend.address.ToString() : packet.backend.name;
  Server& server = vip.servers[name];
  server.share = packet.backend.share;
  for (Tally* tally : {&vip.forwarded, &server.tally}) {
    tally->packets += count;
    tally->flows.insert(flow);
  }
}

void ExplainSummary::Print(Printer& out) const {
  std::vector<std::vector<Cell>> rows = {
      {{"packets", Style::kDim}, {Cat(total_ + not_understood_), Style::kPlain, true}, {""}},
      {{"flows", Style::kDim}, {Cat(flows_.size()), Style::kPlain, true}, {""}}};
  for (const auto& [verdict, packets] : verdicts_) {
    const bool dropped = verdict != EK_FORWARD && verdict != EK_PASS_NO_VIP;
    rows.push_back({{std::string(VerdictName(verdict)), dropped ? Style::kBad : Style::kPlain},
                    {Cat(packets), Style::kPlain, true},
                    {std::string(VerdictText(verdict)), Style::kDim}});
  }
  if (not_understood_ > 0) {
    rows.push_back({{"not understood"},
                    {Cat(not_understood_), Style::kPlain, true},
                    {"no TCP or UDP, broken, or a fragment without ports", Style::kDim}});
  }
  out.Table(0, rows);
  for (const auto& [name, vip] : vips_) {
    out.End().Put(Cat("VIP ", name), Style::kBold);
    out.Line(Cat(name == vip.endpoint ? "" : Cat(", ", vip.endpoint),
                 vip.pool.empty() ? "" : Cat(", pool ", vip.pool), ": ",
                 Plural(vip.forwarded.packets, "packet"), ", ",
                 Plural(vip.forwarded.flows.size(), "flow")));
    std::vector<std::vector<Cell>> table = {{{"backend", Style::kDim},
                                             {"packets", Style::kDim, true},
                                             {"share", Style::kDim, true},
                                             {"flows", Style::kDim, true},
                                             {"share", Style::kDim, true},
                                             {"of the table", Style::kDim, true}}};
    for (const auto& [server_name, server] : vip.servers) {
      table.push_back(
          {{server_name},
           {Cat(server.tally.packets), Style::kPlain, true},
           {Percent(Part(server.tally.packets, vip.forwarded.packets)), Style::kPlain, true},
           {Cat(server.tally.flows.size()), Style::kPlain, true},
           {Percent(Part(server.tally.flows.size(), vip.forwarded.flows.size())), Style::kPlain,
            true},
           {Percent(server.share), Style::kPlain, true}});
    }
    out.Table(2, table);
  }
  if (differing_ > 0) {
    out.End().Line(Cat("THE PROGRAM DID SOMETHING ELSE with ", Plural(differing_, "packet"),
                       "; the first is from ", first_difference_),
                   Style::kBad);
  }
}

void ExplainSummary::AddTo(nlohmann::ordered_json* document) const {
  using Json = nlohmann::ordered_json;
  Json verdicts = Json::object();
  for (const auto& [verdict, packets] : verdicts_) {
    verdicts[std::string(VerdictName(verdict))] = packets;
  }
  Json vips = Json::array();
  for (const auto& [name, vip] : vips_) {
    Json servers = Json::array();
    for (const auto& [server_name, server] : vip.servers) {
      servers.push_back(
          {{"backend", server_name},
           {"packets", server.tally.packets},
           {"flows", server.tally.flows.size()},
           {"packet_share", Part(server.tally.packets, vip.forwarded.packets)},
           {"flow_share", Part(server.tally.flows.size(), vip.forwarded.flows.size())},
           {"table_share", server.share}});
    }
    vips.push_back({{"vip", name},
                    {"endpoint", vip.endpoint},
                    {"pool", vip.pool},
                    {"packets", vip.forwarded.packets},
                    {"flows", vip.forwarded.flows.size()},
                    {"backends", servers}});
  }
  (*document)["packets"] = total_ + not_understood_;
  (*document)["flows"] = flows_.size();
  (*document)["not_understood"] = not_understood_;
  (*document)["verdicts"] = verdicts;
  (*document)["vips"] = vips;
  (*document)["differing_packets"] = differing_;
  (*document)["first_difference"] = first_difference_;
}

}  // namespace evenkeel::cli
