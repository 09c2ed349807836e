// SPDX-License-Identifier: Apache-2.0
#include "control/nic/nic.h"

#include <gmock/gmock.h>
#include <linux/ethtool.h>

#include <cerrno>
#include <cstring>

#include "control/nic/interface.h"

namespace evenkeel::nic {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A driver with 4 of 8 queues, and a table of 8 entries that it fills by `table`.
struct Driver {
  std::vector<uint32_t> table = {0, 1, 2, 3, 0, 1, 2, 3};
  uint64_t udp4 = RXH_IP_SRC | RXH_IP_DST;
  uint64_t udp6 = RXH_IP_SRC | RXH_IP_DST | RXH_L4_B_0_1 | RXH_L4_B_2_3;

  int operator()(const std::string& interface, void* command) const {
    if (interface != "eth0") return -ENODEV;
    switch (*static_cast<uint32_t*>(command)) {
      case ETHTOOL_GDRVINFO: {
        auto* info = static_cast<ethtool_drvinfo*>(command);
        std::strcpy(info->driver, "thirty_two_bytes_are_a_full_nam");
        std::memset(info->version, 'v', sizeof(info->version));  // does not end
        return 0;
      }
      case ETHTOOL_GCHANNELS: {
        auto* channels = static_cast<ethtool_channels*>(command);
        channels->rx_count = 1;
        channels->combined_count = 3;
        channels->max_combined = 8;
        return 0;
      }
      case ETHTOOL_GRXFHINDIR: {
        auto* indirection = static_cast<ethtool_rxfh_indir*>(command);
        const uint32_t room = indirection->size;
        indirection->size = static_cast<uint32_t>(table.size());
        if (room == 0) return 0;
        if (room < table.size()) return -EINVAL;
        std::memcpy(static_cast<uint32_t*>(command) + 2, table.data(), table.size() * 4);
        return 0;
      }
      case ETHTOOL_GRXFH: {
        auto* fields = static_cast<ethtool_rxnfc*>(command);
        fields->data = fields->flow_type == UDP_V4_FLOW ? udp4 : udp6;
        return 0;
      }
      default:
        return -EOPNOTSUPP;
    }
  }
};

TEST(NicTest, ReadsWhatADriverTells) {
  const Facts facts = Read("eth0", Driver());
  EXPECT_EQ(facts.driver, "thirty_two_bytes_are_a_full_nam");
  EXPECT_EQ(facts.version, std::string(32, 'v'));
  EXPECT_EQ(facts.channels, 4u);
  EXPECT_EQ(facts.max_channels, 8u);
  EXPECT_THAT(facts.indirection, ElementsAre(0, 1, 2, 3, 0, 1, 2, 3));
  EXPECT_EQ(facts.udp4_ports, false);
  EXPECT_EQ(facts.udp6_ports, true);
}

TEST(NicTest, WhatIsNotToldIsEmpty) {
  const Facts facts = Read("eth1", Driver());
  EXPECT_EQ(facts.driver, "");
  EXPECT_EQ(facts.channels, 0u);
  EXPECT_THAT(facts.indirection, IsEmpty());
  EXPECT_FALSE(facts.udp4_ports);
  Driver silent;
  silent.table.clear();
  silent.udp6 = 0;  // hashes nothing of it
  EXPECT_THAT(Read("eth0", silent).indirection, IsEmpty());
  EXPECT_FALSE(Read("eth0", silent).udp6_ports);
}

TEST(NicTest, AskingTheKernelForNobodyIsAnError) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  EXPECT_EQ(AskKernel("", &info), -ENODEV);
  EXPECT_EQ(AskKernel("a-name-that-is-too-long", &info), -ENODEV);
  EXPECT_EQ(AskKernel("nobody0", &info), -ENODEV);
}

TEST(InterfaceTest, IsReadFromTheKernel) {
  const auto loopback = ReadInterface("lo");
  ASSERT_TRUE(loopback);
  EXPECT_GE(loopback->mtu, 1500u);
  EXPECT_EQ(loopback->address, "00:00:00:00:00:00");
  EXPECT_FALSE(ReadInterface("nobody0"));
  EXPECT_FALSE(ReadInterface("a-name-that-is-too-long"));
}

}  // namespace
}  // namespace evenkeel::nic
