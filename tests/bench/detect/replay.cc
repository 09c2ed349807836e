// SPDX-License-Identifier: Apache-2.0
#include "replay.h"

#include <netinet/in.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "control/detect/detector.h"
#include "control/model/text.h"
#include "control/traffic/route.h"
#include "tests/harness/fake_dataplane/fleets.h"
#include "tests/property/detect/random.h"

namespace evenkeel::detect::simulation {
namespace {

constexpr int64_t kNs = 1'000'000'000;
constexpr int64_t kStart = 1'700'000'000 * kNs;
constexpr uint32_t kTableSize = 65537;
constexpr uint16_t kPort = 80;

struct Packet {
  double at = 0;
  uint32_t flow = 0;  // of Recording::flows
  bool opening = false;
  uint32_t bytes = 0;
};

struct Recording {
  std::vector<publish::Flow> flows;
  std::vector<Packet> packets;
};

Recording Read(const std::string& file, double speed) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(absl::StrCat(file, ": cannot be read"));
  Recording recording;
  std::map<std::pair<std::string, uint32_t>, uint32_t> known;
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    Packet packet;
    uint32_t port = 0, opening = 0;
    if (fields.size() != 5 || !absl::SimpleAtod(fields[0], &packet.at) ||
        !absl::SimpleAtoi(fields[2], &port) || !absl::SimpleAtoi(fields[3], &opening) ||
        !absl::SimpleAtoi(fields[4], &packet.bytes)) {
      throw std::runtime_error(absl::StrCat(file, ":", number, ": no packet: ", line));
    }
    packet.at /= speed;
    packet.opening = opening != 0;
    const auto [place, added] =
        known.try_emplace({fields[1], port}, static_cast<uint32_t>(recording.flows.size()));
    if (added) {
      recording.flows.push_back({.source = testing::Ip(fields[1]),
                                 .destination = testing::Ip("192.0.2.10"),
                                 .source_port = static_cast<uint16_t>(port),
                                 .destination_port = kPort,
                                 .ip_protocol = IPPROTO_TCP});
    }
    packet.flow = place->second;
    recording.packets.push_back(packet);
  }
  return recording;
}

std::shared_ptr<const guard::BuiltFleet> Build(const ReplayOptions& options) {
  std::vector<int> numbers;
  for (int i = 1; i <= options.servers; ++i) numbers.push_back(i);
  model::Config config;
  config.pools = {testing::MakePool("web", 1, numbers, kTableSize)};
  if (options.by_source) config.pools[0].affinity = model::Affinity::kSource;
  config.vips = {testing::MakeVip("web", "192.0.2.10", kPort, "web")};
  auto fleet = guard::BuildFleet(config, testing::kTestKey, nullptr);
  if (!fleet.ok()) throw std::runtime_error(std::string(fleet.status().message()));
  return *fleet;
}

PoolPlan PlanOf(const guard::BuiltPool& built, const ReplayOptions& options) {
  PoolPlan plan;
  plan.revision = plan.generation = 1;
  plan.table_size = built.table->size;
  plan.spread = options.by_source ? Spread::kSource : Spread::kConnection;
  for (size_t i = 0; i < built.table->servers.size(); ++i) {
    ServerPlan& server = plan.servers.emplace_back();
    server.address = built.table->servers[i];
    server.name = absl::StrCat("s", i);
    server.intended = server.built = static_cast<double>(built.slots[i]) / built.table->size;
  }
  std::sort(plan.servers.begin(), plan.servers.end(),
            [](const ServerPlan& a, const ServerPlan& b) { return a.address < b.address; });
  return plan;
}

// One pool: where each flow goes, and what its servers have had.
class ReplayPool {
 public:
  ReplayPool(const Recording& recording, const guard::BuiltFleet& fleet, PoolPlan plan,
             uint64_t seed, double times, double skewed_from)
      : recording_(recording), plan_(std::move(plan)), random_(seed) {
    skewed_from_ = skewed_from + random_.Uniform();
    const traffic::Router router(fleet, {random_.Next(), random_.Next()});
    for (const publish::Flow& flow : recording.flows) {
      const model::IpAddress server = *router.Find(flow)->server;
      const auto place = std::lower_bound(
          plan_.servers.begin(), plan_.servers.end(), server,
          [](const ServerPlan& s, const model::IpAddress& a) { return s.address < a; });
      owner_.push_back(static_cast<uint16_t>(place - plan_.servers.begin()));
    }
    table_ = owner_;
    victim_ = random_.Below(plan_.servers.size());
    const double share = plan_.servers[victim_].built;
    moved_ = (times * share - share) / (1 - share);
    flows_of_.resize(plan_.servers.size());
    reading.pool = plan_.pool;
    reading.generation = plan_.generation;
    reading.readback = Readback::kMatches;
    for (const ServerPlan& server : plan_.servers) {
      reading.servers.push_back({.address = server.address, .health = Health::kUp});
    }
  }

