// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kMagic[] = "\x0a\x0d\x0d\x0a";

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class CaptureCommandTest : public CliTest {
 protected:
  CaptureCommandTest() {
    env_.sleep = [](std::chrono::milliseconds) { return true; };  // nobody presses Ctrl-C
  }

  // A daemon that sends one packet and ends.
  void SendOne(dataplane::CaptureCount count = {.interface = "eth0", .matched = 1}) {
    daemon_.capture =
        [this, count](const engine::CaptureRequest& request,
                      const engine::CaptureSink& sink) -> absl::StatusOr<engine::CaptureReport> {
      asked_ = request;
      engine::CaptureNews news{.packets = {}, .counts = {{.interface = "eth0"}}};
      engine::CaptureReport report{.end = engine::CaptureReport::End::kCount,
                                   .began_unix_ns = 1'000'000'000,
                                   .ended_unix_ns = 3'500'000'000,
                                   .counts = {count}};
      if (!sink(&news)) return report;
      news.packets.push_back({.unix_ns = 2'000'000'000,
                              .verdict = "forward",
                              .vip = "web",
                              .ingress = "eth0",
                              .egress = "eth0",
                              .length_in = 3,
                              .length_out = 3,
                              .in = "abc",
                              .out = "xyz"});
      if (sink(&news)) sink(nullptr);
      return report;
    };
  }

  engine::CaptureRequest asked_;
};

TEST_F(CaptureCommandTest, WritesAFileForItsOwnerAlone) {
  SendOne();
  const std::string path = Path("web.pcapng");
  const Ran ran = Run({"capture", "--vip", "web", "--vip", "dns", "-c", "7", "--for", "2m",
                       "--snaplen", "9216", "--rate", "500", "-w", path});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ReadAll(path), AllOf(::testing::StartsWith(kMagic), HasSubstr("abc"),
                                   HasSubstr("xyz"), HasSubstr("verdict forward, vip web")));
  struct stat made {};
  ASSERT_EQ(stat(path.c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 0777, 0600u);
  EXPECT_THAT(asked_.vips, ElementsAre("web", "dns"));
  EXPECT_EQ(asked_.max_packets, 7u);
  EXPECT_EQ(asked_.duration, std::chrono::minutes(2));
  EXPECT_EQ(asked_.snaplen, 9216u);
  EXPECT_EQ(asked_.rate, 500u);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, AllOf(HasSubstr("1 packets in 2.5 s, 2 frames; 0 missed"),
                             Not(HasSubstr("Warning"))));
}

TEST_F(CaptureCommandTest, SaysWhatWasMissedAndWhy) {
  SendOne({.interface = "eth0", .matched = 100, .over_rate = 60, .no_room = 39});
  const Ran ran = Run({"capture", "--all", "-w", Path("f")});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("99 missed"), HasSubstr("60 packets were above 10000"),
                             HasSubstr("39 packets came faster than they were read")));
  const Ran json = Run({"capture", "--all", "-w", Path("f"), "-o", "json"});
  EXPECT_EQ(json.Json()["missed_over_rate"], 60);
  EXPECT_EQ(json.Json()["missed_no_room"], 39);
  EXPECT_EQ(json.Json()["ended_by"], "count");
  EXPECT_EQ(json.Json()["packets"], 1);
  EXPECT_EQ(json.Json()["interfaces"][0]["matched"], 100);
}

