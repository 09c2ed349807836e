// SPDX-License-Identifier: Apache-2.0
//
// evenkeel-decap's work on a real interface: a veth pair in a network namespace that is this
// process's own and ends with it.
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "control/decap/decap.h"
#include "tests/harness/packet/oracle.h"
#include "tests/harness/prog_runner/prog_runner.h"

namespace evenkeel::decap {
namespace {

using testing::Backend;
using testing::Bytes;
using testing::Method;
using testing::Packet;

bool Shell(const std::string& command) { return std::system(command.c_str()) == 0; }

class DecapAttach : public ::testing::Test {
 protected:
  void SetUp() override {
    EK_NEED_KERNEL();
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    ASSERT_TRUE(
        Shell("ip link set lo up && ip link add ekd0 type veth peer name ekd1 && "
              "ip addr add 10.0.1.11/24 dev ekd0 && "
              "ip addr add fd00:1::11/64 dev ekd0 nodad && "
              "ip link set ekd0 up && ip link set ekd1 up"));
    options_.target.interface = "ekd0";
    options_.target.pin_dir = "/sys/fs/bpf/evenkeel-decap-test-" + std::to_string(getpid());
  }

  void TearDown() override {
    if (options_.target.interface.empty()) return;
    Detach(options_.target).IgnoreError();
    std::error_code ignored;
    std::filesystem::remove_all(options_.target.pin_dir, ignored);
  }

  uint64_t Count(const std::string& name) {
    const absl::StatusOr<Report> report = ReadReport(options_.target);
    EXPECT_TRUE(report.ok()) << report.status();
    if (!report.ok()) return 0;
    for (const auto& [verdict, packets] : report->verdicts) {
      if (verdict == name) return packets;
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }

  // Puts the frame on the wire at the other end of the pair.
  static void Send(const Bytes& frame) {
    const int fd = socket(AF_PACKET, SOCK_RAW, 0);
    ASSERT_GE(fd, 0);
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(if_nametoindex("ekd1"));
    EXPECT_EQ(
        sendto(fd, frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof(to)),
        static_cast<ssize_t>(frame.size()));
    close(fd);
  }

  bool BecomesCounted(const std::string& name, uint64_t at_least) {
    for (int i = 0; i < 200; ++i) {
      if (Count(name) >= at_least) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  static Bytes TunnelFrame() {
    Backend backend;  // to 10.0.1.11, from 172.16.0.0/16
    return ExpectedFrame(Build(Packet{}), backend, 0x1234567812345678);
  }

  Options options_;
};

TEST_F(DecapAttach, DecapsulatesForTheInterfacesAddresses) {
  const absl::StatusOr<Attached> attached = Attach(options_);
  ASSERT_TRUE(attached.ok()) << attached.status();
  EXPECT_EQ(attached->mode, Mode::kNative);
  EXPECT_FALSE(attached->replaced);
  ASSERT_EQ(attached->addresses.size(), 2u);
  Send(TunnelFrame());
  EXPECT_TRUE(BecomesCounted("decapsulated", 1));
}

TEST_F(DecapAttach, GenericMode) {
  options_.mode = Mode::kGeneric;
  const absl::StatusOr<Attached> attached = Attach(options_);
  ASSERT_TRUE(attached.ok()) << attached.status();
  EXPECT_EQ(ReadReport(options_.target)->mode, Mode::kGeneric);
  Send(TunnelFrame());
  EXPECT_TRUE(BecomesCounted("decapsulated", 1));
}

TEST_F(DecapAttach, ASecondCallReplacesTheProgramAndKeepsCounters) {
  ASSERT_TRUE(Attach(options_).ok());
  Send(TunnelFrame());
  ASSERT_TRUE(BecomesCounted("decapsulated", 1));
  options_.addresses = {*model::IpAddress::Parse("10.9.9.9")};
  options_.sources = {*Prefix::Parse("10.0.0.0/8")};
  const absl::StatusOr<Attached> again = Attach(options_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->replaced);
  EXPECT_EQ(Count("decapsulated"), 1u);
  const absl::StatusOr<Report> report = ReadReport(options_.target);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->addresses, options_.addresses);
  ASSERT_EQ(report->sources.size(), 1u);
  EXPECT_EQ(report->sources[0].ToString(), "10.0.0.0/8");
}

TEST_F(DecapAttach, DetachEndsIt) {
  ASSERT_TRUE(Attach(options_).ok());
  ASSERT_TRUE(Detach(options_.target).ok());
  EXPECT_TRUE(absl::IsNotFound(ReadReport(options_.target).status()));
  EXPECT_TRUE(absl::IsNotFound(Detach(options_.target)));
  EXPECT_FALSE(std::filesystem::exists(options_.target.pin_dir));
  EXPECT_TRUE(Shell("test -z \"$(ip -o link show ekd0 | grep -o xdp)\""));
}

TEST_F(DecapAttach, AnotherProgramIsNotReplaced) {
  ASSERT_TRUE(Attach(options_).ok());
  Options other = options_;
  other.target.pin_dir += "-other";
  const absl::Status status = Attach(other).status();
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_FALSE(std::filesystem::exists(other.target.pin_dir));
}

TEST_F(DecapAttach, AnInterfaceThatWasMadeAnewIsAttachedAnew) {
  ASSERT_TRUE(Attach(options_).ok());
  const uint32_t index = if_nametoindex("ekd0");
  ASSERT_TRUE(Shell("ip link del ekd0 && ip link add ekd0 index " + std::to_string(index) +
                    " type veth peer name ekd1 && ip addr add 10.0.1.12/24 dev ekd0 && "
                    "ip link set ekd0 up && ip link set ekd1 up"));
  const absl::StatusOr<Attached> again = Attach(options_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->replaced);
}

TEST_F(DecapAttach, FaultsNameTheRemedy) {
  Options options = options_;
  options.target.interface = "nowhere0";
  EXPECT_TRUE(absl::IsNotFound(Attach(options).status()));
  options = options_;
  options.target.pin_dir = ::testing::TempDir() + "evenkeel-decap-no-bpffs";
  EXPECT_TRUE(absl::IsFailedPrecondition(Attach(options).status()));
  std::filesystem::remove_all(options.target.pin_dir);
  ASSERT_TRUE(Shell("ip addr flush dev ekd0"));
  EXPECT_TRUE(absl::IsFailedPrecondition(Attach(options_).status()));
}

}  // namespace
}  // namespace evenkeel::decap
