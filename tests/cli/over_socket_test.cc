// SPDX-License-Identifier: Apache-2.0
//
// The binary against the daemon's own gRPC server, with an engine in memory behind it: what the
// commands rely on must survive the way over the socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "control/model/yaml.h"
#include "control/rpc/server.h"
#include "tests/cli/process.h"
#include "tests/unit/cli/explained.h"
#include "tests/unit/cli/fake_engine.h"
#include "tests/unit/cli/frames.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

class OverSocketTest : public testing::Test {
 protected:
  OverSocketTest() : engine_(WebConfig(4)) {
    auto server = rpc::Server::Listen(dir_.Path("evenkeeld.sock"));
    EXPECT_TRUE(server.ok()) << server.status();
    if (!server.ok()) return;
    server_ = *std::move(server);
    const absl::Status serving = server_->Serve(&engine_);
    EXPECT_TRUE(serving.ok()) << serving;
  }

  Finished Run(const std::vector<std::string>& args) {
    return RunEvenkeel({.args = args, .env = {{"EVENKEEL_SOCKET", dir_.Path("evenkeeld.sock")}}});
  }
  std::string Config(int backends) {
    return dir_.Write("web.yaml", model::ToYaml(WebConfig(backends)));
  }

  TempDir dir_;
  FakeEngine engine_;
  std::unique_ptr<rpc::Server> server_;
};

TEST_F(OverSocketTest, PlanShowsSharesAndRefusals) {
  const Finished good = Run({"plan", "-f", Config(5), "--detailed-exitcode"});
  EXPECT_EQ(good.code, 2) << good.err;
  EXPECT_THAT(good.out, AllOf(ContainsRegex("web-1 +10.0.1.11 +25.00 % +20.00 %"),
                              HasSubstr("against revision 1"),
                              HasSubstr("+ pools/web/backends/web-5"), HasSubstr("LB006")));
  const Finished refused = Run({"plan", "-f", Config(1), "-o", "json"});
  EXPECT_EQ(refused.code, 3) << refused.err;
  const auto json = nlohmann::json::parse(refused.out);
  EXPECT_EQ(json["verdict"], "refuse");
  EXPECT_GT(json["violations"][0]["line"].get<int>(), 0);
  EXPECT_EQ(Run({"plan", "-f", Config(4), "--detailed-exitcode"}).code, 0);
  EXPECT_EQ(Run({"plan", "-f", Config(5), "--etag", "old"}).code, 5);
}

TEST_F(OverSocketTest, ApplyGetDiffHistoryStatus) {
  const Finished applied = Run({"apply", "-f", Config(5), "--reason", "add web-5", "--yes"});
  EXPECT_EQ(applied.code, 0) << applied.out << applied.err;
  EXPECT_THAT(applied.out, AllOf(HasSubstr("Applied as revision 2"), HasSubstr("swapped in 0.04")));
  EXPECT_THAT(Run({"get"}).out, AllOf(HasSubstr("# Revision 2"), HasSubstr("web-5")));
  EXPECT_THAT(Run({"diff", "1", "2"}).out, HasSubstr("+ pools/web/backends/web-5"));
  EXPECT_THAT(Run({"history"}).out, AllOf(HasSubstr("add web-5"), HasSubstr("bootstrap")));
  engine_.status.version = "9.9";
  engine_.status.applied = *engine_.Get();
  EXPECT_THAT(Run({"status"}).out, AllOf(HasSubstr("evenkeeld 9.9"), HasSubstr("ALARM")));
}

TEST_F(OverSocketTest, CheckJudgesTheChangeOfWhatRuns) {
  engine_.Force(WebConfig(8), "uid 0 (root)", "more");
  const std::string half = Config(4);
  EXPECT_EQ(Run({"check", half, "--offline"}).code, 0) << "as a first state it is fine";
  const Finished ran = Run({"check", half});
  EXPECT_EQ(ran.code, 3) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("Judged against what the daemon runs"), HasSubstr("LB005"),
                             ContainsRegex("web.yaml:[0-9]+:[0-9]+: refused: LB005")));
  EXPECT_THAT(Run({"check", Config(8)}).out, HasSubstr("against revision 2"));
}

