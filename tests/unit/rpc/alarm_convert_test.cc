// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/alarm_convert.h"

#include <gmock/gmock.h>

#include "control/engine/alarm_text.h"
#include "tests/unit/rpc/server_fixture.h"

namespace evenkeel::rpc {
namespace {

using detect::Alarm;
using ::testing::HasSubstr;
using ::testing::SizeIs;

model::IpAddress Address(uint8_t last) { return model::IpAddress::FromIpv4({10, 0, 0, last}); }

// Every field has a value of its own.
Alarm Whole() {
  Alarm alarm;
  alarm.id = "load/web/10.0.0.1";
  alarm.pool = "web";
  alarm.kind = detect::Kind::kLoad;
  alarm.server = Address(1);
  alarm.name = "web-1";
  alarm.severity = detect::Severity::kPage;
  alarm.diagnosis = detect::Diagnosis::kElephant;
  alarm.text = "one flow";
  alarm.evidence = {.unit = "bytes",
                    .window_s = 60,
                    .expected = 1,
                    .observed = 2,
                    .expected_share = 0.25,
                    .observed_share = 0.75,
                    .ratio = 3,
                    .z = 9,
                    .dispersion = 1.5,
                    .heavy = {{.source = Address(9),
                               .source_port = 1234,
                               .destination_port = 443,
                               .ip_protocol = 6,
                               .share = 0.5},
                              {.source = std::nullopt,
                               .source_port = 0,
                               .destination_port = 80,
                               .ip_protocol = 17,
                               .share = 0.1}}};
  alarm.since_unix_ns = 1'000'000'001;
  alarm.page_since_unix_ns = 2'000'000'002;
  alarm.revision = 41;
  alarm.insufficient = true;
  alarm.changes = {{.revision = 41,
                    .author = "alice",
                    .reason = "deploy",
                    .summary = "web: 1 instead of 8 servers",
                    .unix_ns = 3'000'000'003,
                    .pools = {},
                    .undo = {}}};
  alarm.health = {{.pool = "web",
                   .name = "web-2",
                   .server = Address(2),
                   .to = detect::Health::kDown,
                   .cause = "connection refused",
                   .unix_ns = 4'000'000'004}};
  alarm.undo = "evenkeel rollback 40";
  alarm.acknowledged = {.who = "bob", .unix_ns = 5'000'000'005};
  return alarm;
}

Alarm Across(const Alarm& alarm, Problems* problems) {
  v1::Alarm message;
  Encode(alarm, &message);
  return Decode(message, problems);
}

// The JSON has every field, so what is equal there has come across whole.
TEST(AlarmConvertTest, ComesAcrossWhole) {
  Problems problems;
  EXPECT_EQ(engine::ToJson(Across(Whole(), &problems)), engine::ToJson(Whole()));
  Alarm ticket;
  ticket.id = "upstream";
  ticket.kind = detect::Kind::kUpstream;
  ticket.diagnosis = detect::Diagnosis::kUpstream;
  EXPECT_EQ(engine::ToJson(Across(ticket, &problems)), engine::ToJson(ticket));
  EXPECT_THAT(problems, SizeIs(0));
}

TEST(AlarmConvertTest, EveryWordComesAcross) {
  for (int i = 0; i <= static_cast<int>(detect::Kind::kUpstream); ++i) {
    Alarm alarm = Whole();
    alarm.kind = static_cast<detect::Kind>(i);
    Problems problems;
    EXPECT_EQ(Across(alarm, &problems).kind, alarm.kind);
    EXPECT_THAT(problems, SizeIs(0));
  }
  for (int i = 0; i <= static_cast<int>(detect::Diagnosis::kUnexplained); ++i) {
    Alarm alarm = Whole();
    alarm.diagnosis = static_cast<detect::Diagnosis>(i);
    Problems problems;
    EXPECT_EQ(Across(alarm, &problems).diagnosis, alarm.diagnosis);
    EXPECT_THAT(problems, SizeIs(0));
  }
}

TEST(AlarmConvertTest, WordsOfAnotherVersionAreProblems) {
  v1::Alarm message;
  Encode(Whole(), &message);
  message.set_kind("curse");
  Problems problems;
  Decode(message, &problems);
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_THAT(problems[0].message, HasSubstr("\"curse\""));
}

TEST(AlarmConvertTest, DistributionsComeAcross) {
  detect::PoolReport report;
  report.pool = "web";
  report.revision = 7;
  report.unchanged_since_unix_ns = 1'000'000'000;
  report.verdict = detect::Verdict::kBroken;
  report.diagnosis = detect::Diagnosis::kMaps;
  report.text = "somebody else wrote";
  for (size_t i = 0; i < detect::kLinks; ++i) {
    report.links[i] = {.link = static_cast<detect::Link>(i),
                       .state = static_cast<detect::LinkState>(i % 4),
                       .detail = "d" + std::to_string(i)};
  }
  report.servers = {{.address = Address(1),
                     .name = "web-1",
                     .intended = 0.1,
                     .built = 0.2,
                     .kernel = 0.3,
                     .flows = 0.4,
                     .packets = 0.5,
                     .bytes = 0.6,
                     .ratio = 0.7,
                     .z = 0.8,
                     .sufficient = true},
                    {.address = Address(2), .name = "web-2", .kernel = std::nullopt}};
  v1::Distribution message;
  Encode(report, &message);
  Problems problems;
  const detect::PoolReport across = Decode("web", message, &problems);
  EXPECT_EQ(engine::ToJson(across), engine::ToJson(report));
  EXPECT_EQ(across.pool, "web");
  EXPECT_THAT(problems, SizeIs(0));
}

// A daemon without a detector has none of it.
class AcknowledgeRpcTest : public ServerFixture {};

TEST_F(AcknowledgeRpcTest, ErrorsKeepTheirCode) {
  EXPECT_EQ(client_->Acknowledge({.id = "flows/web/10.0.0.1"}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace evenkeel::rpc
