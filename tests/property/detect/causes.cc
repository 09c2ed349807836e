// SPDX-License-Identifier: Apache-2.0
#include "tests/property/detect/causes.h"

#include <algorithm>
#include <functional>

#include "control/model/text.h"
#include "tests/property/detect/one_pool.h"

namespace evenkeel::detect::simulation {
namespace {

// What a trial is about: a pool of random size and rate, and how much too much one server gets.
struct Trial {
  explicit Trial(uint64_t seed)
      : chance(seed),
        pool(static_cast<int>(chance.LogBetween(4, 30)), seed),
        flows(chance.LogBetween(200, 3000)),
        times(chance.Between(2.6, 3.8)) {
    for (int i = 0; i < 4; ++i) {
      pool.reading.lanes.push_back({LaneReading::Kind::kQueue, "rx-" + std::to_string(i), 0});
    }
  }

  size_t servers() const { return pool.plan.servers.size(); }

  void Lanes(double times_of_first) {
    for (size_t i = 0; i < 4; ++i) {
      const double part = i == 0 ? times_of_first / 4 : (1 - times_of_first / 4) / 3;
      pool.reading.lanes[i].packets += static_cast<uint64_t>(pool.random.Poisson(20'000 * part));
    }
  }

  // What a sampler finds of new flows: so many of one client, the rest of many.
  void Sample(double of_one_client, double times_of_first) {
    if (pool.detector.WantSamples().empty()) return;
    for (int i = 0; i < 150; ++i) {
      const bool one = chance.Chance(of_one_client);
      const auto n = static_cast<double>(servers());
      const bool first = one || chance.Chance((times_of_first / n - of_one_client) /
                                              std::max(1e-9, 1 - of_one_client));
      const size_t server = first ? 0 : 1 + chance.Below(servers() - 1);
      pool.detector.NoteFlow({.pool = "web",
                              .server = Address(server),
                              .source = ClientAddress(one ? 1 : 2 + chance.Below(1 << 22)),
                              .source_port = 4000,
                              .destination_port = 443,
                              .ip_protocol = 6,
                              .opening = true,
                              .packets = 1,
                              .bytes = 60});
    }
  }

  // The skew as a whole, with lanes and samples of which nothing can be said.
  void Second(double skew, double of_one_client = 0, double first_lane = 1) {
    pool.Flows(flows, skew);
    Lanes(first_lane);
    Sample(of_one_client, skew);
    pool.Tick();
  }
  void Warm(int seconds = 75) {
    for (int i = 0; i < seconds; ++i) Second(1);
  }

  Random chance;
  OnePool pool;
  double flows, times;
};

void None(Trial& t) {
  for (int i = 0; i < 330; ++i) t.Second(1);
}

void Weights(Trial& t) {
  t.Warm();
  const double most = t.chance.Between(0.55, 1);
  for (size_t i = 0; i < t.servers(); ++i) {
    const double share = i == 0 ? most : (1 - most) / static_cast<double>(t.servers() - 1);
    t.pool.plan.servers[i].intended = t.pool.plan.servers[i].built = share;
  }
  ++t.pool.plan.generation;
  t.pool.Configure();
  for (int i = 0; i < 5; ++i) t.Second(most * static_cast<double>(t.servers()));
}

void Builder(Trial& t) {
  t.Warm();
  const double more = t.times / static_cast<double>(t.servers());
  for (size_t i = 0; i < t.servers(); ++i) {
    t.pool.plan.servers[i].limit = 1;
    t.pool.plan.servers[i].built =
        i == 0 ? more : (1 - more) / static_cast<double>(t.servers() - 1);
  }
  ++t.pool.plan.generation;
  t.pool.Configure();
  for (int i = 0; i < 5; ++i) t.Second(t.times);
}

void Maps(Trial& t) {
  t.Warm();
  t.pool.reading.pools[0].readback = Readback::kDiffers;
  for (int i = 0; i < 5; ++i) t.Second(t.times);
}

void DataPath(Trial& t) {
  t.Warm();
  for (int i = 0; i < 10; ++i) t.Second(t.times);
}

void FewSources(Trial& t) {
  t.Warm();
  const double one = (t.times - 1) / static_cast<double>(t.servers());
  for (int i = 0; i < 400; ++i) t.Second(t.times, one);
}

void Upstream(Trial& t) {
  t.Warm();
  for (int i = 0; i < 120; ++i) t.Second(t.times, 0, 3.2);
}

void Elephant(Trial& t) {
  t.Warm();
  const double usual = t.flows * 5600;
  const double more = t.chance.Between(1.5, 3) * usual / static_cast<double>(t.servers());
  for (int i = 0; i < 400; ++i) {
    t.pool.Add(0, 0, more / 1400, more);
    if (!t.pool.detector.WantSamples().empty()) {
      for (int packet = 0; packet < 50; ++packet) {
        t.pool.detector.NoteFlow({.pool = "web",
                                  .server = Address(0),
                                  .source = ClientAddress(9),
                                  .source_port = 5555,
                                  .destination_port = 443,
                                  .ip_protocol = 6,
                                  .opening = false,
                                  .packets = 10,
                                  .bytes = 1400});
      }
    }
    t.Second(1);
  }
}

// It dies; clients repeat their SYNs; health finds it after 5 s, or there is no health check.
void Backend(Trial& t) {
  t.Warm();
  const bool checked = t.chance.Chance(0.5);
  if (!checked) t.pool.At(0).health = Health::kUnknown;
  const double share = t.flows / static_cast<double>(t.servers());
  for (int i = 0; i < 40; ++i) {
    if (checked && i >= 5) t.pool.At(0).health = Health::kDown;
    const double repeats = i < 1 ? 1 : i < 3 ? 2 : i < 7 ? 3 : 4;
    const double syns = t.pool.random.Poisson(share) * repeats;
    t.pool.Add(0, syns, syns, 60 * syns);
    for (size_t s = 1; s < t.servers(); ++s) {
      const double drawn = t.pool.random.Poisson(share);
      t.pool.Add(s, drawn, 8 * drawn, 5600 * drawn);
    }
    t.Lanes(1);
    t.Sample(0, 1);
    t.pool.Tick();
  }
}

std::string Said(const Trial& t) {
  const auto report = t.pool.detector.Report("web", t.pool.now);
  if (report->verdict == Verdict::kInsufficient) return "insufficient-data";
  return report->diagnosis ? std::string(ToString(*report->diagnosis)) : "none";
}

}  // namespace

Confusion ConfuseCauses(int trials, uint64_t seed) {
  const std::map<std::string, std::function<void(Trial&)>> causes = {
      {"none", None},         {"weights", Weights},    {"builder", Builder},
      {"maps", Maps},         {"data-path", DataPath}, {"few-sources", FewSources},
      {"upstream", Upstream}, {"elephant", Elephant},  {"backend", Backend}};
  Confusion confusion;
  for (const auto& [name, make] : causes) {
    for (int trial = 0; trial < trials; ++trial) {
      Trial t(seed * 1'000'003 + static_cast<uint64_t>(trial));
      make(t);
      ++confusion[name][Said(t)];
    }
  }
  return confusion;
}

}  // namespace evenkeel::detect::simulation
