// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace evenkeel::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(SettingsTest, DefaultsFollowTheInstance) {
  Settings settings;
  EXPECT_EQ(settings.PinDir(), "/sys/fs/bpf/evenkeel/default");
  EXPECT_EQ(settings.HashKeyFile(), "/var/lib/evenkeel/hash.key");
  settings.instance = "edge";
  settings.state_dir = "/s";
  EXPECT_EQ(settings.PinDir(), "/sys/fs/bpf/evenkeel/edge");
  EXPECT_EQ(settings.HashKeyFile(), "/s/hash.key");
  EXPECT_TRUE(Check(settings).ok());
}

TEST(SettingsTest, EveryKeyIsRead) {
  Settings settings;
  const absl::Status status = ReadSettingsText(R"(
config: /etc/evenkeel/web.yaml
interface: [eth0, eth1]
socket: /run/x.sock
state_dir: /s
pin_dir: /sys/fs/bpf/x
instance: edge-1
mode: generic
attach: shared
attach_priority: 0
detach_on_exit: true
hash_key_file: /k
log_level: debug
log_format: json
limits: {max_tables: 10, max_vips: 20, max_backends: 30}
source_prefix4: 10.255.0.0/24
source_prefix6: 2001:db8::/64
advertise: {enabled: true, table: 77, protocol: 200, metric: 5}
)",
                                               "s.yaml", &settings);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(settings.config, "/etc/evenkeel/web.yaml");
  EXPECT_THAT(settings.interfaces, ElementsAre("eth0", "eth1"));
  EXPECT_EQ(settings.socket, "/run/x.sock");
  EXPECT_EQ(settings.state_dir, "/s");
  EXPECT_EQ(settings.PinDir(), "/sys/fs/bpf/x");
  EXPECT_EQ(settings.instance, "edge-1");
  EXPECT_EQ(settings.attach.mode, dataplane::XdpMode::kGeneric);
  EXPECT_EQ(settings.attach.kind, dataplane::AttachKind::kShared);
  EXPECT_EQ(settings.attach.priority, 0u);
  EXPECT_TRUE(settings.detach_on_exit);
  EXPECT_EQ(settings.HashKeyFile(), "/k");
  EXPECT_EQ(settings.log_level, "debug");
  EXPECT_EQ(settings.log_format, "json");
  EXPECT_TRUE(settings.advertise);
  EXPECT_EQ(settings.advertised.table, 77u);
  EXPECT_EQ(settings.advertised.protocol, 200);
  EXPECT_EQ(settings.advertised.metric, 5u);
  EXPECT_EQ(settings.limits.max_tables, 10u);
  EXPECT_EQ(settings.limits.max_vips, 20u);
  EXPECT_EQ(settings.limits.max_backends, 30u);
  EXPECT_EQ(settings.encapsulation.source4.ToString(), "10.255.0.0");
  EXPECT_EQ(settings.encapsulation.source4_prefix, 24);
  EXPECT_EQ(settings.encapsulation.source6.ToString(), "2001:db8::");
}

TEST(SettingsTest, MetricsAreBesideTheApiUnlessTold) {
  Settings settings;
  EXPECT_EQ(settings.WebSocket(), "/run/evenkeel/evenkeeld-web.sock");
  settings.socket = "/run/two";
  EXPECT_EQ(settings.WebSocket(), "/run/two-web.sock");
  ASSERT_TRUE(ReadSettingsText("web: {socket: /run/metrics, listen: \"127.0.0.1:1\", "
                               "dashboard: true, cert_file: c, key_file: k, client_ca_file: a}",
                               "f", &settings)
                  .ok());
  EXPECT_EQ(settings.WebSocket(), "/run/metrics");
  EXPECT_TRUE(settings.web_dashboard);
  const web::Options web = settings.Web();
  EXPECT_EQ(web.listen, "127.0.0.1:1");
  EXPECT_EQ(web.cert_file + web.key_file + web.client_ca_file, "cka");
  EXPECT_TRUE(Check(settings).ok()) << Check(settings);
  ASSERT_TRUE(Set("web.socket", "off", &settings).ok());
  EXPECT_EQ(settings.WebSocket(), "");
}

