// SPDX-License-Identifier: Apache-2.0
//
// Packets by CPU are those of the CPU that the program ran on.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>

#include <memory>

#include "control/dataplane/unique_fd.h"
#include "control/publish/publisher.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"

namespace evenkeel::testing {
namespace {

// Binds the thread to one CPU, and gives its former ones back.
class OnCpu {
 public:
  explicit OnCpu(int cpu) {
    sched_getaffinity(0, sizeof(former_), &former_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    bound_ = sched_setaffinity(0, sizeof(one), &one) == 0;
  }
  ~OnCpu() { sched_setaffinity(0, sizeof(former_), &former_); }
  bool bound() const { return bound_; }

 private:
  cpu_set_t former_;
  bool bound_ = false;
};

class CpuPacketsTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    dataplane_ = OpenSmall(dir_.path());
    ASSERT_NE(dataplane_, nullptr);
    publish::Publisher publisher(dataplane_.get(), &resolver_, kTestKey);
    ASSERT_TRUE(publisher.Adopt(nullptr).ok());
    const Judged judged = Judge(MakeConfig(1, 4), nullptr);
    ASSERT_TRUE(judged.approval) << judged.refusal;
    ASSERT_TRUE(publisher.Publish(*judged.approval, 1).ok());
    program_ = dataplane::UniqueFd(bpf_obj_get((dir_.path() + "/balancer").c_str()));
    ASSERT_TRUE(program_.valid());
  }
  uint32_t Send(const publish::Flow& flow, int repeat) {
    const std::vector<uint8_t> frame = publish::BuildFrame(flow);
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(),
                .data_size_in = static_cast<uint32_t>(frame.size()), .repeat = repeat);
    EXPECT_EQ(bpf_prog_test_run_opts(program_.get(), &run), 0);
    return run.retval;
  }
  std::vector<uint64_t> Read() {
    const auto packets = dataplane_->ReadCpuPackets();
    EXPECT_TRUE(packets.ok()) << packets.status();
    return packets.ok() ? *packets : std::vector<uint64_t>{};
  }

  ScopedPinDir dir_;
  FakeResolver resolver_;
  std::unique_ptr<dataplane::KernelDataPlane> dataplane_;
  dataplane::UniqueFd program_;
};

TEST_F(CpuPacketsTest, CountWhereTheProgramRan) {
  publish::Flow flow;
  flow.source = Ip("198.51.100.7");
  flow.source_port = 4711;
  flow.destination = Ip("192.0.2.1");
  flow.destination_port = 443;
  flow.ip_protocol = IPPROTO_TCP;
  cpu_set_t mine;
  ASSERT_EQ(sched_getaffinity(0, sizeof(mine), &mine), 0);
  int used = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE && used < 4; ++cpu) {
    if (!CPU_ISSET(cpu, &mine)) continue;
    const OnCpu here(cpu);
    ASSERT_TRUE(here.bound());
    const std::vector<uint64_t> before = Read();
    const int packets = 1 + 2 * ++used;
    for (int i = 0; i < packets; ++i) EXPECT_EQ(Send(flow, 1), uint32_t{XDP_REDIRECT});
    std::vector<uint64_t> expected = before;
    expected.at(static_cast<size_t>(cpu)) += static_cast<uint64_t>(packets);
    EXPECT_EQ(Read(), expected) << "CPU " << cpu;
  }
  EXPECT_GT(used, 0);
  const std::vector<uint64_t> before = Read();
  flow.destination = Ip("203.0.113.1");  // no VIP: that is not the balancer's
  EXPECT_EQ(Send(flow, 1), uint32_t{XDP_PASS});
  EXPECT_EQ(Read(), before);
}

}  // namespace
}  // namespace evenkeel::testing