TEST_F(CaptureCommandTest, ToStandardOutput) {
  SendOne();
  const Ran ran = Run({"capture", "--drops", "-w", "-", "-o", "json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(::testing::StartsWith(kMagic), HasSubstr("xyz")));
  EXPECT_TRUE(asked_.only_drops);
  EXPECT_EQ(nlohmann::json::parse(ran.err)["packets"], 1) << "the document is beside the file";
}

TEST_F(CaptureCommandTest, NotToATerminal) {
  SendOne();
  env_.out_is_terminal = true;
  const Ran ran = Run({"capture", "--drops", "-w", "-"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("| tshark -r -"));
}

TEST_F(CaptureCommandTest, SomethingMustBeAskedFor) {
  SendOne();
  EXPECT_THAT(Run({"capture", "-w", Path("f")}).err, HasSubstr("--backend, --drops, or --all"));
  EXPECT_THAT(Run({"capture", "--all", "--drops", "-w", Path("f")}).err,
              HasSubstr("--all has every packet"));
  EXPECT_EQ(Run({"capture", "--all"}).code, 1);
  for (const auto& [option, value] :
       std::vector<std::pair<std::string, std::string>>{{"--for", "11m"},
                                                        {"--for", "0s"},
                                                        {"--snaplen", "9217"},
                                                        {"--snaplen", "0"},
                                                        {"--rate", "100001"},
                                                        {"--rate", "0"},
                                                        {"-c", "0"}}) {
    EXPECT_EQ(Run({"capture", "--all", "-w", Path("f"), option, value}).code, 1)
        << option << " " << value;
  }
  EXPECT_FALSE(std::filesystem::exists(Path("f")));
}

// The file of the last time is worth more than an empty one.
TEST_F(CaptureCommandTest, ARefusedCaptureLeavesTheFile) {
  const std::string path = WriteFile("f", "old");
  daemon_.capture = [](const engine::CaptureRequest&,
                       const engine::CaptureSink&) -> absl::StatusOr<engine::CaptureReport> {
    return absl::ResourceExhaustedError("a capture of vip web by uid 7 (bob) runs");
  };
  const Ran ran = Run({"capture", "--all", "-w", path});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("by uid 7 (bob) runs"));
  EXPECT_EQ(ReadAll(path), "old");
}

TEST_F(CaptureCommandTest, FollowsNoLinkAndReplacesNoDevice) {
  SendOne();
  const std::string precious = WriteFile("precious", "old");
  ASSERT_EQ(symlink(precious.c_str(), Path("link").c_str()), 0);
  EXPECT_EQ(Run({"capture", "--all", "-w", Path("link")}).code, 0);
  EXPECT_EQ(ReadAll(precious), "old");
  EXPECT_THAT(ReadAll(Path("link")), ::testing::StartsWith(kMagic));
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  const Ran ran = Run({"capture", "--all", "-w", Path("pipe")});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("is there, and no file"));
  EXPECT_TRUE(std::filesystem::is_fifo(Path("pipe")));
}

TEST_F(CaptureCommandTest, CtrlCEndsItWithAWholeFile) {
  SendOne();
  int asked = 0;
  env_.sleep = [&asked](std::chrono::milliseconds) { return ++asked < 3; };
  const std::string path = Path("f");
  EXPECT_EQ(Run({"capture", "--all", "-w", path}).code, 0);
  const std::string bytes = ReadAll(path);
  // The last block is the statistics of an interface.
  ASSERT_GE(bytes.size(), 4u);
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + bytes.size() - 4, 4);
  ASSERT_LT(length, bytes.size());
  EXPECT_EQ(bytes[bytes.size() - length], 5);
}

TEST_F(CaptureCommandTest, ADaemonThatGoesAwayLeavesWhatCame) {
  daemon_.capture = [](const engine::CaptureRequest&,
                       const engine::CaptureSink& sink) -> absl::StatusOr<engine::CaptureReport> {
    engine::CaptureNews news{.packets = {}, .counts = {{.interface = "eth0"}}};
    sink(&news);
    return absl::UnavailableError("the daemon does not answer");
  };
  const Ran ran = Run({"capture", "--all", "-w", Path("f")});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("does not answer"));
  EXPECT_THAT(ReadAll(Path("f")), HasSubstr("eth0 in"));
}

TEST_F(CaptureCommandTest, SaysWhereTheBalancerIsNotBack) {
  daemon_.capture = [](const engine::CaptureRequest&,
                       const engine::CaptureSink&) -> absl::StatusOr<engine::CaptureReport> {
    return engine::CaptureReport{.problem = "somebody else has put another program there"};
  };
  const Ran ran = Run({"capture", "--all", "-w", Path("f")});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("still in the balancer's place"), HasSubstr("somebody")));
}

}  // namespace
}  // namespace evenkeel::cli
