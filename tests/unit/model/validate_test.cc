// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

Config Valid() {
  Config config;
  Pool pool;
  pool.name = "web";
  for (uint8_t i = 1; i <= 2; ++i) {
    Backend backend;
    backend.name = "web-" + std::to_string(i);
    backend.address = IpAddress::FromIpv4({10, 0, 0, i});
    pool.backends.push_back(backend);
  }
  pool.health_check.emplace();
  config.pools.push_back(pool);
  config.vips.push_back({"web", IpAddress::FromIpv4({192, 0, 2, 1}), 443, Protocol::kTcp, "web"});
  return config;
}

struct Case {
  const char* name;
  std::function<void(Config&)> spoil;
  const char* field;
  const char* says;
};

class Invalid : public ::testing::TestWithParam<Case> {};

TEST_P(Invalid, IsOneDiagnostic) {
  Config config = Valid();
  ASSERT_THAT(Validate(config), SizeIs(0));
  GetParam().spoil(config);
  const auto diagnostics = Validate(config);
  ASSERT_THAT(diagnostics, SizeIs(1));
  EXPECT_EQ(diagnostics[0].field, GetParam().field);
  EXPECT_THAT(diagnostics[0].message, HasSubstr(GetParam().says));
}

Vip SecondVip(uint16_t port, Protocol protocol) {
  return {"web2", IpAddress::FromIpv4({192, 0, 2, 1}), port, protocol, "web"};
}

