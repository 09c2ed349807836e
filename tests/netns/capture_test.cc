// SPDX-License-Identifier: Apache-2.0
//
// `evenkeel capture` with real traffic: what tshark reads in the file, and that traffic and program
// are afterwards as if there had been no capture, whatever became of it.
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <thread>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kCli = EK_BINARY_DIR "/bin/evenkeel";
constexpr int kConnections = 60;

using Row = std::vector<std::string>;

std::vector<Row> Table(const std::string& text) {
  std::vector<Row> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    Row row;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '\t');) row.push_back(cell);
    rows.push_back(row);
  }
  return rows;
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class CaptureTest : public LabTest {
 protected:
  // Id and tag of the program that packets enter on the balancer.
  std::string Program() {
    const CommandResult result =
        lab().RunIn("balancer", {"ip", "-j", "-d", "link", "show", "eth0"});
    const nlohmann::json link = nlohmann::json::parse(result.out).at(0);
    if (!link.contains("xdp")) return "none";
    const nlohmann::json& program = link.at("xdp").at("prog");
    return program.at("id").dump() + " " + program.at("tag").dump();
  }

  // In the background; waits until packets are being captured.
  std::unique_ptr<Process> Start(Argv arguments) {
    const std::string before = Program();
    Argv argv = {kCli, "capture", "--socket", lab().fact("socket")};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    auto process = std::make_unique<Process>(argv);
    EXPECT_TRUE(Eventually(seconds(10), [&] { return Program() != before; }))
        << "the capture build is not in place";
    return process;
  }

  void Curl(int times, const std::string& url = "http://192.0.2.10/") {
    for (int i = 0; i < times; ++i) {
      const CommandResult result =
          lab().RunIn("client", {"curl", "-sS", "--fail", "--max-time", "5", url});
      ASSERT_TRUE(result.ok()) << result;
    }
  }

  // Rows of fields, one for each frame; "," parts what a frame has twice, inner and outer.
  std::vector<Row> Read(const std::string& path, const Argv& fields) {
    Argv argv = {"tshark", "-n", "-r", path, "-T", "fields"};
    for (const std::string& field : fields) argv.insert(argv.end(), {"-e", field});
    const CommandResult result = RunCommand(argv);
    EXPECT_EQ(result.exit_code, 0) << result;
    return Table(result.out);
  }
};

