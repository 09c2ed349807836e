// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kExample[] = R"(vips:
  - {name: web, address: 192.0.2.10, port: 443, protocol: tcp, pool: web}
pools:
  - name: web
    forwarding: ipip
    table_size: 65537
    backends:
      - {name: web-1, address: 10.0.1.11, weight: 100, zone: a, rack: r1, capacity: 20000}
      - {name: web-2, address: "10.0.1.12"}
      - {name: web-3, address: 10.0.1.13, state: draining, labels: {team: edge, "a b": "1"}}
    health_check: {type: http, port: 8080, path: /healthz, interval: 2s, timeout: 500ms}
    policy: {min_serving_backends: 2, max_share: 0.4}
)";

TEST(YamlReader, ReadsTheExample) {
  const ParseResult result = ParseYaml(kExample, "f.yaml");
  ASSERT_THAT(result.diagnostics, IsEmpty());
  const Config& config = result.config;
  ASSERT_EQ(config.vips.size(), 1u);
  EXPECT_EQ(config.vips[0].address.ToString(), "192.0.2.10");
  EXPECT_EQ(config.vips[0].port, 443);
  const Pool* pool = config.FindPool("web");
  ASSERT_NE(pool, nullptr);
  ASSERT_EQ(pool->backends.size(), 3u);
  EXPECT_EQ(pool->backends[0].capacity, 20000);
  EXPECT_EQ(pool->backends[1].weight, kDefaultWeight);
  EXPECT_EQ(pool->backends[1].state, AdminState::kEnabled);
  EXPECT_EQ(pool->backends[2].state, AdminState::kDraining);
  EXPECT_EQ(pool->backends[2].labels.at("a b"), "1");
  ASSERT_TRUE(pool->health_check.has_value());
  EXPECT_EQ(pool->health_check->timeout.count(), 500);
  EXPECT_EQ(pool->health_check->rise, 2u);
  EXPECT_EQ(pool->policy.max_share, 0.4);
  EXPECT_EQ(result.sources.Find("pools[0].backends[2].state").line, 10u);
}

TEST(YamlReader, ReadsJson) {
  const ParseResult result = ParseYaml(
      R"({"vips": [], "pools": [{"name": "a", "backends": [{"name": "b", "address": "10.0.0.1"}]}]})",
      "f.json");
  ASSERT_THAT(result.diagnostics, IsEmpty());
  EXPECT_EQ(result.config.pools[0].backends[0].name, "b");
}

TEST(YamlReader, AcceptsExplicitlyEmptyLists) {
  EXPECT_TRUE(ParseYaml("vips: []\npools: []\n", "f").ok());
}

// One field of the backend, as written.
ParseResult WithBackend(const std::string& fields) {
  return ParseYaml("vips: []\npools:\n  - name: web\n    backends:\n      - {" + fields + "}\n",
                   "f");
}

struct WeightCase {
  const char* name;
  const char* text;
  int64_t value;
};

class GoodWeight : public ::testing::TestWithParam<WeightCase> {};

// Out of range is the guard's to refuse (LB007), together with everything else.
TEST_P(GoodWeight, Parses) {
  const auto result =
      WithBackend("name: a, address: 10.0.0.1, weight: " + std::string(GetParam().text));
  ASSERT_THAT(result.diagnostics, IsEmpty());
  EXPECT_EQ(result.config.pools[0].backends[0].weight, GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(
    Yaml, GoodWeight,
    ::testing::Values(WeightCase{"usual", "100", 100}, WeightCase{"zero", "0", 0},
                      WeightCase{"negative", "-5", -5},
                      WeightCase{"two_to_the_32", "4294967296", int64_t{1} << 32},
                      WeightCase{"largest", "9223372036854775807",
                                 std::numeric_limits<int64_t>::max()}),
    [](const auto& test) { return std::string(test.param.name); });

struct BadCase {
  const char* name;
  const char* fields;
  const char* field;
  const char* says;
};

class BadBackend : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadBackend, NamesFieldAndRemedy) {
  const ParseResult result = WithBackend(GetParam().fields);
  ASSERT_EQ(result.diagnostics.size(), 1u) << result.diagnostics.back().ToString();
  EXPECT_EQ(result.diagnostics[0].field, GetParam().field);
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr(GetParam().says));
  EXPECT_EQ(result.diagnostics[0].location.line, 5u);
}

