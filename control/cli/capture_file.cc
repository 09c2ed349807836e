// SPDX-License-Identifier: Apache-2.0
#include "control/cli/capture_file.h"

#include <algorithm>

#include "control/cli/cat.h"
#include "control/cli/version.h"

namespace evenkeel::cli {

std::string CommentOf(const engine::CapturePacket& packet) {
  std::string text = Cat("verdict ", packet.verdict);
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) text += Cat(", ", name, " ", value);
  };
  add("vip", packet.vip);
  add("pool", packet.pool);
  add("backend",
      packet.address.empty() ? packet.backend : Cat(packet.backend, " (", packet.address, ")"));
  if (packet.slot) text += Cat(", slot ", *packet.slot);
  if (packet.published) text += Cat(", generation ", packet.generation);
  if (packet.revision != 0) text += Cat(", revision ", packet.revision);
  return text;
}

CaptureFile::CaptureFile(uint32_t snaplen)
    : snaplen_(snaplen), writer_(Cat("evenkeel ", kVersion), &bytes_) {}

CaptureFile::Interface& CaptureFile::Find(const std::string& name, Direction direction) {
  const auto [it, fresh] = interfaces_.try_emplace({name, direction});
  if (fresh) {
    const bool in = direction == Direction::kIn;
    it->second.id = writer_.AddInterface(
        Cat(name, in ? " in" : " out"),
        in ? "as they came to the balancer" : "as they left the balancer", snaplen_);
  }
  return it->second;
}

void CaptureFile::AddFrame(const engine::CapturePacket& packet, Direction direction,
                           const std::string& comment) {
  const bool in = direction == Direction::kIn;
  Interface& interface = Find(in ? packet.ingress : packet.egress, direction);
  ++interface.frames;
  ++frames_;
  writer_.AddPacket(interface.id, packet.unix_ns, direction,
                    in ? packet.length_in : packet.length_out, in ? packet.in : packet.out,
                    comment);
}

void CaptureFile::Add(const engine::CaptureNews& news) {
  for (const dataplane::CaptureCount& count : news.counts) Find(count.interface, Direction::kIn);
  for (const engine::CapturePacket& packet : news.packets) {
    const std::string comment = CommentOf(packet);
    ++packets_;
    AddFrame(packet, Direction::kIn, comment);
    if (!packet.egress.empty()) AddFrame(packet, Direction::kOut, comment);
  }
}

void CaptureFile::End(const engine::CaptureReport& report) {
  for (const auto& [key, interface] : interfaces_) {
    PcapngWriter::Statistics statistics{.began_unix_ns = report.began_unix_ns,
                                        .ended_unix_ns = report.ended_unix_ns,
                                        .delivered = interface.frames};
    const auto count =
        std::find_if(report.counts.begin(), report.counts.end(),
                     [&](const dataplane::CaptureCount& c) { return c.interface == key.first; });
    if (key.second == Direction::kIn && count != report.counts.end()) {
      statistics.received = count->matched;
      statistics.dropped = count->missed();
    }
    writer_.AddStatistics(interface.id, statistics);
  }
}

}  // namespace evenkeel::cli
