// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/nexthop_writer.h"

#include <gtest/gtest.h>

namespace evenkeel::testing {
namespace {

using dataplane::NextHop;
using dataplane::NextHopWriter;

NextHop Hop(uint8_t last) {
  return {.ifindex = last, .dmac = {2, 0, 0, 0, 0, last}, .smac = {}, .mtu = 1500};
}

class NextHopWriterTest : public ::testing::Test {
 protected:
  absl::Status Write(uint16_t id, const std::optional<NextHop>& hop) {
    return writer_.Write(1, id, hop, entries_[id]);
  }
  // What packets use; 0: none.
  int Selected(uint16_t id) const {
    const ek_backend& entry = entries_[id];
    return entry.nexthop_sel == 0 ? 0 : entry.nexthop[entry.nexthop_sel - 1].dmac[5];
  }

  int waits_ = 0;
  absl::Status wait_status_;
  NextHopWriter writer_{[this] {
    ++waits_;
    return wait_status_;
  }};
  ek_backend entries_[3] = {};
};

TEST_F(NextHopWriterTest, WritesTheUnusedElement) {
  ASSERT_TRUE(Write(1, Hop(10)).ok());
  EXPECT_EQ(Selected(1), 10);
  const uint8_t first = entries_[1].nexthop_sel;
  ASSERT_TRUE(Write(1, Hop(11)).ok());
  EXPECT_EQ(Selected(1), 11);
  EXPECT_NE(entries_[1].nexthop_sel, first);
  EXPECT_EQ(entries_[1].nexthop[first - 1].dmac[5], 10) << "packets may still read it";
}

TEST_F(NextHopWriterTest, ReusesAnElementOnlyAfterAGracePeriod) {
  ASSERT_TRUE(Write(1, Hop(10)).ok());
  EXPECT_EQ(waits_, 0);
  ASSERT_TRUE(Write(2, Hop(20)).ok());
  EXPECT_EQ(waits_, 0) << "another entry";
  ASSERT_TRUE(Write(1, Hop(11)).ok());
  EXPECT_EQ(waits_, 1);
  ASSERT_TRUE(Write(2, Hop(21)).ok());
  EXPECT_EQ(waits_, 1) << "that wait was for all";
  wait_status_ = absl::InternalError("no");
  EXPECT_FALSE(Write(1, Hop(12)).ok());
  EXPECT_EQ(Selected(1), 11) << "nothing was written without the wait";
}

TEST_F(NextHopWriterTest, TakingItAwayIsOneStore) {
  ASSERT_TRUE(Write(1, Hop(10)).ok());
  ASSERT_TRUE(Write(1, std::nullopt).ok());
  EXPECT_EQ(Selected(1), 0);
  ASSERT_TRUE(Write(1, std::nullopt).ok());
  ASSERT_TRUE(Write(1, Hop(12)).ok());
  EXPECT_EQ(Selected(1), 12);
  EXPECT_EQ(waits_, 1);
}

TEST_F(NextHopWriterTest, TheSameAgainIsNoWrite) {
  ASSERT_TRUE(Write(1, Hop(10)).ok());
  const ek_backend before = entries_[1];
  ASSERT_TRUE(Write(1, Hop(10)).ok());
  EXPECT_EQ(entries_[1].nexthop_sel, before.nexthop_sel);
  EXPECT_EQ(waits_, 0);
  NextHop smaller = Hop(10);
  smaller.mtu = 1400;
  ASSERT_TRUE(Write(1, smaller).ok());
  EXPECT_EQ(entries_[1].mtu, 1400);
}

}  // namespace
}  // namespace evenkeel::testing
