// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/harness.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/bench/flows.h"

#include "bpf/bench.skel.h"  // needs the layouts of bench.h

namespace evenkeel::bench {
namespace {

using testing::Bytes;
using testing::Packet;

void Require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "bench: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

double ThreadNanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

uint32_t PinClock() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<uint32_t>(
      (static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec)) >>
      EK_SEEN_SHIFT);
}

// The wrapper leaves the transport checksum of flow 0, which nobody reads.
Bytes WithChecksumOf(Bytes frame, const Bytes& other, const Packet& packet) {
  const size_t at = TransportOffset(packet) + (packet.proto == testing::kTcp ? 16 : 6);
  std::copy_n(other.begin() + static_cast<long>(at), 2, frame.begin() + static_cast<long>(at));
  return frame;
}

ek_bench* LoadWrappers(const std::vector<Scenario>& scenarios) {
  ek_bench* skeleton = ek_bench__open();
  Require(skeleton != nullptr, "opening the wrappers");
  SizeFlowMaps(scenarios, *skeleton);
  Require(ek_bench__load(skeleton) == 0, "loading the wrappers");
  return skeleton;
}

}  // namespace

void Harness::Closer::operator()(ek_bench* skeleton) const { ek_bench__destroy(skeleton); }

Harness::Harness(const std::vector<Scenario>& scenarios)
    : balancer_(kKey, {.tables = kPools, .vips = 64, .backends = (kPools + 1) * kPoolBackends}),
      skeleton_(LoadWrappers(scenarios)) {
  for (uint32_t pool = 0; pool < kPools; ++pool) {
    balancer_.PutTable(pool, PoolSlots(pool), PoolBackends(pool), pool == kQuicPool ? 1 : 0);
  }
  balancer_.SetLine(kQuicPool, EK_BACKEND_LINE(kTableSize, 0), QuicHead());
  balancer_.SetLine(kQuicPool, EK_BACKEND_LINE(kTableSize, kPoolBackends + 1), QuicIds());
  for (const Scenario& scenario : scenarios) {
    if (scenario.denied > 0) balancer_.PutRules(kRules, RulesOf(scenario), 4);
  }
  Rehash();
}

Harness::~Harness() = default;

Harness::Target Harness::nothing() const {
  return {"harness", bpf_program__fd(skeleton_->progs.bench_nothing)};
}
Harness::Target Harness::known() const {
  return {"known", bpf_program__fd(skeleton_->progs.bench_known)};
}
Harness::Target Harness::floor() const {
  return {"floor", bpf_program__fd(skeleton_->progs.bench_floor)};
}
Harness::Target Harness::balancer() const { return {"evenkeel", balancer_.balancer_fd()}; }

void Harness::Rehash() {
  balancer_.Activate(balancer_.PutGeneration(generation_, Vips()));
  generation_ = (generation_ + 1) % EK_MAX_GENERATIONS;
}

void Harness::Load(const Scenario& scenario) {
  frame_ = Build(SentPacket(scenario, 0));
  wrapper_ = NeedsImages(scenario)       ? Wrapper::kImage
             : scenario.packet.is_ipv4() ? Wrapper::kIpv4
                                         : Wrapper::kIpv6;
  Require(FillFlows(scenario, frame_, *skeleton_), "mapping the flows");
  balancer_.ClearPins();
  for (const auto& [hash, pin] : PinsOf(scenario, PinClock())) {
    balancer_.PutPin(hash, pin, /*opening=*/false);
  }
}

bool Harness::Choose(const Target& target) {
  const uint32_t zero = 0;
  const bpf_map* map = target.frags ? skeleton_->maps.bench_target : skeleton_->maps.bench_plain;
  return bpf_map_update_elem(bpf_map__fd(map), &zero, &target.program, BPF_ANY) == 0;
}

int Harness::WrapperFor(const Target& target) const {
  const auto& progs = skeleton_->progs;
  switch (wrapper_) {
    case Wrapper::kIpv4:
      return bpf_program__fd(target.frags ? progs.bench_wrap4 : progs.bench_plain4);
    case Wrapper::kIpv6:
      return bpf_program__fd(target.frags ? progs.bench_wrap6 : progs.bench_plain6);
    case Wrapper::kImage:
      return bpf_program__fd(target.frags ? progs.bench_wrap_image : progs.bench_plain_image);
  }
  return -1;
}

