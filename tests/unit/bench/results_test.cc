// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/bench/sample.h"

namespace evenkeel::bench {
namespace {

TEST(SpreadTest, OfEveryNumberOfValues) {
  const struct {
    const char* name;
    std::vector<double> values;
    Spread spread;
  } cases[] = {
      {"one", {7}, {7, 7, 7}},
      {"odd", {3, 1, 2}, {1, 2, 3}},
      {"even-upper-middle", {4, 1, 3, 2}, {1, 3, 4}},
      {"equal", {5, 5, 5}, {5, 5, 5}},
  };
  for (const auto& one : cases) EXPECT_EQ(SpreadOf(one.values), one.spread) << one.name;
}

TEST(ResultsTest, SurviveJson) { EXPECT_EQ(ResultsFromJson(ToJson(Sample()).dump()), Sample()); }

// Fields that others read.
TEST(ResultsTest, JsonHasTheDocumentedFields) {
  const auto json = ToJson(Sample());
  EXPECT_EQ(json["schema"], "evenkeel.bench/v2");
  EXPECT_EQ(json["machine"]["mitigations"]["spectre_v2"], "Mitigation: Retpolines");
  const auto& second = json["results"][1];
  EXPECT_EQ(second["scenario"], "no-vip4");
  EXPECT_EQ(second["floor_ns"]["median"], 52);
  EXPECT_EQ(second["programs"][1]["name"], "other");
  EXPECT_EQ(second["programs"][1]["ratio"]["median"], 3);
}

TEST(ResultsTest, SaysWhatIsWrongWithAFile) {
  auto without = [](const char* field) {
    auto json = ToJson(Sample());
    json["results"][0].erase(field);
    return json.dump();
  };
  auto with_schema = [](const char* schema) {
    auto json = ToJson(Sample());
    json["schema"] = schema;
    return json.dump();
  };
  auto without_programs = ToJson(Sample());
  without_programs["results"][0]["programs"] = nlohmann::json::array();
  const struct {
    const char* name;
    std::string text, message;
  } cases[] = {
      {"empty", "", "not results of this bench"},
      {"not-json", "scenario ns", "not results of this bench"},
      {"another-object", "{}", "key 'schema' not found"},
      {"older-schema", with_schema("evenkeel.bench/v1"), "its schema is not evenkeel.bench/v2"},
      {"field-missing", without("floor_ns"), "key 'floor_ns' not found"},
      {"no-program", without_programs.dump(), "tcp4-data-1 has no program"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.name);
    try {
      ResultsFromJson(one.text);
      ADD_FAILURE() << "accepted";
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(one.message));
    }
  }
}

}  // namespace
}  // namespace evenkeel::bench