TEST(SettingsTest, WhatIsServedMustHaveAPlaceThatIsSafe) {
  struct Case {
    const char* text;
    const char* what;
  };
  for (const Case& c : {Case{"web: {listen: \"0.0.0.0:1\"}", "which others can reach"},
                        Case{"web: {listen: \"9469\"}", "write an address and a port"},
                        Case{"web: {dashboard: true}", "nothing listens for a browser"},
                        Case{"web: {socket: metrics}", "absolute path"},
                        Case{"web: {socket: /run/evenkeel/evenkeeld.sock}", "socket of the API"},
                        Case{"web: {cert_file: /c}", "all three, or none"}}) {
    Settings settings;
    ASSERT_TRUE(ReadSettingsText(c.text, "f", &settings).ok()) << c.text;
    EXPECT_THAT(std::string(Check(settings).message()), ::testing::HasSubstr(c.what)) << c.text;
  }
}

TEST(SettingsTest, WhatIsByRightIsATicketAfterFiveMinutesOrMore) {
  Settings settings;
  EXPECT_EQ(settings.by_right_after_s, 300u);
  ASSERT_TRUE(ReadSettingsText("detector: {by_right_after: 14400}", "f", &settings).ok());
  EXPECT_EQ(settings.by_right_after_s, 14400u);
  EXPECT_THAT(std::string(Set("detector.by_right_after", "299", &settings).message()),
              HasSubstr("seconds, 300..604800"));
}

TEST(SettingsTest, OneInterfaceNeedsNoList) {
  Settings settings;
  ASSERT_TRUE(ReadSettingsText("interface: eth0\n", "s.yaml", &settings).ok());
  EXPECT_THAT(settings.interfaces, ElementsAre("eth0"));
}

TEST(SettingsTest, CommentsAloneAreNoSettings) {
  Settings settings;
  EXPECT_TRUE(ReadSettingsText("# all defaults\n", "s.yaml", &settings).ok());
}

struct BadText {
  const char* name;
  const char* text;
  const char* part;  // of the message
};
class BadTextTest : public ::testing::TestWithParam<BadText> {};

TEST_P(BadTextTest, IsRefusedWithItsPlace) {
  Settings settings;
  const absl::Status status = ReadSettingsText(GetParam().text, "s.yaml", &settings);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().part));
}

