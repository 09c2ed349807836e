// SPDX-License-Identifier: Apache-2.0
//
// Attaching to an interface in a namespace of its own.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <unistd.h>

#include <filesystem>

#include "control/dataplane/dispatcher.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/packet_socket.h"
#include "tests/harness/scoped_netns/scoped_netns.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"

namespace evenkeel::testing {
namespace {

namespace fs = std::filesystem;

using dataplane::AttachKind;
using dataplane::KernelDataPlane;
using dataplane::UniqueFd;
using dataplane::XdpMode;
using ::testing::AllOf;
using ::testing::HasSubstr;

uint32_t ProgramId(int fd) {
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  EXPECT_EQ(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
  return info.id;
}

class AttachTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    netns_ = std::make_unique<ScopedNetns>();
    netns_->Run("ip link add a0 type veth peer name a1; ip link set a0 up; ip link set a1 up");
    entered_ = std::make_unique<ScopedNetns::Entered>(*netns_);
  }
  void TearDown() override { entered_.reset(); }

  static bpf_xdp_query_opts Query(const char* interface) {
    LIBBPF_OPTS(bpf_xdp_query_opts, query);
    EXPECT_EQ(bpf_xdp_query(static_cast<int>(if_nametoindex(interface)), 0, &query), 0);
    return query;
  }
  // The program pinned as `balancer`.
  uint32_t PinnedProgram() const {
    const UniqueFd fd(bpf_obj_get((dir_.path() + "/balancer").c_str()));
    return fd.valid() ? ProgramId(fd.get()) : 0;
  }

  ScopedPinDir dir_;
  std::unique_ptr<ScopedNetns> netns_;
  std::unique_ptr<ScopedNetns::Entered> entered_;
};

TEST_F(AttachTest, InTheModeAskedFor) {
  struct Case {
    const char* name;
    XdpMode asked, got;
    uint8_t kernel;
  };
  const Case cases[] = {
      {"auto", XdpMode::kAuto, XdpMode::kNative, XDP_ATTACHED_DRV},
      {"native", XdpMode::kNative, XdpMode::kNative, XDP_ATTACHED_DRV},
      {"generic-from-native", XdpMode::kGeneric, XdpMode::kGeneric, XDP_ATTACHED_SKB},
      {"auto-keeps-what-is-there", XdpMode::kAuto, XdpMode::kGeneric, XDP_ATTACHED_SKB},
      {"native-from-generic", XdpMode::kNative, XdpMode::kNative, XDP_ATTACHED_DRV},
  };
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    auto attached = dataplane->Attach("a0", {one.asked});
    ASSERT_TRUE(attached.ok()) << attached.status();
    EXPECT_EQ(attached->mode, one.got);
    EXPECT_EQ(attached->ifindex, if_nametoindex("a0"));
    EXPECT_EQ(Query("a0").attach_mode, one.kernel);
    EXPECT_EQ(Query("a0").prog_id, PinnedProgram());
    ASSERT_EQ(dataplane->attachments().size(), 1u);
  }
}

TEST_F(AttachTest, OutlivesTheProcessAndIsAdopted) {
  {
    auto dataplane = OpenSmall(dir_.path());
    ASSERT_NE(dataplane, nullptr);
    auto attached = dataplane->Attach("a0", {XdpMode::kAuto});
    ASSERT_TRUE(attached.ok()) << attached.status();
    EXPECT_FALSE(attached->adopted);
  }
  EXPECT_EQ(Query("a0").prog_id, PinnedProgram());
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  auto attached = dataplane->Attach("a0", {XdpMode::kAuto});
  ASSERT_TRUE(attached.ok()) << attached.status();
  EXPECT_TRUE(attached->adopted);
  EXPECT_EQ(attached->mode, XdpMode::kNative);
}

// Why native is refused: in the words of kernel and driver, and what is known of the interface.
TEST_F(AttachTest, FallsBackOnlyWhereAllowedAndSaysWhy) {
  struct Case {
    const char* name;
    const char* make;
    const char* interface;
    std::vector<std::string> reasons;
  };
  const Case cases[] = {
      {"no-driver", ":", "lo", {"lo in native mode", "does not support XDP"}},
      {"driver-without-xdp",
       "ip link add link a0 name m0 type macvlan",
       "m0",
       {"m0 in native mode", "driver does not support XDP in native mode", "driver is macvlan"}},
      {"driver-that-refuses",  // one receive queue cannot take what two send queues bring
       "ip link add q0 numtxqueues 2 numrxqueues 1 type veth peer name q1 numtxqueues 2; "
       "ip link set q0 up; ip link set q1 up",
       "q0",
       {"q0 in native mode", "XDP expects number of rx queues", "driver is veth"}},
      {"large-mtu",
       "ip link add l0 mtu 9000 numtxqueues 2 numrxqueues 1 type veth "
       "peer name l1 mtu 9000 numtxqueues 2; ip link set l0 up; ip link set l1 up",
       "l0",
       {"l0 in native mode", "MTU of 9000"}},
  };
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    netns_->Run(one.make);
    auto native = dataplane->Attach(one.interface, {XdpMode::kNative});
    ASSERT_FALSE(native.ok());
    EXPECT_THAT(std::string(native.status().message()), HasSubstr("; use --mode generic"));
    EXPECT_EQ(Query(one.interface).prog_id, 0u);
    auto any = dataplane->Attach(one.interface, {XdpMode::kAuto});
    ASSERT_TRUE(any.ok()) << any.status();
    EXPECT_EQ(any->mode, XdpMode::kGeneric);
    EXPECT_EQ(Query(one.interface).attach_mode, XDP_ATTACHED_SKB);
    for (const std::string& reason : one.reasons) {
      EXPECT_THAT(std::string(native.status().message()), HasSubstr(reason));
      EXPECT_THAT(any->fallback_reason, HasSubstr(reason));
    }
  }
}

