// SPDX-License-Identifier: Apache-2.0
//
// The balancer beside another XDP program on one interface, with real packets and the real daemon.
// Needs a kernel that lets libxdp's dispatcher call the balancer: run by `scripts/vm test shared`.
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "tests/daemon/traffic_fixture.h"
#include "tests/shared/libxdp_programs.h"

namespace evenkeel::testing {
namespace {

using ::testing::ElementsAre;

constexpr Seen kBoth = {
    .forwarded = 1, .vip_to_host = 0, .filtered_to_host = 0, .other_to_host = 1};
constexpr Seen kBalancerAlone = {
    .forwarded = 1, .vip_to_host = 0, .filtered_to_host = 1, .other_to_host = 1};
constexpr Seen kFilterAlone = {
    .forwarded = 0, .vip_to_host = 1, .filtered_to_host = 0, .other_to_host = 1};

// Debian 12's libxdp has a dispatcher that Linux 6.12 and later do not accept for the balancer.
bool PackagedDispatcherWorks() {
  utsname name{};
  int major = 0, minor = 0;
  uname(&name);
  std::sscanf(name.release, "%d.%d", &major, &minor);
  return major < 6 || (major == 6 && minor < 12);
}

class SharedTest : public TrafficFixture {
 protected:
  void SetUp() override {
    TrafficFixture::SetUp();
    if (HasFatalFailure()) return;
    inside_ = std::make_unique<ScopedNetns::Entered>(*netns_);
  }
  void TearDown() override {
    unsetenv("LIBXDP_OBJECT_PATH");
    inside_.reset();
    TrafficFixture::TearDown();
  }

  void StartShared(Argv flags = {}) {
    const Argv shared = {"--config", config_, "--attach", "shared"};
    flags.insert(flags.begin(), shared.begin(), shared.end());
    Start(flags);
  }
  // As the daemon does it, and docs/operations.md advises others to.
  void UseOurDispatcher() { setenv("LIBXDP_OBJECT_PATH", (state_ + "/libxdp").c_str(), 1); }

  static uint8_t AttachMode(const char* interface) {
    LIBBPF_OPTS(bpf_xdp_query_opts, query);
    EXPECT_EQ(bpf_xdp_query(static_cast<int>(if_nametoindex(interface)), 0, &query), 0);
    return query.attach_mode;
  }

  std::unique_ptr<ScopedNetns::Entered> inside_;
};

TEST_F(SharedTest, EachDoesItsWorkWhateverHappensToTheOther) {
  ASSERT_EQ(AttachFilter("ek0"), 0);
  EXPECT_EQ(Exchange(), kFilterAlone);
  StartShared();
  EXPECT_THAT(Dispatched("ek0"), ElementsAre("udp_filter 10", "ek_balancer 50"));
  EXPECT_EQ(AttachMode("ek0"), XDP_ATTACHED_DRV);
  ASSERT_EQ(Status().interfaces.size(), 1u);
  EXPECT_TRUE(Status().interfaces[0].shared);
  EXPECT_EQ(Status().interfaces[0].priority, 50u);
  EXPECT_EQ(Status().interfaces[0].mode, "native");
  EXPECT_EQ(Exchange(), kBoth);

  const uint32_t program = DispatchedId("ek0", "ek_balancer");
  End(SIGKILL);
  EXPECT_EQ(Exchange(), kBoth) << "without the daemon";

  StartShared();
  EXPECT_TRUE(Status().interfaces[0].adopted);
  EXPECT_THAT(Dispatched("ek0"), ElementsAre("udp_filter 10", "ek_balancer 50"));
  EXPECT_EQ(DispatchedId("ek0", "ek_balancer"), program) << "the very program was adopted";
  EXPECT_EQ(Exchange(), kBoth);

  if (!PackagedDispatcherWorks()) {
    EXPECT_NE(DetachFilter("ek0"), 0);
    EXPECT_EQ(Exchange(), kBoth) << "a refused change must change nothing";
    UseOurDispatcher();
  }
  ASSERT_EQ(DetachFilter("ek0"), 0);
  EXPECT_THAT(Dispatched("ek0"), ElementsAre("ek_balancer 50"));
  EXPECT_EQ(Exchange(), kBalancerAlone);

  ASSERT_EQ(AttachFilter("ek0", {.priority = 90}), 0);
  EXPECT_THAT(Dispatched("ek0"), ElementsAre("ek_balancer 50", "udp_filter 90"));
  EXPECT_EQ(Exchange(), kBoth) << "what the balancer passes reaches the next program";

  End(SIGKILL);
  StartShared({"--detach-on-exit"});
  End(SIGTERM);
  EXPECT_FALSE(IsPinned("balancer"));
  EXPECT_THAT(Dispatched("ek0"), ElementsAre("udp_filter 90"));
  EXPECT_EQ(Exchange(), kFilterAlone);
}

TEST_F(SharedTest, AloneOnItsInterfacesAndGoneWithoutATrace) {
  StartShared({"--interface", "es0", "--attach-priority", "7", "--detach-on-exit"});
  for (const char* interface : {"ek0", "es0"}) {
    EXPECT_THAT(Dispatched(interface), ElementsAre("ek_balancer 7")) << interface;
  }
  EXPECT_EQ(Exchange(*outside_), kBalancerAlone);
  EXPECT_EQ(Exchange(*second_outside_), kBalancerAlone);
  End(SIGTERM);
  for (const char* interface : {"ek0", "es0"}) {
    EXPECT_EQ(AttachMode(interface), XDP_ATTACHED_NONE) << interface;
  }
}

// A new program takes the old one's place as it does when the build changes: none is missed.
TEST_F(SharedTest, LosesNothingWhileItIsReplaced) {
  ASSERT_EQ(AttachFilter("ek0"), 0);
  StartShared();
  ASSERT_EQ(Exchange(), kBoth);
  std::atomic<bool> stop = false;
  size_t sent = 0;
  std::thread client([&] {
    for (uint16_t port = 1024; !stop; ++port, ++sent) {
      outside_->Send(SynToVip(port));
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
  const uint32_t before = DispatchedId("ek0", "ek_balancer");
  End(SIGKILL);
  StartShared({"--attach-priority", "5"});
  stop = true;
  client.join();
  EXPECT_NE(DispatchedId("ek0", "ek_balancer"), before);
  EXPECT_THAT(Dispatched("ek0"), ElementsAre("ek_balancer 5", "udp_filter 10"));
  Seen seen;
  for (int i = 0; i < 300 && seen.forwarded + seen.vip_to_host < sent; ++i) {
    Collect(&seen);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_GT(sent, 100u);
  EXPECT_EQ(seen.forwarded, sent) << seen;
  EXPECT_EQ(seen.vip_to_host, 0u);
}

}  // namespace
}  // namespace evenkeel::testing
