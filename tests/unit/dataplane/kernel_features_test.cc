// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/kernel_features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evenkeel::dataplane {
namespace {

using ::testing::HasSubstr;

struct Case {
  std::string name;
  KernelFeatures features;
  std::vector<std::string> says;
};

class ExplainTest : public ::testing::TestWithParam<Case> {};

TEST_P(ExplainTest, NamesWhatIsMissingAndTheRemedy) {
  const std::string text = ExplainRefusal(GetParam().features);
  for (const std::string& part : GetParam().says) EXPECT_THAT(text, HasSubstr(part));
}

INSTANTIATE_TEST_SUITE_P(
    Kernels, ExplainTest,
    ::testing::Values(
        Case{"noSystemCall",
             {.release = "6.1.0", .bpf = false},
             {"Linux 6.1.0 lacks the bpf() system call", "CONFIG_BPF_SYSCALL", "boot Linux 6.1"}},
        Case{"noXdp", {.release = "6.1.0", .xdp = false}, {"lacks XDP programs", "boot"}},
        Case{"noHelper",
             {.release = "5.10.0-28-amd64", .helpers = {"bpf_xdp_get_buff_len"}},
             {"Linux 5.10.0-28-amd64 lacks the function bpf_xdp_get_buff_len", "boot Linux 6.1"}},
        Case{"noMapsAndNoHelpers",
             {.release = "4.9", .maps = {"array_of_maps"}, .helpers = {"bpf_a", "bpf_b"}},
             {"type array_of_maps and the function bpf_a, bpf_b"}},
        Case{"oldWithEverything", {.release = "5.19.3"}, {"Linux 5.19.3 is too old", "boot"}},
        Case{"sixZero", {.release = "6.0.0"}, {"too old"}},
        Case{"refusedByTheVerifier",
             {.release = "6.1.0"},
             {"the verifier of Linux 6.1.0", "report"}},
        Case{"newMajor", {.release = "7.0-rc1"}, {"the verifier of Linux 7.0-rc1"}},
        Case{"unreadableRelease", {.release = "custom"}, {"the verifier of Linux custom"}}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace evenkeel::dataplane
