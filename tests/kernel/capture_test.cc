// SPDX-License-Identifier: Apache-2.0
//
// Which program is under the links while somebody captures, and afterwards.
#include "control/dataplane/capture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/packet_socket.h"
#include "tests/harness/scoped_netns/scoped_netns.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"

namespace evenkeel::testing {
namespace {

using dataplane::Capture;
using dataplane::KernelDataPlane;
using dataplane::UniqueFd;
using dataplane::XdpMode;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

bpf_prog_info InfoOf(int fd) {
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  EXPECT_EQ(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
  return info;
}

struct Program {
  uint32_t id = 0;
  std::string tag;

  friend bool operator==(const Program&, const Program&) = default;
};

Program Describe(int fd) {
  const bpf_prog_info info = InfoOf(fd);
  return {info.id, std::string(reinterpret_cast<const char*>(info.tag), sizeof(info.tag))};
}

class KernelCaptureTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    netns_ = std::make_unique<ScopedNetns>();
    netns_->Run("ip link add a0 type veth peer name a1; ip link set a0 up; ip link set a1 up");
    entered_ = std::make_unique<ScopedNetns::Entered>(*netns_);
    Open();
  }
  void TearDown() override {
    dataplane_.reset();
    entered_.reset();
  }

  void Open() {
    dataplane_.reset();
    dataplane_ = OpenSmall(dir_.path());
    ASSERT_NE(dataplane_, nullptr);
  }
  void Attach(const char* interface) {
    const auto attached = dataplane_->Attach(interface, {XdpMode::kNative});
    ASSERT_TRUE(attached.ok()) << attached.status();
  }
  std::unique_ptr<Capture> MustStart() {
    auto capture = dataplane_->StartCapture({});
    EXPECT_TRUE(capture.ok()) << capture.status();
    return capture.ok() ? *std::move(capture) : nullptr;
  }

  static Program On(const char* interface) {
    LIBBPF_OPTS(bpf_xdp_query_opts, query);
    EXPECT_EQ(bpf_xdp_query(static_cast<int>(if_nametoindex(interface)), 0, &query), 0);
    const UniqueFd fd(bpf_prog_get_fd_by_id(query.prog_id));
    return fd.valid() ? Describe(fd.get()) : Program{};
  }
  // The balancer, as it is pinned.
  Program Balancer() const {
    const UniqueFd fd(bpf_obj_get((dir_.path() + "/balancer").c_str()));
    return Describe(fd.get());
  }
  UniqueFd Link(const char* interface) const {
    return UniqueFd(
        bpf_obj_get((dir_.path() + "/link_" + std::to_string(if_nametoindex(interface))).c_str()));
  }
  // Another's program under the daemon's link.
  UniqueFd Usurp(const char* interface) const {
    UniqueFd pass = LoadXdpPass();
    EXPECT_EQ(bpf_link_update(Link(interface).get(), pass.get(), nullptr), 0);
    return pass;
  }

  ScopedPinDir dir_;
  std::unique_ptr<ScopedNetns> netns_;
  std::unique_ptr<ScopedNetns::Entered> entered_;
  std::unique_ptr<KernelDataPlane> dataplane_;
};

// Nobody listens: packets enter the very program that they entered before there ever was a capture.
TEST_F(KernelCaptureTest, TakesThePlaceOfTheBalancerAndLeavesIt) {
  Attach("a0");
  Attach("a1");
  const Program balancer = Balancer();
  ASSERT_EQ(On("a0"), balancer);
  for (const bool ended : {true, false}) {
    auto capture = MustStart();
    ASSERT_NE(capture, nullptr);
    EXPECT_NE(On("a0").id, balancer.id);
    EXPECT_NE(On("a0").tag, balancer.tag);
    EXPECT_EQ(On("a0"), On("a1"));
    EXPECT_EQ(Balancer(), balancer) << "what is pinned stays";
    if (ended) {
      EXPECT_TRUE(capture->End().ok());
      EXPECT_EQ(On("a0"), balancer);
      EXPECT_TRUE(capture->End().ok());
    }
    capture.reset();
    EXPECT_EQ(On("a0"), balancer);
    EXPECT_EQ(On("a1"), balancer);
  }
}

TEST_F(KernelCaptureTest, OneAtATime) {
  Attach("a0");
  const auto first = MustStart();
  const Program its = On("a0");
  const auto second = dataplane_->StartCapture({});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition) << second.status();
  EXPECT_EQ(On("a0"), its);
}

TEST_F(KernelCaptureTest, NotWhereTheBalancerIsNot) {
  const auto capture = dataplane_->StartCapture({});
  EXPECT_EQ(capture.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(capture.status().message()), HasSubstr("attached to no interface"));
}

TEST_F(KernelCaptureTest, NotOverSomebodyElse) {
  Attach("a0");
  Attach("a1");
  const UniqueFd pass = Usurp("a1");
  const auto capture = dataplane_->StartCapture({});
  EXPECT_EQ(capture.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(capture.status().message()),
              AllOf(HasSubstr("another program under the link of a1"), HasSubstr("bpftool"),
                    HasSubstr("restart evenkeeld")));
  EXPECT_EQ(On("a0"), Balancer()) << "all or none";
  EXPECT_EQ(On("a1").id, InfoOf(pass.get()).id);
}

TEST_F(KernelCaptureTest, LeavesWhatSomebodyElsePutThereMeanwhile) {
  Attach("a0");
  Attach("a1");
  const auto capture = MustStart();
  const UniqueFd pass = Usurp("a0");
  const absl::Status ended = capture->End();
  EXPECT_EQ(ended.code(), absl::StatusCode::kFailedPrecondition) << ended;
  EXPECT_EQ(On("a0").id, InfoOf(pass.get()).id);
  EXPECT_EQ(On("a1"), Balancer()) << "the others are as they were";
}

TEST_F(KernelCaptureTest, AnInterfaceThatGoesIsNoHindrance) {
  netns_->Run("ip link add b0 type veth peer name b1; ip link set b0 up");
  Attach("a0");
  Attach("b0");
  const auto capture = MustStart();
  netns_->Run("ip link del b0");
  const absl::Status ended = capture->End();
  EXPECT_TRUE(ended.ok()) << ended;
  EXPECT_EQ(On("a0"), Balancer());
}

// The link outlives a daemon that is killed, with the capture build under it.
TEST_F(KernelCaptureTest, TheNextDaemonPutsTheBalancerBack) {
  Attach("a0");
  const Program balancer = Balancer();
  EXPECT_EQ(dataplane_->ended_captures(), 0);
  dataplane_.reset();
  const pid_t child = fork();
  if (child == 0) {
    auto dataplane = KernelDataPlane::Open(SmallOptions(dir_.path()));
    if (!dataplane.ok() || !(*dataplane)->Attach("a0", {XdpMode::kNative}).ok()) _exit(1);
    const auto capture = (*dataplane)->StartCapture({});
    _exit(capture.ok() ? 0 : 2);  // no destructor runs
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_NE(On("a0").id, balancer.id);
  EXPECT_NE(On("a0").id, 0u);
  Open();
  EXPECT_EQ(dataplane_->ended_captures(), 1);
  EXPECT_EQ(On("a0"), balancer);
  Open();
  EXPECT_EQ(dataplane_->ended_captures(), 0);
}

}  // namespace
}  // namespace evenkeel::testing
