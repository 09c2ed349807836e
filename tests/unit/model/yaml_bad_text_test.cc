// SPDX-License-Identifier: Apache-2.0
//
// Text that is refused before it means anything: each with its place and its reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kEmpty[] = "vips: []\npools: []\n";

struct Case {
  const char* name;
  std::string text;
  uint32_t line, column;
  const char* says;
};

class BadText : public ::testing::TestWithParam<Case> {};

TEST_P(BadText, IsOneDiagnosticWithItsPlace) {
  const Case& c = GetParam();
  const ParseResult result = ParseYaml(c.text, "f.yaml");
  ASSERT_THAT(result.diagnostics, SizeIs(1));
  const Diagnostic& d = result.diagnostics[0];
  EXPECT_THAT(d.message, HasSubstr(c.says));
  EXPECT_EQ(d.location.file, "f.yaml");
  EXPECT_EQ(d.location.line, c.line) << d.ToString();
  EXPECT_EQ(d.location.column, c.column) << d.ToString();
}

std::string Repeat(const std::string& piece, int n) {
  std::string text;
  for (int i = 0; i < n; ++i) text += piece;
  return text;
}

// Nine levels of ten aliases each: a billion values if it were expanded.
std::string AliasBomb() {
  std::string text = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string previous = "*l" + std::to_string(i - 1);
    text += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [" + previous +
            Repeat(", " + previous, 9) + "]\n";
  }
  return text;
}

INSTANTIATE_TEST_SUITE_P(
    Yaml, BadText,
    ::testing::Values(
        Case{"empty", "", 0, 0, "is empty; a configuration has vips and pools"},
        Case{"only_comments", "# nothing\n\n", 0, 0, "absent does not mean delete"},
        Case{"null_document", "~\n", 0, 0, "is empty"},
        Case{"anchor", "vips: &v []\npools: []\n", 1, 7, "has an anchor"},
        Case{"alias_bomb", AliasBomb(), 1, 5, "has an anchor"},
        Case{"undefined_alias", "vips: *v\n", 1, 7, "anchor is not defined"},
        Case{"tag", "vips: !!python/object:os.system []\n", 1, 7, "has the tag"},
        Case{"scalar_tag", "vips: !!str x\n", 1, 7, "has the tag"},
        Case{"two_documents", std::string(kEmpty) + "---\nvips: []\n", 3, 1, "second document"},
        Case{"unclosed", "vips: [\n", 2, 1, "is not valid YAML"},
        Case{"tab_indent", "vips:\n\t- x\n", 2, 2, "is not valid YAML"},
        Case{"deep_list", Repeat("[", 200) + Repeat("]", 200), 1, 17,
             "nested deeper than 16 levels"},
        Case{"deep_map", Repeat("{a: ", 200) + Repeat("}", 200), 1, 62, "nested deeper"},
        Case{"deep_unclosed", Repeat("[", 5000), 1, 9, "nested deeper"},
        Case{"deep_block", Repeat("- ", 5000), 1, 33, "nested deeper"},
        Case{"not_utf8", "vips: []\npools: \xff\xfe\n", 2, 8, "byte 0xff at offset 16"},
        Case{"latin1", "vips: [] # caf\xe9\n", 1, 15, "is not UTF-8"},
        Case{"utf16", std::string("v\0i\0p\0s\0", 8), 1, 2, "control character 0x00"},
        Case{"control", "vips: []\npools: [\x07]\n", 2, 9, "control character 0x07"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Yaml, RefusesTextAboveTheLimitBeforeReadingIt) {
  const std::string text(kMaxConfigBytes + 1, '\xff');
  const ParseResult result = ParseYaml(text, "f.yaml");
  ASSERT_THAT(result.diagnostics, SizeIs(1));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("at most 67108864"));
}

TEST(Yaml, LimitsTheNumberOfValues) {
  const ParseResult result = ParseYaml("vips: [" + Repeat("1,", 4'000'001) + "]", "f.yaml");
  ASSERT_THAT(result.diagnostics, SizeIs(1));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("beyond the limit of 4000000 values"));
}

}  // namespace
}  // namespace evenkeel::model
