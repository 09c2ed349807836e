// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/lane_reader.h"

#include <filesystem>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/nic/queue_counters.h"

namespace evenkeel::daemon {
namespace {

using Kind = detect::LaneReading::Kind;

// A CPU that has had no packet for so long is not meant to have any: its interrupt went elsewhere.
// Longer than the detector's windows, so that one that packets suddenly avoid is seen.
constexpr int64_t kIdleNs = 300'000'000'000;
constexpr int64_t kCountAgainNs = 60'000'000'000;

uint32_t QueuesOf(const std::string& interface) {
  if (const uint32_t channels = nic::Read(interface).channels; channels != 0) return channels;
  std::error_code error;
  uint32_t queues = 0;
  for (const auto& entry : std::filesystem::directory_iterator(
           absl::StrCat("/sys/class/net/", interface, "/queues"), error)) {
    queues += entry.path().filename().string().starts_with("rx-");
  }
  return queues;
}

}  // namespace

void LaneReader::CountQueues(int64_t steady_ns) {
  if (count_at_ns_ != 0 && steady_ns < count_at_ns_) return;
  count_at_ns_ = steady_ns + kCountAgainNs;
  queues_ = 0;
  for (const std::string& interface : sources_.interfaces) queues_ += sources_.queues(interface);
}

// Queues of one interface are to get equal parts, those of two need not: links differ.
void LaneReader::ReadQueues(std::vector<detect::LaneReading>* lanes) const {
  if (sources_.interfaces.size() != 1) return;
  const std::string& interface = sources_.interfaces[0];
  const std::map<uint32_t, uint64_t> counters = nic::ReadQueueCounters(interface, sources_.ask);
  if (counters.size() < 2) return;
  for (const auto& [queue, packets] : counters) {
    if (queue >= queues_)
      continue;  // switched off: some drivers count on for the most they can have
    lanes->push_back({Kind::kQueue, absl::StrCat(interface, " rx-", queue), packets});
  }
}

// As many CPUs as have queues at most. More: interrupts move, and who is to get how much is not
// known.
void LaneReader::ReadCpus(int64_t steady_ns, std::vector<detect::LaneReading>* lanes) {
  const auto packets = sources_.cpu_packets();
  if (!packets.ok()) return;
  const bool first = cpus_.size() != packets->size();
  cpus_.resize(packets->size());
  std::vector<detect::LaneReading> found;
  for (size_t i = 0; i < cpus_.size(); ++i) {
    Cpu& cpu = cpus_[i];
    if (!first && (*packets)[i] > cpu.packets) cpu.grew_ns = steady_ns;
    cpu.packets = (*packets)[i];
    if (cpu.grew_ns == 0 || steady_ns - cpu.grew_ns > kIdleNs) continue;
    found.push_back({Kind::kCpu, absl::StrCat(i), cpu.packets});
  }
  if (found.size() < 2 || found.size() > queues_) return;
  lanes->insert(lanes->end(), found.begin(), found.end());
}

std::vector<detect::LaneReading> LaneReader::Read(int64_t steady_ns) {
  std::vector<detect::LaneReading> lanes;
  CountQueues(steady_ns);
  ReadCpus(steady_ns, &lanes);
  if (queues_ >= 2) ReadQueues(&lanes);
  return lanes;
}

std::function<std::vector<detect::LaneReading>()> ReadLanes(
    const std::vector<std::string>& interfaces, const dataplane::KernelDataPlane* dataplane,
    std::function<int64_t()> steady_ns) {
  const auto reader = std::make_shared<LaneReader>(
      LaneReader::Sources{.interfaces = interfaces,
                          .cpu_packets = [dataplane] { return dataplane->ReadCpuPackets(); },
                          .queues = QueuesOf});
  return [reader, now = std::move(steady_ns)] { return reader->Read(now()); };
}

}  // namespace evenkeel::daemon
