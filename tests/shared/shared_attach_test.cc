// SPDX-License-Identifier: Apache-2.0
//
// What can be shared with whom, and what is refused; without the daemon and without packets. Needs
// a kernel that lets libxdp's dispatcher call the balancer: run by `scripts/vm test attach`.
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>

#include "control/dataplane/dispatcher.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/scoped_netns.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"
#include "tests/shared/libxdp_programs.h"

namespace evenkeel::testing {
namespace {

using dataplane::AttachKind;
using dataplane::KernelDataPlane;
using dataplane::XdpMode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SharedAttachTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    objects_ = ::testing::TempDir() + "ek-dispatcher-" + std::to_string(getpid());
    ASSERT_TRUE(dataplane::InstallDispatcher(objects_).ok());
    netns_.Run("ip link add a0 type veth peer name a1; ip link set a0 up; ip link set a1 up");
    entered_ = std::make_unique<ScopedNetns::Entered>(netns_);
    dataplane_ = OpenSmall(dir_.path());
    ASSERT_NE(dataplane_, nullptr);
  }
  void TearDown() override {
    dataplane_.reset();
    entered_.reset();
    unsetenv("LIBXDP_OBJECT_PATH");
    std::filesystem::remove_all(objects_);
  }

  absl::StatusOr<dataplane::Attachment> Share(const std::string& interface,
                                              XdpMode mode = XdpMode::kAuto) {
    return dataplane_->Attach(interface, {.mode = mode, .kind = AttachKind::kShared});
  }
  static std::string Message(const absl::StatusOr<dataplane::Attachment>& attached) {
    return std::string(attached.status().message());
  }
  static uint8_t AttachMode(const char* interface) {
    LIBBPF_OPTS(bpf_xdp_query_opts, query);
    EXPECT_EQ(bpf_xdp_query(static_cast<int>(if_nametoindex(interface)), 0, &query), 0);
    return query.attach_mode;
  }

  std::string objects_;
  ScopedPinDir dir_;
  ScopedNetns netns_;
  std::unique_ptr<ScopedNetns::Entered> entered_;
  std::unique_ptr<KernelDataPlane> dataplane_;
};

TEST_F(SharedAttachTest, TheProgramsThatAreThereDecideTheMode) {
  ASSERT_EQ(AttachFilter("a0", {.mode = XDP_MODE_SKB}), 0);
  const auto native = Share("a0", XdpMode::kNative);
  EXPECT_THAT(Message(native), AllOf(HasSubstr("cannot attach to a0 in native mode"),
                                     HasSubstr("udp_filter (priority 10) share it in generic mode"),
                                     HasSubstr("use --mode auto")));
  EXPECT_THAT(Dispatched("a0"), ElementsAre("udp_filter 10"));
  const auto any = Share("a0");
  ASSERT_TRUE(any.ok()) << any.status();
  EXPECT_EQ(any->mode, XdpMode::kGeneric);
  EXPECT_THAT(any->fallback_reason,
              AllOf(HasSubstr("in generic mode"), HasSubstr("udp_filter (priority 10)")));
  EXPECT_THAT(any->beside, ElementsAre("udp_filter (priority 10)"));
  EXPECT_EQ(AttachMode("a0"), XDP_ATTACHED_SKB);
  EXPECT_THAT(Dispatched("a0"), ElementsAre("udp_filter 10", "ek_balancer 50"));
}

TEST_F(SharedAttachTest, AloneItChangesTheModeAsItIsAsked) {
  for (const XdpMode mode : {XdpMode::kGeneric, XdpMode::kNative}) {
    const auto attached = Share("a0", mode);
    ASSERT_TRUE(attached.ok()) << attached.status();
    EXPECT_EQ(attached->mode, mode);
    EXPECT_FALSE(attached->adopted);
    EXPECT_EQ(AttachMode("a0"), mode == XdpMode::kGeneric ? XDP_ATTACHED_SKB : XDP_ATTACHED_DRV);
    EXPECT_THAT(Dispatched("a0"), ElementsAre("ek_balancer 50"));
  }
}

