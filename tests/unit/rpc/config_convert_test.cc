// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/config_convert.h"

#include <gtest/gtest.h>

#include <functional>

namespace evenkeel::rpc {
namespace {

v1::Config Good() {
  v1::Config config;
  v1::Vip* vip = config.add_vips();
  vip->set_name("web");
  vip->set_address("192.0.2.10");
  vip->set_protocol(v1::PROTOCOL_TCP);
  vip->set_pool("web");
  v1::Pool* pool = config.add_pools();
  pool->set_name("web");
  pool->add_backends()->set_address("10.0.1.1");
  pool->mutable_health_check()->set_type(v1::HealthCheck::TCP);
  return config;
}

TEST(ConfigConvertTest, AbsentFieldsTakeTheSchemasDefaults) {
  Problems problems;
  const model::Config config = ConfigFromProto(Good(), &problems);
  ASSERT_TRUE(problems.empty());
  const model::Pool& pool = config.pools[0];
  EXPECT_EQ(pool.table_size, model::kDefaultTableSize);
  EXPECT_EQ(pool.forwarding, model::Forwarding::kIpip);
  EXPECT_EQ(pool.backends[0].weight, model::kDefaultWeight);
  EXPECT_EQ(pool.backends[0].state, model::AdminState::kEnabled);
  EXPECT_EQ(*pool.health_check, model::HealthCheck{});
  EXPECT_EQ(config.vips[0].port, 0);
}

TEST(ConfigConvertTest, AWeightOfZeroIsNotTheDefault) {
  v1::Config message = Good();
  message.mutable_pools(0)->mutable_backends(0)->set_weight(0);
  Problems problems;
  EXPECT_EQ(ConfigFromProto(message, &problems).pools[0].backends[0].weight, 0);
}

TEST(ConfigConvertTest, OfAMillionBadPrefixesTheFirstAreNamed) {
  v1::Config message = Good();
  for (int i = 0; i < 1000; ++i) message.add_source_rules()->add_deny("x");
  v1::SourceRules* rules = message.add_source_rules();
  for (int i = 0; i < 100000; ++i) rules->add_deny("x");
  Problems problems;
  ConfigFromProto(message, &problems);
  EXPECT_EQ(problems.size(), 1000u + 20 + 1);
}

TEST(ConfigConvertTest, WithoutABurstItIsThatOfASecond) {
  v1::Config message = Good();
  message.mutable_vips(0)->mutable_limits()->mutable_per_source()->set_rate(70);
  Problems problems;
  const model::Config config = ConfigFromProto(message, &problems);
  EXPECT_EQ(config.vips[0].limits.per_source, (model::RateLimit{70, 70}));
  EXPECT_FALSE(config.vips[0].limits.new_flows.has_value());
}

TEST(ConfigConvertTest, SourceRulesComeBackAsTheyWereSent) {
  Problems problems;
  model::Config config = ConfigFromProto(Good(), &problems);
  model::SourceRules rules;
  rules.name = "edge";
  rules.fallback = model::SourceAction::kDeny;
  rules.deny = {*model::Prefix::Parse("10.0.0.0/8"), *model::Prefix::Parse("2001:db8::/32")};
  rules.allow = {*model::Prefix::Parse("10.1.2.3")};
  rules.lockdown = {"internal", "edge"};
  config.source_rules = {rules};
  config.vips[0].source_rules = config.global_source_rules = "edge";
  config.vips[0].limits = {.new_flows = {{5000, 20000}}, .per_source = {{200, 300}}};
  EXPECT_EQ(ConfigFromProto(ToProto(config), &problems), config);
  EXPECT_TRUE(problems.empty());
}

TEST(ConfigConvertTest, TreatmentsComeBackAsTheyWere) {
  Problems problems;
  model::Config config = ConfigFromProto(Good(), &problems);
  config.vips[0].spread_by = model::SpreadBy::kDestinationPort;
  config.vips[0].tracking = false;
  model::Pool& pool = config.pools[0];
  pool.forwarding = model::Forwarding::kGue;
  pool.affinity_prefix4 = 24;
  pool.affinity_prefix6 = 56;
  pool.out_of_order_fragments = model::OutOfOrder::kForward;
  pool.quic = model::QuicIds{.config_id = 6, .server_id_length = 8};
  pool.backends[0].server_id = "0102030405060708";
  for (const auto affinity :
       {model::Affinity::kConnection, model::Affinity::kFlow, model::Affinity::kSource}) {
    for (const model::Dscp dscp : {model::Dscp{true, 0}, model::Dscp{false, 63}}) {
      pool.affinity = affinity;
      pool.dscp = dscp;
      EXPECT_EQ(ConfigFromProto(ToProto(config), &problems), config);
    }
  }
  EXPECT_TRUE(problems.empty());
}

TEST(ConfigConvertTest, HealthChecksComeBackAsTheyWere) {
  using Check = model::HealthCheck;
  Problems problems;
  model::Config config = ConfigFromProto(Good(), &problems);
  Check& check = *config.pools[0].health_check;
  for (const auto start : {Check::Start::kUp, Check::Start::kDown}) {
    for (const auto panic :
         {Check::Panic::kKeepAll, Check::Panic::kHoldLast, Check::Panic::kWithdraw}) {
      check.start = start;
      check.panic = panic;
      EXPECT_EQ(ConfigFromProto(ToProto(config), &problems), config);
    }
  }
  EXPECT_TRUE(problems.empty());
}

TEST(ConfigConvertTest, SlowStartsComeBackAsTheyWere) {
  Problems problems;
  model::Config config = ConfigFromProto(Good(), &problems);
  EXPECT_EQ(config.pools[0].slow_start, model::SlowStart{});
  for (const int over : {0, 1500}) {
    config.pools[0].slow_start = {.over = std::chrono::milliseconds(over),
                                  .max_step_fraction = 0.125,
                                  .new_backends = over == 0};
    EXPECT_EQ(ConfigFromProto(ToProto(config), &problems), config);
  }
  for (const auto unit : {model::CapacityUnit::kPackets, model::CapacityUnit::kBits,
                          model::CapacityUnit::kNewFlows}) {
    config.pools[0].capacity_unit = unit;
    EXPECT_EQ(ConfigFromProto(ToProto(config), &problems), config);
  }
  EXPECT_TRUE(problems.empty());
}

TEST(ConfigConvertTest, ProbesComeBackAsTheyWere) {
  using Check = model::HealthCheck;
  Problems problems;
  model::Config config = ConfigFromProto(Good(), &problems);
  Check& check = *config.pools[0].health_check;
  for (const auto type : {Check::Type::kTcp, Check::Type::kHttp, Check::Type::kHttps,
                          Check::Type::kGrpc, Check::Type::kUdp, Check::Type::kIcmp}) {
    check.type = type;
    EXPECT_EQ(ConfigFromProto(ToProto(config), &problems), config);
  }
  check.tls.emplace();  // is not the same as none
  EXPECT_EQ(ConfigFromProto(ToProto(config), &problems), config);
  check.host = "shop.example.com";
  check.method = Check::Method::kHead;
  check.status = {{200, 299}, {304, 304}};
  check.body = "ready";
  check.tls = {.verify = true, .ca = "pem", .server_name = "shop"};
  check.service = "shop.v1.Cart";
  check.send = std::string("\0\xff", 2);
  check.expect = "\x80";
  check.expect_start = "ok";
  check.through = Check::Through::kVip;
  check.passive = {.min_share = 0.25, .min_count = 7};
  EXPECT_EQ(ConfigFromProto(ToProto(config), &problems), config);
  EXPECT_TRUE(problems.empty());
}

TEST(ConfigConvertTest, AStatusAloneIsARangeOfOne) {
  v1::Config message = Good();
  v1::HealthCheck* check = message.mutable_pools(0)->mutable_health_check();
  check->add_status()->set_first(204);
  check->add_status()->set_first(70000);
  Problems problems;
  const model::Config config = ConfigFromProto(message, &problems);
  EXPECT_EQ(config.pools[0].health_check->status[0], (model::StatusRange{204, 204}));
  EXPECT_GT(config.pools[0].health_check->status[1].first, 599) << "and Validate says so";
}

TEST(ConfigConvertTest, PoliciesComeBackAsTheyWere) {
  Problems problems;
  model::Config config = ConfigFromProto(Good(), &problems);
  config.policy.max_share = 0.4;
  config.policy.freeze = {{1'800'000'000, 1'800'003'600, "holiday"}};
  config.pools[0].policy.peak_load = 12.5;
  config.pools[0].policy.exceptions = {{"LB004", "one zone", "web team"}};
  EXPECT_EQ(ConfigFromProto(ToProto(config), &problems), config);
  EXPECT_TRUE(problems.empty());
}

struct BadField {
  const char* name;
  std::function<void(v1::Config*)> spoil;
  const char* field;
};

class BadFieldTest : public ::testing::TestWithParam<BadField> {};

TEST_P(BadFieldTest, IsNamed) {
  v1::Config message = Good();
  GetParam().spoil(&message);
  Problems problems;
  ConfigFromProto(message, &problems);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].field, GetParam().field);
  EXPECT_FALSE(problems[0].message.empty());
}

