// SPDX-License-Identifier: Apache-2.0
#include "control/cli/text.h"
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

engine::VipStatus Vip(const std::string& name, const std::string& address,
                      const std::optional<engine::Advertisement>& advertised) {
  engine::VipStatus vip;
  vip.vip.name = name;
  vip.vip.address = *model::IpAddress::Parse(address);
  vip.vip.port = 80;
  vip.advertised = advertised;
  return vip;
}

engine::Advertisement Withdrawn(bool routed) {
  return {.routed = routed,
          .why = "withdrawn by uid 0 (root): new kernel",
          .withdrawn = true,
          .withdrawn_by = "uid 0 (root)",
          .reason = "new kernel",
          .since_unix_ns = 1'772'366'460'000'000'000};
}

class WithdrawTest : public CliTest {
 protected:
  WithdrawTest() {
    daemon_.withdrawal_report.vips = {
        Vip("web", "192.0.2.10", Withdrawn(true)),
        Vip("dns", "192.0.2.10", engine::Advertisement{.routed = true}),
        Vip("mail", "192.0.2.11", Withdrawn(false)),
        Vip("old", "192.0.2.12", engine::Advertisement{.why = "no server of pool old serves"}),
        Vip("lost", "192.0.2.13", engine::Advertisement{})};
    daemon_.status.vips = daemon_.withdrawal_report.vips;
  }
};

TEST_F(WithdrawTest, ByNameAndAddress) {
  const Ran ran = Run({"withdraw", "web", "192.0.2.11", "--reason", "new kernel"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  ASSERT_EQ(daemon_.withdrawals.size(), 1u);
  EXPECT_THAT(daemon_.withdrawals[0].vips, ElementsAre("web", "192.0.2.11"));
  EXPECT_FALSE(daemon_.withdrawals[0].all);
  EXPECT_EQ(daemon_.withdrawals[0].reason, "new kernel");
  EXPECT_THAT(
      ran.out,
      AllOf(HasSubstr("Withdrawn: 2 VIPs"), HasSubstr("web 192.0.2.10: its address has a route"),
            HasSubstr("mail 192.0.2.11: no route"), HasSubstr("3 other VIPs, 1 of them advertised"),
            HasSubstr("is advertised for other VIPs"), Not(HasSubstr("old"))));
  for (std::string_view line : Split(ran.out, '\n')) EXPECT_LE(line.size(), 80u) << line;
}

TEST_F(WithdrawTest, AllAndJson) {
  const Ran ran = Run({"withdraw", "--all", "--reason", "new kernel", "-o", "json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(daemon_.withdrawals.at(0).all);
  const nlohmann::json json = ran.Json();
  EXPECT_EQ(json["schema"], "evenkeel.withdraw/v1");
  EXPECT_EQ(json["problem"], "");
  EXPECT_EQ(json["vips"][0]["name"], "web");
  EXPECT_EQ(json["vips"][0]["named"], true);
  EXPECT_EQ(json["vips"][0]["advertised"]["state"], "withdrawn");
  EXPECT_EQ(json["vips"][0]["advertised"]["routed"], true);
  EXPECT_EQ(json["vips"][0]["advertised"]["withdrawn"]["by"], "uid 0 (root)");
  EXPECT_EQ(json["vips"][0]["advertised"]["withdrawn"]["reason"], "new kernel");
  EXPECT_EQ(json["vips"][0]["advertised"]["withdrawn"]["since"], "2026-03-01T12:01:00.000Z");
  EXPECT_EQ(json["vips"][1]["advertised"]["state"], "yes");
  EXPECT_EQ(json["vips"][1]["advertised"]["withdrawn"], nullptr);
  EXPECT_EQ(json["vips"][4]["advertised"]["state"], "missing");
  EXPECT_THAT(Run({"withdraw", "--all", "--reason", "x"}).out,
              HasSubstr("all 5 VIPs, and those that are added until evenkeel announce --all"));
}

TEST_F(WithdrawTest, AnnounceNeedsNoReason) {
  const Ran ran = Run({"announce", "--all"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(daemon_.withdrawals.at(0).all);
  EXPECT_EQ(daemon_.withdrawals.at(0).reason, "");
  EXPECT_THAT(ran.out, HasSubstr("Announced: all 5 VIPs\n"));
  EXPECT_EQ(Run({"announce", "web", "-o", "json"}).Json()["schema"], "evenkeel.announce/v1");
}

TEST_F(WithdrawTest, UsageErrorsReachNoDaemon) {
  EXPECT_EQ(Run({"withdraw", "--reason", "x"}).code, 1);
  EXPECT_EQ(Run({"withdraw", "web", "--all", "--reason", "x"}).code, 1);
  EXPECT_THAT(Run({"withdraw", "web"}).err, HasSubstr("--reason is required"));
  EXPECT_EQ(Run({"announce"}).code, 1);
  EXPECT_THAT(daemon_.withdrawals, IsEmpty());
}

TEST_F(WithdrawTest, WhatCouldNotBeRecordedIsSaid) {
  daemon_.withdrawal_report.problem = "could not be recorded: the disk is full";
  const Ran ran = Run({"withdraw", "--all", "--reason", "x"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("the disk is full"));
}

TEST_F(WithdrawTest, StatusShowsHowEachVipStands) {
  const Ran ran = Run({"status"});
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("ADVERTISED"), testing::ContainsRegex("web .* withdrawn\n"),
                    testing::ContainsRegex("dns .* yes\n"), testing::ContainsRegex("old .* no\n"),
                    testing::ContainsRegex("lost .* missing\n"),
                    HasSubstr("  mail: withdrawn by uid 0 (root): new kernel, since 2026-03-01"),
                    HasSubstr("  old: no server of pool old serves"),
                    HasSubstr("  lost: there is no route for 192.0.2.13")));
  for (std::string_view line : Split(ran.out, '\n')) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_EQ(Run({"status", "-o", "json"}).Json()["vips"][2]["advertised"]["state"], "withdrawn");

  for (engine::VipStatus& vip : daemon_.status.vips) vip.advertised.reset();
  EXPECT_THAT(Run({"status"}).out, AllOf(Not(HasSubstr("ADVERTISED")), Not(HasSubstr("routed"))));
  EXPECT_EQ(Run({"status", "-o", "json"}).Json()["vips"][0]["advertised"], nullptr);
}

}  // namespace
}  // namespace evenkeel::cli