// Multi-buffer programs may be attached where a packet does not fit one buffer.
TEST_F(AttachTest, TakesJumboFramesNatively) {
  netns_->Run("ip link set a0 mtu 9000; ip link set a1 mtu 9000");
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  auto attached = dataplane->Attach("a0", {XdpMode::kNative});
  ASSERT_TRUE(attached.ok()) << attached.status();
  EXPECT_EQ(Query("a0").attach_mode, XDP_ATTACHED_DRV);
}

// What a kernel that lets nobody trace a program answers; tests/sample has what the others do.
TEST_F(AttachTest, ASampleIsRefusedWhereTheKernelCannot) {
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  EXPECT_EQ(dataplane->TakeSample({}).status().code(), absl::StatusCode::kFailedPrecondition)
      << "attached to nothing";
  ASSERT_TRUE(dataplane->Attach("a0", {XdpMode::kAuto}).ok());
  const auto sample = dataplane->TakeSample({.window = std::chrono::milliseconds(10)});
  EXPECT_EQ(Query("a0").prog_id, PinnedProgram());
  if (sample.ok()) return;
  EXPECT_EQ(sample.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(sample.status().message()),
              AllOf(HasSubstr("does not permit to trace the balancer"), HasSubstr("fentry"),
                    HasSubstr("6.1"), HasSubstr("CAP_PERFMON")));
}

// What a kernel that does not let the balancer into a dispatcher answers; tests/shared has what the
// others do.
TEST_F(AttachTest, SharedIsRefusedWhereTheKernelCannot) {
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  const std::string objects = ::testing::TempDir() + "ek-attach-" + std::to_string(getpid());
  ASSERT_TRUE(dataplane::InstallDispatcher(objects).ok());
  auto attached = dataplane->Attach("a0", {.kind = AttachKind::kShared});
  fs::remove_all(objects);
  unsetenv("LIBXDP_OBJECT_PATH");
  if (attached.ok()) {
    EXPECT_EQ(attached->kind, AttachKind::kShared);
    EXPECT_NE(Query("a0").prog_id, PinnedProgram());
    ASSERT_TRUE(dataplane->DetachOthers({}).ok());  // of a dispatcher without others: none is made
    EXPECT_EQ(Query("a0").prog_id, 0u);
    return;
  }
  EXPECT_THAT(std::string(attached.status().message()),
              AllOf(HasSubstr("cannot share an interface"), HasSubstr("freplace"),
                    HasSubstr("use --attach exclusive"), HasSubstr("6.1")));
  EXPECT_EQ(Query("a0").prog_id, 0u) << "attached alone, though it was to be shared";

  // Nor is taken away what is there.
  ASSERT_TRUE(dataplane->Attach("a0", {XdpMode::kAuto}).ok());
  EXPECT_FALSE(dataplane->Attach("a0", {.kind = AttachKind::kShared}).ok());
  EXPECT_EQ(Query("a0").prog_id, PinnedProgram());
  ASSERT_EQ(dataplane->attachments().size(), 1u);
  EXPECT_EQ(dataplane->attachments()[0].kind, AttachKind::kExclusive);
}

TEST_F(AttachTest, SharesWithNoProgramThatIsNotOfLibxdp) {
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  const UniqueFd pass = LoadXdpPass();
  const int ifindex = static_cast<int>(if_nametoindex("a0"));
  ASSERT_EQ(bpf_xdp_attach(ifindex, pass.get(), XDP_FLAGS_DRV_MODE, nullptr), 0);
  auto attached = dataplane->Attach("a0", {.kind = AttachKind::kShared});
  EXPECT_TRUE(absl::IsAlreadyExists(attached.status())) << attached.status();
  EXPECT_THAT(std::string(attached.status().message()),
              AllOf(HasSubstr("program id " + std::to_string(ProgramId(pass.get()))),
                    HasSubstr("not attached through libxdp"), HasSubstr("xdp-loader load")));
  EXPECT_EQ(Query("a0").prog_id, ProgramId(pass.get()));
}