v1::Pool* FirstPool(v1::Config* config) { return config->mutable_pools(0); }
google::protobuf::Duration* Interval(v1::Config* config) {
  return FirstPool(config)->mutable_health_check()->mutable_interval();
}

INSTANTIATE_TEST_SUITE_P(
    ConfigConvert, BadFieldTest,
    ::testing::Values(
        BadField{"Prefix", [](v1::Config* c) { c->add_source_rules()->add_deny("10.0.0.1/8"); },
                 "source_rules[0].deny[0]"},
        BadField{"AllowedPrefix",
                 [](v1::Config* c) {
                   c->add_source_rules();
                   c->add_source_rules()->add_allow("x");
                 },
                 "source_rules[1].allow[0]"},
        BadField{"SourceAction",
                 [](v1::Config* c) {
                   c->add_source_rules()->set_default_(static_cast<v1::SourceAction>(9));
                 },
                 "source_rules[0].default"},
        BadField{"VipPort", [](v1::Config* c) { c->mutable_vips(0)->set_port(65536); },
                 "vips[0].port"},
        BadField{"VipPortHuge", [](v1::Config* c) { c->mutable_vips(0)->set_port(0xffffffff); },
                 "vips[0].port"},
        BadField{"VipAddress", [](v1::Config* c) { c->mutable_vips(0)->set_address("::1%eth0"); },
                 "vips[0].address"},
        BadField{"VipNoAddress", [](v1::Config* c) { c->mutable_vips(0)->clear_address(); },
                 "vips[0].address"},
        BadField{"NoProtocol", [](v1::Config* c) { c->mutable_vips(0)->clear_protocol(); },
                 "vips[0].protocol"},
        BadField{
            "UnknownProtocol",
            [](v1::Config* c) { c->mutable_vips(0)->set_protocol(static_cast<v1::Protocol>(9)); },
            "vips[0].protocol"},
        BadField{
            "UnknownForwarding",
            [](v1::Config* c) { FirstPool(c)->set_forwarding(static_cast<v1::Forwarding>(9)); },
            "pools[0].forwarding"},
        BadField{"UnknownState",
                 [](v1::Config* c) {
                   FirstPool(c)->mutable_backends(0)->set_state(static_cast<v1::AdminState>(-1));
                 },
                 "pools[0].backends[0].state"},
        BadField{"MappedAddress",
                 [](v1::Config* c) {
                   FirstPool(c)->mutable_backends(0)->set_address("::ffff:10.0.0.1");
                 },
                 "pools[0].backends[0].address"},
        BadField{"NoHealthType",
                 [](v1::Config* c) { FirstPool(c)->mutable_health_check()->clear_type(); },
                 "pools[0].health_check.type"},
        BadField{"HealthPort",
                 [](v1::Config* c) { FirstPool(c)->mutable_health_check()->set_port(70000); },
                 "pools[0].health_check.port"},
        BadField{
            "FreezeFinerThanASecond",
            [](v1::Config* c) { c->mutable_policy()->add_freeze()->mutable_to()->set_nanos(1); },
            "policy.freeze[0].to"},
        BadField{"NegativeDuration", [](v1::Config* c) { Interval(c)->set_seconds(-1); },
                 "pools[0].health_check.interval"},
        BadField{"NegativeNanos", [](v1::Config* c) { Interval(c)->set_nanos(-1); },
                 "pools[0].health_check.interval"},
        BadField{"DurationBeyondItsType",
                 [](v1::Config* c) { Interval(c)->set_seconds(INT64_MAX); },
                 "pools[0].health_check.interval"},
        BadField{"FinerThanAMillisecond", [](v1::Config* c) { Interval(c)->set_nanos(1500); },
                 "pools[0].health_check.interval"}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace evenkeel::rpc
