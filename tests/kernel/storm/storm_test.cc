// SPDX-License-Identifier: Apache-2.0
//
// A hundred publishes a second while packets flow at the rate of a CPU: real guard, publisher and
// kernel; live frames through native XDP. No packet is lost and none sees two generations.
//
// What "one packet sees one generation, across all VIPs" means, and how each packet shows it:
//
//   - Every update replaces the backends of pools "first" (IPv4) and "last" (IPv6), so that the
//     outer destination of their packets is the number of the generation that they saw. Packets
//     stay in order on the one wire: these numbers never go back, whichever VIP and family the
//     packets are for. Were one VIP or family swapped before another, they would.
//   - A packet sees no generation older than the last that was published when it was sent, and none
//     whose publication had not begun when it arrived.
//   - Pool "many" has sixteen backends, of which every update replaces one, and two VIPs. A packet
//     for it must go to the very backend that the table of one generation between those of the
//     packets before and after it gives the flow: to the slot's owner (UDP), or to where an older
//     TCP connection is, which is its former backend as long as that is in the pool. The slots that
//     change hands take the data plane's moving path. A VIP map of one generation that leads to
//     a table of another one, or to one that is being filled for the next, gives another backend.
//   - Every byte that does not name the backend is compared, and what names it must agree within
//     the packet: destination, its checksum and the next hop's address are of one backend line.
//   - A number in each packet shows losses, repetitions and changes of order.
//
// EVENKEEL_STORM_SECONDS=60 for the whole minute; by default the storm lasts 5 seconds.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "control/publish/publisher.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"
#include "tests/kernel/storm/memory.h"
#include "tests/kernel/storm/traffic.h"

namespace evenkeel::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kPerSecond = 100;
// Without a pause, so that as many generations are held at once as can be: what is kept for reuse
// is there before memory is measured.
constexpr uint32_t kWarmUp = 64;
// Inner maps are put in for later use while an update waits for one anyway.
constexpr uint64_t kSpareMaps = 8;
// What malloc keeps for each thread counts as allocated. A table leaked by each update is more.
constexpr uint64_t kHeapSlack = 512 << 10;

uint32_t StormSeconds() {
  const char* text = std::getenv("EVENKEEL_STORM_SECONDS");
  const int seconds = text == nullptr ? 5 : std::atoi(text);
  return static_cast<uint32_t>(std::clamp(seconds, 1, 600));
}

double Milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

class UpdateStormTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    dir_ = std::make_unique<ScopedPinDir>();
    wire_ = std::make_unique<Wire>();
    ASSERT_NE(wire_->far(), 0u);
    programs_ = std::make_unique<StormPrograms>();
    ASSERT_EQ(wire_->Attach(wire_->near(), programs_->checker()), 0);
    OpenBalancer();
  }

  void OpenBalancer() {
    dataplane::KernelOptions options = SmallOptions(dir_->path());
    options.limits.max_backends = 8192;
    const ScopedNetns::Entered entered(wire_->netns());
    auto opened = dataplane::KernelDataPlane::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    dataplane_ = *std::move(opened);
    auto attached = dataplane_->Attach(Wire::kFar, {dataplane::XdpMode::kNative});
    ASSERT_TRUE(attached.ok()) << attached.status();
    // Backends are behind the interface that packets arrive on.
    resolver_ = std::make_unique<FakeResolver>(wire_->far());
    publisher_ = std::make_unique<publish::Publisher>(dataplane_.get(), resolver_.get(), kTestKey);
    ASSERT_TRUE(publisher_->Adopt(nullptr).ok());
  }

  // Judges and publishes the state after the present one.
  void PublishNext() {
    const uint32_t n = running_.fleet ? number_ + 1 : kFirstStormState;
    Judged next = Judge(StormState(n), running_.fleet);
    ASSERT_TRUE(next.approval) << "state " << n << ": " << next.refusal;
    programs_->SetOwners(n, oracle_.Next(*next.fleet, n));
    programs_->SetBegun(n);
    const auto start = Clock::now();
    auto result = publisher_->Publish(*next.approval, n);
    publish_ms_.push_back(Milliseconds(Clock::now() - start));
    ASSERT_TRUE(result.ok()) << "state " << n << ": " << result.status();
    ASSERT_EQ(result->tables_staged, 3u) << "every pool changes";
    programs_->SetPublished(n);
    running_ = std::move(next);
    number_ = n;
  }

  // Packets meet each state, also while the sender draws breath.
  void AwaitPackets() {
    const auto deadline = Clock::now() + std::chrono::seconds(30);
    while (programs_->Read().generation != number_) {
      ASSERT_LT(Clock::now(), deadline) << "no packet meets state " << number_;
      std::this_thread::yield();
    }
  }

  // Nothing is held for packets that may still be on their way, and what is waiting is given back.
  void Settle() {
    publisher_->Settle();
    ASSERT_TRUE(publisher_->SweepOnce().ok());
  }

  std::unique_ptr<ScopedPinDir> dir_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<StormPrograms> programs_;
  std::unique_ptr<dataplane::KernelDataPlane> dataplane_;
  std::unique_ptr<FakeResolver> resolver_;
  std::unique_ptr<publish::Publisher> publisher_;
  StormOracle oracle_;
  Judged running_;
  uint32_t number_ = 0;
  std::vector<double> publish_ms_;
};

