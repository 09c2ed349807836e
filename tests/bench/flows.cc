// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/flows.h"

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "bpf/bench.skel.h"  // needs the layouts of bench.h

namespace evenkeel::bench {
namespace {

using testing::Bytes;
using testing::kEthernetLength;

const bpf_map* MapOf(const Scenario& scenario, const ek_bench& skeleton) {
  if (NeedsImages(scenario)) return skeleton.maps.bench_images;
  return scenario.packet.is_ipv4() ? skeleton.maps.bench_flows4 : skeleton.maps.bench_flows6;
}

// Calls fill(index, element) for each flow, on the map's own memory.
template <typename Element, typename Fill>
bool FillEach(const Scenario& scenario, const ek_bench& skeleton, Fill fill) {
  const size_t size = sizeof(Element) * scenario.flows;
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED,
                      bpf_map__fd(MapOf(scenario, skeleton)), 0);
  if (memory == MAP_FAILED) return false;
  for (uint32_t i = 0; i < scenario.flows; ++i) fill(i, static_cast<Element*>(memory)[i]);
  munmap(memory, size);
  return true;
}

// As FlowPacket() builds it, at a fraction of the time.
bool FillFlows4(const Scenario& scenario, Bytes frame, const ek_bench& skeleton) {
  return FillEach<bench_flow4>(scenario, skeleton, [&](uint32_t i, bench_flow4& flow) {
    const FlowSource source = SourceOf(scenario, i);
    std::copy_n(source.address.begin(), 4, frame.begin() + kEthernetLength + 12);
    testing::FixIpv4Checksum(frame);
    std::memcpy(&flow.saddr, source.address.data(), sizeof(flow.saddr));
    std::memcpy(&flow.check, &frame[kEthernetLength + 10], sizeof(flow.check));
    flow.sport = htons(source.port);
  });
}

bool FillFlows6(const Scenario& scenario, const ek_bench& skeleton) {
  return FillEach<bench_flow6>(scenario, skeleton, [&](uint32_t i, bench_flow6& flow) {
    const FlowSource source = SourceOf(scenario, i);
    std::memcpy(flow.saddr, source.address.data(), sizeof(flow.saddr));
    flow.sport = htons(source.port);
  });
}

bool FillImages(const Scenario& scenario, const ek_bench& skeleton) {
  return FillEach<bench_image>(scenario, skeleton, [&](uint32_t i, bench_image& image) {
    const Bytes frame = Build(SentPacket(scenario, i));
    std::memcpy(image.word, &frame[kEthernetLength], sizeof(image.word));
  });
}

void FillTemplate(const Scenario& scenario, const Bytes& frame, bench_template& tpl) {
  std::memset(&tpl, 0, sizeof(tpl));
  std::memcpy(tpl.eth, frame.data(), kEthernetLength);
  tpl.frame_len = static_cast<uint32_t>(frame.size());
  tpl.flow_mask = scenario.flows - 1;
  if (NeedsImages(scenario)) return;
  const bool ipv4 = scenario.packet.is_ipv4();
  auto* head = reinterpret_cast<uint8_t*>(tpl.head);
  std::memcpy(head, &frame[kEthernetLength], ipv4 ? BENCH_HEAD4_SIZE : BENCH_HEAD6_SIZE);
  if (ipv4) {
    std::fill_n(head + 10, 6, uint8_t{0});  // checksum and source
    std::fill_n(head + 20, 2, uint8_t{0});  // source port
  } else {
    std::fill_n(head + 8, 16, uint8_t{0});
    std::fill_n(head + 40, 2, uint8_t{0});
  }
}

}  // namespace

bool NeedsImages(const Scenario& scenario) { return scenario.sends != Scenario::Sends::kPacket; }

void SizeFlowMaps(const std::vector<Scenario>& scenarios, ek_bench& skeleton) {
  for (const Scenario& scenario : scenarios) {
    bpf_map* map = const_cast<bpf_map*>(MapOf(scenario, skeleton));
    bpf_map__set_max_entries(map, std::max(bpf_map__max_entries(map), scenario.flows));
  }
}

bool FillFlows(const Scenario& scenario, const Bytes& frame, ek_bench& skeleton) {
  FillTemplate(scenario, frame, skeleton.bss->bench_template);
  if (NeedsImages(scenario)) return FillImages(scenario, skeleton);
  if (scenario.packet.is_ipv4()) return FillFlows4(scenario, frame, skeleton);
  return FillFlows6(scenario, skeleton);
}

}  // namespace evenkeel::bench