#define EK_AT "name: a, address: 10.0.0.1, "
#define EK_B "pools[0].backends[0]"
INSTANTIATE_TEST_SUITE_P(
    Yaml, BadBackend,
    ::testing::Values(
        BadCase{"fractional", EK_AT "weight: 1.5", EK_B ".weight", "whole number, not a fraction"},
        BadCase{"nan", EK_AT "weight: .nan", EK_B ".weight", "write a whole number"},
        BadCase{"nan_word", EK_AT "weight: NaN", EK_B ".weight", "write a whole number"},
        BadCase{"word", EK_AT "weight: fast", EK_B ".weight", "is \"fast\"; write a whole number"},
        BadCase{"quoted", EK_AT "weight: \"100\"", EK_B ".weight", "without quotes"},
        BadCase{"hex", EK_AT "weight: 0x64", EK_B ".weight", "write a whole number"},
        BadCase{"octal", EK_AT "weight: 0144", EK_B ".weight", "write a whole number"},
        BadCase{"beyond_64_bits", EK_AT "weight: 18446744073709551616", EK_B ".weight",
                "write a whole number"},
        BadCase{"list", EK_AT "weight: [1]", EK_B ".weight", "is a list"},
        BadCase{"no_value", EK_AT "weight:", EK_B ".weight", "without a value"},
        BadCase{"capacity_nan", EK_AT "capacity: .inf", EK_B ".capacity", "decimal number"},
        BadCase{"capacity_zero", EK_AT "capacity: 0", EK_B ".capacity", "above 0"},
        BadCase{"capacity_huge", EK_AT "capacity: 1e999", EK_B ".capacity", "decimal number"},
        BadCase{"unknown_key", EK_AT "wieght: 1", EK_B ".wieght", "did you mean \"weight\"?"},
        BadCase{"strange_key", EK_AT "frobnicate: 1", EK_B ".frobnicate", "valid: name, address"},
        BadCase{"duplicate_key", EK_AT "weight: 1, weight: 2", EK_B ".weight", "written twice"},
        BadCase{"bad_state", EK_AT "state: drainig", EK_B ".state", "did you mean \"draining\"?"},
        BadCase{"state_map", EK_AT "state: {}", EK_B ".state", "is a map"},
        BadCase{"label_twice", EK_AT "labels: {x: 1, x: 2}", EK_B ".labels.x", "written twice"},
        BadCase{"no_address", "name: a", EK_B ".address", "is missing"},
        BadCase{"no_name", "address: 10.0.0.1", EK_B ".name", "is missing"},
        BadCase{"merge_key", EK_AT "<<: {weight: 1}", EK_B ".<<", "is not a key here"},
        BadCase{"key_is_a_list", EK_AT "? [a] : b", EK_B, "key that is a list"},
        BadCase{"host_name", "name: a, address: web-1", EK_B ".address", "is a host name"},
        BadCase{"zeros", "name: a, address: 10.0.0.01", EK_B ".address", "leading zero"}),
    [](const auto& test) { return std::string(test.param.name); });

std::vector<std::string> FieldsOf(const ParseResult& result) {
  std::vector<std::string> fields;
  for (const Diagnostic& d : result.diagnostics) fields.push_back(d.field);
  return fields;
}

TEST(YamlReader, ReportsEverythingInOrderOfTheFile) {
  const ParseResult result = ParseYaml(R"(vips:
  - {name: web, address: 192.0.2.1, port: 70000, protocol: tpc, pool: wbe}
  - {name: web, address: 192.0.2.2, port: 80, protocol: tcp, pool: web}
pools:
  - name: web
    forwarding: gre
    table_size: 65536
    backends:
      - {name: web-1, address: 10.0.1.300, weight: x}
    health_check: {interval: 1s, timeout: 2s}
    policy: {single_backend: {reason: test}}
)",
                                       "f");
  EXPECT_THAT(
      FieldsOf(result),
      ElementsAre("vips[0].port", "vips[0].protocol", "vips[0].pool", "vips[1].name",
                  "pools[0].forwarding", "pools[0].table_size", "pools[0].backends[0].address",
                  "pools[0].backends[0].weight", "pools[0].health_check.type",
                  "pools[0].health_check.timeout", "pools[0].policy.single_backend.owner"));
  EXPECT_THAT(result.diagnostics[4].message, HasSubstr("did you mean \"gue\"?"));
  EXPECT_THAT(result.diagnostics[2].message, HasSubstr("did you mean \"web\"?"));
}

