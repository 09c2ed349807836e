// SPDX-License-Identifier: Apache-2.0
#include "control/cli/config_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <sstream>

#include "tests/unit/cli/fake_engine.h"

namespace evenkeel::cli {
namespace {

using Kind = Difference::Kind;

struct FieldCase {
  const char* name;
  std::function<void(model::Config&)> edit;
  std::string object, field;
};

class FieldTest : public testing::TestWithParam<FieldCase> {};

TEST_P(FieldTest, IsTheOnlyDifference) {
  const model::Config before = WebConfig(3);
  model::Config after = before;
  GetParam().edit(after);
  const std::vector<Difference> differences = DiffConfigs(before, after);
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_EQ(differences[0].kind, Kind::kChanged);
  EXPECT_EQ(differences[0].object, GetParam().object);
  EXPECT_EQ(differences[0].field, GetParam().field);
  EXPECT_NE(differences[0].before, differences[0].after);
}

const model::IpAddress kOther = model::IpAddress::FromIpv4({203, 0, 113, 1});

// Every field of the model that does not name the object.
INSTANTIATE_TEST_SUITE_P(
    All, FieldTest,
    testing::Values(
        FieldCase{"vip_address", [](auto& c) { c.vips[0].address = kOther; }, "vips/web",
                  "address"},
        FieldCase{"vip_port", [](auto& c) { c.vips[0].port = 80; }, "vips/web", "port"},
        FieldCase{"vip_protocol", [](auto& c) { c.vips[0].protocol = model::Protocol::kQuic; },
                  "vips/web", "protocol"},
        FieldCase{"vip_pool", [](auto& c) { c.vips[0].pool = "api"; }, "vips/web", "pool"},
        FieldCase{"vip_source_rules", [](auto& c) { c.vips[0].source_rules = "edge"; }, "vips/web",
                  "source_rules"},
        FieldCase{"global_source_rules", [](auto& c) { c.global_source_rules = "edge"; }, "config",
                  "global_source_rules"},
        FieldCase{"forwarding", [](auto& c) { c.pools[0].forwarding = model::Forwarding::kL2; },
                  "pools/web", "forwarding"},
        FieldCase{"spread_by",
                  [](auto& c) { c.vips[0].spread_by = model::SpreadBy::kDestinationPort; },
                  "vips/web", "spread_by"},
        FieldCase{"tracking", [](auto& c) { c.vips[0].tracking = false; }, "vips/web", "tracking"},
        FieldCase{"affinity", [](auto& c) { c.pools[0].affinity = model::Affinity::kSource; },
                  "pools/web", "affinity"},
        FieldCase{"affinity_prefix4", [](auto& c) { c.pools[0].affinity_prefix4 = 24; },
                  "pools/web", "affinity_prefix4"},
        FieldCase{"affinity_prefix6", [](auto& c) { c.pools[0].affinity_prefix6 = 64; },
                  "pools/web", "affinity_prefix6"},
        FieldCase{"dscp_copy", [](auto& c) { c.pools[0].dscp.copy = true; }, "pools/web", "dscp"},
        FieldCase{"dscp", [](auto& c) { c.pools[0].dscp.value = 46; }, "pools/web", "dscp"},
        FieldCase{"out_of_order_fragments",
                  [](auto& c) { c.pools[0].out_of_order_fragments = model::OutOfOrder::kForward; },
                  "pools/web", "out_of_order_fragments"},
        FieldCase{"server_id", [](auto& c) { c.pools[0].backends[2].server_id = "0a"; },
                  "pools/web/backends/web-3", "server_id"},
        FieldCase{"table_size", [](auto& c) { c.pools[0].table_size = 251; }, "pools/web",
                  "table_size"},
        FieldCase{"address", [](auto& c) { c.pools[0].backends[2].address = kOther; },
                  "pools/web/backends/web-3", "address"},
        FieldCase{"weight", [](auto& c) { c.pools[0].backends[2].weight = 7; },
                  "pools/web/backends/web-3", "weight"},
        FieldCase{"capacity", [](auto& c) { c.pools[0].backends[2].capacity = 20000; },
                  "pools/web/backends/web-3", "capacity"},
        FieldCase{"zone", [](auto& c) { c.pools[0].backends[2].zone = "a"; },
                  "pools/web/backends/web-3", "zone"},
        FieldCase{"rack", [](auto& c) { c.pools[0].backends[2].rack = "r1"; },
                  "pools/web/backends/web-3", "rack"},
        FieldCase{"label", [](auto& c) { c.pools[0].backends[2].labels["team"] = "x"; },
                  "pools/web/backends/web-3", "labels.team"},
        FieldCase{"state",
                  [](auto& c) { c.pools[0].backends[2].state = model::AdminState::kDraining; },
                  "pools/web/backends/web-3", "state"},
        FieldCase{"min_serving", [](auto& c) { c.pools[0].policy.min_serving_backends = 3; },
                  "pools/web", "policy.min_serving_backends"},
        FieldCase{"share_factor", [](auto& c) { c.pools[0].policy.max_share_factor = 1.5; },
                  "pools/web", "policy.max_share_factor"},
        FieldCase{"share", [](auto& c) { c.pools[0].policy.max_share = 0.4; }, "pools/web",
                  "policy.max_share"},
        FieldCase{"removed", [](auto& c) { c.pools[0].policy.max_removed_fraction = 0.1; },
                  "pools/web", "policy.max_removed_fraction"},
        FieldCase{"remapped", [](auto& c) { c.pools[0].policy.max_remapped_fraction = 0.1; },
                  "pools/web", "policy.max_remapped_fraction"},
        FieldCase{"peak_load", [](auto& c) { c.pools[0].policy.peak_load = 100; }, "pools/web",
                  "policy.peak_load"},
        FieldCase{"exception",
                  [](auto& c) {
                    c.pools[0].policy.exceptions = {{"LB004", "one zone", "web team"}};
                  },
                  "pools/web", "policy.exceptions"},
        FieldCase{"policy_of_all", [](auto& c) { c.policy.max_share = 0.4; }, "config",
                  "policy.max_share"},
        FieldCase{"freeze",
                  [](auto& c) {
                    c.policy.freeze = {{0, 60, "holiday"}};
                  },
                  "config", "policy.freeze"},
        FieldCase{"slow_start", [](auto& c) { c.pools[0].slow_start.new_backends = true; },
                  "pools/web", "slow_start.new_backends"},
        FieldCase{"unit", [](auto& c) { c.pools[0].capacity_unit = model::CapacityUnit::kBits; },
                  "pools/web", "capacity_unit"},
        FieldCase{"steps", [](auto& c) { c.pools[0].slow_start.max_step_fraction = 0.1; },
                  "pools/web", "slow_start.max_step_fraction"},
        FieldCase{"weight_ratio", [](auto& c) { c.pools[0].policy.max_weight_ratio = 2; },
                  "pools/web", "policy.max_weight_ratio"}),
    [](const auto& tested) { return tested.param.name; });

TEST(ConfigDiffTest, SeesEveryFieldOfTheHealthCheckAndTheException) {
  model::Config before = WebConfig(2);
  before.pools[0].health_check.emplace().type = model::HealthCheck::Type::kHttp;
  before.pools[0].policy.single_backend = {"r", "o"};
  model::Config after = before;
  after.pools[0].health_check = model::HealthCheck{
      model::HealthCheck::Type::kHttps,    8443, "/healthz", std::chrono::milliseconds(500),
      std::chrono::milliseconds(250),      5,    6,          model::HealthCheck::Start::kDown,
      model::HealthCheck::Panic::kWithdraw};
  after.pools[0].policy.single_backend = {"r2", "o2"};
  std::vector<std::string> fields;
  for (const Difference& d : DiffConfigs(before, after)) fields.push_back(d.field);
  EXPECT_THAT(fields, testing::UnorderedElementsAre(
                          "health_check.type", "health_check.port", "health_check.path",
                          "health_check.interval", "health_check.timeout", "health_check.rise",
                          "health_check.fall", "health_check.start", "health_check.panic",
                          "policy.single_backend.reason", "policy.single_backend.owner"));
}

TEST(ConfigDiffTest, SeesWhatAProbeAsksFor) {
  model::Config before = WebConfig(2);
  before.pools[0].health_check.emplace().type = model::HealthCheck::Type::kHttps;
  model::Config after = before;
  model::HealthCheck& check = *after.pools[0].health_check;
  check.host = "shop";
  check.method = model::HealthCheck::Method::kHead;
  check.status = {{200, 299}};
  check.body = "ok";
  check.tls = {.verify = true, .ca = "pem", .server_name = "shop"};
  check.service = "s";
  check.send = "a";
  check.expect = "b";
  check.expect_start = "c";
  check.through = model::HealthCheck::Through::kVip;
  check.passive.emplace();
  std::vector<std::string> fields;
  for (const Difference& d : DiffConfigs(before, after)) fields.push_back(d.field);
  EXPECT_THAT(
      fields,
      testing::UnorderedElementsAre(
          "health_check.host", "health_check.method", testing::StartsWith("health_check.status"),
          "health_check.body", "health_check.tls.verify", "health_check.tls.ca",
          "health_check.tls.server_name", "health_check.service", "health_check.send",
          "health_check.expect", "health_check.expect_start", "health_check.through",
          "health_check.passive.min_share", "health_check.passive.min_count"));
}

TEST(ConfigDiffTest, OrderDoesNotCount) {
  const model::Config before = WebConfig(4);
  model::Config after = before;
  std::reverse(after.pools[0].backends.begin(), after.pools[0].backends.end());
  EXPECT_TRUE(DiffConfigs(before, after).empty());
}

TEST(ConfigDiffTest, ListsWhatComesAndGoes) {
  const model::Config before = WebConfig(3);
  model::Config after = WebConfig(4);
  after.pools[0].backends.erase(after.pools[0].backends.begin());
  after.vips[0].name = "shop";
  const std::vector<Difference> differences = DiffConfigs(before, after);
  std::vector<std::pair<Kind, std::string>> seen;
  for (const Difference& d : differences) seen.emplace_back(d.kind, d.object);
  EXPECT_THAT(seen, testing::ElementsAre(std::pair(Kind::kRemoved, "vips/web"),
                                         std::pair(Kind::kAdded, "vips/shop"),
                                         std::pair(Kind::kRemoved, "pools/web/backends/web-1"),
                                         std::pair(Kind::kAdded, "pools/web/backends/web-4")));
  std::ostringstream text;
  Printer out(text, false, false, 80);
  PrintDifferences(out, 0, differences);
  EXPECT_EQ(text.str(),
            "- vips/web\n"
            "+ vips/shop: address 192.0.2.10, pool web, port 443, protocol tcp\n"
            "- pools/web/backends/web-1\n"
            "+ pools/web/backends/web-4: address 10.0.1.14, state enabled, weight 100\n");
}

model::Prefix P(const char* text) { return model::Prefix::Parse(text).value(); }

std::string DiffText(const model::Config& before, const model::Config& after) {
  std::ostringstream text;
  Printer out(text, false, false, 200);
  PrintDifferences(out, 0, DiffConfigs(before, after));
  return text.str();
}

TEST(ConfigDiffTest, SeesLimits) {
  const model::Config before = WebConfig(3);
  model::Config after = before;
  after.vips[0].limits = {.new_flows = {{5000, 20000}}, .per_source = {{200, 200}}};
  EXPECT_EQ(DiffText(before, after),
            "~ vips/web: limits.new_flows.burst (none) -> 20000\n"
            "~ vips/web: limits.new_flows.rate (none) -> 5000\n"
            "~ vips/web: limits.per_source.burst (none) -> 200\n"
            "~ vips/web: limits.per_source.rate (none) -> 200\n");
}

TEST(ConfigDiffTest, ListsOfPrefixesAreSummedUp) {
  model::Config before = WebConfig(3);
  model::SourceRules rules;
  rules.name = "edge";
  for (int i = 0; i < 200; ++i) {
    rules.deny.push_back({model::IpAddress::FromIpv4({10, 0, 0, static_cast<uint8_t>(i)}), 32});
  }
  before.source_rules = {rules};
  model::Config after = before;
  model::SourceRules& now = after.source_rules[0];
  std::reverse(now.deny.begin(), now.deny.end());
  EXPECT_EQ(DiffText(before, after), "") << "order does not count";
  now.deny.pop_back();
  for (const char* text : {"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "11.0.0.0/8"}) {
    now.deny.push_back(P(text));
  }
  now.fallback = model::SourceAction::kDeny;
  now.lockdown = {"r", "o"};
  EXPECT_EQ(DiffText(before, after),
            "~ source_rules/edge: deny 200 prefixes -> 203 prefixes (+4: 11.0.0.0/8, 192.0.2.0/24, "
            "198.51.100.0/24, ...; -1: 10.0.0.0/32)\n"
            "~ source_rules/edge: default allow -> deny\n"
            "~ source_rules/edge: lockdown.owner (none) -> o\n"
            "~ source_rules/edge: lockdown.reason (none) -> r\n");
  EXPECT_EQ(DiffText(WebConfig(3), before),
            "+ source_rules/edge: allow 0, default allow, deny 200\n");
  EXPECT_EQ(DiffText(before, WebConfig(3)), "- source_rules/edge\n");
}

}  // namespace
}  // namespace evenkeel::cli
