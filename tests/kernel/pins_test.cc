// SPDX-License-Identifier: Apache-2.0
//
// Pins as packets leave them in the maps, read and dropped by the control plane.
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "bpf/abi/maps.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"

namespace evenkeel::testing {
namespace {

using dataplane::Pin;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class PinsTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    dataplane_ = OpenSmall(dir_.path());
    ASSERT_NE(dataplane_, nullptr);
  }
  void Put(const char* map, uint64_t flow, const ek_pin& pin) {
    const int fd = bpf_obj_get((dir_.path() + "/map_" + map).c_str());
    ASSERT_GE(fd, 0);
    EXPECT_EQ(bpf_map_update_elem(fd, &flow, &pin, BPF_ANY), 0);
    close(fd);
  }
  std::vector<Pin> Read() { return dataplane_->ReadPins().value(); }

  ScopedPinDir dir_;
  std::unique_ptr<dataplane::KernelDataPlane> dataplane_;
};

constexpr ek_pin kPin{.counter = 7, .seen = 100, .backend = 3, .flags = 0};

TEST_F(PinsTest, OfBothMapsAreReadAndDropped) {
  Put("ek_pins", 1, {.counter = 7, .seen = 100, .backend = 3, .flags = EK_PIN_CLOSING});
  Put("ek_opening", 2, {.counter = 8, .seen = 101, .backend = 4, .flags = EK_PIN_MET});
  const Pin open{.flow = 1, .counter = 7, .seen = 100, .backend = 3, .closing = true};
  const Pin opening{
      .flow = 2, .counter = 8, .seen = 101, .backend = 4, .opening = true, .met = true};
  EXPECT_THAT(Read(), UnorderedElementsAre(open, opening));
  EXPECT_TRUE(dataplane_->DropPins(Read()).ok());
  EXPECT_THAT(Read(), IsEmpty());
  EXPECT_TRUE(dataplane_->DropPins(std::vector{open, opening}).ok()) << "gone already";
}

// A flow that sends, opens anew or closes while the control plane looks at its pin.
TEST_F(PinsTest, ThatChangedSinceTheyWereReadAreLeftAlone) {
  struct {
    const char* name;
    ek_pin now;
  } const cases[] = {
      {"sent", {.counter = 7, .seen = 101, .backend = 3, .flags = 0}},
      {"opened-elsewhere", {.counter = 8, .seen = 100, .backend = 4, .flags = 0}},
      {"closed", {.counter = 7, .seen = 100, .backend = 3, .flags = EK_PIN_CLOSING}},
  };
  for (const char* map : {"ek_pins", "ek_opening"}) {
    for (const auto& [name, now] : cases) {
      SCOPED_TRACE(std::string(map) + " " + name);
      Put(map, 1, kPin);
      Put(map, 2, kPin);
      const std::vector<Pin> read = Read();
      Put(map, 1, now);
      EXPECT_TRUE(dataplane_->DropPins(read).ok());
      const std::vector<Pin> left = Read();
      ASSERT_EQ(left.size(), 1u);
      EXPECT_EQ(left[0].flow, 1u);
      EXPECT_EQ(left[0].seen, now.seen);
      EXPECT_TRUE(dataplane_->DropPins(left).ok());
    }
  }
}

}  // namespace
}  // namespace evenkeel::testing
