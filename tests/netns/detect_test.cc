// SPDX-License-Identifier: Apache-2.0
//
// The detector on real traffic: the outage is named within seconds with what undoes it, a change
// that awaits its confirmation undoes itself, and what is well is said to be.
#include <signal.h>

#include <regex>
#include <sstream>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

using std::chrono::milliseconds;

class DetectTest : public LabTest {
 protected:
  nlohmann::json Alarms() { return lab().Status().at("alarms"); }
  nlohmann::json FindAlarm(const std::string& pool) {
    for (const auto& alarm : Alarms()) {
      if (alarm.at("pool") == pool) return alarm;
    }
    return nullptr;
  }
  // Empty where it is not known yet.
  nlohmann::json Distribution(const std::string& name) {
    const nlohmann::json status = lab().Status();
    for (const auto& pool : status.at("pools")) {
      if (pool.at("name") == name && !pool.at("distribution").is_null()) {
        return pool.at("distribution");
      }
    }
    return nlohmann::json::object();
  }
};

TEST_F(DetectTest, AForcedOutageIsNamedWithTheCommandThatUndoesIt) {
  MakeLab({.config = State{}.ToYaml()});
  Load load(lab(), {.rate = 300});
  ASSERT_TRUE(Eventually(milliseconds(60000), [&] {
    return Distribution("four").value("verdict", "") == "matches";
  })) << Distribution("four").dump(1);
  EXPECT_NE(Distribution("four").at("text").get<std::string>().find("not the cause"),
            std::string::npos)
      << Distribution("four").dump(1);
  EXPECT_TRUE(Alarms().empty()) << Alarms().dump(1);

  const CommandResult forced = ForceOutage();
  ASSERT_EQ(forced.exit_code, 0) << forced;
  const uint64_t revision = lab().Status().at("applied").at("revision");
  ASSERT_TRUE(Eventually(milliseconds(15000), [&] { return !FindAlarm("four").is_null(); }));
  const nlohmann::json alarm = FindAlarm("four");
  EXPECT_EQ(alarm.at("severity"), "page") << alarm.dump(1);
  EXPECT_EQ(alarm.at("diagnosis"), "weights") << alarm.dump(1);
  EXPECT_EQ(alarm.at("name"), "b1") << alarm.dump(1);
  EXPECT_EQ(alarm.at("revision"), revision);
  ASSERT_FALSE(alarm.at("changes").empty()) << alarm.dump(1);
  EXPECT_EQ(alarm.at("changes")[0].at("revision"), revision);
  EXPECT_EQ(alarm.at("changes")[0].at("reason"), "drill: one server");

  // Told in each of the ways.
  const CommandResult text = lab().Cli({"status"});
  EXPECT_NE(text.out.find("ALARM"), std::string::npos) << text;
  const std::string undo = alarm.at("undo");
  EXPECT_NE(text.out.find("undo: " + undo), std::string::npos) << text;
  EXPECT_NE(lab().DaemonLog().find(undo), std::string::npos) << "the log has it";
  const CommandResult doctor = lab().Cli({"doctor"});
  EXPECT_EQ(doctor.exit_code, 1) << doctor;
  EXPECT_NE(doctor.out.find(undo), std::string::npos) << doctor;
  const CommandResult acknowledged = lab().Cli({"ack", alarm.at("id")});
  EXPECT_TRUE(acknowledged.ok()) << acknowledged;
  EXPECT_FALSE(FindAlarm("four").at("acknowledged").is_null());

  // As it stands there.
  ASSERT_EQ(undo.find("evenkeel rollback "), 0u) << undo;
  std::istringstream words(undo.substr(std::string("evenkeel ").size()));
  Argv argv;
  for (std::string word; words >> word;) argv.push_back(word);
  const CommandResult undone = lab().Cli(argv);
  ASSERT_EQ(undone.exit_code, 0) << undone;
  EXPECT_TRUE(Eventually(milliseconds(60000), [&] { return Alarms().empty(); }))
      << Alarms().dump(1);
  load.Stop();
}

TEST_F(DetectTest, APageRollsBackWhatAwaitsItsConfirmation) {
  MakeLab({.config = State{}.ToYaml()});
  const uint64_t before = lab().Status().at("applied").at("revision");
  Load load(lab(), {.rate = 300});
  const CommandResult forced = ForceOutage({"--confirm-within", "300s"});
  ASSERT_EQ(forced.exit_code, 0) << forced;
  ASSERT_TRUE(Eventually(milliseconds(30000), [&] {
    const auto applied = lab().Status().at("applied");
    return applied.value("restores", uint64_t{0}) == before;
  })) << lab().Status().at("applied").dump(1);
  const CommandResult history = lab().Cli({"history", "-o", "json"});
  EXPECT_NE(history.out.find("pool four: "), std::string::npos)
      << "the record says why: " << history;
  EXPECT_TRUE(Eventually(milliseconds(60000), [&] { return Alarms().empty(); }));
  load.Stop();
}

// Sixteen slots of the table in the kernel are somebody else's, behind the daemon's back.
TEST_F(DetectTest, AForeignWriteToTheMapsIsNamed) {
  MakeLab({.config = State{}.ToYaml()});
  const std::string tables = lab().fact("pin_dir") + "/map_ek_tables";
  const CommandResult dump = RunCommand({"bpftool", "-j", "map", "dump", "pinned", tables});
  ASSERT_TRUE(dump.ok()) << dump;
  // Of the inner maps one that holds a pool's table, and its first line.
  bool written = false;
  for (const auto& entry : nlohmann::json::parse(dump.out)) {
    const auto value = entry.find("value");
    if (value == entry.end() || !value->is_array()) continue;
    uint32_t id = 0;
    for (size_t i = 0; i < 4; ++i) {
      id |= static_cast<uint32_t>(std::stoul((*value)[i].get<std::string>(), nullptr, 16))
            << (8 * i);
    }
    Argv update = {"bpftool", "map", "update", "id",   std::to_string(id), "key", "0",
                   "0",       "0",   "0",      "value"};
    for (int slot = 0; slot < 16; ++slot) {
      for (const char* byte : {"1", "0", "0", "0"}) update.push_back(byte);
    }
    written = RunCommand(update).ok() || written;
  }
  ASSERT_TRUE(written) << dump.out.substr(0, 500);
  ASSERT_TRUE(Eventually(milliseconds(20000), [&] {
    const auto alarm = FindAlarm("four");
    return !alarm.is_null() && alarm.at("diagnosis") == "maps";
  })) << Alarms().dump(1);
  const CommandResult text = lab().Cli({"status"});
  EXPECT_NE(text.out.find("ALARM"), std::string::npos) << text;
}

}  // namespace
}  // namespace evenkeel::testing
