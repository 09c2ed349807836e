// SPDX-License-Identifier: Apache-2.0
#include "control/nic/queue_counters.h"

#include <gmock/gmock.h>
#include <linux/ethtool.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace evenkeel::nic {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(RxQueueOfTest, KnowsTheNamesThatDriversGive) {
  EXPECT_EQ(RxQueueOf("rx_queue_0_packets"), 0u);
  EXPECT_EQ(RxQueueOf("rx_queue_12_xdp_packets"), 12u);
  EXPECT_EQ(RxQueueOf("rx-3.packets"), 3u);
  EXPECT_EQ(RxQueueOf("rx7_packets"), 7u);
  EXPECT_EQ(RxQueueOf("rx7_xdp_redirect"), 7u);
  EXPECT_EQ(RxQueueOf("queue_5_rx_cnt"), 5u);
  EXPECT_EQ(RxQueueOf("[63]: rx_ucast_packets"), 63u);
}

TEST(RxQueueOfTest, AndTakesNothingElseForAQueue) {
  for (const char* name :
       {"", "rx", "rx_packets", "rx_queue_0_bytes", "rx_queue__packets", "rx_queue_0_packets_x",
        "tx_queue_0_packets", "tx-3.packets", "rx-3.bytes", "queue_5_tx_cnt", "rx64_packets_phy",
        "rx_64_packets", "rx_queue_123456_packets", "rx_queue_99999999999999999999_packets",
        "rx_size_64_packets", "rx_prio0_packets", "port.rx_unicast", "[3]: tx_ucast_packets"}) {
    EXPECT_FALSE(RxQueueOf(name)) << name;
  }
}

struct Driver {
  std::vector<std::pair<std::string, uint64_t>> statistics = {
      {"rx_packets", 1000},
      {"rx_queue_0_packets", 10},
      {"rx_queue_0_bytes", 999},
      {"rx_queue_0_xdp_packets", 5},
      {"rx_queue_1_packets", 20},
      {"tx_queue_0_packets", 7},
      {"a_name_of_thirty_two_characters_", 1}};
  uint32_t named = 0;  // fewer names than values, as if one came in between; 0: all

  int operator()(const std::string& interface, void* command) const {
    if (interface != "eth0") return -ENODEV;
    const auto count = static_cast<uint32_t>(statistics.size());
    switch (*static_cast<uint32_t*>(command)) {
      case ETHTOOL_GDRVINFO:
        static_cast<ethtool_drvinfo*>(command)->n_stats = count;
        return 0;
      case ETHTOOL_GSTRINGS: {
        auto* names = static_cast<ethtool_gstrings*>(command);
        if (names->string_set != ETH_SS_STATS) return -EINVAL;
        names->len = named == 0 ? count : named;
        char* to = static_cast<char*>(command) + sizeof(*names);
        for (size_t i = 0; i < count; ++i) {
          std::strncpy(to + i * ETH_GSTRING_LEN, statistics[i].first.c_str(), ETH_GSTRING_LEN);
        }
        return 0;
      }
      case ETHTOOL_GSTATS: {
        auto* values = static_cast<ethtool_stats*>(command);
        values->n_stats = count;
        char* to = static_cast<char*>(command) + sizeof(*values);
        for (size_t i = 0; i < count; ++i) std::memcpy(to + 8 * i, &statistics[i].second, 8);
        return 0;
      }
      default:
        return -EOPNOTSUPP;
    }
  }
};

TEST(ReadQueueCountersTest, SumsWhatIsOfOneQueue) {
  EXPECT_THAT(ReadQueueCounters("eth0", Driver()), ElementsAre(Pair(0, 15), Pair(1, 20)));
}

TEST(ReadQueueCountersTest, WhoDoesNotCountIsEmpty) {
  EXPECT_THAT(ReadQueueCounters("eth1", Driver()), IsEmpty());
  Driver changing;
  changing.named = 3;
  EXPECT_THAT(ReadQueueCounters("eth0", changing), IsEmpty());
  Driver none;
  none.statistics.clear();
  EXPECT_THAT(ReadQueueCounters("eth0", none), IsEmpty());
  EXPECT_THAT(ReadQueueCounters("lo"), IsEmpty()) << "the kernel itself is asked";
}

}  // namespace
}  // namespace evenkeel::nic
