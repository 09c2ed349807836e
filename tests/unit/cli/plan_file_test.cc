// SPDX-License-Identifier: Apache-2.0
#include "control/cli/plan_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_replace.h"
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

SavedPlan Example() {
  SavedPlan plan;
  plan.source = "web.yaml";
  plan.change.config = WebConfig(5);
  plan.etag = "etag-7";
  plan.revision = 7;
  plan.verdict = "warn";
  plan.rules = {"LB006"};
  plan.created_unix_ns = 1'772'366'400'000'000'000;
  return plan;
}

class PlanFileTest : public CliTest {
 protected:
  std::string Read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(Path(""))) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
};

TEST_F(PlanFileTest, ComesBackAsItWas) {
  const absl::StatusOr<SavedPlan> back = ParsePlan(PlanText(Example()), "p");
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->source, "web.yaml");
  EXPECT_EQ(back->etag, "etag-7");
  EXPECT_EQ(back->revision, 7u);
  EXPECT_EQ(back->verdict, "warn");
  EXPECT_EQ(back->rules, std::vector<std::string>{"LB006"});
  EXPECT_EQ(back->created_unix_ns, Example().created_unix_ns);
  EXPECT_EQ(back->change.config, Example().change.config);
  EXPECT_FALSE(back->change.pool.has_value());
}

TEST_F(PlanFileTest, OnePoolComesBackAlone) {
  SavedPlan plan = Example();
  plan.change.config.reset();
  plan.change.pool = WebConfig(3).pools[0];
  plan.pool = "web";
  const absl::StatusOr<SavedPlan> back = ParsePlan(PlanText(plan), "p");
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->change.pool, plan.change.pool);
  EXPECT_FALSE(back->change.config.has_value());
}

TEST_F(PlanFileTest, WhiteSpaceAndTheOrderOfKeysDoNotCount) {
  const std::string compact = nlohmann::json::parse(PlanText(Example())).dump();
  EXPECT_TRUE(ParsePlan(compact, "p").ok());
}

TEST_F(PlanFileTest, AnySourceNameIsKept) {
  SavedPlan plan = Example();
  plan.source = "\xff\x01 \xc3\xa4.yaml";
  EXPECT_TRUE(ParsePlan(PlanText(plan), "p").ok());
}

struct BadPlan {
  const char* name;
  std::function<std::string(std::string)> spoil;
  const char* reason;
};

std::string Replaced(const std::string& text, const char* from, const char* to) {
  const std::string out = absl::StrReplaceAll(text, {{from, to}});
  EXPECT_NE(out, text) << from;
  return out;
}

class BadPlanTest : public PlanFileTest, public testing::WithParamInterface<BadPlan> {};

TEST_P(BadPlanTest, IsRefusedWithReasonAndRemedy) {
  const absl::StatusOr<SavedPlan> plan =
      ParsePlan(GetParam().spoil(PlanText(Example())), "my.plan");
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(plan.status().message()),
              AllOf(HasSubstr("my.plan: "), HasSubstr(GetParam().reason),
                    HasSubstr("evenkeel plan --out")));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadPlanTest,
    testing::Values(
        BadPlan{"empty", [](std::string) { return ""; }, "is not a plan, or is damaged"},
        BadPlan{"cut", [](std::string text) { return text.substr(0, text.size() / 2); },
                "is damaged"},
        BadPlan{"two", [](std::string text) { return text + text; }, "is damaged"},
        BadPlan{"a_list", [](std::string) { return "[1, 2]"; }, "is not a plan"},
        BadPlan{"another_document",
                [](std::string) { return R"({"schema": "evenkeel.check/v1"})"; }, "is not a plan"},
        BadPlan{"a_configuration", [](std::string) { return "vips: []\npools: []\n"; },
                "is not a plan"},
        BadPlan{"nested_deep", [](std::string) { return std::string(1'000'000, '['); },
                "is not a plan"},
        BadPlan{"not_utf8",
                [](std::string text) { return Replaced(text, "web.yaml", "\xff.yaml"); },
                "is damaged"},
        BadPlan{"newer",
                [](std::string text) { return Replaced(text, "plan-file/v1", "plan-file/v2"); },
                "is a plan of format 2, and this evenkeel reads format 1 only"},
        BadPlan{"weight_edited",
                [](std::string text) { return Replaced(text, "10.0.1.12", "10.0.1.13"); },
                "its digest is not that of its content"},
        BadPlan{"etag_edited", [](std::string text) { return Replaced(text, "etag-7", "etag-8"); },
                "its digest is not that of its content"},
        BadPlan{"key_added",
                [](std::string text) { return Replaced(text, "{\n", "{\n  \"x\": 1,\n"); },
                "its digest is not that of its content"},
        BadPlan{"digest_removed",
                [](std::string text) { return Replaced(text, "\"digest\"", "\"tsegid\""); },
                "its digest is not that of its content"}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(PlanFileTest, IsWrittenForItsOwnerAlone) {
  const mode_t before = umask(0);
  const absl::Status written = WritePlanFile(Path("p"), Example());
  umask(before);
  ASSERT_TRUE(written.ok()) << written;
  struct stat info {};
  ASSERT_EQ(stat(Path("p").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(Read(Path("p")), PlanText(Example()));
  EXPECT_EQ(Names(), std::vector<std::string>{"p"}) << "no other file is left behind";
}

TEST_F(PlanFileTest, AWriteThatFailsLeavesNothing) {
  std::filesystem::create_directory(Path("p"));  // cannot be replaced by a file
  EXPECT_FALSE(WritePlanFile(Path("p"), Example()).ok());
  EXPECT_EQ(Names(), std::vector<std::string>{"p"});
  const absl::Status nowhere = WritePlanFile(Path("none/p"), Example());
  EXPECT_THAT(std::string(nowhere.message()), HasSubstr("check the folder"));
}

TEST_F(PlanFileTest, OnlyAnOlderPlanIsReplaced) {
  const std::string plan = WriteFile("older", PlanText(Example()));
  const std::string config = WriteFile("config", "vips: []\n"), empty = WriteFile("empty", "");
  symlink(plan.c_str(), Path("link").c_str());
  const struct {
    const char* name;
    const char* problem;  // null: may be replaced
  } cases[] = {{"older", nullptr},          {"empty", nullptr},        {"none", nullptr},
               {"config", "is not a plan"}, {"link", "symbolic link"}, {"", "is not a file"}};
  for (const auto& tested : cases) {
    if (tested.problem == nullptr) continue;
    const absl::Status status = ClearPlanFile(Path(tested.name));
    EXPECT_THAT(std::string(status.message()), HasSubstr(tested.problem)) << tested.name;
  }
  EXPECT_EQ(Read(config), "vips: []\n");
  for (const auto& tested : cases) {
    if (tested.problem != nullptr) continue;
    EXPECT_TRUE(ClearPlanFile(Path(tested.name)).ok()) << tested.name;
    EXPECT_FALSE(std::filesystem::exists(Path(tested.name)));
  }
}

TEST_F(PlanFileTest, NoMoreIsReadThanAPlanCanHave) {
  const std::string huge = WriteFile("huge", "");
  std::filesystem::resize_file(huge, kMaxPlanFileBytes + 1);
  const absl::StatusOr<SavedPlan> plan = ReadPlanFile(huge);
  EXPECT_THAT(std::string(plan.status().message()),
              AllOf(HasSubstr("huge: has "), HasSubstr(" bytes, at most ")));
}

}  // namespace
}  // namespace evenkeel::cli
