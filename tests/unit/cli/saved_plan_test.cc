// SPDX-License-Identifier: Apache-2.0
//
// From plan --out to apply PLAN.
#include <fstream>

#include "absl/strings/str_replace.h"
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class SavedPlanTest : public CliTest {
 protected:
  SavedPlanTest() : plan_(Path("web.plan")) {}

  Ran Save(const model::Config& config, std::vector<std::string> more = {}) {
    source_ = WriteConfig("web.yaml", config);
    more.insert(more.begin(), {"plan", "-f", source_, "--out", plan_});
    return Run(more);
  }
  Ran Apply(std::vector<std::string> more = {"--yes"}) {
    more.insert(more.begin(), {"apply", plan_, "--reason", "OPS-1"});
    return Run(more);
  }
  bool Saved() const { return std::filesystem::exists(plan_); }

  std::string plan_, source_;
};

TEST_F(SavedPlanTest, IsAppliedExactly) {
  const Ran planned = Save(WebConfig(5), {"--detailed-exitcode"});
  EXPECT_EQ(planned.code, 2);
  EXPECT_THAT(planned.out, HasSubstr("evenkeel apply " + plan_ + " --reason"));
  WriteConfig("web.yaml", WebConfig(8));  // what becomes of the file does not count
  const Ran ran = Apply();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("Plan of " + plan_ + " against revision 1"),
                             HasSubstr("+ web-5"), HasSubstr("Applied as revision 2")));
  ASSERT_EQ(daemon_.applied_requests.size(), 1u);
  EXPECT_EQ(daemon_.applied_requests[0].etag, "etag-1");
  EXPECT_EQ(daemon_.applied_requests[0].change.config, WebConfig(5));
}

TEST_F(SavedPlanTest, IsNamedInJson) {
  EXPECT_EQ(Save(WebConfig(5), {"-o", "json"}).Json()["plan_file"], plan_);
  const nlohmann::json applied = Apply({"--yes", "-o", "json"}).Json();
  EXPECT_EQ(applied["outcome"], "applied");
  EXPECT_EQ(applied["plan_file"], plan_);
}

TEST_F(SavedPlanTest, AsksAsEverWhereThereIsATerminal) {
  Save(WebConfig(5));
  env_.in_is_terminal = true;
  typed_ = "n\n";
  EXPECT_EQ(Apply({}).code, 1);
  EXPECT_THAT(daemon_.applied_requests, IsEmpty());
}

TEST_F(SavedPlanTest, OnePoolIsSentAlone) {
  Save(WebConfig(5), {"--pool", "web"});
  EXPECT_EQ(Apply().code, 0);
  ASSERT_EQ(daemon_.applied_requests.size(), 1u);
  EXPECT_EQ(daemon_.applied_requests[0].change.pool, WebConfig(5).pools[0]);
}

TEST_F(SavedPlanTest, AfterAnotherChangeItIsStale) {
  Save(WebConfig(5));
  daemon_.Force(WebConfig(3), "uid 7 (bob)", "took one out");
  for (const char* format : {"text", "json"}) {
    const Ran ran = Apply({"--yes", "-o", format});
    EXPECT_EQ(ran.code, 5);
    EXPECT_THAT(ran.err, AllOf(HasSubstr("the state is now revision 2, and the plan " + plan_ +
                                         " was made against revision 1"),
                               HasSubstr("uid 7 (bob)"), HasSubstr("took one out"),
                               HasSubstr("- pools/web/backends/web-4"),
                               HasSubstr("evenkeel plan -f " + source_ + " --out " + plan_)));
  }
  EXPECT_THAT(daemon_.applied_requests, IsEmpty());
  EXPECT_EQ(Apply({"--yes", "-o", "json"}).Json()["outcome"], "stale");
}

TEST_F(SavedPlanTest, AppliedTwiceIsStale) {
  Save(WebConfig(5));
  EXPECT_EQ(Apply().code, 0);
  EXPECT_EQ(Apply().code, 5);
  EXPECT_EQ(daemon_.revision(), 2u);
}

TEST_F(SavedPlanTest, AChangeMeanwhileIsStaleToo) {
  Save(WebConfig(5));
  daemon_.before_apply = [this] { daemon_.Force(WebConfig(3), "bob", "x"); };
  EXPECT_EQ(Apply().code, 5);
}

TEST_F(SavedPlanTest, IsJudgedAnew) {
  Save(WebConfig(5));
  engine::Outcome refused;
  refused.kind = engine::Outcome::Kind::kRefused;
  refused.verdict.severity = guard::Severity::kBlock;
  refused.verdict.violations = {{"LB016", "freeze", guard::Severity::kBlock, "web", "pools/web",
                                 "pools[0]", "it is Friday", "no changes", "wait", "m"}};
  daemon_.outcome = refused;
  const Ran ran = Apply();
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.out, AllOf(HasSubstr(plan_ + ": refused: LB016"), HasSubstr("it is Friday")));
}

TEST_F(SavedPlanTest, WhatCannotBeAppliedIsNotSavedAndNoOlderOneStays) {
  Save(WebConfig(5));
  ASSERT_TRUE(Saved());
  const Ran refused = Save(WebConfig(1));
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("no plan was saved"));
  EXPECT_FALSE(Saved());
  Save(WebConfig(5));
  daemon_.down = absl::UnavailableError("down");
  EXPECT_EQ(Save(WebConfig(5)).code, 1);
  EXPECT_FALSE(Saved());
}

TEST_F(SavedPlanTest, NoChangeIsAPlanToo) {
  EXPECT_EQ(Save(WebConfig(4)).code, 0);
  const Ran ran = Apply();
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("No change"));
}

TEST_F(SavedPlanTest, NothingButAPlanIsWrittenOver) {
  const std::string config = WriteConfig("web.yaml", WebConfig(5));
  const Ran ran = Run({"plan", "-f", config, "--out", config});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("exists and is not a plan"));
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_TRUE(std::filesystem::exists(config));
}

TEST_F(SavedPlanTest, EditedIsRefusedBeforeTheDaemonIsAsked) {
  Save(WebConfig(5));
  std::ifstream in(plan_);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  WriteFile("web.plan", absl::StrReplaceAll(text, {{"10.0.1.15", "10.0.1.11"}}));
  daemon_.down = absl::UnavailableError("must not be asked");
  const Ran ran = Apply();
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("was edited or damaged"), HasSubstr("plan --out"),
                             Not(HasSubstr("must not"))));
}

}  // namespace
}  // namespace evenkeel::cli
