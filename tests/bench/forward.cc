// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/forward.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <stdexcept>

#include "tests/bench/bench.h"
#include "tests/bench/harness.h"
#include "tests/bench/machine.h"
#include "tests/bench/table.h"
#include "tests/harness/live_frames/live_frames.h"
#include "tests/harness/live_frames/wire.h"

#include "bpf/bench.skel.h"  // needs the layouts of bench.h

namespace evenkeel::bench {
namespace {

using testing::Bytes;

constexpr const char* kScenario = "tcp4-data-131072";
// Each call takes some 16 ms besides.
constexpr uint32_t kLeastPackets = 1000000;

struct Way {
  const char* name;
  int program;
};

[[noreturn]] void Fail(const std::string& what, int error) {
  throw std::runtime_error(what + (error != 0 ? ": " + std::string(std::strerror(error)) : ""));
}

Scenario FindScenario() {
  const auto& all = Scenarios();
  return *std::find_if(all.begin(), all.end(), [](const auto& s) { return s.name == kScenario; });
}

double Nanoseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

class Bench {
 public:
  Bench() : scenario_(FindScenario()), harness_({scenario_}), entered_(wire_.netns()) {
    if (wire_.far() == 0) Fail("the veth pair cannot be made", 0);
    harness_.Load(scenario_);
    // Backends are behind the interface that packets arrive on.
    const uint32_t pool = Vips()[*scenario_.vip].table;
    std::vector<testing::Backend> backends = PoolBackends(pool);
    for (testing::Backend& backend : backends) backend.hop.ifindex = wire_.far();
    harness_.raw_balancer().PutTable(pool, PoolSlots(pool), backends);
  }

  std::vector<Way> Ways() {
    const auto& progs = harness_.skeleton().progs;
    return {{"peer drop", bpf_program__fd(progs.bench_count)},
            {"XDP_TX", bpf_program__fd(progs.bench_nothing)},
            {"encapsulation + XDP_TX", harness_.floor().program},
            {"evenkeel", harness_.balancer().program}};
  }

  // Every byte of the first frames, as they come back, and the counters.
  void Check() {
    Attach(wire_.near(), bpf_program__fd(harness_.skeleton().progs.bench_keep));
    Attach(wire_.far(), harness_.balancer().program);
    const testing::CounterSet before = harness_.raw_balancer().ReadCounters();
    const uint32_t sent = Send(2 * BENCH_CAPTURES);
    ExpectReceived("evenkeel", sent);
    if (sent < BENCH_CAPTURES) Fail("too few packets can be sent to compare", 0);
    const testing::CounterSet after = harness_.raw_balancer().ReadCounters();
    if (after.TotalForwarded() - before.TotalForwarded() != sent) {
      Fail("evenkeel: wrong packet counter; nothing is measured", 0);
    }
    CheckCaptures();
    Attach(wire_.near(), bpf_program__fd(harness_.skeleton().progs.bench_count));
  }

  // Packets per second of the CPU's time.
  double Measure(const Way& way, uint32_t packets) {
    Attach(wire_.far(), way.program);
    const double start = Nanoseconds(CLOCK_THREAD_CPUTIME_ID);
    const uint32_t sent = Send(packets);
    const double took = Nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start;
    ExpectReceived(way.name, sent);  // the one that drops counts them itself
    return sent / took * 1e9;
  }

 private:
  void Attach(uint32_t end, int program) {
    if (const int error = wire_.Attach(end, program); error != 0) {
      Fail("a program cannot be attached in native mode", error);
    }
  }

  // Returns how many of them the wire had room for.
  uint32_t Send(uint32_t packets) {
    auto& bss = *harness_.skeleton().bss;
    bss.bench_template.next = bss.bench_template.failed = 0;
    bss.bench_received = 0;
    const Bytes frame = Build(SentPacket(scenario_, 0));
    const int sender = bpf_program__fd(harness_.skeleton().progs.bench_send4);
    if (const int error = testing::SendLiveFrames(sender, frame, wire_.near(), packets)) {
      Fail("sending live frames", error);
    }
    if (bss.bench_template.failed != 0) Fail("a frame came back in another size", 0);
    return bss.bench_template.next;
  }

  void ExpectReceived(const char* name, uint64_t packets) {
    const volatile auto& received = harness_.skeleton().bss->bench_received;
    for (int i = 0; i < 100 && received < packets; ++i) usleep(10000);  // ksoftirqd may go on
    if (received == packets) return;
    Fail(std::string(name) + ": " + std::to_string(received) + " of " + std::to_string(packets) +
             " packets arrived",
         0);
  }

