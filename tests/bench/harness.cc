// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/harness.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/bench/bench.h"

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

template <typename Flow>
Flow* MapFlows(const bpf_map* map) {
  void* memory = mmap(nullptr, sizeof(Flow) * BENCH_MAX_FLOWS, PROT_READ | PROT_WRITE, MAP_SHARED,
                      bpf_map__fd(map), 0);
  Require(memory != MAP_FAILED, "mapping the flows");
  return static_cast<Flow*>(memory);
}

void CopyAddress(void* to, const std::string& text) {
  const Bytes bytes = testing::AddressBytes(text);
  std::memcpy(to, bytes.data(), bytes.size());
}

void FillFlows4(const Scenario& scenario, bench_flow4* flows) {
  for (uint32_t i = 0; i < scenario.flows; ++i) {
    const Packet packet = FlowPacket(scenario, i);
    CopyAddress(&flows[i].saddr, packet.src);
    flows[i].sport = htons(packet.sport);
    const Bytes frame = Build(packet);
    std::memcpy(&flows[i].check, &frame[testing::kEthernetLength + 10], 2);
  }
}

void FillFlows6(const Scenario& scenario, bench_flow6* flows) {
  for (uint32_t i = 0; i < scenario.flows; ++i) {
    const Packet packet = FlowPacket(scenario, i);
    CopyAddress(flows[i].saddr, packet.src);
    flows[i].sport = htons(packet.sport);
  }
}

// The wrapper writes source and port but leaves the transport checksum, which nobody reads.
Bytes WithChecksumOf(Bytes frame, const Bytes& other, const Packet& packet) {
  const size_t at = TransportOffset(packet) + (packet.proto == testing::kTcp ? 16 : 6);
  std::copy_n(other.begin() + static_cast<long>(at), 2, frame.begin() + static_cast<long>(at));
  return frame;
}

}  // namespace

void Harness::Closer::operator()(ek_bench* skeleton) const { ek_bench__destroy(skeleton); }

Harness::Harness()
    : balancer_(kKey, {.tables = kPools, .vips = 64, .backends = (kPools + 1) * kPoolBackends}),
      skeleton_(ek_bench__open_and_load()) {
  Require(skeleton_ != nullptr, "loading the wrappers");
  for (uint32_t pool = 0; pool < kPools; ++pool) {
    balancer_.PutTable(pool, PoolSlots(pool), PoolBackends(pool));
  }
  Rehash();
}

Harness::~Harness() = default;

void Harness::Rehash() {
  balancer_.Activate(balancer_.PutGeneration(generation_, Vips()));
  generation_ = (generation_ + 1) % EK_MAX_GENERATIONS;
}

void Harness::Load(const Scenario& scenario) {
  ipv4_ = scenario.packet.is_ipv4();
  frame_ = Build(FlowPacket(scenario, 0));
  bench_template& tpl = skeleton_->bss->bench_template;
  std::copy_n(frame_.begin(), testing::kEthernetLength, tpl.eth);
  tpl.frame_len = static_cast<uint32_t>(frame_.size());
  tpl.flow_mask = scenario.flows - 1;
  tpl.ttl = scenario.packet.ttl;
  if (ipv4_) {
    bench_flow4* flows = MapFlows<bench_flow4>(skeleton_->maps.bench_flows4);
    FillFlows4(scenario, flows);
    munmap(flows, sizeof(*flows) * BENCH_MAX_FLOWS);
  } else {
    bench_flow6* flows = MapFlows<bench_flow6>(skeleton_->maps.bench_flows6);
    FillFlows6(scenario, flows);
    munmap(flows, sizeof(*flows) * BENCH_MAX_FLOWS);
  }
}

void Harness::SetTarget(Target target) {
  int fd = balancer_.balancer_fd();
  if (target == Target::kNothing) fd = bpf_program__fd(skeleton_->progs.bench_nothing);
  if (target == Target::kKnown) fd = bpf_program__fd(skeleton_->progs.bench_known);
  if (target == Target::kFloor) fd = bpf_program__fd(skeleton_->progs.bench_floor);
  const uint32_t zero = 0;
  Require(bpf_map_update_elem(bpf_map__fd(skeleton_->maps.bench_target), &zero, &fd, BPF_ANY) == 0,
          "choosing the program");
}