TEST_F(SharedAttachTest, AloneItChangesTheWayAsItIsAsked) {
  const std::string link = dir_.path() + "/link_" + std::to_string(if_nametoindex("a0"));
  for (int round = 0; round < 2; ++round) {
    const auto shared = Share("a0");
    ASSERT_TRUE(shared.ok()) << shared.status();
    EXPECT_FALSE(shared->adopted);
    EXPECT_THAT(Dispatched("a0"), ElementsAre("ek_balancer 50"));
    EXPECT_FALSE(std::filesystem::exists(link));
    const auto exclusive = dataplane_->Attach("a0", {});
    ASSERT_TRUE(exclusive.ok()) << exclusive.status();
    EXPECT_FALSE(exclusive->adopted);
    EXPECT_THAT(Dispatched("a0"), IsEmpty());
    EXPECT_EQ(AttachMode("a0"), XDP_ATTACHED_DRV);
    EXPECT_TRUE(std::filesystem::exists(link));
  }
}

// By being opened: nobody named the interface yet.
TEST_F(SharedAttachTest, ReplacesTheProgramOfAnotherBuild) {
  ASSERT_EQ(AttachFilter("a0"), 0);
  ASSERT_EQ(AttachOldBuild("a0", dir_.path() + "/map_ek_control", 20), 0);
  const uint32_t old = DispatchedId("a0", "ek_balancer");
  dataplane_.reset();
  dataplane_ = OpenSmall(dir_.path());
  ASSERT_NE(dataplane_, nullptr);
  EXPECT_THAT(Dispatched("a0"), ElementsAre("udp_filter 10", "ek_balancer 20"));
  EXPECT_NE(DispatchedId("a0", "ek_balancer"), old);
  const auto attached = Share("a0");
  ASSERT_TRUE(attached.ok()) << attached.status();
  EXPECT_TRUE(attached->adopted);
  EXPECT_THAT(Dispatched("a0"), ElementsAre("udp_filter 10", "ek_balancer 50"));
}

// As of a daemon that was killed between adding the new program and removing the old one.
TEST_F(SharedAttachTest, OfTwoProgramsTheOneOfThisBuildStays) {
  ASSERT_TRUE(Share("a0").ok());
  ASSERT_EQ(AttachOldBuild("a0", dir_.path() + "/map_ek_control", 20), 0);
  ASSERT_THAT(Dispatched("a0"), ElementsAre("ek_balancer 20", "ek_balancer 50"));
  dataplane_.reset();
  dataplane_ = OpenSmall(dir_.path());
  ASSERT_NE(dataplane_, nullptr);
  EXPECT_THAT(Dispatched("a0"), ElementsAre("ek_balancer 50"));
}

TEST_F(SharedAttachTest, ExclusiveTakesNobodysPlace) {
  ASSERT_EQ(AttachFilter("a0"), 0);
  const auto named = AllOf(HasSubstr("is shared through libxdp by udp_filter (priority 10)"),
                           HasSubstr("use --attach shared"));
  EXPECT_THAT(Message(dataplane_->Attach("a0", {})), named);
  EXPECT_THAT(Dispatched("a0"), ElementsAre("udp_filter 10"));
  ASSERT_TRUE(Share("a0").ok());
  EXPECT_THAT(Message(dataplane_->Attach("a0", {})), named);
  EXPECT_THAT(Dispatched("a0"), ElementsAre("udp_filter 10", "ek_balancer 50"))
      << "the former way must stay";
}

