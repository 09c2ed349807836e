// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/lane_reader.h"

#include <gmock/gmock.h>
#include <linux/ethtool.h>

#include <cerrno>
#include <cstring>

namespace evenkeel::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = detect::LaneReading::Kind;

// Four CPUs, and a driver that counts by queue if it is told to.
class LaneReaderTest : public ::testing::Test {
 protected:
  LaneReader Make(std::vector<std::string> interfaces = {"eth0"}) {
    return LaneReader({.interfaces = std::move(interfaces),
                       .cpu_packets = [this]() -> absl::StatusOr<std::vector<uint64_t>> {
                         if (!cpu_status_.ok()) return cpu_status_;
                         return cpus_;
                       },
                       .queues = [this](const std::string&) { return queues_; },
                       .ask = [this](const std::string&, void* command) { return Ask(command); }});
  }
  int Ask(void* command) {
    switch (*static_cast<uint32_t*>(command)) {
      case ETHTOOL_GDRVINFO:
        static_cast<ethtool_drvinfo*>(command)->n_stats =
            static_cast<uint32_t>(queue_packets_.size());
        return 0;
      case ETHTOOL_GSTRINGS:
        for (size_t i = 0; i < queue_packets_.size(); ++i) {
          const std::string name = "rx_queue_" + std::to_string(i) + "_packets";
          std::strcpy(static_cast<char*>(command) + sizeof(ethtool_gstrings) + i * ETH_GSTRING_LEN,
                      name.c_str());
        }
        return 0;
      case ETHTOOL_GSTATS:
        std::memcpy(static_cast<char*>(command) + sizeof(ethtool_stats), queue_packets_.data(),
                    queue_packets_.size() * 8);
        return 0;
      default:
        return -EOPNOTSUPP;
    }
  }
  // A second later, with packets on these CPUs.
  std::vector<std::string> Next(LaneReader& reader, const std::vector<int>& active) {
    now_ns_ += 1'000'000'000;
    for (const int cpu : active) cpus_[static_cast<size_t>(cpu)] += 100;
    std::vector<std::string> names;
    lanes_ = reader.Read(now_ns_);
    for (const detect::LaneReading& lane : lanes_) names.push_back(lane.name);
    return names;
  }

  int64_t now_ns_ = 1'000'000'000;
  uint32_t queues_ = 2;
  std::vector<uint64_t> cpus_ = {1000, 1000, 1000, 1000}, queue_packets_;
  absl::Status cpu_status_;
  std::vector<detect::LaneReading> lanes_;
};

TEST_F(LaneReaderTest, CpusThatHavePacketsAreToGetEqualParts) {
  LaneReader reader = Make();
  EXPECT_THAT(Next(reader, {1, 3}), IsEmpty()) << "what was before says nothing";
  EXPECT_THAT(Next(reader, {1, 3}), ElementsAre("1", "3"));
  EXPECT_EQ(lanes_[0].kind, Kind::kCpu);
  EXPECT_EQ(lanes_[0].packets, 1200u);
  EXPECT_THAT(Next(reader, {1}), ElementsAre("1", "3")) << "packets avoid one: that is to be seen";
}

TEST_F(LaneReaderTest, OneCpuIsNoChoice) {
  LaneReader reader = Make();
  Next(reader, {1});
  EXPECT_THAT(Next(reader, {1}), IsEmpty());
}

TEST_F(LaneReaderTest, OneQueueIsNoChoiceWhereverItsInterruptGoes) {
  queues_ = 1;
  LaneReader reader = Make();
  Next(reader, {0});
  Next(reader, {0});
  EXPECT_THAT(Next(reader, {1}), IsEmpty());
}

TEST_F(LaneReaderTest, MoreCpusThanQueuesAreInterruptsThatMove) {
  LaneReader reader = Make();
  Next(reader, {0, 1});
  EXPECT_THAT(Next(reader, {0, 1}), ElementsAre("0", "1"));
  EXPECT_THAT(Next(reader, {0, 2}), IsEmpty());
  for (int i = 0; i < 298; ++i) Next(reader, {0, 2});
  EXPECT_THAT(Next(reader, {0, 2}), IsEmpty());
  EXPECT_THAT(Next(reader, {0, 2}), ElementsAre("0", "2")) << "1 is idle for five minutes";
}

TEST_F(LaneReaderTest, QueuesWhereTheDriverCountsThem) {
  queue_packets_ = {5, 6, 7};
  LaneReader reader = Make();
  EXPECT_THAT(Next(reader, {}), ElementsAre("eth0 rx-0", "eth0 rx-1")) << "the third one is off";
  EXPECT_EQ(lanes_[1].kind, Kind::kQueue);
  EXPECT_EQ(lanes_[1].packets, 6u);
  LaneReader two = Make({"eth0", "eth1"});
  EXPECT_THAT(Next(two, {}), IsEmpty()) << "links differ";
}

TEST_F(LaneReaderTest, CountersThatCannotBeReadAreNoLanes) {
  LaneReader reader = Make();
  Next(reader, {0, 1});
  Next(reader, {0, 1});
  cpu_status_ = absl::InternalError("no");
  EXPECT_THAT(Next(reader, {0, 1}), IsEmpty());
}

// Queues that are switched on are seen within a minute.
TEST_F(LaneReaderTest, QueuesAreCountedAgain) {
  queues_ = 1;
  LaneReader reader = Make();
  Next(reader, {0, 1});
  EXPECT_THAT(Next(reader, {0, 1}), IsEmpty());
  queues_ = 2;
  for (int i = 0; i < 60; ++i) Next(reader, {0, 1});
  EXPECT_THAT(Next(reader, {0, 1}), ElementsAre("0", "1"));
}

}  // namespace
}  // namespace evenkeel::daemon
