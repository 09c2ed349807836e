// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ApplyTest : public CliTest {
 protected:
  std::vector<std::string> Args(const std::string& file, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"apply", "-f", file, "--reason", "OPS-1"});
    return more;
  }
  std::string Five() { return WriteConfig("five.yaml", WebConfig(5)); }
};

TEST_F(ApplyTest, PlansThenAppliesWithThePlansEtag) {
  const Ran ran = Run(Args(Five(), {"--yes"}));
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("Plan of "), HasSubstr("Applied as revision 2"), HasSubstr("etag-2"),
                    HasSubstr("1 table staged in 3.21 ms, verified with 65 probe packets in 1.50 "
                              "ms, swapped in 0.04 ms")));
  ASSERT_EQ(daemon_.applied_requests.size(), 1u);
  EXPECT_EQ(daemon_.applied_requests[0].etag, "etag-1");
  EXPECT_EQ(daemon_.applied_requests[0].reason, "OPS-1");
  EXPECT_FALSE(daemon_.applied_requests[0].validate_only);
  EXPECT_EQ(daemon_.revision(), 2u);
}

TEST_F(ApplyTest, JsonHasRevisionTimingsAndVerdict) {
  const Ran ran = Run(Args(Five(), {"--yes", "-o", "json", "--detailed-exitcode"}));
  EXPECT_EQ(ran.code, 2);
  const nlohmann::json json = ran.Json();
  EXPECT_EQ(json["schema"], "evenkeel.apply/v1");
  EXPECT_EQ(json["outcome"], "applied");
  EXPECT_EQ(json["verdict"], "pass");
  EXPECT_EQ(json["revision"], 2);
  EXPECT_EQ(json["timings_us"]["swap"], 40);
  EXPECT_EQ(json["digest"].get<std::string>().size(), 64u);
}

struct AnswerCase {
  const char* name;
  const char* typed;
  bool applied;
};

class AnswerTest : public ApplyTest, public testing::WithParamInterface<AnswerCase> {};

TEST_P(AnswerTest, OnlyYesApplies) {
  env_.in_is_terminal = true;
  typed_ = GetParam().typed;
  for (const char* format : {"text", "json"}) {
    const uint64_t before = daemon_.revision();
    const std::string file =
        WriteConfig("next.yaml", WebConfig(GetParam().applied && before > 1 ? 6 : 5));
    const Ran ran = Run(Args(file, {"-o", format}));
    EXPECT_EQ(ran.code, GetParam().applied ? 0 : 1) << ran.out << ran.err;
    EXPECT_EQ(daemon_.revision(), before + (GetParam().applied ? 1 : 0)) << format;
    EXPECT_THAT(ran.err, HasSubstr("Apply this change? [y/N]"));
    if (!GetParam().applied) {
      EXPECT_THAT(ran.err, HasSubstr("not confirmed"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, AnswerTest,
                         testing::Values(AnswerCase{"y", "y\n", true},
                                         AnswerCase{"yes_with_blanks", " YES \n", true},
                                         AnswerCase{"no", "n\n", false},
                                         AnswerCase{"just_enter", "\n", false},
                                         AnswerCase{"end_of_input", "", false},
                                         AnswerCase{"something_else", "yeah\n", false}),
                         [](const auto& tested) { return tested.param.name; });

TEST_F(ApplyTest, WithoutATerminalItNeedsYes) {
  typed_ = "y\n";  // piped text is no confirmation
  const Ran ran = Run(Args(Five()));
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("repeat with --yes"));
  EXPECT_THAT(daemon_.applied_requests, IsEmpty());
  EXPECT_EQ(Run(Args(Five(), {"-o", "json"})).Json()["outcome"], "not_confirmed");
}

TEST_F(ApplyTest, NothingToChangeNeedsNoConfirmation) {
  const std::string same = WriteConfig("same.yaml", WebConfig(4));
  const Ran ran = Run(Args(same));
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(daemon_.applied_requests, IsEmpty());
  EXPECT_EQ(Run(Args(same, {"-o", "json"})).Json()["outcome"], "no_change");
}

TEST_F(ApplyTest, RefusedIsRecordedAndCannotTakeEffect) {
  const std::string file = WriteConfig("one.yaml", WebConfig(1));
  const Ran ran = Run(Args(file, {"--yes"}));
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.out, HasSubstr("REFUSED by "));
  EXPECT_EQ(ran.err, "");
  ASSERT_EQ(daemon_.applied_requests.size(), 1u);
  EXPECT_TRUE(daemon_.applied_requests[0].validate_only);
  EXPECT_EQ(daemon_.refusals, 1);
  EXPECT_EQ(daemon_.revision(), 1u);
  const nlohmann::json json = Run(Args(file, {"--yes", "-o", "json"})).Json();
  EXPECT_EQ(json["outcome"], "refused");
  EXPECT_FALSE(json["violations"].empty());
}

TEST_F(ApplyTest, ARefusalThatCannotBeRecordedIsSaid) {
  engine::Outcome failed;
  failed.status = absl::UnavailableError("the disk is full");
  daemon_.apply_outcome = failed;
  const Ran ran = Run(Args(WriteConfig("one.yaml", WebConfig(1)), {"--yes"}));
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("the refusal could not be recorded: the disk is full"));
}

TEST_F(ApplyTest, ValidatingOnlyRecordsNoRefusal) {
  EXPECT_EQ(Run(Args(WriteConfig("one.yaml", WebConfig(1)), {"--validate-only"})).code, 3);
  EXPECT_EQ(daemon_.refusals, 0);
}

TEST_F(ApplyTest, RefusalThatOnlyTheDaemonSeesIsReported) {
  engine::Outcome refused;
  refused.kind = engine::Outcome::Kind::kRefused;
  refused.verdict.severity = guard::Severity::kBlock;
  refused.verdict.violations = {{"LB009", "address", guard::Severity::kBlock, "web",
                                 "pools/web/backends/web-2", "pools[0].backends[1].address",
                                 "is the host's own", "another host", "use it", "m"}};
  daemon_.apply_outcome = refused;
  const Ran ran = Run(Args(Five(), {"--yes"}));
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("is the host's own"), HasSubstr("REFUSED by LB009")));
  const Ran json = Run(Args(Five(), {"--yes", "-o", "json"}));
  EXPECT_EQ(json.code, 3);
  EXPECT_EQ(json.Json()["violations"][0]["rule"], "LB009");
}

