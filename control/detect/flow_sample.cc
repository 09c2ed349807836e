// SPDX-License-Identifier: Apache-2.0
#include "control/detect/flow_sample.h"

#include <algorithm>
#include <utility>

namespace evenkeel::detect {
namespace {

constexpr int64_t kEpoch_ns = 15'000'000'000;
constexpr uint64_t kEnoughClients = 50;     // packets that open flows
constexpr uint64_t kEnoughBytes = 100'000;  // sampled ones, times what each stands for
constexpr size_t kBuckets = 512;
constexpr size_t kNamed = 5;
constexpr double kHeavy = 0.01;  // of the whole; less is not worth a name

}  // namespace

PoolSample::Key PoolSample::ClientOf(const FlowSample& sample) const {
  Key key{.server = sample.server, .source = {}};
  switch (spread_) {
    case Spread::kConnection:
      return {sample.server, sample.source, sample.source_port, sample.destination_port,
              sample.ip_protocol};
    case Spread::kSource:
      key.source = sample.source;
      break;
    case Spread::kPort:
      key.destination_port = sample.destination_port;
      break;
  }
  return key;
}

void PoolSample::Add(const FlowSample& sample) {
  Epoch& now = epochs_[0];
  const Key flow{sample.server, sample.source, sample.source_port, sample.destination_port,
                 sample.ip_protocol};
  now.flows.Add(flow, sample.bytes * sample.packets);
  now.packets.Add(flow, sample.packets);
  // Seen ones, not those that they stand for: two of one client are a coincidence that counts.
  if (!sample.opening && counts_flows_) return;
  const Key client = ClientOf(sample);
  now.clients.Add(client, 1);
  now.buckets.resize(kBuckets);
  ++now.buckets[BucketOf(client)];
}

size_t PoolSample::BucketOf(const Key& key) {
  uint64_t hash = key.source_port * 65536u + key.destination_port;
  const auto mix = [&](uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  };
  for (const uint8_t byte : key.source.bytes()) mix(byte);
  mix(key.ip_protocol);
  return (hash >> 8) % kBuckets;
}

void PoolSample::Age(int64_t steady_ns) {
  if (turned_ns_ == 0) turned_ns_ = steady_ns;
  if (steady_ns - turned_ns_ < kEpoch_ns) return;
  const bool all = steady_ns - turned_ns_ >= 2 * kEpoch_ns;
  turned_ns_ = steady_ns;
  epochs_[1] = all ? Epoch{} : std::move(epochs_[0]);
  epochs_[0] = Epoch{};
}

uint64_t PoolSample::Total(Sketch<Key> Epoch::*of) const {
  return (epochs_[0].*of).total() + (epochs_[1].*of).total();
}

bool PoolSample::KnowsClients() const { return Total(&Epoch::clients) >= kEnoughClients; }
bool PoolSample::KnowsFlows() const { return Total(&Epoch::flows) >= kEnoughBytes; }

PoolSample::Entries PoolSample::Merged(Sketch<Key> Epoch::*of) const {
  Entries merged = (epochs_[0].*of).entries();
  for (const auto& entry : (epochs_[1].*of).entries()) {
    const auto same = std::find_if(merged.begin(), merged.end(),
                                   [&](const auto& other) { return other.key == entry.key; });
    if (same == merged.end()) {
      merged.push_back(entry);
    } else {
      same->count += entry.count;
      same->error += entry.error;
    }
  }
  std::stable_sort(merged.begin(), merged.end(),
                   [](const auto& a, const auto& b) { return a.sure() > b.sure(); });
  return merged;
}

// From pairs that share a bucket: those of one client, and one in kBuckets of the others.
double PoolSample::Clustering() const {
  double total = 0, pairs = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    double count = 0;
    for (const Epoch& epoch : epochs_) count += epoch.buckets.empty() ? 0 : epoch.buckets[i];
    total += count;
    pairs += count * (count - 1);
  }
  if (total < 2) return 0;
  constexpr double kByChance = 1.0 / kBuckets;
  return std::max(0.0, (pairs / (total * (total - 1)) - kByChance) / (1 - kByChance));
}

double PoolSample::LargestClient() const {
  double total = 0, most = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    double count = 0;
    for (const Epoch& epoch : epochs_) count += epoch.buckets.empty() ? 0 : epoch.buckets[i];
    total += count;
    most = std::max(most, count);
  }
  return total > 0 ? most / total : 0;
}

std::vector<Heavy> PoolSample::Heaviest(Sketch<Key> Epoch::*of,
                                        const model::IpAddress& server) const {
  std::vector<Heavy> heaviest;
  const auto total = static_cast<double>(Total(of));
  for (const auto& entry : Merged(of)) {
    const double share = static_cast<double>(entry.sure()) / total;
    if (heaviest.size() == kNamed || share < kHeavy) break;
    const Key& key = entry.key;
    if (key.server != server) continue;
    Heavy& heavy = heaviest.emplace_back();
    if (!key.source.IsUnspecified()) heavy.source = key.source;
    heavy.source_port = key.source_port;
    heavy.destination_port = key.destination_port;
    heavy.ip_protocol = key.ip_protocol;
    heavy.share = share;
  }
  return heaviest;
}

std::vector<Heavy> PoolSample::Clients(const model::IpAddress& server) const {
  return Heaviest(&Epoch::clients, server);
}

std::vector<Heavy> PoolSample::Flows(const model::IpAddress& server) const {
  return Heaviest(&Epoch::flows, server);
}

double PoolSample::LargestFlow() const {
  const Entries flows = Merged(&Epoch::packets);
  if (flows.empty() || !KnowsFlows()) return 0;
  return static_cast<double>(flows.front().sure()) / static_cast<double>(Total(&Epoch::packets));
}

}  // namespace evenkeel::detect
