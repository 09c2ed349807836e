// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/xdp_interface.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace evenkeel::dataplane {
namespace {

struct Case {
  std::string name;
  LinkFacts facts;
  XdpMode mode;
  int err;
  std::string words;
  std::string text;
};

class ModeRefusedTest : public ::testing::TestWithParam<Case> {};

TEST_P(ModeRefusedTest, SaysWhatTheDriverSaidAndWhatMayBeTheCause) {
  const Case& one = GetParam();
  const absl::Status status = ModeRefused("eth0", one.facts, one.mode, one.err, one.words);
  EXPECT_EQ(status.message(), one.text);
}

INSTANTIATE_TEST_SUITE_P(
    Interfaces, ModeRefusedTest,
    ::testing::Values(
        Case{"noXdpInTheDriver",
             {.driver = "macvlan", .mtu = 9000, .lro = true},
             XdpMode::kNative,
             EOPNOTSUPP,
             "Underlying driver does not support XDP in native mode",
             "cannot attach to eth0 in native mode (Underlying driver does not support XDP in "
             "native mode): Operation not supported; its driver is macvlan"},
        Case{
            "mtu",
            {.driver = "igb", .mtu = 9000},
            XdpMode::kNative,
            EINVAL,
            "",
            "cannot attach to eth0 in native mode: Invalid argument; its driver is igb, its MTU of "
            "9000 is more than a driver without multi-buffer XDP takes, about 3498"},
        Case{
            "lro",
            {.driver = "virtio_net", .mtu = 1500, .lro = true},
            XdpMode::kNative,
            EOPNOTSUPP,
            "Can't set XDP while host is implementing GRO_HW/CSUM",
            "cannot attach to eth0 in native mode (Can't set XDP while host is implementing "
            "GRO_HW/CSUM): Operation not supported; its driver is virtio_net, LRO is on, which few "
            "drivers combine with XDP (`ethtool -K eth0 lro off`)"},
        Case{"nothingKnown",
             {},
             XdpMode::kNative,
             EINVAL,
             "",
             "cannot attach to eth0 in native mode: Invalid argument"},
        Case{"genericHasNoDriver",
             {.driver = "igb", .mtu = 9000},
             XdpMode::kGeneric,
             EINVAL,
             "",
             "cannot attach to eth0 in generic mode: Invalid argument"}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace evenkeel::dataplane