TEST_F(ApplyTest, StaleSaysWhatChangedMeanwhile) {
  daemon_.before_apply = [this] {
    model::Config theirs = WebConfig(4);
    theirs.pools[0].backends[0].weight = 50;
    daemon_.Force(theirs, "uid 7 (bob)", "web-1 is slow");
  };
  const std::string file = Five();
  const Ran ran = Run(Args(file, {"--yes"}));
  EXPECT_EQ(ran.code, 5);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("the state is now revision 2, not revision 1 any more"),
                             HasSubstr("uid 7 (bob)"), HasSubstr("web-1 is slow"),
                             HasSubstr("~ pools/web/backends/web-1: weight 100 -> 50"),
                             HasSubstr("evenkeel apply -f " + file)));
  EXPECT_EQ(daemon_.revision(), 2u) << "ours was not applied";
}

TEST_F(ApplyTest, GivenEtagIsSentWithThePlanToo) {
  daemon_.Force(WebConfig(5), "bob", "x");
  const Ran ran = Run(Args(Five(), {"--yes", "--etag", "etag-1", "-o", "json"}));
  EXPECT_EQ(ran.code, 5);
  EXPECT_EQ(ran.Json()["outcome"], "stale");
  EXPECT_THAT(daemon_.applied_requests, IsEmpty());
}

TEST_F(ApplyTest, ValidateOnlyChangesNothing) {
  const Ran ran = Run(Args(Five(), {"--validate-only"}));
  EXPECT_EQ(ran.code, 0);
  ASSERT_EQ(daemon_.applied_requests.size(), 1u);
  EXPECT_TRUE(daemon_.applied_requests[0].validate_only);
  EXPECT_EQ(daemon_.revision(), 1u);
  EXPECT_THAT(ran.out, HasSubstr("nothing changed"));
}

TEST_F(ApplyTest, UnreachableBackendsAreNamed) {
  engine::Outcome applied;
  applied.kind = engine::Outcome::Kind::kApplied;
  applied.applied.revision = 2;
  applied.publish.emplace().unreachable = {{.address = model::IpAddress::FromIpv4({10, 0, 1, 15}),
                                            .next_hop = {},
                                            .problem = "no route to 10.0.1.15\033[2J",
                                            .interface = "",
                                            .gateway = {}}};
  daemon_.apply_outcome = applied;
  const Ran ran = Run(Args(Five(), {"--yes"}));
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("unreachable: web/web-5 (10.0.1.15): no route"),
                             Not(HasSubstr("\033"))));
  const nlohmann::json json = Run(Args(Five(), {"--yes", "-o", "json"})).Json();
  EXPECT_EQ(json["unreachable"][0]["backends"][0], "web/web-5");
}

TEST_F(ApplyTest, FailureToPublishIsAnError) {
  engine::Outcome failed;
  failed.kind = engine::Outcome::Kind::kFailed;
  failed.status =
      absl::UnavailableError("publishing: map ek_slots: out of memory; nothing changed");
  daemon_.apply_outcome = failed;
  const Ran ran = Run(Args(Five(), {"--yes"}));
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("out of memory; nothing changed"));
}

TEST_F(ApplyTest, WarningsHoldTheChangeWhenAsked) {
  model::Config config = WebConfig(6);
  config.pools[0].backends[5].weight = 9;  // 1:11
  FakeEngine daemon(WebConfig(6));
  daemon_.outcome = std::nullopt;
  env_.connect = [&](const std::string&) { return ConnectTo(daemon); };
  const std::string file = WriteConfig("warn.yaml", config);
  for (const char* format : {"text", "json"}) {
    const Ran held = Run(Args(file, {"--yes", "--fail-on", "warn", "-o", format}));
    EXPECT_EQ(held.code, 4) << held.out;
    EXPECT_EQ(daemon.revision(), 1u);
  }
  EXPECT_EQ(Run(Args(file, {"--yes"})).code, 0);
  EXPECT_EQ(daemon.revision(), 2u);
}

}  // namespace
}  // namespace evenkeel::cli