TEST_F(AttachTest, LeavesAnotherProgramAlone) {
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  const UniqueFd pass = LoadXdpPass();
  const int ifindex = static_cast<int>(if_nametoindex("a0"));
  for (const uint32_t flags : {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE}) {
    ASSERT_EQ(bpf_xdp_attach(ifindex, pass.get(), flags, nullptr), 0);
    for (const XdpMode mode : {XdpMode::kAuto, XdpMode::kNative, XdpMode::kGeneric}) {
      auto attached = dataplane->Attach("a0", {mode});
      EXPECT_TRUE(absl::IsAlreadyExists(attached.status())) << attached.status();
      EXPECT_THAT(std::string(attached.status().message()),
                  HasSubstr("program id " + std::to_string(ProgramId(pass.get()))));
    }
    EXPECT_EQ(Query("a0").prog_id, ProgramId(pass.get()));
    ASSERT_EQ(bpf_xdp_detach(ifindex, flags, nullptr), 0);
  }
}

TEST_F(AttachTest, NamesAnInterfaceThatIsNotThere) {
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  auto attached = dataplane->Attach("nonesuch", {XdpMode::kAuto});
  ASSERT_FALSE(attached.ok());
  EXPECT_THAT(std::string(attached.status().message()), HasSubstr("no interface nonesuch"));
}

TEST_F(AttachTest, ForgetsTheLinkOfAVanishedInterface) {
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  ASSERT_TRUE(dataplane->Attach("a0", {XdpMode::kAuto}).ok());
  const uint32_t ifindex = if_nametoindex("a0");
  const std::string pin = dir_.path() + "/link_" + std::to_string(ifindex);
  ASSERT_TRUE(fs::exists(pin));
  dataplane.reset();
  netns_->Run("ip link del a0");
  dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  EXPECT_FALSE(fs::exists(pin));
  // Another interface may get the index while the daemon runs.
  netns_->Run("ip link add a0 index " + std::to_string(ifindex) + " type veth peer name a1");
  ASSERT_TRUE(dataplane->Attach("a0", {XdpMode::kAuto}).ok());
  netns_->Run("ip link del a0; ip link add a0 index " + std::to_string(ifindex) +
              " type veth peer name a1");
  auto again = dataplane->Attach("a0", {XdpMode::kAuto});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->adopted);
  EXPECT_EQ(Query("a0").prog_id, PinnedProgram());
}

TEST_F(AttachTest, DetachesWhatIsNotKept) {
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  ASSERT_TRUE(dataplane->Attach("a0", {XdpMode::kAuto}).ok());
  ASSERT_TRUE(dataplane->Attach("a1", {XdpMode::kAuto}).ok());
  ASSERT_TRUE(dataplane->DetachOthers({"a1"}).ok());
  EXPECT_EQ(Query("a0").prog_id, 0u);
  EXPECT_EQ(Query("a1").prog_id, PinnedProgram());
  ASSERT_EQ(dataplane->attachments().size(), 1u);
  EXPECT_EQ(dataplane->attachments()[0].interface, "a1");
}

TEST_F(AttachTest, RemoveDetaches) {
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  ASSERT_TRUE(dataplane->Attach("a0", {XdpMode::kAuto}).ok());
  dataplane.reset();
  ASSERT_TRUE(KernelDataPlane::Remove(dir_.path()).ok());
  EXPECT_EQ(Query("a0").prog_id, 0u);
  EXPECT_FALSE(fs::exists(dir_.path()));
}

// Pins and links as another build of the program would have left them.
TEST_F(AttachTest, ReplacesTheProgramOfAnotherBuild) {
  {
    auto dataplane = OpenSmall(dir_.path());
    ASSERT_NE(dataplane, nullptr);
    ASSERT_TRUE(dataplane->Attach("a0", {XdpMode::kAuto}).ok());
  }
  const UniqueFd pass = LoadXdpPass();
  const std::string pin = dir_.path() + "/balancer";
  const UniqueFd link(
      bpf_obj_get((dir_.path() + "/link_" + std::to_string(if_nametoindex("a0"))).c_str()));
  ASSERT_TRUE(link.valid());
  ASSERT_EQ(bpf_link_update(link.get(), pass.get(), nullptr), 0);
  ASSERT_EQ(unlink(pin.c_str()), 0);
  ASSERT_EQ(bpf_obj_pin(pass.get(), pin.c_str()), 0);
  ASSERT_EQ(Query("a0").prog_id, ProgramId(pass.get()));

  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  EXPECT_TRUE(dataplane->adopted());
  EXPECT_NE(PinnedProgram(), ProgramId(pass.get()));
  EXPECT_EQ(Query("a0").prog_id, PinnedProgram());
  auto attached = dataplane->Attach("a0", {XdpMode::kAuto});
  ASSERT_TRUE(attached.ok()) << attached.status();
  EXPECT_TRUE(attached->adopted) << "the link itself was never taken away";
}

}  // namespace
}  // namespace evenkeel::testing
