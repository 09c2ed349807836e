// SPDX-License-Identifier: Apache-2.0
//
// Packets run without pause while generations are swapped: none is lost, each is of one
// generation, and both VIPs flip at the same moment.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "control/dataplane/unique_fd.h"
#include "control/publish/probe.h"
#include "control/publish/publisher.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"

namespace evenkeel::testing {
namespace {

using dataplane::UniqueFd;

class SwapTest : public KernelTest {
 protected:
  // A client of VIP `index` that backend 5 owns in state `a` and another one in state `b`.
  static publish::Flow FindMovingFlow(const guard::BuiltFleet& a, const guard::BuiltFleet& b,
                                      size_t index) {
    const model::Vip& vip = a.vips[index];
    const dataplane::VipKey key{.address = vip.address, .port = vip.port, .ip_protocol = 17};
    const auto words = dataplane::HashKeyWords(kTestKey);
    const auto& table_a = *a.pools[index]->table;
    const auto& table_b = *b.pools[index]->table;
    for (uint32_t number = 0;; ++number) {
      const publish::Flow flow = publish::ClientFlow(key, number, 0);
      const uint32_t slot = publish::SlotOf(publish::HashFlow(words, flow, 0), table_a.size);
      const auto& before = table_a.servers[table_a.owner[slot]];
      const auto& after = table_b.servers[table_b.owner[slot]];
      if (before.bytes()[3] == 5 && after != before) return flow;
    }
  }

  // Last byte of the outer destination; 0: not forwarded.
  static int RunPacket(int program, const std::vector<uint8_t>& frame) {
    uint8_t out[256];
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(), .data_out = out,
                .data_size_in = static_cast<uint32_t>(frame.size()), .data_size_out = sizeof(out),
                .repeat = 1);
    if (bpf_prog_test_run_opts(program, &run) != 0) return -1;
    return run.retval == XDP_REDIRECT ? out[33] : 0;
  }
};

TEST_F(SwapTest, BothVipsFlipAtOnceAndNothingIsLost) {
  constexpr int kSwaps = 60;
  ScopedPinDir dir;
  auto kernel = OpenSmall(dir.path());
  ASSERT_NE(kernel, nullptr);
  FakeResolver resolver;
  publish::Publisher publisher(kernel.get(), &resolver, kTestKey);
  ASSERT_TRUE(publisher.Adopt(nullptr).ok());
  model::Config configs[2] = {MakeConfig(2, 5), MakeConfig(2, 5)};
  for (model::Config& config : configs) {  // which follow a moving slot at once
    for (model::Vip& vip : config.vips) vip.protocol = model::Protocol::kUdp;
  }
  for (model::Pool& pool : configs[1].pools) {
    pool.backends[4].state = model::AdminState::kDraining;
  }
  Judged now = Judge(configs[0], nullptr);
  const Judged other = Judge(configs[1], now.fleet);
  ASSERT_TRUE(other.approval) << other.refusal;
  ASSERT_TRUE(publisher.Publish(*now.approval, 1).ok());
  const std::vector<uint8_t> frames[2] = {
      publish::BuildFrame(FindMovingFlow(*now.fleet, *other.fleet, 0)),
      publish::BuildFrame(FindMovingFlow(*now.fleet, *other.fleet, 1))};

  const UniqueFd program(bpf_obj_get((dir.path() + "/balancer").c_str()));
  ASSERT_TRUE(program.valid());
  std::atomic<bool> stop{false};
  std::atomic<size_t> packets_run{0};
  std::vector<int> seen;  // which state each packet met: 0 or 1; -1: neither
  // Backend 5 (address byte 5) owns the flows in state 0 only.
  std::thread packets([&] {
    for (size_t i = 0; !stop; ++i) {
      const int to = RunPacket(program.get(), frames[i % 2]);
      seen.push_back(to == 5 ? 0 : to >= 1 && to <= 4 ? 1 : -1);
      packets_run = i + 1;
    }
  });
  // Each state is met by packets for both VIPs, however slow the machine.
  auto await_packets = [&] {
    for (const size_t enough = packets_run + 4; packets_run < enough;) std::this_thread::yield();
  };
  for (int i = 1; i <= kSwaps; ++i) {
    await_packets();
    Judged next = Judge(configs[i % 2], now.fleet);
    EXPECT_TRUE(next.approval) << next.refusal;
    if (!next.approval) break;
    auto result = publisher.Publish(*next.approval, static_cast<uint64_t>(i + 1));
    EXPECT_TRUE(result.ok()) << result.status();
    now = std::move(next);
  }
  await_packets();
  stop = true;
  packets.join();
  int changes = 0;
  for (size_t i = 0; i < seen.size(); ++i) {
    ASSERT_NE(seen[i], -1) << "packet " << i;
    if (i > 0) changes += seen[i] != seen[i - 1];
  }
  // The packets alternate between the VIPs: were one VIP ahead of the other, the states seen would
  // alternate too.
  EXPECT_EQ(changes, kSwaps);
}

}  // namespace
}  // namespace evenkeel::testing