TEST_F(UpdateStormTest, LosesNoPacketAndMixesNoGeneration) {
  const uint32_t publishes = StormSeconds() * kPerSecond;
  publish_ms_.reserve(publishes + kWarmUp + 1);
  for (uint32_t i = 0; i <= kWarmUp; ++i) ASSERT_NO_FATAL_FAILURE(PublishNext());
  ASSERT_NO_FATAL_FAILURE(Settle());
  const Memory before = MeasureMemory(dir_->path());
  const size_t tables_before = dataplane_->ListTables()->size();
  publish_ms_.clear();

  StormTraffic traffic(wire_.get(), programs_.get());
  traffic.Start();
  ASSERT_NO_FATAL_FAILURE(AwaitPackets());
  const auto start = Clock::now();
  for (uint32_t i = 0; i < publishes; ++i) {
    std::this_thread::sleep_until(start + std::chrono::milliseconds(1000 / kPerSecond) * i);
    ASSERT_NO_FATAL_FAILURE(PublishNext());
    ASSERT_NO_FATAL_FAILURE(AwaitPackets());
  }
  const double seconds = Milliseconds(Clock::now() - start) / 1000;
  ASSERT_EQ(traffic.Stop(), 0) << "sending failed";
  ASSERT_NO_FATAL_FAILURE(Settle());
  const Memory after = MeasureMemory(dir_->path());

  const storm_state state = programs_->Read();
  EXPECT_EQ(DescribeFaults(state), "");
  EXPECT_EQ(state.received, state.sent);
  EXPECT_EQ(state.generations, publishes + 1) << "every state was met by packets";
  EXPECT_EQ(state.generation, number_) << "the last packets see the last state";
  EXPECT_EQ(dataplane_->ListTables()->size(), tables_before);
  EXPECT_LE(after.maps, before.maps + kSpareMaps);
  EXPECT_LE(after.heap, before.heap + kHeapSlack);
  // The balancer's own account.
  auto counters = publisher_->ReadCounters();
  ASSERT_TRUE(counters.ok()) << counters.status();
  uint64_t forwarded = 0;
  for (const auto& vip : counters->vips) forwarded += vip.counter.packets;
  EXPECT_EQ(forwarded, state.sent);
  for (const auto& [name, packets] : counters->verdicts) {
    EXPECT_EQ(packets, name == "forward" ? state.sent : 0) << name;
  }
  EXPECT_TRUE(dataplane_->ReadPins()->empty()) << "no flow opened";

  std::sort(publish_ms_.begin(), publish_ms_.end());
  std::cout << publishes << " publishes in " << seconds << " s: " << publishes / seconds
            << " a second, Publish() median " << publish_ms_[publish_ms_.size() / 2] << " ms, p99 "
            << publish_ms_[publish_ms_.size() * 99 / 100] << " ms, most " << publish_ms_.back()
            << " ms\n"
            << state.sent << " packets sent, " << state.received << " received and right\n"
            << "before: " << before << "\nafter:  " << after << "\n";
}

}  // namespace
}  // namespace evenkeel::testing
