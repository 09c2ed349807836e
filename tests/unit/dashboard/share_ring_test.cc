// SPDX-License-Identifier: Apache-2.0
#include "control/dashboard/share_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evenkeel::dashboard {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

engine::PoolStatus Pool(const std::string& name, const std::vector<uint64_t>& flows) {
  engine::PoolStatus pool;
  pool.name = name;
  for (size_t i = 0; i < flows.size(); ++i) {
    engine::BackendStatus backend;
    backend.name = "b" + std::to_string(i + 1);
    backend.share = 1.0 / static_cast<double>(flows.size());
    backend.counter.new_flows = flows[i];
    backend.counter.packets = 10 * flows[i];
    pool.backends.push_back(backend);
  }
  return pool;
}

engine::Status StatusOf(std::vector<engine::PoolStatus> pools, uint64_t revision = 1) {
  engine::Status status;
  status.applied.revision = revision;
  status.pools = std::move(pools);
  return status;
}

std::vector<uint32_t> Flows(const ShareRing::Sample& sample) {
  std::vector<uint32_t> flows;
  for (const SharePoint& point : sample.points) flows.push_back(point.flows);
  return flows;
}

TEST(ShareRingTest, KeepsWhatWasCountedBetweenSamples) {
  ShareRing ring;
  EXPECT_TRUE(ring.Due(1000));
  ring.Add(StatusOf({Pool("a", {1, 2}), Pool("web", {100, 200})}), 1000);
  EXPECT_FALSE(ring.Due(5999));
  EXPECT_TRUE(ring.Due(6000));
  ring.Add(StatusOf({Pool("a", {1, 2}), Pool("web", {130, 250})}, 2), 6000);
  const auto segments = ring.Read("web", 0);
  ASSERT_THAT(segments, SizeIs(1));
  EXPECT_THAT(segments[0].backends, ElementsAre("b1", "b2"));
  ASSERT_THAT(segments[0].samples, SizeIs(2));
  EXPECT_EQ(segments[0].samples[0].lasted_ms, 0) << "nothing is known of before";
  EXPECT_THAT(Flows(segments[0].samples[0]), ElementsAre(0, 0));
  EXPECT_EQ(segments[0].samples[1].lasted_ms, 5000);
  EXPECT_EQ(segments[0].samples[1].revision, 2u);
  EXPECT_THAT(Flows(segments[0].samples[1]), ElementsAre(30, 50));
  EXPECT_EQ(segments[0].samples[1].points[0].packets, 300u);
  EXPECT_FLOAT_EQ(segments[0].samples[1].points[0].expected, 0.5F);
  EXPECT_THAT(ring.Read("web", 1000)[0].samples, SizeIs(1)) << "only newer ones";
  EXPECT_THAT(ring.Read("none", 0), IsEmpty());
}

TEST(ShareRingTest, OtherBackendsBeginASegmentAndCountersMayStartAnew) {
  ShareRing ring;
  ring.Add(StatusOf({Pool("web", {100, 200})}), 1000);
  ring.Add(StatusOf({Pool("web", {110, 220})}), 6000);
  ring.Add(StatusOf({Pool("web", {5, 230, 7})}), 11000);  // b1 began anew, b3 is new
  const auto segments = ring.Read("web", 0);
  ASSERT_THAT(segments, SizeIs(2));
  EXPECT_THAT(segments[1].backends, ElementsAre("b1", "b2", "b3"));
  EXPECT_THAT(Flows(segments[1].samples[0]), ElementsAre(5, 10, 7));
  // Another pool that comes and goes is no reason for a segment.
  ring.Add(StatusOf({Pool("a", {1}), Pool("web", {6, 231, 8})}), 16000);
  EXPECT_THAT(ring.Read("web", 0), SizeIs(2));
  ring.Add(StatusOf({Pool("a", {1})}), 21000);
  ring.Add(StatusOf({Pool("web", {1, 1, 1})}), 26000);
  EXPECT_THAT(ring.Read("web", 0), SizeIs(3)) << "a gap is one";
}

TEST(ShareRingTest, KeepsAnHour) {
  ShareRing ring;
  int64_t t = 1'000'000;
  for (int i = 0; i < 2000; ++i, t += 5000) ring.Add(StatusOf({Pool("web", {1, 2})}), t);
  const auto segments = ring.Read("web", 0);
  EXPECT_THAT(segments[0].samples, SizeIs(ShareRing::kKeptMs / 5000 + 1));
  EXPECT_EQ(ring.points(), 2 * (ShareRing::kKeptMs / 5000 + 1));
}

TEST(ShareRingTest, AClockThatIsSetBackDoesNotEndIt) {
  ShareRing ring;
  ring.Add(StatusOf({Pool("web", {1, 2})}), 10'000'000);
  EXPECT_TRUE(ring.Due(5'000'000));
  ring.Add(StatusOf({Pool("web", {2, 2})}), 5'000'000);
  EXPECT_FALSE(ring.Due(5'000'001));
  EXPECT_TRUE(ring.Due(5'005'000));
}

TEST(ShareRingTest, MemoryIsBoundedWhateverIsBalanced) {
  EXPECT_EQ(ShareRing::Interval(4), 5'000);
  EXPECT_EQ(ShareRing::Interval(1388), 5'000);
  EXPECT_EQ(ShareRing::Interval(1389), 10'000);
  EXPECT_EQ(ShareRing::Interval(20'000), 120'000);
  EXPECT_EQ(ShareRing::Interval(10'000'000), 300'000);
  for (const size_t backends : {1u, 1388u, 5000u, 20'000u, 80'000u}) {
    EXPECT_LE(backends * static_cast<size_t>(ShareRing::kKeptMs / ShareRing::Interval(backends)),
              ShareRing::kMaxPoints);
  }
  ShareRing ring;
  std::vector<engine::PoolStatus> pools;
  for (int i = 0; i < 101; ++i) {
    pools.push_back(Pool("p" + std::to_string(i), std::vector<uint64_t>(1000, 1)));
  }
  const engine::Status many = StatusOf(std::move(pools));
  for (int64_t i = 0; i < 20; ++i) ring.Add(many, 1 + i * 1000);  // more often than it asks for
  EXPECT_LE(ring.points(), ShareRing::kMaxPoints);
  EXPECT_EQ(ring.points() % ShareRing::kMaxBackends, 0u) << "whole pools, the first ones";
  EXPECT_THAT(ring.Read("p79", 0), SizeIs(1));
  EXPECT_THAT(ring.Read("p100", 0), IsEmpty());
}

}  // namespace
}  // namespace evenkeel::dashboard
