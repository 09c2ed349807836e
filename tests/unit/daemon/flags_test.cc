// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/daemon/temp_dir.h"

namespace evenkeel::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FlagsTest : public TempDir {
 protected:
  Parsed Parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "evenkeeld");
    ::testing::internal::CaptureStderr();
    ::testing::internal::CaptureStdout();
    Parsed parsed = ParseFlags(static_cast<int>(arguments.size()), arguments.data());
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return parsed;
  }
  std::string out_, err_;
};

TEST_F(FlagsTest, EveryFlagIsASetting) {
  const std::string empty = Write("empty.yaml", "# nothing\n");
  const Parsed parsed = Parse({"--settings",
                               empty.c_str(),
                               "--config",
                               "/c",
                               "--interface",
                               "a0",
                               "--interface",
                               "b0",
                               "--socket",
                               "/s.sock",
                               "--state-dir",
                               "/s",
                               "--pin-dir",
                               "/p",
                               "--instance",
                               "i",
                               "--mode",
                               "native",
                               "--attach",
                               "shared",
                               "--attach-priority",
                               "7",
                               "--detach-on-exit",
                               "--log-level",
                               "error",
                               "--log-format",
                               "json",
                               "--hash-key-file",
                               "/k",
                               "--web-listen",
                               "127.0.0.1:9",
                               "--dashboard"});
  ASSERT_TRUE(parsed.settings.has_value()) << err_;
  EXPECT_EQ(parsed.settings->config, "/c");
  EXPECT_THAT(parsed.settings->interfaces, ElementsAre("a0", "b0"));
  EXPECT_EQ(parsed.settings->socket, "/s.sock");
  EXPECT_EQ(parsed.settings->state_dir, "/s");
  EXPECT_EQ(parsed.settings->pin_dir, "/p");
  EXPECT_EQ(parsed.settings->instance, "i");
  EXPECT_EQ(parsed.settings->attach.mode, dataplane::XdpMode::kNative);
  EXPECT_EQ(parsed.settings->attach.kind, dataplane::AttachKind::kShared);
  EXPECT_EQ(parsed.settings->attach.priority, 7u);
  EXPECT_TRUE(parsed.settings->detach_on_exit);
  EXPECT_EQ(parsed.settings->log_level, "error");
  EXPECT_EQ(parsed.settings->log_format, "json");
  EXPECT_EQ(parsed.settings->hash_key_file, "/k");
  EXPECT_EQ(parsed.settings->web_listen, "127.0.0.1:9");
  EXPECT_TRUE(parsed.settings->web_dashboard);
}

TEST_F(FlagsTest, FlagsWinOverTheFile) {
  const std::string file = Write(
      "s.yaml", "instance: file\nmode: generic\ninterface: [eth0, eth1]\ndetach_on_exit: true\n");
  const Parsed parsed =
      Parse({"--settings", file.c_str(), "--instance", "flag", "--interface", "eth9"});
  ASSERT_TRUE(parsed.settings.has_value()) << err_;
  EXPECT_EQ(parsed.settings->instance, "flag");
  EXPECT_EQ(parsed.settings->attach.mode, dataplane::XdpMode::kGeneric);
  EXPECT_THAT(parsed.settings->interfaces, ElementsAre("eth9"));
  EXPECT_TRUE(parsed.settings->detach_on_exit);
}

TEST_F(FlagsTest, OfAFlagThatIsThereTwiceTheLastCounts) {
  const Parsed parsed = Parse({"--settings", "/dev/null", "--instance", "a", "--instance", "b"});
  ASSERT_TRUE(parsed.settings.has_value()) << err_;
  EXPECT_EQ(parsed.settings->instance, "b");
}

TEST_F(FlagsTest, ANamedSettingsFileMustBeThere) {
  const std::string absent = dir_ + "/absent.yaml";
  const Parsed parsed = Parse({"--settings", absent.c_str()});
  EXPECT_FALSE(parsed.settings.has_value());
  EXPECT_EQ(parsed.exit_code, kExitError);
  EXPECT_THAT(err_, HasSubstr(absent));
}

TEST_F(FlagsTest, HelpAndVersionAreNoErrors) {
  EXPECT_EQ(Parse({"--help"}).exit_code, kExitOk);
  EXPECT_THAT(out_, HasSubstr("--interface"));
  EXPECT_THAT(out_, HasSubstr("Exit codes"));
  const Parsed parsed = Parse({"--version"});
  EXPECT_EQ(parsed.exit_code, kExitOk);
  EXPECT_FALSE(parsed.settings.has_value());
  EXPECT_THAT(out_, HasSubstr("evenkeeld "));
}

TEST_F(FlagsTest, UsageErrorsNameTheFlagAndExitWithOne) {
  for (const auto& [arguments, part] :
       std::vector<std::pair<std::vector<const char*>, const char*>>{
           {{"--mod", "auto"}, "--mod"},
           {{"--mode", "fast"}, "--mode is \"fast\""},
           {{"--interface"}, "--interface"},
           {{"stray"}, "stray"},
           {{"--socket", "relative"}, "absolute"},
           {{"--instance", "../x"}, "instance"}}) {
    const Parsed parsed = Parse(arguments);
    EXPECT_FALSE(parsed.settings.has_value()) << part;
    EXPECT_EQ(parsed.exit_code, kExitError) << part;
    EXPECT_THAT(err_, HasSubstr(part));
  }
}

}  // namespace
}  // namespace evenkeel::daemon
