// SPDX-License-Identifier: Apache-2.0
//
// What people feed to `evenkeel check` by mistake or by malice: the binary answers with the right
// exit code, names the problem, and does so quickly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

namespace evenkeel::cli {
namespace {

using testing::HasSubstr;

constexpr char kVip[] =
    "vips: [{name: web, address: 192.0.2.10, port: 443, protocol: tcp, pool: web}]\n";

std::string WithBackends(const std::string& backends) {
  return std::string(kVip) + "pools:\n  - name: web\n    backends:\n" + backends;
}
// Two good backends and one that is `fields`.
std::string WithBackend(const std::string& fields) {
  return WithBackends(
      "      - {name: a, address: 10.0.1.1}\n      - {name: b, address: 10.0.1.2}\n"
      "      - {name: c, " +
      fields + "}\n");
}

std::string AliasBomb() {
  std::string text = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    const std::string alias = std::string("*") + static_cast<char>(c - 1);
    text += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) text += (i > 0 ? ", " : "") + alias;
    text += "]\n";
  }
  return text;
}

std::string ManyBackends(int count) {
  std::string backends;
  for (int i = 0; i < count; ++i) {
    backends += "      - {name: b" + std::to_string(i) + ", address: 10.1." +
                std::to_string(i / 250) + "." + std::to_string(1 + i % 250) + "}\n";
  }
  return WithBackends(backends);
}

struct BadInput {
  const char* name;
  std::function<std::string()> text;
  int code;
  std::string says;
};

std::function<std::string()> Text(std::string text) {
  return [text] { return text; };
}

class BadInputTest : public testing::TestWithParam<BadInput> {};

TEST_P(BadInputTest, IsNamedQuicklyWithTheRightCode) {
  const TempDir dir;
  const std::string file = dir.Write("web.yaml", GetParam().text());
  const Finished text = RunEvenkeel({.args = {"check", file}});
  EXPECT_EQ(text.code, GetParam().code) << text.out << text.err;
  EXPECT_THAT(text.out + text.err, HasSubstr(GetParam().says));
  EXPECT_THAT(text.out, HasSubstr(file)) << "does not name the file";
  EXPECT_LT(text.took, std::chrono::seconds(5));

  const Finished json = RunEvenkeel({.args = {"check", file, "-o", "json"}});
  EXPECT_EQ(json.code, GetParam().code) << "the code depends on the format";
  const auto document = nlohmann::json::parse(json.out, nullptr, false);
  ASSERT_FALSE(document.is_discarded()) << json.out;
  EXPECT_EQ(document["verdict"], GetParam().code == 3 ? "refuse" : "error");
}