  // Of new flows from the skew on some that are others' go to the victim. A recording has one port
  // of a client several times.
  void Count(const Packet& packet) {
    uint16_t& owner = owner_[packet.flow];
    if (packet.opening) {
      const bool moves = packet.at >= skewed_from_ && random_.Chance(moved_);
      owner = moves ? static_cast<uint16_t>(victim_) : table_[packet.flow];
    }
    ServerReading& server = reading.servers[owner];
    ++server.packets;
    server.bytes += packet.bytes;
    if (packet.opening) ++server.new_flows, ++flows_of_[owner], ++flows_;
  }

  void Sample(const Packet& packet, Detector& detector) const {
    const publish::Flow& flow = recording_.flows[packet.flow];
    detector.NoteFlow({.pool = plan_.pool,
                       .server = plan_.servers[owner_[packet.flow]].address,
                       .source = flow.source,
                       .source_port = flow.source_port,
                       .destination_port = flow.destination_port,
                       .ip_protocol = flow.ip_protocol,
                       .opening = packet.opening,
                       .packets = 1,
                       .bytes = packet.bytes});
  }

  double Most() const {
    double most = 0;
    for (size_t i = 0; i < flows_of_.size(); ++i) {
      most = std::max(most, flows_of_[i] / (flows_ * plan_.servers[i].built));
    }
    return most;
  }

  const PoolPlan& plan() const { return plan_; }
  double skewed_from() const { return skewed_from_; }
  const model::IpAddress& victim() const { return plan_.servers[victim_].address; }
  PoolReading reading;

 private:
  const Recording& recording_;
  PoolPlan plan_;
  Random random_;
  std::vector<uint16_t> table_, owner_;  // of each flow: by the table, and at present
  double skewed_from_ = 0;
  size_t victim_ = 0;
  double moved_ = 0;  // of the others' flows
  std::vector<double> flows_of_;
  double flows_ = 0;
};

struct Outcome {
  ReplayResult* result;
  std::vector<bool> found;
};

void Note(const std::vector<AlarmEvent>& events, const std::vector<ReplayPool>& pools, double at,
          Outcome& outcome) {
  for (const AlarmEvent& event : events) {
    const Alarm& alarm = event.alarm;
    if (event.what != AlarmEvent::What::kRaised && event.what != AlarmEvent::What::kEscalated) {
      continue;
    }
    if (alarm.severity == Severity::kTicket) {
      ++outcome.result->tickets[absl::StrCat(model::Av(ToString(alarm.kind)), "/",
                                             model::Av(ToString(alarm.diagnosis)))];
      continue;
    }
    const size_t pool = std::stoul(alarm.pool);
    const double since = at - pools[pool].skewed_from();
    const bool right = since > 0 && alarm.server == pools[pool].victim();
    if (!right) {
      ++outcome.result->pages;
      std::fprintf(stderr, "page at %.0f s: %s: %s\n", at, alarm.id.c_str(), alarm.text.c_str());
    } else if (!outcome.found[pool]) {
      outcome.found[pool] = true;
      outcome.result->found.push_back(since);
    }
  }
}

}  // namespace

ReplayResult Replay(const ReplayOptions& options) {
  const Recording recording = Read(options.file, options.speed);
  if (recording.packets.empty()) throw std::runtime_error(options.file + ": has no packets");
  const auto fleet = Build(options);
  ReplayResult result;
  result.packets = recording.packets.size();
  result.seconds = recording.packets.back().at;
  std::vector<ReplayPool> pools;
  std::vector<PoolPlan> plans;
  for (size_t i = 0; i < options.pools; ++i) {
    PoolPlan plan = PlanOf(*fleet->pools[0], options);
    plan.pool = std::to_string(i);
    plans.push_back(plan);
    pools.emplace_back(recording, *fleet, std::move(plan), options.seed * 1'000'003 + i,
                       options.times, options.times == 1 ? 1e18 : result.seconds / 2);
  }
  Detector detector;
  Outcome outcome{.result = &result, .found = std::vector<bool>(options.pools)};
  detector.Configure(std::move(plans), {kNs, kStart});
  size_t next = 0;
  const auto last = static_cast<int64_t>(result.seconds);
  for (int64_t second = 0; second <= last; ++second) {
    Reading reading;
    const size_t first = next;
    while (next < recording.packets.size() &&
           recording.packets[next].at < static_cast<double>(second)) {
      const Packet& packet = recording.packets[next++];
      result.flows += packet.opening ? 1 : 0;
      for (ReplayPool& pool : pools) pool.Count(packet);
    }
    // Half a second in three, as the daemon does.
    if (second % 3 == 0) {
      for (const std::string& pool : detector.WantSamples()) {
        for (size_t i = first; i < next; ++i) {
          if (recording.packets[i].at < static_cast<double>(second) - 0.5) continue;
          pools[std::stoul(pool)].Sample(recording.packets[i], detector);
        }
      }
    }
    for (const ReplayPool& pool : pools) reading.pools.push_back(pool.reading);
    const Time now{(second + 2) * kNs, kStart + second * kNs};
    Note(detector.Tick(reading, now), pools, static_cast<double>(second), outcome);
  }
  for (const ReplayPool& pool : pools) result.most = std::max(result.most, pool.Most());
  std::sort(result.found.begin(), result.found.end());
  return result;
}

}  // namespace evenkeel::detect::simulation