INSTANTIATE_TEST_SUITE_P(
    Config, Invalid,
    ::testing::Values(
        Case{"no_name", [](Config& c) { c.pools[0].backends[0].name = ""; },
             "pools[0].backends[0].name", "is missing"},
        Case{"upper_case", [](Config& c) { c.vips[0].name = "Web"; }, "vips[0].name",
             "not a valid name"},
        Case{"starts_with_dash", [](Config& c) { c.vips[0].name = "-web"; }, "vips[0].name",
             "not a valid name"},
        Case{"line_break", [](Config& c) { c.vips[0].name = "a\nb"; }, "vips[0].name",
             "\"a\\nb\" is not a valid name"},
        Case{"long_name", [](Config& c) { c.vips[0].name = std::string(64, 'a'); }, "vips[0].name",
             "at most 63"},
        Case{"same_backend_name", [](Config& c) { c.pools[0].backends[1].name = "web-1"; },
             "pools[0].backends[1].name", "already the name of pools[0].backends[0]"},
        Case{"same_vip_key", [](Config& c) { c.vips.push_back(SecondVip(443, Protocol::kTcp)); },
             "vips[1].address", "is already VIP \"web\""},
        Case{"no_such_pool", [](Config& c) { c.vips[0].pool = "wbe"; }, "vips[0].pool",
             "did you mean \"web\"?"},
        Case{"no_pool", [](Config& c) { c.vips[0].pool = ""; }, "vips[0].pool", "is missing"},
        Case{"table_not_prime", [](Config& c) { c.pools[0].table_size = 65536; },
             "pools[0].table_size", "the nearest is 65537"},
        Case{"table_too_small", [](Config& c) { c.pools[0].table_size = 241; },
             "pools[0].table_size", "the nearest is 251"},
        Case{"table_too_large", [](Config& c) { c.pools[0].table_size = 655379; },
             "pools[0].table_size", "the nearest is 655373"},
        Case{"capacity_nan", [](Config& c) { c.pools[0].backends[0].capacity = std::nan(""); },
             "pools[0].backends[0].capacity", "above 0"},
        Case{"capacity_negative", [](Config& c) { c.pools[0].backends[0].capacity = -1; },
             "pools[0].backends[0].capacity", "above 0"},
        Case{"path_with_line_break", [](Config& c) { c.pools[0].health_check->path = "/a\r\nX"; },
             "pools[0].health_check.path", "percent-encode"},
        Case{"relative_path", [](Config& c) { c.pools[0].health_check->path = "a"; },
             "pools[0].health_check.path", "starts with"},
        Case{"timeout", [](Config& c) { c.pools[0].health_check->timeout = std::chrono::hours(1); },
             "pools[0].health_check.timeout", "longer than the interval"},
        Case{"unit_of_nothing",
             [](Config& c) {
               c.pools[0].capacity_unit = CapacityUnit::kBits;
               for (Backend& backend : c.pools[0].backends) backend.capacity.reset();
             },
             "pools[0].capacity_unit", "no backend declares a capacity"},
        Case{"start_too_short",
             [](Config& c) { c.pools[0].slow_start.over = std::chrono::milliseconds(999); },
             "pools[0].slow_start.over", "1s to 1h"},
        Case{"start_too_long",
             [](Config& c) { c.pools[0].slow_start.over = std::chrono::hours(2); },
             "pools[0].slow_start.over", "1s to 1h"},
        Case{"steps_too_large",
             [](Config& c) { c.pools[0].slow_start.max_step_fraction = 0.31; },
             "pools[0].slow_start.max_step_fraction", "0.001 to 0.3"},
        Case{"steps_not_a_number",
             [](Config& c) { c.pools[0].slow_start.max_step_fraction = std::nan(""); },
             "pools[0].slow_start.max_step_fraction", "0.001 to 0.3"},
        Case{"no_rise", [](Config& c) { c.pools[0].health_check->rise = 0; },
             "pools[0].health_check.rise", "1 to 100"},
        Case{"prefix_without_source", [](Config& c) { c.pools[0].affinity_prefix4 = 24; },
             "pools[0].affinity_prefix4", "only counts with affinity: source"},
        Case{"prefix_of_zero", [](Config& c) { c.pools[0].affinity_prefix6 = 0; },
             "pools[0].affinity_prefix6", "write 1 to 128"},
        Case{"dscp_of_l2",
             [](Config& c) {
               c.pools[0].forwarding = Forwarding::kL2;
               c.pools[0].dscp.copy = true;
             },
             "pools[0].dscp", "needs an outer header"},
        Case{"dscp_too_large", [](Config& c) { c.pools[0].dscp.value = 64; }, "pools[0].dscp",
             "0 to 63"},
        Case{"fragments_without_source",
             [](Config& c) { c.pools[0].out_of_order_fragments = OutOfOrder::kForward; },
             "pools[0].out_of_order_fragments", "needs affinity: source"},
        Case{"server_id_without_quic", [](Config& c) { c.pools[0].backends[0].server_id = "01"; },
             "pools[0].backends[0].server_id", "needs the pool's quic"},
        Case{"server_id_of_another_length",
             [](Config& c) {
               c.pools[0].quic = QuicIds{.config_id = 0, .server_id_length = 2};
               c.pools[0].backends[0].server_id = "01";
             },
             "pools[0].backends[0].server_id", "write 4 hexadecimal digits"},
        Case{"server_id_no_number",
             [](Config& c) {
               c.pools[0].quic = QuicIds{.config_id = 0, .server_id_length = 1};
               c.pools[0].backends[0].server_id = "0x";
             },
             "pools[0].backends[0].server_id", "is no server id of 1 bytes"},
        Case{"server_id_twice",
             [](Config& c) {
               c.pools[0].quic = QuicIds{.config_id = 0, .server_id_length = 1};
               c.pools[0].backends[0].server_id = "0a";
               c.pools[0].backends[1].server_id = "0A";
             },
             "pools[0].backends[1].server_id", "is already the server id of backends[0]"},
        Case{"quic_config_of_seven",
             [](Config& c) { c.pools[0].quic = QuicIds{.config_id = 7, .server_id_length = 1}; },
             "pools[0].quic.config_id", "0 to 6"},
        Case{"single_without_owner",
             [](Config& c) {
               c.pools[0].policy.single_backend = SingleBackend{"why", ""};
             },
             "pools[0].policy.single_backend.owner", "is missing"},
        Case{"single_for_every_pool",
             [](Config& c) {
               c.policy.single_backend = SingleBackend{"why", "who"};
             },
             "policy.single_backend", "is for one pool"},
        Case{"min_serving_of_one_for_every_pool",
             [](Config& c) { c.policy.min_serving_backends = 1; }, "policy.min_serving_backends",
             "write at least 2"},
        Case{"peak_load_for_every_pool", [](Config& c) { c.policy.peak_load = 1; },
             "policy.peak_load", "is for one pool"},
        Case{"exceptions_for_every_pool",
             [](Config& c) {
               c.policy.exceptions = {{"LB004", "why", "who"}};
             },
             "policy.exceptions", "is for one pool"},
        Case{"peak_load_zero", [](Config& c) { c.pools[0].policy.peak_load = 0; },
             "pools[0].policy.peak_load", "is not a load"},
        Case{"exception_without_reason",
             [](Config& c) {
               c.pools[0].policy.exceptions = {{"LB004", "", "who"}};
             },
             "pools[0].policy.exceptions[0].reason", "is missing"},
        Case{"exception_twice",
             [](Config& c) {
               c.pools[0].policy.exceptions = {{"LB004", "why", "who"}, {"LB004", "why", "who"}};
             },
             "pools[0].policy.exceptions[1].rule", "is there twice"},
        Case{"freeze_that_ends_first",
             [](Config& c) {
               c.policy.freeze = {{100, 100, "holiday"}};
             },
             "policy.freeze[0].to", "is not after from"},
        Case{"freeze_without_reason",
             [](Config& c) {
               c.pools[0].policy.freeze = {{100, 200, ""}};
             },
             "pools[0].policy.freeze[0].reason", "is missing"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Validate, QuicIsUdpOnTheWire) {
  Config config = Valid();
  config.vips.push_back(SecondVip(443, Protocol::kUdp));
  EXPECT_THAT(Validate(config), SizeIs(0));
  config.vips.push_back(SecondVip(443, Protocol::kQuic));
  config.vips[2].name = "web3";
  EXPECT_THAT(Validate(config), SizeIs(1));
}

TEST(Validate, LeavesPolicyToTheGuard) {
  Config config = Valid();
  config.pools[0].backends[0].weight = -1;
  config.pools[0].backends[1].address = config.pools[0].backends[0].address;
  config.pools[0].policy.max_share = 7;
  EXPECT_THAT(Validate(config), SizeIs(0));
}

}  // namespace
}  // namespace evenkeel::model