INSTANTIATE_TEST_SUITE_P(
    Yaml, BadInputTest,
    testing::Values(BadInput{"empty", Text(""), 1, "empty"},
                    BadInput{"only_comments", Text("# nothing\n"), 1, ""},
                    BadInput{"unknown_key",
                             Text(std::string(kVip) + "pools:\n  - name: web\n    backend: []\n"),
                             1, "\"backends\"?"},
                    BadInput{"unknown_key_at_its_place",
                             Text(std::string(kVip) + "pools:\n  - name: web\n    backend: []\n"),
                             1, "web.yaml:4:5: "},
                    BadInput{"duplicate_key", Text(std::string(kVip) + "pools: []\npools: []\n"), 1,
                             "web.yaml:3:"},
                    BadInput{"wrong_type", Text("vips: 3\npools: []\n"), 1, "web.yaml:1:"},
                    BadInput{"a_list_at_the_top", Text("- a\n- b\n"), 1, ""},
                    BadInput{"anchor", Text("vips: &v []\npools: *v\n"), 1, "anchor"},
                    BadInput{"alias_bomb", AliasBomb, 1, "anchor"},
                    BadInput{"several_documents", Text("vips: []\npools: []\n---\nvips: []\n"), 1,
                             "document"},
                    BadInput{"not_utf8", Text("vips: []\npools: []\n# \xff\xfe\n"), 1, "UTF-8"},
                    BadInput{"utf16", Text(std::string("\xff\xfev\0i\0p\0s\0", 10)), 1, "UTF-8"},
                    BadInput{"nul_bytes", Text(std::string("vips: []\0\npools: []\n", 20)), 1, ""},
                    BadInput{"unclosed", Text("vips: [\n"), 1, "web.yaml:"},
                    BadInput{"deep_nesting", [] { return std::string(100000, '['); }, 1, ""},
                    BadInput{"not_yaml",
                             Text("\x7f"
                                  "ELF\x02\x01\x01"),
                             1, ""}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Values, BadInputTest,
    testing::Values(
        BadInput{"hostname", Text(WithBackend("address: web.example.org")), 1, "web.yaml:7:"},
        BadInput{"mapped_address", Text(WithBackend("address: '::ffff:10.0.1.1'")), 1, "10.0.1.1"},
        BadInput{"leading_zeros", Text(WithBackend("address: 10.0.01.3")), 1, "web.yaml:7:"},
        BadInput{"prefix", Text(WithBackend("address: 10.0.1.3/24")), 1, "web.yaml:7:"},
        BadInput{"zone_id", Text(WithBackend("address: 'fe80::1%eth0'")), 1, "web.yaml:7:"},
        BadInput{"weight_negative", Text(WithBackend("address: 10.0.1.3, weight: -1")), 3, "LB007"},
        BadInput{"weight_2_to_the_32", Text(WithBackend("address: 10.0.1.3, weight: 4294967296")),
                 3, "LB007"},
        BadInput{"weight_fractional", Text(WithBackend("address: 10.0.1.3, weight: 1.5")), 1,
                 "web.yaml:7:"},
        BadInput{"weight_nan", Text(WithBackend("address: 10.0.1.3, weight: .nan")), 1,
                 "web.yaml:7:"},
        BadInput{"port_too_large",
                 Text("vips: [{name: w, address: 192.0.2.1, port: 65536, protocol: tcp, pool: "
                      "p}]\npools: []\n"),
                 1, "65535"}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Rules, BadInputTest,
    testing::Values(
        BadInput{"four_of_weight_65536",
                 Text(WithBackends("      - {name: a, address: 10.0.1.1, weight: 65536}\n"
                                   "      - {name: b, address: 10.0.1.2, weight: 65536}\n"
                                   "      - {name: c, address: 10.0.1.3, weight: 65536}\n"
                                   "      - {name: d, address: 10.0.1.4, weight: 65536}\n")),
                 3, "LB007"},
        BadInput{"one_server_three_times",
                 Text(WithBackends("      - {name: a, address: 10.0.1.1}\n"
                                   "      - {name: b, address: 10.0.1.1}\n"
                                   "      - {name: c, address: 10.0.1.1}\n")),
                 3, "LB008"},
        BadInput{"all_draining",
                 Text(WithBackends("      - {name: a, address: 10.0.1.1, state: draining}\n"
                                   "      - {name: b, address: 10.0.1.2, state: draining}\n")),
                 3, "LB003"},
        BadInput{"vip_is_a_backend", Text(WithBackend("address: 192.0.2.10")), 3, "LB009"},
        BadInput{
            "two_vips_one_key",
            Text("vips:\n"
                 "  - {name: a, address: 192.0.2.1, port: 80, protocol: tcp, pool: web}\n"
                 "  - {name: b, address: 192.0.2.1, port: 80, protocol: tcp, pool: web}\n"
                 "pools:\n  - name: web\n    backends:\n"
                 "      - {name: a, address: 10.0.1.1}\n      - {name: b, address: 10.0.1.2}\n"),
            1, "web.yaml:3:"},
        BadInput{"five_thousand_backends", [] { return ManyBackends(5000); }, 3, "LB017"}),
    [](const auto& tested) { return tested.param.name; });

TEST(BadFileTest, DirectoryAndMissingFile) {
  const TempDir dir;
  const Finished directory = RunEvenkeel({.args = {"check", dir.Path("")}});
  EXPECT_EQ(directory.code, 1);
  EXPECT_THAT(directory.out, HasSubstr("directory"));
  const Finished missing = RunEvenkeel({.args = {"check", dir.Path("none.yaml")}});
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.out, HasSubstr("none.yaml"));
}

TEST(BadFileTest, HugeAndEndlessFilesAreNotReadWhole) {
  const TempDir dir;
  const std::string huge = dir.Write("huge.yaml", "");
  std::filesystem::resize_file(huge, 100'000'000);
  for (const std::string& file : {huge, std::string("/dev/zero")}) {
    const Finished ran = RunEvenkeel({.args = {"check", file}});
    EXPECT_EQ(ran.code, 1) << file;
    EXPECT_LT(ran.took, std::chrono::seconds(5)) << file;
    EXPECT_THAT(ran.out, HasSubstr(file));
  }
}

TEST(BadFileTest, StandardInputIsAFileToo) {
  const std::string good = WithBackend("address: 10.0.1.3");
  EXPECT_EQ(RunEvenkeel({.args = {"check", "-"}, .env = {}, .in = good}).code, 0);
  const Finished bad = RunEvenkeel({.args = {"check", "-"}, .env = {}, .in = "pools: 3\n"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.out, HasSubstr("<stdin>:1:"));
}

}  // namespace
}  // namespace evenkeel::cli
