// SPDX-License-Identifier: Apache-2.0
//
// The bench is right before it measures: each scenario, and what it does with other people's
// programs.
#include "tests/bench/harness.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "tests/bench/measure.h"

#include "bpf/scribble.skel.h"

namespace evenkeel::bench {
namespace {

using ::testing::HasSubstr;

// As they are but for the number of flows.
std::vector<Scenario> SmallScenarios() {
  std::vector<Scenario> scenarios = Scenarios();
  for (Scenario& scenario : scenarios) scenario.flows = std::min(scenario.flows, 256u);
  return scenarios;
}

class HarnessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    EK_NEED_KERNEL();
    harness_ = std::make_unique<Harness>(SmallScenarios());
  }
  std::unique_ptr<Harness> harness_;
};

TEST_F(HarnessTest, EveryScenarioIsRight) {
  for (const Scenario& scenario : SmallScenarios()) {
    harness_->Load(scenario);
    EXPECT_EQ(harness_->Check(scenario, 256), "") << scenario.name;
  }
}

TEST_F(HarnessTest, WhatIsWrongIsNamed) {
  for (Scenario scenario : SmallScenarios()) {
    harness_->Load(scenario);
    // Not where the balancer sends it.
    scenario.vip = scenario.vip == kVip4in6 ? kVipUdp4 : kVip4in6;
    if (scenario.sends == Scenario::Sends::kEcho) scenario.sends = Scenario::Sends::kPacket;
    EXPECT_THAT(harness_->Check(scenario, 256), HasSubstr("flow ")) << scenario.name;
  }
}

TEST_F(HarnessTest, MeasuresInEveryRound) {
  const Scenario scenario = SmallScenarios().front();
  ScenarioFigures figures;
  ASSERT_EQ(MeasureScenario(*harness_, scenario, {harness_->floor()}, 3, 1000, &figures), "");
  EXPECT_EQ(figures.name, scenario.name);
  ASSERT_EQ(figures.programs.size(), 2u);
  EXPECT_EQ(figures.programs[0].name, "evenkeel");
  EXPECT_EQ(figures.programs[0].verdict, "XDP_TX");
  for (const ProgramFigures& program : figures.programs) {
    EXPECT_GT(program.packet_ns.min, 0);
    EXPECT_LE(program.ratio.min, program.ratio.median);
    EXPECT_LE(program.ratio.median, program.ratio.max);
  }
}

// Pins of a test, gone with it.
class PinnedTest : public HarnessTest {
 protected:
  void SetUp() override {
    HarnessTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    skeleton_ = ek_scribble__open_and_load();
    ASSERT_NE(skeleton_, nullptr);
    Pin("plain", bpf_program__fd(skeleton_->progs.scribble_plain));
    Pin("frags", bpf_program__fd(skeleton_->progs.scribble_frags));
    Pin("tc", bpf_program__fd(skeleton_->progs.scribble_tc));
  }
  void TearDown() override {
    for (const std::string& path : pins_) unlink(path.c_str());
    ek_scribble__destroy(skeleton_);
  }

  static std::string PathOf(const std::string& name) {
    return "/sys/fs/bpf/evenkeel-bench-" + std::to_string(getpid()) + "-" + name;
  }
  void Pin(const std::string& name, int program) {
    ASSERT_EQ(bpf_obj_pin(program, PathOf(name).c_str()), 0) << PathOf(name);
    pins_.push_back(PathOf(name));
  }

  ek_scribble* skeleton_ = nullptr;
  std::vector<std::string> pins_;
};

TEST_F(PinnedTest, AnotherProgramGetsAWholePacketEachTime) {
  for (const std::string kind : {"plain", "frags"}) {
    SCOPED_TRACE(kind);
    Harness::Target target;
    ASSERT_EQ(harness_->OpenPinned("other=" + PathOf(kind), &target), "");
    EXPECT_EQ(target.name, "other");
    EXPECT_EQ(target.frags, kind == "frags");
    Scenario scenario = SmallScenarios()[1];
    ASSERT_EQ(scenario.flows, 256u);
    harness_->Load(scenario);
    for (const uint32_t passes : {1, 2, 3, 1000}) {
      EXPECT_EQ(harness_->VerdictOf(target, passes), "XDP_TX") << passes;
    }
    ScenarioFigures figures;
    EXPECT_EQ(MeasureScenario(*harness_, scenario, {target}, 1, 1000, &figures), "");
    EXPECT_EQ(figures.programs[1].name, "other");
  }
}

TEST_F(PinnedTest, SaysWhyAProgramCannotBeUsed) {
  const struct {
    const char* name;
    std::string option, message;
  } cases[] = {
      {"no-name", "=" + PathOf("plain"), "-p takes NAME=PATH"},
      {"no-path", "other=", "-p takes NAME=PATH"},
      {"neither", "other", "-p takes NAME=PATH"},
      {"missing", "other=" + PathOf("none"), "No such file"},
      {"another-type", "other=" + PathOf("tc"), "is not an XDP program"},
  };
  for (const auto& one : cases) {
    Harness::Target target;
    EXPECT_THAT(harness_->OpenPinned(one.option, &target), HasSubstr(one.message)) << one.name;
  }
}

}  // namespace
}  // namespace evenkeel::bench
