// SPDX-License-Identifier: Apache-2.0
#include "control/engine/explain.h"

#include <netinet/in.h>

#include <string_view>

#include "absl/strings/str_cat.h"
#include "control/engine/local_engine.h"
#include "control/guard/server_weights.h"
#include "control/model/nearest.h"

namespace evenkeel::engine {
namespace {

absl::Status Bad(size_t index, const std::string& field, const std::string& message) {
  return absl::InvalidArgumentError(absl::StrCat("packets[", index, "].", field, ": ", message));
}

absl::StatusOr<const model::Vip*> FindVip(const guard::BuiltFleet* fleet, const std::string& name,
                                          size_t index) {
  if (fleet == nullptr) {
    return absl::FailedPreconditionError(
        "no VIP is known by name: the kernel forwards with a state that is not this daemon's, or "
        "with none; name the address");
  }
  if (const model::Vip* vip = fleet->FindVip(name)) return vip;
  std::vector<std::string_view> names;
  for (const model::Vip& vip : fleet->vips) names.push_back(vip.name);
  constexpr size_t kNamed = 20;
  const std::string_view nearest = model::Nearest(name, names);
  if (nearest.empty() && names.size() > kNamed) names.resize(kNamed);
  return Bad(index, "vip",
             absl::StrCat("there is no VIP \"", name, "\"", model::DidYouMean(name, names)));
}

// An Initial of version 1, or a packet with a short header (RFC 9000, 17), both with a connection
// id of zeros.
std::vector<uint8_t> QuicPayload(bool opening) {
  std::vector<uint8_t> payload = {0x40};
  if (opening) payload = {0xc0, 0, 0, 0, 1, 8};
  // Configuration 7 is for ids that name no server (draft-ietf-quic-load-balancers, 3.1).
  payload.push_back(0xe0);
  payload.resize(kMaxExplainPayload / 2);
  return payload;
}

absl::StatusOr<publish::Flow> ToFlow(const ExplainPacket& packet, const guard::BuiltFleet* fleet,
                                     size_t index) {
  publish::Flow flow{.source = packet.source,
                     .destination = {},
                     .source_port = packet.source_port,
                     .destination_port = packet.port,
                     .payload = packet.payload};
  model::Protocol protocol = packet.protocol;
  if (packet.address) {
    flow.destination = *packet.address;
    if (packet.port == 0) return Bad(index, "port", "a destination's port is 1 to 65535");
  } else {
    auto vip = FindVip(fleet, packet.vip, index);
    if (!vip.ok()) return vip.status();
    flow.destination = (*vip)->address;
    protocol = (*vip)->protocol;
    if (packet.port == 0) flow.destination_port = (*vip)->port;
    if (flow.destination_port == 0) {
      return Bad(index, "port",
                 absl::StrCat("VIP ", packet.vip, " has every port; name one of them, as in ",
                              packet.vip, ":443"));
    }
  }
  flow.ip_protocol = guard::IpProtocol(protocol);
  if (flow.source.family() != flow.destination.family()) {
    return Bad(index, "source",
               absl::StrCat(flow.source.ToString(), " is no client of ",
                            flow.destination.ToString(), ": both must be IPv4 or both IPv6"));
  }
  if (packet.source_port == 0) return Bad(index, "source_port", "a client's port is 1 to 65535");
  const bool tcp = flow.ip_protocol == IPPROTO_TCP;
  if (tcp && !packet.payload.empty()) return Bad(index, "payload", "is for UDP and QUIC only");
  if (packet.payload.size() > kMaxExplainPayload) {
    return Bad(index, "payload", absl::StrCat("at most ", kMaxExplainPayload, " bytes"));
  }
  flow.opening = tcp && packet.opening;
  if (protocol == model::Protocol::kQuic && packet.payload.empty()) {
    flow.payload = QuicPayload(packet.opening);
  }
  return flow;
}

}  // namespace

absl::StatusOr<ExplainReport> LocalEngine::Explain(const ExplainRequest& request) {
  if (request.packets.empty() || request.packets.size() > publish::kMaxExplained) {
    return absl::InvalidArgumentError(absl::StrCat("packets: 1 to ", publish::kMaxExplained,
                                                   " at once, not ", request.packets.size()));
  }
  const std::shared_ptr<const guard::BuiltFleet> fleet = deps_.kernel->applied();
  std::vector<publish::Flow> flows;
  flows.reserve(request.packets.size());
  for (const ExplainPacket& packet : request.packets) {
    auto flow = ToFlow(packet, fleet.get(), flows.size());
    if (!flow.ok()) return flow.status();
    flows.push_back(*std::move(flow));
  }
  auto result = deps_.kernel->Explain(flows);
  if (!result.ok()) return result.status();
  ExplainReport report{.result = *std::move(result), .revision = {}};
  report.revision.revision = report.result.revision;
  if (report.revision.revision == 0) return report;
  const auto found = deps_.history->Get(report.revision.revision);
  if (!found.ok()) {
    report.revision.problem = std::string(found.status().message());
  } else if (!found->has_value()) {
    report.revision.problem = "the history has it no more";
  } else {
    report.revision.author = (*found)->author;
    report.revision.reason = (*found)->reason;
    report.revision.ticket = (*found)->ticket;
    report.revision.created_unix_ns = (*found)->created_unix_ns;
  }
  return report;
}

}  // namespace evenkeel::engine