TEST_F(OverSocketTest, ASavedPlanIsAppliedOnce) {
  const std::string plan = dir_.Path("web.plan");
  EXPECT_EQ(Run({"plan", "-f", Config(5), "--out", plan}).code, 0);
  EXPECT_EQ(Run({"apply", plan, "--reason", "r", "--yes"}).code, 0);
  const Finished again = Run({"apply", plan, "--reason", "r", "--yes"});
  EXPECT_EQ(again.code, 5);
  EXPECT_THAT(again.err, AllOf(HasSubstr("the state is now revision 2, and the plan"),
                               HasSubstr("was made against revision 1")));
  EXPECT_EQ(engine_.revision(), 2u);
}

TEST_F(OverSocketTest, RefusedApplyIs3AndStaleApplyIs5) {
  EXPECT_EQ(Run({"apply", "-f", Config(1), "--reason", "r", "--yes"}).code, 3);
  engine_.before_apply = [this] { engine_.Force(WebConfig(4), "uid 7 (bob)", "touched it"); };
  const Finished stale = Run({"apply", "-f", Config(5), "--reason", "r", "--yes"});
  EXPECT_EQ(stale.code, 5) << stale.out << stale.err;
  EXPECT_THAT(stale.err, AllOf(HasSubstr("the state is now revision 2, not revision 1"),
                               HasSubstr("uid 7 (bob)"), HasSubstr("touched it")));
}

TEST_F(OverSocketTest, RefusalByApplyItselfKeepsItsViolations) {
  engine::Outcome refused;
  refused.kind = engine::Outcome::Kind::kRefused;
  refused.verdict.severity = guard::Severity::kBlock;
  refused.verdict.violations = {{"LB009", "address", guard::Severity::kBlock, "web",
                                 "pools/web/backends/web-2", "pools[0].backends[1].address",
                                 "is the host's own", "another host", "use it", "m"}};
  engine_.apply_outcome = refused;
  const Finished ran = Run({"apply", "-f", Config(5), "--reason", "r", "--yes"});
  EXPECT_EQ(ran.code, 3) << ran.err;
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("web.yaml:[0-9]+:[0-9]+: refused: LB009"),
                             HasSubstr("is the host's own"), HasSubstr("use it")));
}