  void CheckCaptures() {
    const size_t size = sizeof(bench_capture) * BENCH_CAPTURES;
    const int map = bpf_map__fd(harness_.skeleton().maps.bench_captures);
    void* memory = mmap(nullptr, size, PROT_READ, MAP_SHARED, map, 0);
    if (memory == MAP_FAILED) Fail("mapping what arrived", errno);
    const auto* captures = static_cast<const bench_capture*>(memory);
    for (uint32_t i = 0; i < BENCH_CAPTURES; ++i) CheckCapture(i, captures[i]);
    munmap(memory, size);
  }

  void CheckCapture(uint32_t i, const bench_capture& capture) {
    Bytes sent = Build(SentPacket(scenario_, i));
    // The sender leaves the transport checksum of flow 0.
    const Bytes first = Build(SentPacket(scenario_, 0));
    const size_t at = TransportOffset(scenario_.packet) + 16;
    std::copy_n(first.begin() + static_cast<long>(at), 2, sent.begin() + static_cast<long>(at));
    const Bytes expected = ExpectedOutcome(scenario_, i, sent).frame;
    if (capture.length != expected.size() ||
        std::memcmp(capture.frame, expected.data(), expected.size()) != 0) {
      Fail("flow " + std::to_string(i) + ": wrong bytes came back; nothing is measured", 0);
    }
  }

  const Scenario scenario_;
  Harness harness_;
  testing::Wire wire_;
  testing::ScopedNetns::Entered entered_;
};

void Print(const std::vector<Way>& ways, const std::vector<Spread>& rates,
           const std::vector<Spread>& ratios, uint32_t rounds, uint32_t packets) {
  std::printf("%-24s %8s %8s %8s   %6s %6s %6s\n", "million packets a second", "min", "median",
              "max", "min", "median", "max");
  for (size_t i = 0; i < ways.size(); ++i) {
    std::printf("%-24s %8.2f %8.2f %8.2f   %6.2f %6.2f %6.2f\n", ways[i].name, rates[i].min / 1e6,
                rates[i].median / 1e6, rates[i].max / 1e6, ratios[i].min, ratios[i].median,
                ratios[i].max);
  }
  std::printf(
      "the last columns: rate by that of the bare encapsulation in the same round\n"
      "%s, %u rounds of %u packets, one CPU for sender, program and receiver\n%s",
      kScenario, rounds, packets, MachineText(DescribeMachine()).c_str());
}

void PrintJson(const std::vector<Way>& ways, const std::vector<Spread>& rates,
               const std::vector<Spread>& ratios, uint32_t rounds, uint32_t packets) {
  Results head{DescribeMachine(), rounds, packets, {}};
  nlohmann::ordered_json json = {{"schema", "evenkeel.forward/v1"},
                                 {"machine", ToJson(head)["machine"]},
                                 {"scenario", kScenario},
                                 {"rounds", rounds},
                                 {"packets", packets},
                                 {"results", nlohmann::json::array()}};
  const auto spread = [](const Spread& s) {
    return nlohmann::ordered_json{{"min", s.min}, {"median", s.median}, {"max", s.max}};
  };
  for (size_t i = 0; i < ways.size(); ++i) {
    json["results"].push_back({{"name", ways[i].name},
                               {"packets_per_second", spread(rates[i])},
                               {"ratio_to_encapsulation", spread(ratios[i])}});
  }
  std::cout << json.dump(2) << "\n";
}

}  // namespace

int RunForward(uint32_t rounds, uint32_t packets, bool json) {
  packets = std::max(packets, kLeastPackets);
  Bench bench;
  bench.Check();
  const std::vector<Way> ways = bench.Ways();
  constexpr size_t kEncapsulation = 2;
  std::vector<std::vector<double>> rates(ways.size()), ratios(ways.size());
  for (const Way& way : ways) bench.Measure(way, packets);  // warms up
  for (uint32_t round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < ways.size(); ++i) rates[i].push_back(bench.Measure(ways[i], packets));
    for (size_t i = 0; i < ways.size(); ++i) {
      ratios[i].push_back(rates[i].back() / rates[kEncapsulation].back());
    }
  }
  std::vector<Spread> rate_spreads, ratio_spreads;
  for (const auto& values : rates) rate_spreads.push_back(SpreadOf(values));
  for (const auto& values : ratios) ratio_spreads.push_back(SpreadOf(values));
  (json ? PrintJson : Print)(ways, rate_spreads, ratio_spreads, rounds, packets);
  return 0;
}

}  // namespace evenkeel::bench
