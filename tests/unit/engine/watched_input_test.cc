// SPDX-License-Identifier: Apache-2.0
#include "control/engine/watched_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace evenkeel::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kPath[] = "/etc/evenkeel/web.yaml";

struct Size {
  int vips = 8, pools = 8, backends = 8, denied = 8;
};

// `vips` VIPs over as many pools, pool 1 of `backends`, the others of four.
std::string Yaml(const Size& size) {
  std::string yaml = "vips:\n";
  for (int i = 1; i <= size.vips; ++i) {
    absl::StrAppend(&yaml, "  - {name: v", i, ", address: 192.0.2.", i,
                    ", port: 80, protocol: tcp, pool: p1, source_rules: s}\n");
  }
  absl::StrAppend(&yaml, "pools:\n");
  for (int p = 1; p <= size.pools; ++p) {
    absl::StrAppend(&yaml, "  - name: p", p, "\n    table_size: 1009\n    backends:\n");
    for (int b = 1; b <= (p == 1 ? size.backends : 4); ++b) {
      absl::StrAppend(&yaml, "      - {name: b", b, ", address: 10.", p, ".0.", b, "}\n");
    }
  }
  absl::StrAppend(&yaml, "source_rules:\n  - name: s\n    deny: [203.0.113.0/32");
  for (int i = 1; i < size.denied; ++i) absl::StrAppend(&yaml, ", 203.0.113.", i, "/32");
  return yaml + "]\n";
}

Reading Read(const std::string& yaml) {
  Reading reading;
  reading.parsed = model::ParseYaml(yaml, kPath);
  return reading;
}

std::string Fault(const Reading& reading) {
  const auto running = guard::BuildFleet(Read(Yaml({})).parsed.config, {1, 2}, nullptr);
  EXPECT_TRUE(running.ok()) << running.status();
  return FindFault(kPath, reading, **running);
}

struct Case {
  const char* name;
  Size held;
  Size passing;  // the nearest one
  const char* says;
};

class ShrunkenTest : public ::testing::TestWithParam<Case> {};

TEST_P(ShrunkenTest, IsHeldAndTheNearestIsNot) {
  EXPECT_THAT(Fault(Read(Yaml(GetParam().held))),
              AllOf(HasSubstr(GetParam().says),
                    HasSubstr("evenkeel apply -f /etc/evenkeel/web.yaml --reason")));
  EXPECT_EQ(Fault(Read(Yaml(GetParam().passing))), "");
}

INSTANTIATE_TEST_SUITE_P(
    Watched, ShrunkenTest,
    ::testing::Values(Case{"Vips",
                           {.vips = 5},
                           {.vips = 6},
                           "it lacks 3 of the 8 VIPs in force, and at most 2 may be absent"},
                      Case{"Pools", {.pools = 5}, {.pools = 6}, "it lacks 3 of the 8 pools"},
                      Case{"Backends",
                           {.backends = 5},
                           {.backends = 6},
                           "it lacks 3 of the 8 backends of pool p1"},
                      Case{"Denied",
                           {.denied = 5},
                           {.denied = 6},
                           "it lacks 3 of the 8 prefixes that source rules s deny"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(WatchedInputTest, OneMayAlwaysGo) {
  const auto running = guard::BuildFleet(Read(Yaml({.backends = 3})).parsed.config, {}, nullptr);
  EXPECT_EQ(FindFault(kPath, Read(Yaml({.backends = 2})), **running), "");
  EXPECT_THAT(FindFault(kPath, Read(Yaml({.backends = 1})), **running),
              HasSubstr("at most 1 may be absent"));
}

// As many as before, and none of them.
TEST(WatchedInputTest, OthersInTheirPlaceDoNotMakeUpForTheAbsent) {
  Reading reading = Read(Yaml({}));
  for (model::Backend& b : reading.parsed.config.pools[0].backends) b.name = "x" + b.name;
  EXPECT_THAT(Fault(reading), HasSubstr("it lacks 8 of the 8 backends"));
}

TEST(WatchedInputTest, GrowthIsNotHeld) {
  EXPECT_EQ(Fault(Read(Yaml({.vips = 20, .pools = 20, .backends = 20, .denied = 200}))), "");
}

TEST(WatchedInputTest, WhatIsEmptyIsHeld) {
  EXPECT_THAT(Fault(Read("vips: []\npools: []\n")), HasSubstr("it has no VIP and no pool"));
  EXPECT_THAT(Fault(Read("# all comments\n")), HasSubstr("it"));
}

TEST(WatchedInputTest, WhatDoesNotParseIsHeldWithItsPlace) {
  EXPECT_THAT(Fault(Read("vips:\n  - {name: web\n")),
              AllOf(HasSubstr("/etc/evenkeel/web.yaml:"), HasSubstr("evenkeel check --offline")));
}

TEST(WatchedInputTest, AWholeConfigurationThatEndsInMidLineIsHeld) {
  Reading reading = Read(Yaml({}));
  reading.cut_off = true;
  EXPECT_THAT(Fault(reading), HasSubstr("its last line has no end"));
}

TEST(WatchedInputTest, WhatCannotBeReadIsHeld) {
  Reading reading;
  reading.problem = "there is no such file";
  EXPECT_EQ(Fault(reading), "there is no such file");
}

}  // namespace
}  // namespace evenkeel::engine