constexpr char kTreated[] = R"(vips:
  - {name: dns, address: 192.0.2.1, port: 53, protocol: quic, pool: dns, spread_by: destination_port, tracking: false}
pools:
  - name: dns
    forwarding: gue
    table_size: 65537
    affinity: source
    affinity_prefix4: 24
    affinity_prefix6: 56
    dscp: 46
    out_of_order_fragments: forward
    quic: {config_id: 3, server_id_length: 2}
    backends:
      - {name: dns-1, address: 10.0.1.1, weight: 100, server_id: "0a1f"}
)";

TEST(YamlReader, ReadsHowPacketsAreTreated) {
  const ParseResult result = ParseYaml(kTreated, "f");
  ASSERT_TRUE(result.ok()) << result.diagnostics[0].ToString();
  const Vip& vip = result.config.vips[0];
  EXPECT_EQ(vip.spread_by, SpreadBy::kDestinationPort);
  EXPECT_FALSE(vip.tracking);
  const Pool& pool = result.config.pools[0];
  EXPECT_EQ(pool.forwarding, Forwarding::kGue);
  EXPECT_EQ(pool.affinity, Affinity::kSource);
  EXPECT_EQ(pool.affinity_prefix4, 24);
  EXPECT_EQ(pool.affinity_prefix6, 56);
  EXPECT_EQ(pool.dscp, (Dscp{.copy = false, .value = 46}));
  EXPECT_EQ(pool.out_of_order_fragments, OutOfOrder::kForward);
  EXPECT_EQ(pool.quic, (QuicIds{.config_id = 3, .server_id_length = 2}));
  EXPECT_EQ(pool.backends[0].server_id, "0a1f");
  EXPECT_EQ(ToYaml(result.config), kTreated) << "and writes it back";
}

TEST(YamlReader, NamesWhatIsWrongWithATreatment) {
  const ParseResult result = ParseYaml(R"(vips:
  - {name: dns, address: 192.0.2.1, port: 53, protocol: udp, pool: dns, spread_by: source, tracking: "no"}
pools:
  - name: dns
    affinity: client
    affinity_prefix4: 33
    affinity_prefix6: 0
    dscp: 64
    out_of_order_fragments: keep
    quic: {config_id: 7, server_id_length: 9}
    backends: []
)",
                                       "f");
  EXPECT_THAT(FieldsOf(result),
              ElementsAre("vips[0].spread_by", "vips[0].tracking", "pools[0].affinity",
                          "pools[0].affinity_prefix4", "pools[0].affinity_prefix6", "pools[0].dscp",
                          "pools[0].out_of_order_fragments", "pools[0].quic.config_id",
                          "pools[0].quic.server_id_length"));
  EXPECT_THAT(result.diagnostics[5].message, HasSubstr("write copy, or a number from 0 to 63"));
}