TEST_F(CaptureTest, TsharkShowsFramesBeforeAndAfterWithWhatBecameOfThem) {
  MakeLab();
  const std::string program = Program();
  const std::string path = lab().file("web.pcapng");
  auto capture = Start({"--vip", "web", "-w", path, "-o", "json"});
  Curl(kConnections);
  Curl(3, "http://[2001:db8::10]/");  // of another VIP
  std::this_thread::sleep_for(milliseconds(300));
  capture->Signal(SIGINT);
  const CommandResult ended = capture->Wait();
  EXPECT_EQ(ended.exit_code, 0) << ended;
  EXPECT_EQ(Program(), program);

  const auto summary = nlohmann::json::parse(ended.out);
  EXPECT_EQ(summary.at("missed_over_rate"), 0);
  EXPECT_EQ(summary.at("missed_no_room"), 0);
  EXPECT_EQ(summary.at("ended_by"), "stopped");
  struct stat made {};
  ASSERT_EQ(stat(path.c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 0777, 0600u);

  const std::vector<Row> rows =
      Read(path, {"frame.interface_name", "frame.comment", "ip.src", "ip.dst", "tcp.dstport"});
  ASSERT_EQ(rows.size(), summary.at("frames").get<size_t>());
  EXPECT_EQ(rows.size(), 2 * summary.at("packets").get<size_t>());
  ASSERT_GE(rows.size(), kConnections * 2u * 4) << "SYN, ACK, request and FIN of each";
  std::set<std::string> backends;
  for (size_t i = 0; i < rows.size(); i += 2) {
    ASSERT_EQ(rows[i].size(), 5u);
    ASSERT_EQ(rows[i + 1].size(), 5u);
    EXPECT_EQ(rows[i][0], "eth0 in");
    EXPECT_EQ(rows[i][3], "192.0.2.10");
    EXPECT_EQ(rows[i][4], "80");
    EXPECT_EQ(rows[i + 1][0], "eth0 out");
    // The outer header, then the packet as it came.
    const std::string& outer = rows[i + 1][3];
    ASSERT_TRUE(Has(outer, ",192.0.2.10")) << outer;
    EXPECT_EQ(rows[i + 1][2].substr(rows[i + 1][2].find(',') + 1), rows[i][2]);
    const std::string backend = outer.substr(0, outer.find(','));
    backends.insert(backend);
    for (const size_t row : {i, i + 1}) {
      const std::string& comment = rows[row][1];
      EXPECT_TRUE(comment.starts_with("verdict forward, vip web, pool web, backend b")) << comment;
      EXPECT_TRUE(Has(comment, "(" + backend + "), slot ")) << comment << " went to " << backend;
      EXPECT_TRUE(Has(comment, ", generation ") && Has(comment, ", revision 1")) << comment;
    }
  }
  EXPECT_EQ(backends.size(), 4u)
      << "with 60 connections none is left out but once in 8 million runs";

  const CommandResult tcpdump = RunCommand({"tcpdump", "-n", "-r", path, "-c", "4"});
  EXPECT_EQ(tcpdump.exit_code, 0) << tcpdump;
  EXPECT_TRUE(Has(tcpdump.out, "192.0.2.10.80")) << tcpdump;
}

TEST_F(CaptureTest, OfABackendAndOfDrops) {
  MakeLab();
  const std::string path = lab().file("b2.pcapng");
  auto capture = Start({"--backend", "b2", "--pool", "web", "-w", path});
  Curl(kConnections);
  std::this_thread::sleep_for(milliseconds(300));
  capture->Signal(SIGINT);
  EXPECT_EQ(capture->Wait().exit_code, 0);
  const std::vector<Row> rows = Read(path, {"frame.comment"});
  EXPECT_FALSE(rows.empty());
  for (const Row& row : rows) EXPECT_TRUE(Has(row[0], "backend b2 (10.77.0.12)")) << row[0];

  const std::string drops = lab().file("drops.pcapng");
  capture = Start({"--drops", "-w", drops});
  Curl(5);
  // Its SYN expires on the balancer.
  const auto route =
      nlohmann::json::parse(lab().RunIn("client", {"ip", "-j", "route", "get", "192.0.2.10"}).out)
          .at(0);
  const CommandResult hops =
      lab().RunIn("client", {"ip", "route", "replace", "192.0.2.10", "via", route.at("gateway"),
                             "dev", route.at("dev"), "hoplimit", "1"});
  ASSERT_TRUE(hops.ok()) << hops;
  EXPECT_FALSE(lab().RunIn("client", {"curl", "-s", "--max-time", "1", "http://192.0.2.10/"}).ok());
  std::this_thread::sleep_for(milliseconds(300));
  capture->Signal(SIGINT);
  EXPECT_EQ(capture->Wait().exit_code, 0);
  const std::vector<Row> dropped = Read(drops, {"frame.interface_name", "frame.comment"});
  EXPECT_FALSE(dropped.empty());
  for (const Row& row : dropped) {
    EXPECT_EQ(row[0], "eth0 in") << "what is dropped leaves nowhere";
    EXPECT_TRUE(row[1].starts_with("verdict drop_ttl, vip web, pool web, backend b")) << row[1];
  }
}

TEST_F(CaptureTest, ToAPipeFrameByFrame) {
  MakeLab();
  const std::string program = Program();
  const std::string shell = kCli + " capture --socket " + lab().fact("socket") +
                            " --vip web -c 40 -w - | tshark -n -l -r - -T fields -e frame.comment";
  Process pipe({"bash", "-c", "set -o pipefail; " + shell});
  ASSERT_TRUE(Eventually(seconds(10), [&] { return Program() != program; }));
  Curl(20);
  const CommandResult ended = pipe.Wait();
  EXPECT_EQ(ended.exit_code, 0) << ended;
  EXPECT_EQ(Table(ended.out).size(), 80u) << "40 packets, before and after";
  EXPECT_EQ(Program(), program);
}

// Captures that begin and end under load cost no request, in either mode.
class CaptureModeTest : public CaptureTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(CaptureModeTest, NoRequestIsLostOverStartAndEnd) {
  MakeLab({.mode = GetParam(), .config = State{}.ToYaml()});
  const std::string program = Program();
  Load load(lab(), {.rate = 400});
  for (int i = 0; i < 6; ++i) {
    const CommandResult result =
        lab().Cli({"capture", "--vip", "web", "-c", "200", "-w", lab().file("web.pcapng")});
    EXPECT_EQ(result.exit_code, 0) << result;
    EXPECT_EQ(Program(), program);
  }
  ExpectNoneLost(load.Stop());
}
INSTANTIATE_TEST_SUITE_P(Modes, CaptureModeTest, ::testing::Values("native", "generic"),
                         [](const auto& test) { return test.param; });

TEST_F(CaptureTest, ItsEndPutsTheBalancerBackWhateverEndsIt) {
  MakeLab();
  const std::string program = Program();
  // Its time.
  auto capture = Start({"--all", "--for", "1s", "-w", lab().file("f")});
  EXPECT_EQ(capture->Wait().exit_code, 0);
  EXPECT_EQ(Program(), program);
  // Its client, killed.
  capture = Start({"--all", "-w", lab().file("f")});
  capture->Signal(SIGKILL);
  EXPECT_TRUE(Eventually(seconds(5), [&] { return Program() == program; }));
  // A client that stands still, and reads nothing.
  Load load(lab(), {.rate = 500});
  capture = Start({"--all", "--for", "2s", "--snaplen", "9216", "-w", lab().file("f")});
  capture->Signal(SIGSTOP);
  EXPECT_TRUE(Eventually(seconds(6), [&] { return Program() == program; }));
  const CommandResult another = lab().Cli({"capture", "--all", "-c", "1", "-w", lab().file("g")});
  EXPECT_EQ(another.exit_code, 0) << another;
  capture->Signal(SIGCONT);
  EXPECT_EQ(capture->Wait().exit_code, 0);
  ExpectNoneLost(load.Stop());
  // The daemon, asked to end.
  capture = Start({"--all", "-w", lab().file("f")});
  lab().SignalDaemon(SIGTERM);
  ASSERT_TRUE(lab().WaitDaemonGone(seconds(5))) << lab().DaemonLog();
  EXPECT_EQ(Program(), program);
  const CommandResult ended = capture->Wait();
  EXPECT_EQ(ended.exit_code, 1) << ended;
}

TEST_F(CaptureTest, TheSecondOneIsToldAboutTheFirst) {
  MakeLab();
  auto capture = Start({"--vip", "web", "-w", lab().file("f")});
  const CommandResult second = lab().Cli({"capture", "--all", "-w", lab().file("g")});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_TRUE(Has(second.err, "a capture of vip web by ")) << second;
  EXPECT_TRUE(Has(second.err, "runs since")) << second;
  EXPECT_FALSE(std::filesystem::exists(lab().file("g")));
  const std::string notices = lab().Status().at("notices").dump();
  EXPECT_TRUE(Has(notices, "a capture of vip web by ")) << notices;
  const CommandResult unknown = lab().Cli({"capture", "--vip", "wep", "-w", lab().file("g")});
  EXPECT_TRUE(Has(unknown.err, "did you mean \"web\"?")) << unknown;
  capture->Signal(SIGINT);
  EXPECT_EQ(capture->Wait().exit_code, 0);
  EXPECT_TRUE(Has(lab().DaemonLog(), "capture of vip web begins for ")) << lab().DaemonLog();
  EXPECT_TRUE(Eventually(seconds(5), [&] {
    const std::string log = lab().DaemonLog();
    return Has(log, "capture of vip web for ") && Has(log, " has ended");
  })) << lab().DaemonLog();
}

// What a daemon that is killed leaves forwards all the same; the next one clears it away.
TEST_F(CaptureTest, ADaemonThatIsKilledLeavesWhatForwards) {
  MakeLab();
  const std::string program = Program();
  Load load(lab(), {.rate = 400});
  auto capture = Start({"--vip", "web", "-w", lab().file("f")});
  std::this_thread::sleep_for(milliseconds(1000));
  lab().SignalDaemon(SIGKILL);
  ASSERT_TRUE(lab().WaitDaemonGone(seconds(5)));
  EXPECT_EQ(capture->Wait().exit_code, 1) << "the daemon is gone";
  EXPECT_FALSE(Read(lab().file("f"), {"frame.comment"}).empty()) << "what came is a file";
  EXPECT_NE(Program(), program);
  EXPECT_NE(Program(), "none");
  std::this_thread::sleep_for(milliseconds(1000));
  const CommandResult start = lab().StartDaemon();
  ASSERT_TRUE(start.ok()) << start;
  EXPECT_EQ(Program(), program);
  EXPECT_TRUE(Has(lab().DaemonLog(), "the balancer is back on 1 interface"));
  const CommandResult again =
      lab().Cli({"capture", "--vip", "web", "-c", "10", "-w", lab().file("f")});
  EXPECT_EQ(again.exit_code, 0) << again;
  EXPECT_EQ(Program(), program);
  ExpectNoneLost(load.Stop());
}

// An update changes pools and names under a capture that goes on.
TEST_F(CaptureTest, FollowsAnUpdate) {
  MakeLab({.config = State{}.ToYaml()});
  const std::string path = lab().file("f");
  auto capture = Start({"--vip", "web", "-w", path});
  Curl(10);
  State drained;
  drained.extra[4] = "state: draining";
  const CommandResult applied = lab().Apply(drained.ToYaml());
  ASSERT_EQ(applied.exit_code, 0) << applied;
  Curl(kConnections);
  std::this_thread::sleep_for(milliseconds(300));
  capture->Signal(SIGINT);
  EXPECT_EQ(capture->Wait().exit_code, 0);
  std::set<std::string> revisions;
  for (const Row& row : Read(path, {"frame.comment"})) {
    EXPECT_TRUE(Has(row[0], "vip web, pool ")) << row[0];
    revisions.insert(row[0].substr(row[0].rfind(' ') + 1));
  }
  EXPECT_EQ(revisions, (std::set<std::string>{"1", "2"}));
}

}  // namespace
}  // namespace evenkeel::testing