INSTANTIATE_TEST_SUITE_P(
    Settings, BadTextTest,
    ::testing::Values(
        BadText{"UnknownKey", "mode: auto\nsate_dir: /x\n", "s.yaml:2:1: unknown key \"sate_dir\""},
        BadText{"NearestKey", "sate_dir: /x\n", "state_dir"},
        BadText{"UnknownLimit", "limits: {max_pools: 4}\n", "limits.max_pools"},
        BadText{"LimitZero", "limits: {max_vips: 0}\n", "1..1048576"},
        BadText{"LimitNegative", "limits: {max_vips: -4}\n", "1..1048576"},
        BadText{"FlowIdleTimeout", "flow_idle_timeout: 9\n", "10..86400"},
        BadText{"LimitsScalar", "limits: 4\n", "limits"},
        BadText{"Twice", "mode: auto\nmode: native\n", "twice"},
        BadText{"Mode", "mode: fast\n", "auto, native or generic"},
        BadText{"Attach", "attach: both\n", "exclusive or shared"},
        BadText{"Priority", "attach_priority: -1\n", "0..65535"},
        BadText{"PriorityTooHigh", "attach_priority: 65536\n", "0..65535"},
        BadText{"Detach", "detach_on_exit: maybe\n", "true or false"},
        BadText{"Level", "log_level: loud\n", "debug, info, warning, error"},
        BadText{"Format", "log_format: xml\n", "text, json"},
        BadText{"SourceNoLength", "source_prefix4: 10.0.0.0\n", "172.16.0.0/16"},
        BadText{"SourceTooShort", "source_prefix4: 10.0.0.0/7\n", "8..32"},
        BadText{"SourceHostBits", "source_prefix4: 10.0.0.1/24\n", "host bits"},
        BadText{"SourceFamily", "source_prefix4: 100::/64\n", "IPv4"},
        BadText{"Source6Length", "source_prefix6: 2001:db8::/48\n", "length 64"},
        BadText{"Source6HostBits", "source_prefix6: 2001:db8::1/64\n", "host bits"},
        BadText{"AdvertiseScalar", "advertise: true\n", "advertise"},
        BadText{"AdvertiseKey", "advertise: {tabel: 4}\n", "advertise.table"},
        BadText{"AdvertiseTable", "advertise: {table: local}\n", "main or the number"},
        BadText{"AdvertiseLocal", "advertise: {table: 255}\n", "not 0, 253 or 255"},
        BadText{"ProtocolOfBird", "advertise: {protocol: 12}\n", "nobody else"},
        BadText{"ProtocolOfFrr", "advertise: {protocol: 187}\n", "nobody else"},
        BadText{"ProtocolStatic", "advertise: {protocol: 4}\n", "5..255"},
        BadText{"Metric", "advertise: {metric: 0}\n", "1..4294967295"},
        BadText{"ListForScalar", "socket: [a, b]\n", "wrong kind"},
        BadText{"MapForInterface", "interface: {a: b}\n", "list of names"},
        BadText{"NotAMap", "- a\n- b\n", "key: value"}, BadText{"NotYaml", "a: [b\n", "s.yaml:"}),
    [](const auto& param) { return param.param.name; });

struct BadValue {
  const char* name;
  std::function<void(Settings*)> spoil;
  const char* part;
};
class BadValueTest : public ::testing::TestWithParam<BadValue> {};

TEST_P(BadValueTest, IsRefused) {
  Settings settings;
  GetParam().spoil(&settings);
  const absl::Status status = Check(settings);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().part));
}

INSTANTIATE_TEST_SUITE_P(
    Settings, BadValueTest,
    ::testing::Values(
        BadValue{"RelativeSocket", [](Settings* s) { s->socket = "x.sock"; }, "absolute"},
        BadValue{"EmptyState", [](Settings* s) { s->state_dir = ""; }, "absolute"},
        BadValue{"RelativePins", [](Settings* s) { s->pin_dir = "pins"; }, "pin_dir"},
        BadValue{"InstanceWithSlash", [](Settings* s) { s->instance = "a/b"; }, "instance"},
        BadValue{"InstanceDots", [](Settings* s) { s->instance = ".."; }, "instance"},
        BadValue{"NoInstance", [](Settings* s) { s->instance = ""; }, "instance"},
        BadValue{"LongInterface", [](Settings* s) { s->interfaces = {"interface-name-0"}; },
                 "interface"}),
    [](const auto& param) { return param.param.name; });

TEST(SettingsTest, AWatchedFileHasAnAbsolutePathAndAWindowThatIsOne) {
  Settings settings;
  ASSERT_TRUE(
      ReadSettingsText("watch: /etc/evenkeel/web.yaml\nwatch_window: 60\n", "s.yaml", &settings)
          .ok());
  EXPECT_EQ(settings.watch, "/etc/evenkeel/web.yaml");
  EXPECT_EQ(settings.watch_window_s, 60u);
  EXPECT_TRUE(Check(settings).ok());
  EXPECT_TRUE(Set("watch_window", "0", &settings).ok());
  EXPECT_EQ(settings.watch_window_s, 0u);
  for (const char* bad : {"9", "86401", "-1", "1m", ""}) {
    EXPECT_THAT(std::string(Set("watch_window", bad, &settings).message()),
                HasSubstr("write 0 for none, or seconds, 10..86400"))
        << bad;
  }
  settings.watch = "web.yaml";
  EXPECT_THAT(std::string(Check(settings).message()),
              HasSubstr("watch is \"web.yaml\"; write an absolute path"));
}

}  // namespace
}  // namespace evenkeel::daemon