TEST_F(SharedAttachTest, TwoInstancesTellEachOtherApart) {
  const ScopedPinDir other_dir;
  auto other = OpenSmall(other_dir.path());
  ASSERT_NE(other, nullptr);
  ASSERT_TRUE(Share("a0").ok());
  ASSERT_TRUE(other->Attach("a0", {.kind = AttachKind::kShared, .priority = 60}).ok());
  EXPECT_THAT(Dispatched("a0"), ElementsAre("ek_balancer 50", "ek_balancer 60"));
  ASSERT_TRUE(dataplane_->DetachOthers({}).ok());
  EXPECT_THAT(Dispatched("a0"), ElementsAre("ek_balancer 60"));
  other.reset();
  ASSERT_TRUE(KernelDataPlane::Remove(other_dir.path()).ok());
  EXPECT_EQ(AttachMode("a0"), XDP_ATTACHED_NONE);
}

// Alone on the interface it would work, and leave no place for the next program.
TEST_F(SharedAttachTest, NeverAttachesWithoutTheDispatcher) {
  setenv("LIBXDP_SKIP_DISPATCHER", "1", 1);
  const auto attached = Share("a0");
  unsetenv("LIBXDP_SKIP_DISPATCHER");
  EXPECT_THAT(Message(attached),
              AllOf(HasSubstr("without its dispatcher"), HasSubstr("--attach exclusive")));
  EXPECT_EQ(AttachMode("a0"), XDP_ATTACHED_NONE);
  EXPECT_THAT(dataplane_->attachments(), IsEmpty());
}

// One program that cannot take multi-buffer frames makes the dispatcher one that cannot.
TEST_F(SharedAttachTest, AFilterWithoutMultiBufferForbidsJumboFramesInNativeMode) {
  netns_.Run("ip link set a0 mtu 9000; ip link set a1 mtu 9000");
  ASSERT_EQ(AttachFilter("a0", {.frags = true}), 0);
  const auto attached = Share("a0", XdpMode::kNative);
  ASSERT_TRUE(attached.ok()) << attached.status();
  EXPECT_EQ(AttachMode("a0"), XDP_ATTACHED_DRV);
  EXPECT_NE(AttachFilter("a0", {.priority = 20, .frags = false}), 0)
      << "the driver must refuse a dispatcher for one buffer";
  EXPECT_THAT(Dispatched("a0"), ElementsAre("udp_filter 10", "ek_balancer 50"));
}

TEST_F(SharedAttachTest, SaysWhyItIsNotNative) {
  // One receive queue cannot take what two send queues bring.
  netns_.Run(
      "ip link add q0 numtxqueues 2 numrxqueues 1 type veth peer name q1 numtxqueues 2; "
      "ip link set q0 up; ip link set q1 up");
  EXPECT_THAT(Message(Share("q0", XdpMode::kNative)),
              AllOf(HasSubstr("XDP expects number of rx queues"), HasSubstr("--mode generic")));
  const auto any = Share("q0");
  ASSERT_TRUE(any.ok()) << any.status();
  EXPECT_EQ(any->mode, XdpMode::kGeneric);
  EXPECT_THAT(any->fallback_reason,
              AllOf(HasSubstr("cannot attach to q0 in native mode"),
                    HasSubstr("XDP expects number of rx queues"), HasSubstr("driver is veth")));
  EXPECT_EQ(AttachMode("q0"), XDP_ATTACHED_SKB);
  EXPECT_THAT(Dispatched("q0"), ElementsAre("ek_balancer 50"));
}

// Ten is libxdp's limit.
TEST_F(SharedAttachTest, AFullDispatcherIsNamed) {
  for (uint32_t i = 0; i < 10; ++i) ASSERT_EQ(AttachFilter("a0", {.priority = 10 + i}), 0);
  EXPECT_THAT(Message(Share("a0")),
              AllOf(HasSubstr("the XDP dispatcher on a0 calls 10 programs already"),
                    HasSubstr("xdp-loader unload")));
  EXPECT_EQ(Dispatched("a0").size(), 10u);
}

}  // namespace
}  // namespace evenkeel::testing