testing::RunResult Harness::Run(const Target& target, uint32_t first, uint32_t passes, Time* time) {
  Require(Choose(target), "choosing the program");
  bench_template& tpl = skeleton_->bss->bench_template;
  testing::RunResult result;
  result.frame.resize(frame_.size() + 256);
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.data_in = frame_.data();
  options.data_size_in = static_cast<uint32_t>(frame_.size());
  options.data_out = result.frame.data();
  options.data_size_out = static_cast<uint32_t>(result.frame.size());
  options.repeat = static_cast<int>(passes);
  tpl.next = first;
  tpl.failed = 0;
  const double start = ThreadNanoseconds();
  const int error = bpf_prog_test_run_opts(WrapperFor(target), &options);
  *time = {ThreadNanoseconds() - start, options.duration};
  Require(error == 0, "running the packets");
  if (tpl.failed != 0) {
    std::fprintf(stderr,
                 "bench: %s left a frame that cannot be restored: only what a program puts before "
                 "a frame, or takes from its start, can be undone\n",
                 target.name.c_str());
    std::exit(1);
  }
  result.action = options.retval;
  result.frame.resize(options.data_size_out);
  return result;
}

std::string Harness::CheckFlow(const Scenario& scenario, uint32_t index, uint32_t passes) {
  const Packet packet = SentPacket(scenario, index);
  testing::Bytes sent = Build(packet);
  if (!NeedsImages(scenario)) sent = WithChecksumOf(sent, frame_, packet);
  const Outcome expected = ExpectedOutcome(scenario, index, sent);
  Time unused;
  const testing::RunResult result = Run(balancer(), index + 1 - passes, passes, &unused);
  const std::string name = "flow " + std::to_string(index);
  if (result.action != expected.action) return name + ": wrong verdict";
  return result.frame == expected.frame ? "" : name + ": wrong bytes";
}

std::string Harness::CheckFrames(const Scenario& scenario, uint32_t flows) {
  flows = std::min(scenario.flows, flows);
  for (uint32_t i = 0; i < flows; ++i) {
    if (std::string fault = CheckFlow(scenario, i, 1); !fault.empty()) return fault;
  }
  // On a buffer that all flows before it have used. More than one pass costs a grace period.
  return CheckFlow(scenario, flows - 1, flows);
}

std::string Harness::CheckCounters(const Scenario& scenario) {
  constexpr uint32_t kPackets = 10000;
  Time unused;
  const testing::CounterSet before = balancer_.ReadCounters();
  Run(balancer(), 0, kPackets, &unused);
  const testing::CounterSet after = balancer_.ReadCounters();
  const uint64_t forwarded = after.TotalForwarded() - before.TotalForwarded();
  if (!scenario.vip) {
    const auto verdict = scenario.sends == Scenario::Sends::kEcho ? EK_REPLY_ECHO : EK_PASS_NO_VIP;
    const uint64_t counted = after.verdicts[verdict] - before.verdicts[verdict];
    return counted == kPackets && forwarded == 0 ? "" : "wrong counters";
  }
  const ek_counter& from = before.vips[*scenario.vip];
  const ek_counter& to = after.vips[*scenario.vip];
  const bool opens = OpensFlow(scenario.packet) && scenario.sends == Scenario::Sends::kPacket;
  if (to.packets - from.packets != kPackets || forwarded != kPackets) return "wrong packet counter";
  if (to.bytes - from.bytes != kPackets * (frame_.size() - 14)) return "wrong byte counter";
  if (to.new_flows - from.new_flows != (opens ? kPackets : 0)) return "wrong flow counter";
  return "";
}

std::string Harness::Check(const Scenario& scenario, uint32_t flows) {
  const std::string fault = CheckFrames(scenario, flows);
  return fault.empty() ? CheckCounters(scenario) : fault;
}

std::string Harness::VerdictOf(const Target& target, uint32_t packets) {
  static constexpr const char* kNames[] = {"XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX",
                                           "XDP_REDIRECT"};
  Time unused;
  const uint32_t action = Run(target, 0, packets, &unused).action;
  return action < std::size(kNames) ? kNames[action] : "action " + std::to_string(action);
}

double Harness::Measure(const Target& target, uint32_t passes) {
  Time time;
  Run(target, next_flow_, passes, &time);
  next_flow_ += passes;
  return time.processor_ns / passes;
}

uint32_t Harness::Count(const Target& target, uint32_t passes) {
  Time time;
  Run(target, 0, passes, &time);
  return time.clock_ns;
}

}  // namespace evenkeel::bench
