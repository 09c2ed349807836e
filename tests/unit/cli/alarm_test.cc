// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AlarmTest : public CliTest {
 protected:
  AlarmTest() {
    engine::Status& s = daemon_.status;
    s.version = "0.1.0";
    s.started_unix_ns = 1'772'366'400'000'000'000;
    s.applied = *daemon_.Get();
    s.digest_matches = true;
    detect::Alarm alarm;
    alarm.id = "concentration/web/10.0.0.1";
    alarm.pool = "web";
    alarm.severity = detect::Severity::kPage;
    alarm.diagnosis = detect::Diagnosis::kWeights;
    alarm.text = "web-1 has 100.0 % of the table";
    alarm.since_unix_ns = s.started_unix_ns;
    alarm.revision = 41;
    alarm.changes = {{.revision = 41,
                      .author = "alice",
                      .reason = "deploy",
                      .summary = "web: 1 instead of 8 servers",
                      .unix_ns = s.started_unix_ns,
                      .pools = {},
                      .undo = {}}};
    alarm.undo = "evenkeel rollback 40";
    s.alarms = {alarm};
    engine::PoolStatus pool;
    pool.name = "web";
    pool.distribution.emplace();
    pool.distribution->verdict = detect::Verdict::kMatches;
    pool.distribution->text = "The distribution matches revision 41";
    s.pools = {pool};
  }
};

TEST_F(AlarmTest, TheStatusBeginsWithWhatIsWrongAndWhatToType) {
  const Ran ran = Run({"status"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out.find("ALARM"), 0u) << ran.out;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("pool web: web-1 has 100.0 % of the table"),
                             HasSubstr("revision 41 by alice"), HasSubstr("deploy"),
                             HasSubstr("undo: evenkeel rollback 40"),
                             HasSubstr("Traffic: The distribution matches revision 41"),
                             Not(HasSubstr("acknowledged"))));
}

TEST_F(AlarmTest, TheJsonHasAlarmsAndDistributions) {
  const nlohmann::json json = Run({"status", "-o", "json"}).Json();
  EXPECT_EQ(json["alarms"][0]["id"], "concentration/web/10.0.0.1");
  EXPECT_EQ(json["alarms"][0]["severity"], "page");
  EXPECT_EQ(json["alarms"][0]["balancer"], true);
  EXPECT_EQ(json["alarms"][0]["changes"][0]["author"], "alice");
  EXPECT_EQ(json["alarms"][0]["acknowledged"], nullptr);
  EXPECT_EQ(json["pools"][0]["distribution"]["verdict"], "matches");
}

TEST_F(AlarmTest, AnAcknowledgedAlarmSaysByWhom) {
  const Ran ran = Run({"ack", "concentration/web/10.0.0.1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Acknowledged: concentration/web/10.0.0.1\n"));
  EXPECT_THAT(Run({"status"}).out, HasSubstr("acknowledged by fake"));
  const nlohmann::json json = Run({"ack", "--all", "-o", "json"}).Json();
  EXPECT_EQ(json["schema"], "evenkeel.ack/v1");
  EXPECT_EQ(json["alarms"][0]["acknowledged"]["by"], "fake");
}

TEST_F(AlarmTest, WhatIsNotOpenIsAnErrorAndNothingToAcknowledgeIsNone) {
  const Ran wrong = Run({"ack", "flows/web/10.0.0.9"});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("flows/web/10.0.0.9"));
  EXPECT_EQ(Run({"ack"}).code, 1);
  EXPECT_EQ(Run({"ack", "x", "--all"}).code, 1);
  daemon_.status.alarms.clear();
  EXPECT_THAT(Run({"ack", "--all"}).out, HasSubstr("No alarm is open."));
}

}  // namespace
}  // namespace evenkeel::cli