testing::RunResult Harness::Run(uint32_t passes, Time* time) {
  const bpf_program* wrapper = ipv4_ ? skeleton_->progs.bench_wrap4 : skeleton_->progs.bench_wrap6;
  testing::RunResult result;
  result.frame.resize(frame_.size() + 256);
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.data_in = frame_.data();
  options.data_size_in = static_cast<uint32_t>(frame_.size());
  options.data_out = result.frame.data();
  options.data_size_out = static_cast<uint32_t>(result.frame.size());
  options.repeat = static_cast<int>(passes);
  skeleton_->bss->bench_template.next = 0;
  const double start = ThreadNanoseconds();
  const int error = bpf_prog_test_run_opts(bpf_program__fd(wrapper), &options);
  *time = {ThreadNanoseconds() - start, options.duration};
  Require(error == 0, "running the packets");
  result.action = options.retval;
  result.frame.resize(options.data_size_out);
  return result;
}

std::string Harness::CheckFrames(const Scenario& scenario, uint32_t flows) {
  Time unused;
  flows = std::min(scenario.flows, flows);
  for (uint32_t i = 0; i < flows; ++i) {
    const Packet packet = FlowPacket(scenario, i);
    Bytes expected = WithChecksumOf(Build(packet), frame_, packet);
    uint32_t action = XDP_PASS;
    if (scenario.vip) {
      const uint32_t pool = Vips()[*scenario.vip].table;
      const uint64_t hash = FlowHash(kKey, packet);
      static thread_local std::vector<std::vector<uint32_t>> slots(kPools);
      if (slots[pool].empty()) slots[pool] = PoolSlots(pool);
      const uint16_t owner = EK_SLOT_OWNER(slots[pool][testing::ExpectedSlot(hash, kTableSize)]);
      expected = ExpectedFrame(expected, PoolBackends(pool)[owner - 1u], hash);
      action = XDP_TX;
    }
    // i + 1 passes from flow 0: the last one is flow i, on a buffer that was used before.
    const testing::RunResult result = Run(i + 1, &unused);
    if (result.action != action) return "flow " + std::to_string(i) + ": wrong verdict";
    if (result.frame != expected) return "flow " + std::to_string(i) + ": wrong bytes";
  }
  return "";
}

std::string Harness::CheckCounters(const Scenario& scenario) {
  Time unused;
  const testing::CounterSet before = balancer_.ReadCounters();
  Run(10000, &unused);
  const testing::CounterSet after = balancer_.ReadCounters();
  const uint64_t forwarded = after.TotalForwarded() - before.TotalForwarded();
  const uint64_t passed = after.verdicts[EK_PASS_NO_VIP] - before.verdicts[EK_PASS_NO_VIP];
  if (!scenario.vip) return passed == 10000 && forwarded == 0 ? "" : "wrong counters";
  const ek_counter& from = before.vips[*scenario.vip];
  const ek_counter& to = after.vips[*scenario.vip];
  const bool syn =
      scenario.packet.proto == testing::kTcp && scenario.packet.tcp_flags == testing::kTcpSyn;
  if (to.packets - from.packets != 10000 || forwarded != 10000) return "wrong packet counter";
  if (to.bytes - from.bytes != 10000 * (frame_.size() - 14)) return "wrong byte counter";
  if (to.new_flows - from.new_flows != (syn ? 10000u : 0u)) return "wrong flow counter";
  return "";
}

std::string Harness::Check(const Scenario& scenario, uint32_t flows) {
  SetTarget(Target::kBalancer);
  const std::string fault = CheckFrames(scenario, flows);
  return fault.empty() ? CheckCounters(scenario) : fault;
}

Harness::Time Harness::RunTarget(Target target, uint32_t passes) {
  SetTarget(target);
  Time time;
  const testing::RunResult result = Run(passes, &time);
  if (result.action == XDP_ABORTED) {
    std::fprintf(stderr, "bench: the wrapper gave up\n");
    std::exit(1);
  }
  return time;
}

double Harness::Measure(Target target, uint32_t passes) {
  return RunTarget(target, passes).processor_ns / passes;
}

uint32_t Harness::Count(Target target, uint32_t passes) {
  return RunTarget(target, passes).clock_ns;
}

}  // namespace evenkeel::bench
