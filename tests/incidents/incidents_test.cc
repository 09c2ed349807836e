// SPDX-License-Identifier: Apache-2.0
//
// Outages that others had, as changes of a configuration: each is refused, by the rules that
// after.yaml names, and the nearest change that keeps its intent passes. README.md says what
// happened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_split.h"
#include "control/model/yaml.h"
#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

namespace fs = std::filesystem;

constexpr char kRefusedBy[] = "# refused by: ";

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(file) << path;
  return text.str();
}

std::vector<std::string> FindIncidents() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(EK_SOURCE_DIR) / "tests/incidents")) {
    if (entry.is_directory()) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Incident : public ::testing::TestWithParam<std::string> {
 protected:
  std::string Text(const char* file) const {
    return ReadAll(fs::path(EK_SOURCE_DIR) / "tests/incidents" / GetParam() / file);
  }

  model::Config Read(const char* file) const {
    const model::ParseResult result = model::ParseYaml(Text(file), file);
    EXPECT_TRUE(result.ok()) << GetParam() << ": " << result.diagnostics[0].ToString();
    return result.config;
  }

  // As a daemon would know it: every VIP carries the same, and what ran can be reached.
  Verdict JudgeFile(const char* file) const {
    const model::Config before = Read("before.yaml"), candidate = Read(file);
    Facts facts = LiveFactsFor(candidate);
    for (const model::Vip& vip : before.vips) facts.live->traffic->vips[vip.name].packets = 1000;
    return JudgeChange(&before, candidate, facts).verdict;
  }
};

TEST_P(Incident, IsRefusedByTheRulesThatItNames) {
  const std::string text = Text("after.yaml");
  ASSERT_TRUE(text.starts_with(kRefusedBy));
  const std::string named =
      text.substr(sizeof(kRefusedBy) - 1, text.find('\n') - sizeof(kRefusedBy) + 1);
  const std::vector<std::string> rules = absl::StrSplit(named, ' ');
  const Verdict verdict = JudgeFile("after.yaml");
  EXPECT_EQ(BlockingRules(verdict), rules);
  for (const Violation& violation : verdict.violations) EXPECT_FALSE(violation.fix.empty());
}

TEST_P(Incident, LetsTheNearestChangePass) {
  EXPECT_NE(Read("passes.yaml"), Read("before.yaml"));
  EXPECT_THAT(BlockingRules(JudgeFile("passes.yaml")), ::testing::IsEmpty());
}

TEST_P(Incident, HasALineInTheReadme) {
  const std::string readme = ReadAll(fs::path(EK_SOURCE_DIR) / "tests/incidents/README.md");
  EXPECT_THAT(readme, ::testing::HasSubstr("`" + GetParam() + "`"));
}

INSTANTIATE_TEST_SUITE_P(Guard, Incident, ::testing::ValuesIn(FindIncidents()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Incidents, AreThere) { EXPECT_GE(FindIncidents().size(), 8u); }

}  // namespace
}  // namespace evenkeel::guard::testing
