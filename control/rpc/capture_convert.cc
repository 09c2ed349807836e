// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/capture_convert.h"

#include <utility>

#include "control/rpc/time_convert.h"

namespace evenkeel::rpc {
namespace {

using End = engine::CaptureReport::End;

constexpr std::pair<End, v1::CaptureSummary::End> kEnds[] = {
    {End::kListener, v1::CaptureSummary::LISTENER},
    {End::kTime, v1::CaptureSummary::TIME},
    {End::kCount, v1::CaptureSummary::COUNT}};

void Encode(const engine::CapturePacket& packet, v1::CapturePacket* out) {
  SetTime(packet.unix_ns, out->mutable_time());
  out->set_verdict(packet.verdict);
  out->set_vip(packet.vip);
  out->set_pool(packet.pool);
  out->set_backend(packet.backend);
  out->set_address(packet.address);
  out->set_ingress(packet.ingress);
  out->set_egress(packet.egress);
  if (packet.slot) out->set_slot(*packet.slot);
  if (packet.published) out->set_generation(packet.generation);
  out->set_revision(packet.revision);
  out->set_length_in(packet.length_in);
  out->set_in(packet.in);
  out->set_length_out(packet.length_out);
  out->set_out(packet.out);
}

engine::CapturePacket Decode(v1::CapturePacket* packet) {
  engine::CapturePacket out{.unix_ns = ReadTime(packet->time()),
                            .verdict = packet->verdict(),
                            .vip = packet->vip(),
                            .pool = packet->pool(),
                            .backend = packet->backend(),
                            .address = packet->address(),
                            .ingress = packet->ingress(),
                            .egress = packet->egress(),
                            .published = packet->has_generation(),
                            .generation = packet->generation(),
                            .revision = packet->revision(),
                            .length_in = packet->length_in(),
                            .length_out = packet->length_out(),
                            .in = std::move(*packet->mutable_in()),
                            .out = std::move(*packet->mutable_out())};
  if (packet->has_slot()) out.slot = packet->slot();
  return out;
}

void EncodeCounts(const std::vector<dataplane::CaptureCount>& counts, v1::CaptureResponse* out) {
  for (const dataplane::CaptureCount& count : counts) {
    v1::CaptureCount* one = out->add_counts();
    one->set_interface(count.interface);
    one->set_matched(count.matched);
    one->set_over_rate(count.over_rate);
    one->set_no_room(count.no_room);
  }
}

std::vector<dataplane::CaptureCount> DecodeCounts(const v1::CaptureResponse& response) {
  std::vector<dataplane::CaptureCount> counts;
  for (const v1::CaptureCount& count : response.counts()) {
    counts.push_back({.interface = count.interface(),
                      .matched = count.matched(),
                      .over_rate = count.over_rate(),
                      .no_room = count.no_room()});
  }
  return counts;
}

}  // namespace

v1::CaptureRequest ToProto(const engine::CaptureRequest& request) {
  v1::CaptureRequest out;
  for (const std::string& vip : request.vips) out.add_vips(vip);
  out.set_pool(request.pool);
  out.set_backend(request.backend);
  out.set_only_drops(request.only_drops);
  out.set_all(request.all);
  out.set_snaplen(request.snaplen);
  out.set_rate(request.rate);
  out.set_max_packets(request.max_packets);
  out.mutable_duration()->set_seconds(request.duration.count());
  return out;
}

absl::StatusOr<engine::CaptureRequest> FromProto(const v1::CaptureRequest& request) {
  engine::CaptureRequest out{.vips = {request.vips().begin(), request.vips().end()},
                             .pool = request.pool(),
                             .backend = request.backend(),
                             .only_drops = request.only_drops(),
                             .all = request.all(),
                             .max_packets = request.max_packets()};
  if (request.snaplen() != 0) out.snaplen = request.snaplen();
  if (request.rate() != 0) out.rate = request.rate();
  if (request.has_duration()) {
    if (request.duration().nanos() != 0) {
      return absl::InvalidArgumentError("duration: is to be whole seconds");
    }
    out.duration = std::chrono::seconds(request.duration().seconds());
  }
  return out;
}

v1::CaptureResponse ToProto(const engine::CaptureNews& news) {
  v1::CaptureResponse out;
  for (const engine::CapturePacket& packet : news.packets) Encode(packet, out.add_packets());
  EncodeCounts(news.counts, &out);
  return out;
}

engine::CaptureNews NewsFromProto(v1::CaptureResponse response) {
  engine::CaptureNews news{.packets = {}, .counts = DecodeCounts(response)};
  news.packets.reserve(static_cast<size_t>(response.packets_size()));
  for (v1::CapturePacket& packet : *response.mutable_packets()) {
    news.packets.push_back(Decode(&packet));
  }
  return news;
}

v1::CaptureResponse ToProto(const engine::CaptureReport& report) {
  v1::CaptureResponse out;
  EncodeCounts(report.counts, &out);
  v1::CaptureSummary* summary = out.mutable_summary();
  for (const auto& [end, name] : kEnds) {
    if (end == report.end) summary->set_end(name);
  }
  SetTime(report.began_unix_ns, summary->mutable_began_at());
  SetTime(report.ended_unix_ns, summary->mutable_ended_at());
  summary->set_packets(report.packets);
  summary->set_problem(report.problem);
  return out;
}

engine::CaptureReport ReportFromProto(const v1::CaptureResponse& response) {
  const v1::CaptureSummary& summary = response.summary();
  engine::CaptureReport report{.began_unix_ns = ReadTime(summary.began_at()),
                               .ended_unix_ns = ReadTime(summary.ended_at()),
                               .packets = summary.packets(),
                               .counts = DecodeCounts(response),
                               .problem = summary.problem()};
  for (const auto& [end, name] : kEnds) {
    if (name == summary.end()) report.end = end;
  }
  return report;
}

}  // namespace evenkeel::rpc