TEST(YamlReader, ReadsHowServersStart) {
  constexpr char kText[] = R"(vips: []
pools:
  - name: web
    forwarding: ipip
    table_size: 65537
    backends:
      - {name: web-1, address: 10.0.1.1, weight: 100, capacity: 1500}
    slow_start: {over: 90s, max_step_fraction: 0.01, new_backends: true}
    capacity_unit: bits
)";
  const ParseResult result = ParseYaml(kText, "f");
  ASSERT_TRUE(result.ok()) << result.diagnostics[0].ToString();
  EXPECT_EQ(result.config.pools[0].slow_start,
            (SlowStart{std::chrono::milliseconds(90'000), 0.01, true}));
  EXPECT_EQ(result.config.pools[0].capacity_unit, CapacityUnit::kBits);
  EXPECT_EQ(ToYaml(result.config), kText) << "and writes it back";
}

constexpr char kChecked[] = R"(vips: []
pools:
  - name: web
    forwarding: ipip
    table_size: 65537
    backends:
      - {name: web-1, address: 10.0.1.1, weight: 100}
    health_check: {type: tcp, port: 80, path: "/", interval: 2s, timeout: 1s, rise: 2, fall: 3, start: down, panic: hold_last}
)";

TEST(YamlReader, ReadsHowHealthStartsAndPanics) {
  const ParseResult result = ParseYaml(kChecked, "f");
  ASSERT_TRUE(result.ok()) << result.diagnostics[0].ToString();
  EXPECT_EQ(result.config.pools[0].health_check->start, HealthCheck::Start::kDown);
  EXPECT_EQ(result.config.pools[0].health_check->panic, HealthCheck::Panic::kHoldLast);
  EXPECT_EQ(ToYaml(result.config), kChecked) << "and writes it back";
  const ParseResult bad = ParseYaml(R"(vips: []
pools:
  - name: web
    backends: []
    health_check: {type: tcp, start: unknown, panic: drop}
)",
                                    "f");
  EXPECT_THAT(FieldsOf(bad),
              ElementsAre("pools[0].health_check.start", "pools[0].health_check.panic"));
}

TEST(YamlReader, AbsentListsAreNotEmptyLists) {
  EXPECT_THAT(FieldsOf(ParseYaml("vips: []\n", "f")), ElementsAre("pools"));
  EXPECT_THAT(FieldsOf(ParseYaml("pools: []\n", "f")), ElementsAre("vips"));
  EXPECT_THAT(FieldsOf(ParseYaml("vips:\npools: []\n", "f")), ElementsAre("vips"));
  EXPECT_THAT(FieldsOf(ParseYaml("vips: []\npools: [{name: a}]\n", "f")),
              ElementsAre("pools[0].backends"));
}

TEST(YamlReader, WrongShapes) {
  for (const char* text : {"[]", "just text", "vips: {}\npools: []", "vips: [1]\npools: []",
                           "vips: [[]]\npools: []", "vips: []\npools: x", "1: 2"}) {
    EXPECT_FALSE(ParseYaml(text, "f").ok()) << text;
  }
}

TEST(YamlReader, ReadsDurations) {
  const auto interval = [](const char* text) {
    const ParseResult r = ParseYaml(
        std::string("vips: []\npools:\n- {name: a, backends: [], health_check: {type: tcp, "
                    "timeout: 10ms, interval: ") +
            text + "}}\n",
        "f");
    return r.ok() ? r.config.pools[0].health_check->interval.count() : -1;
  };
  EXPECT_EQ(interval("2s"), 2000);
  EXPECT_EQ(interval("500ms"), 500);
  EXPECT_EQ(interval("2m"), 120'000);
  EXPECT_EQ(interval("1h"), 3'600'000);
  for (const char* bad : {"2", "2 s", "s", "-2s", "1.5s", "2sec", "99999999999999999999s", "0s"}) {
    EXPECT_EQ(interval(bad), -1) << bad;
  }
}

TEST(YamlReader, TakesTimesWithAZone) {
  const auto parse = [](const std::string& from) {
    return ParseYaml("vips: []\npools: []\npolicy:\n  freeze:\n    - {from: " + from +
                         ", to: 2026-12-27T06:00:00Z, reason: holiday}\n",
                     "f");
  };
  for (const char* from : {"2026-12-24T18:00:00Z", "\"2026-12-24T19:00:00+01:00\""}) {
    const ParseResult result = parse(from);
    ASSERT_TRUE(result.ok()) << result.diagnostics[0].ToString();
    EXPECT_EQ(result.config.policy.freeze[0].from_unix_s, 1'798'135'200);
  }
  for (const char* from :
       {"2026-12-24", "2026-12-24T18:00:00", "2026-12-24T18:00:00.5Z", "tomorrow",
        "infinite-future", "1969-12-31T23:59:59Z", "1798135200", "[]"}) {
    const ParseResult result = parse(from);
    ASSERT_EQ(result.diagnostics.size(), 1u) << from;
    EXPECT_EQ(result.diagnostics[0].field, "policy.freeze[0].from");
  }
}

}  // namespace
}  // namespace evenkeel::model
