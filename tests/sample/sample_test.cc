// SPDX-License-Identifier: Apache-2.0
//
// Real packets sampled on their way into the real program. Needs a kernel that lets a program trace
// another one: run by `scripts/vm test sample`.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <set>
#include <thread>

#include "bpf/abi/sample.h"
#include "control/dataplane/dispatcher.h"
#include "tests/harness/packet/packet.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/packet_socket.h"
#include "tests/harness/scoped_netns/scoped_netns.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"

namespace evenkeel::testing {
namespace {

using dataplane::AttachKind;
using dataplane::Sample;
using dataplane::SampleOptions;
using dataplane::UniqueFd;
using dataplane::XdpMode;
using std::chrono::milliseconds;

constexpr auto kPatience = std::chrono::seconds(20);  // an emulated processor's

template <typename Condition>
bool WaitFor(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

// What the kernel has of the sampler's, by name: anybody's, so that a test must not run beside
// another one.
std::multiset<std::string> LeftOfSampler() {
  std::multiset<std::string> found;
  for (uint32_t id = 0; bpf_prog_get_next_id(id, &id) == 0;) {
    const UniqueFd fd(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info{};
    uint32_t size = sizeof(info);
    if (!fd.valid() || bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) continue;
    if (std::strcmp(info.name, "ek_sample") == 0) found.insert("program");
  }
  for (uint32_t id = 0; bpf_map_get_next_id(id, &id) == 0;) {
    const UniqueFd fd(bpf_map_get_fd_by_id(id));
    bpf_map_info info{};
    uint32_t size = sizeof(info);
    if (!fd.valid() || bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) continue;
    if (std::strncmp(info.name, "ek_sampl", 8) == 0) found.insert(info.name);
  }
  for (uint32_t id = 0; bpf_link_get_next_id(id, &id) == 0;) {
    const UniqueFd fd(bpf_link_get_fd_by_id(id));
    bpf_link_info info{};
    uint32_t size = sizeof(info);
    if (!fd.valid() || bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) continue;
    if (info.type == BPF_LINK_TYPE_TRACING && info.tracing.attach_type == BPF_TRACE_FENTRY) {
      found.insert("link");
    }
  }
  return found;
}

bool IsAttached(size_t programs = 1) { return LeftOfSampler().count("link") == programs; }

size_t OpenDescriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

class SampleTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    // Of its own accord the kernel sends nothing.
    netns_.Run(
        "ip link add a0 type veth peer name a1; ip link add b0 type veth peer name b1; "
        "for i in a0 a1 b0 b1; do "
        "ip link set $i addrgenmode none; ip link set $i up; done");
    entered_ = std::make_unique<ScopedNetns::Entered>(netns_);
    dataplane_ = OpenSmall(dir_.path());
    ASSERT_NE(dataplane_, nullptr);
    ASSERT_THAT(LeftOfSampler(), ::testing::IsEmpty());
  }
  void TearDown() override {
    dataplane_.reset();
    entered_.reset();
  }

  void Attach(const std::string& interface = "a0",
              const dataplane::AttachOptions& options = {.mode = XdpMode::kNative}) {
    const auto attached = dataplane_->Attach(interface, options);
    ASSERT_TRUE(attached.ok()) << attached.status();
  }

  // Samples while `send` is called once, after it began at all the `programs`.
  template <typename Send>
  Sample SampleOf(const SampleOptions& options, Send send, size_t programs = 1) {
    Sample sample;
    std::thread sampling([&] {
      const ScopedNetns::Entered inside(netns_);
      auto taken = dataplane_->TakeSample(options);
      EXPECT_TRUE(taken.ok()) << taken.status();
      if (taken.ok()) sample = *std::move(taken);
    });
    EXPECT_TRUE(WaitFor([&] { return IsAttached(programs); }));
    send();
    sampling.join();
    EXPECT_TRUE(WaitFor([] { return LeftOfSampler().empty(); }))
        << ::testing::PrintToString(LeftOfSampler());
    return sample;
  }

  ScopedPinDir dir_;
  ScopedNetns netns_;
  std::unique_ptr<ScopedNetns::Entered> entered_;
  std::unique_ptr<dataplane::KernelDataPlane> dataplane_;
};

std::vector<Bytes> Frames() {
  Packet plain, long_one, tagged, six, extended, datagram;
  long_one.payload = 1400;
  tagged.tags = {ServiceTag(7), VlanTag(9)};
  six.src = "2001:db8::7";
  six.dst = "2001:db8::10";
  extended = six;
  extended.extensions.assign(8, {.type = 60, .body = Bytes(14)});
  datagram.proto = kUdp;
  std::vector<Bytes> frames;
  for (const Packet& packet : {plain, long_one, tagged, six, extended, datagram}) {
    frames.push_back(Build(packet));
  }
  frames.push_back(Bytes(60, 0xee));  // no IP
  return frames;
}

// In order, byte for byte, with the length of the whole.
void ExpectSampled(const Sample& sample, const std::vector<Bytes>& frames) {
  ASSERT_EQ(sample.packets.size(), frames.size());
  for (size_t i = 0; i < frames.size(); ++i) {
    SCOPED_TRACE(i);
    Bytes head = frames[i];
    if (head.size() > EK_SAMPLE_HEAD) head.resize(EK_SAMPLE_HEAD);
    EXPECT_EQ(sample.packets[i].head, head);
    EXPECT_EQ(sample.packets[i].length, frames[i].size());
  }
  EXPECT_EQ(sample.missed, 0u);
}

TEST_F(SampleTest, HasTheBytesThatWereSent) {
  for (const XdpMode mode : {XdpMode::kNative, XdpMode::kGeneric}) {
    SCOPED_TRACE(static_cast<int>(mode));
    Attach("a0", {.mode = mode});
    const std::vector<Bytes> frames = Frames();
    const PacketSocket outside("a1");
    const Sample sample = SampleOf({.window = milliseconds(1000)}, [&] {
      for (const Bytes& frame : frames) outside.Send(frame);
    });
    ExpectSampled(sample, frames);
  }
}

TEST_F(SampleTest, TellsTheLengthOfSeveralBuffers) {
  netns_.Run("ip link set a0 mtu 9000; ip link set a1 mtu 9000");
  Attach();
  Packet large;
  large.payload = 8000;
  const PacketSocket outside("a1");
  const Sample sample =
      SampleOf({.window = milliseconds(500)}, [&] { outside.Send(Build(large)); });
  ExpectSampled(sample, {Build(large)});
}

TEST_F(SampleTest, ServesTheSecondWhoOpensThePins) {
  Attach();
  dataplane_.reset();
  dataplane_ = OpenSmall(dir_.path());
  ASSERT_NE(dataplane_, nullptr);
  ASSERT_TRUE(dataplane_->adopted());
  Attach();
  const PacketSocket outside("a1");
  const Sample sample = SampleOf({.window = milliseconds(500)}, [&] { outside.Send(Frames()[0]); });
  ExpectSampled(sample, {Frames()[0]});
}

TEST_F(SampleTest, SeesEveryInterface) {
  Attach("a0");
  Attach("b0", {.mode = XdpMode::kGeneric});
  const PacketSocket a("a1"), b("b1");
  const Sample sample = SampleOf({.window = milliseconds(500)}, [&] {
    a.Send(Frames()[0]);
    b.Send(Frames()[1]);
  });
  ExpectSampled(sample, {Frames()[0], Frames()[1]});
}

TEST_F(SampleTest, SeesSharedInterfaces) {
  const std::string objects = ::testing::TempDir() + "ek-sample-" + std::to_string(getpid());
  ASSERT_TRUE(dataplane::InstallDispatcher(objects).ok());
  Attach("a0", {.mode = XdpMode::kNative, .kind = AttachKind::kShared});
  Attach("b0", {.mode = XdpMode::kNative, .kind = AttachKind::kShared});
  const PacketSocket a("a1"), b("b1");
  const auto send = [&] {
    a.Send(Frames()[0]);
    b.Send(Frames()[1]);
  };
  // Its own copy of the program on each.
  const Sample sample = SampleOf({.window = milliseconds(1000)}, send, 2);
  ExpectSampled(sample, {Frames()[0], Frames()[1]});
  ASSERT_TRUE(dataplane_->DetachOthers({}).ok());
  unsetenv("LIBXDP_OBJECT_PATH");
  std::filesystem::remove_all(objects);
}

TEST_F(SampleTest, TakesOneInSoMany) {
  Attach();
  constexpr int kSent = 8000;
  const Bytes frame = Frames()[0];
  const PacketSocket outside("a1");
  const Sample sample =
      SampleOf({.window = milliseconds(2000), .one_in = 10, .max_packets = 16384}, [&] {
        for (int i = 0; i < kSent; ++i) {
          outside.Send(frame);
          if (i % 50 == 0) std::this_thread::sleep_for(milliseconds(1));  // room in the socket
        }
        EXPECT_TRUE(IsAttached()) << "too slow to tell anything";
      });
  // Five standard deviations of 27.
  EXPECT_NEAR(static_cast<double>(sample.packets.size()), kSent / 10.0, 135);
  EXPECT_EQ(sample.missed, 0u);
}

TEST_F(SampleTest, EndsWhereItIsFull) {
  Attach();
  const Bytes frame = Frames()[0];
  const PacketSocket outside("a1");
  const Sample sample = SampleOf({.window = milliseconds(2000), .max_packets = 100}, [&] {
    for (int i = 0; i < 150; ++i) outside.Send(frame);
  });
  EXPECT_EQ(sample.packets.size(), 100u);
  EXPECT_LT(sample.lasted, milliseconds(2000));
  EXPECT_LE(sample.missed, 50u);
}

// The link that packets come in by, and the program behind it, are what they were.
TEST_F(SampleTest, LeavesTheBalancerAlone) {
  Attach();
  const auto balancer = [&] {
    const UniqueFd fd(bpf_obj_get((dir_.path() + "/balancer").c_str()));
    bpf_prog_info info{};
    uint32_t size = sizeof(info);
    EXPECT_EQ(bpf_obj_get_info_by_fd(fd.get(), &info, &size), 0);
    return std::tuple(info.id, info.xlated_prog_len, info.jited_prog_len,
                      std::string(reinterpret_cast<const char*>(info.tag), sizeof(info.tag)));
  };
  const auto before = balancer();
  const size_t descriptors = OpenDescriptors();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(dataplane_->TakeSample({.window = milliseconds(20)}).ok());
    EXPECT_FALSE(IsAttached());
  }
  EXPECT_EQ(balancer(), before);
  EXPECT_EQ(OpenDescriptors(), descriptors);
}

// What a packet costs more while one looks. With `scripts/vm --icount run` these are instructions.
TEST_F(SampleTest, CostsLittleForPacketsThatAreNotChosen) {
  Attach();
  const UniqueFd balancer(bpf_obj_get((dir_.path() + "/balancer").c_str()));
  Bytes frame = Frames()[0];
  const auto run = [&](int repeat) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(),
                .data_size_in = static_cast<uint32_t>(frame.size()), .repeat = repeat);
    EXPECT_EQ(bpf_prog_test_run_opts(balancer.get(), &options), 0);
    return static_cast<int>(options.duration);
  };
  const auto with_sample = [&](uint32_t one_in, int repeat) {
    int duration = 0;
    SampleOf({.window = milliseconds(1000), .one_in = one_in}, [&] { duration = run(repeat); });
    return duration;
  };
  run(10000);  // warm
  const int off = run(100000);
  const int not_chosen = with_sample(0xffffffff, 100000);
  const int chosen = with_sample(1, 1500);  // as many as the ring takes at once
  std::cout << "a packet for nobody: " << off << ", not chosen: " << not_chosen
            << ", chosen: " << chosen << "\n";
  EXPECT_LE(off, not_chosen);
  EXPECT_LT(not_chosen, chosen);
  EXPECT_LE(run(100000), not_chosen) << "it goes on after the end";
}

TEST_F(SampleTest, AProcessThatDiesLeavesNothing) {
  Attach();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    (void)dataplane_->TakeSample({.window = milliseconds(2000)});
    _exit(0);
  }
  const bool attached = WaitFor([] { return IsAttached(); });
  kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(attached);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(WaitFor([] { return LeftOfSampler().empty(); }))
      << ::testing::PrintToString(LeftOfSampler());
}

TEST_F(SampleTest, ThatCannotBeTakenLeavesNothing) {
  EXPECT_EQ(dataplane_->TakeSample({}).status().code(), absl::StatusCode::kFailedPrecondition);
  const UniqueFd other = LoadXdpPass();  // has no ek_balancer
  const std::vector<int> programs = {other.get()};
  EXPECT_FALSE(dataplane::TakeSample(programs, {}).ok());
  for (const SampleOptions& options :
       {SampleOptions{.window = milliseconds(0)}, SampleOptions{.window = milliseconds(2001)},
        SampleOptions{.one_in = 0}, SampleOptions{.max_packets = 0},
        SampleOptions{.max_packets = 16385}}) {
    EXPECT_EQ(dataplane::TakeSample(programs, options).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_THAT(LeftOfSampler(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace evenkeel::testing