TEST_F(OverSocketTest, FailureToPublishIsAnErrorWithItsReason) {
  engine::Outcome failed;
  failed.status = absl::ResourceExhaustedError("map ek_slots: out of memory; nothing changed");
  engine_.apply_outcome = failed;
  const Finished ran = Run({"apply", "-f", Config(5), "--reason", "r", "--yes"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("out of memory; nothing changed"));
}

// A capture in the format that tshark and `evenkeel capture` write: pcapng,
// draft-ietf-opsawg-pcapng.
std::string Pcapng(const std::vector<FrameBytes>& frames) {
  std::string file;
  const auto put = [&](auto value) {
    file.append(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  const auto block = [&](uint32_t type, const std::string& body) {
    const auto length = static_cast<uint32_t>(12 + (body.size() + 3) / 4 * 4);
    put(type);
    put(length);
    file += body;
    file.resize((file.size() + 3) / 4 * 4);
    put(length);
  };
  const auto words = [](std::initializer_list<uint32_t> list) {
    std::string text;
    for (const uint32_t word : list) text.append(reinterpret_cast<const char*>(&word), 4);
    return text;
  };
  block(0x0a0d0d0a, words({0x1a2b3c4d, 1, 0xffffffff, 0xffffffff}));  // version 1.0, length unknown
  block(1, words({1, 65535}));                                        // Ethernet
  for (const FrameBytes& frame : frames) {
    const auto size = static_cast<uint32_t>(frame.size());
    block(6, words({0, 0, 0, size, size}) + std::string(frame.begin(), frame.end()));
  }
  return file;
}

TEST_F(OverSocketTest, ExplainOfOnePacketAndOfACaptureOnStandardInput) {
  std::vector<uint16_t> ports;
  engine_.explain = [&](const engine::ExplainRequest& request) {
    engine::ExplainReport report = MovingReport();
    const publish::Explanation model = report.result.packets[0];
    report.result.packets.clear();
    for (const engine::ExplainPacket& packet : request.packets) {
      ports.push_back(packet.source_port);
      report.result.packets.push_back(model);
      report.result.packets.back().flow.source_port = packet.source_port;
    }
    return report;
  };
  const Finished one = Run({"explain", "198.51.100.7:4711", "192.0.2.10:443/tcp"});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_THAT(one.out, AllOf(HasSubstr("web-2"), HasSubstr("web-4"), HasSubstr("eth1")));
  EXPECT_EQ(ports, std::vector<uint16_t>{4711});
  ports.clear();
  const Finished many =
      RunEvenkeel({.args = {"explain", "--pcap", "-", "-o", "json"},
                   .env = {{"EVENKEEL_SOCKET", dir_.Path("evenkeeld.sock")}},
                   .in = Pcapng({TcpFrame(1000), TcpFrame(1001), TcpFrame(1001)})});
  EXPECT_EQ(many.code, 0) << many.err;
  const auto json = nlohmann::json::parse(many.out, nullptr, false);
  ASSERT_FALSE(json.is_discarded()) << many.out;
  EXPECT_EQ(json["packets"], 3);
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  EXPECT_EQ(ports, (std::vector<uint16_t>{1000, 1001}));
  engine_.down = absl::UnavailableError("not now");
  EXPECT_EQ(Run({"explain", "198.51.100.7:4711", "192.0.2.10:443/tcp"}).code, 1);
}

TEST_F(OverSocketTest, CaptureWritesWhatTheDaemonSends) {
  engine_.capture = [](const engine::CaptureRequest& request,
                       const engine::CaptureSink& sink) -> absl::StatusOr<engine::CaptureReport> {
    EXPECT_EQ(request.backend, "web-1");
    EXPECT_THAT(request.author, HasSubstr("uid "));
    engine::CaptureNews news{.packets = {}, .counts = {{.interface = "eth0"}}};
    sink(&news);
    for (int i = 0; i < 500; ++i) {
      news.packets = {{.unix_ns = 1,
                       .verdict = "forward",
                       .vip = "web",
                       .ingress = "eth0",
                       .egress = "eth1",
                       .length_in = 3,
                       .length_out = 3,
                       .in = "abc",
                       .out = "xyz"}};
      sink(&news);
    }
    return engine::CaptureReport{.end = engine::CaptureReport::End::kTime,
                                 .packets = 500,
                                 .counts = {{.interface = "eth0", .matched = 507, .no_room = 7}}};
  };
  const std::string path = dir_.Path("web.pcapng");
  const Finished ran = Run({"capture", "--backend", "web-1", "-w", path, "-o", "json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto json = nlohmann::json::parse(ran.out);
  EXPECT_EQ(json["packets"], 500);
  EXPECT_EQ(json["frames"], 1000);
  EXPECT_EQ(json["missed_no_room"], 7);
  EXPECT_EQ(json["ended_by"], "time");
  const Finished piped = Run({"capture", "--backend", "web-1", "-w", "-"});
  EXPECT_EQ(piped.code, 0) << piped.err;
  EXPECT_THAT(piped.err, AllOf(HasSubstr("500 packets"), HasSubstr("7 missed")));
  EXPECT_EQ(std::filesystem::file_size(path), piped.out.size());
  engine_.capture = nullptr;
  EXPECT_EQ(Run({"capture", "--all", "-w", path}).code, 1);
}

}  // namespace
}  // namespace evenkeel::cli
