// SPDX-License-Identifier: Apache-2.0
//
// What the command says of a packet, against where the packet comes out on the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/daemon/traffic_fixture.h"

namespace evenkeel::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class ExplainDaemonTest : public TrafficFixture {
 protected:
  CommandResult Explain(Argv args) {
    Argv argv = {EK_BINARY_DIR "/bin/evenkeel", "explain", "--socket", socket_};
    argv.insert(argv.end(), args.begin(), args.end());
    return RunToEnd(argv);
  }
  json ExplainJson(Argv args) {
    args.insert(args.end(), {"-o", "json"});
    const CommandResult result = Explain(args);
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    json document = json::parse(result.out, nullptr, false);
    EXPECT_FALSE(document.is_discarded()) << result.out;
    return document;
  }
  static std::string Client(uint16_t port) { return absl::StrCat("198.51.100.7:", port); }
  static Bytes PacketToVip(uint16_t port, uint8_t flags) {
    Packet packet;
    packet.sport = port;
    packet.dport = 80;
    packet.tcp_flags = flags;
    packet.payload = 0;
    return Build(packet);
  }
  // The server that the frame comes out for.
  std::optional<std::string> Send(const Bytes& frame) {
    outside_->Send(frame);
    for (int i = 0; i < 300; ++i) {
      for (const auto& out : outside_->Receive()) {
        if (out.size() < 54 || out[23] != 4) continue;  // IPv4 in IPv4
        return absl::StrCat(out[30], ".", out[31], ".", out[32], ".", out[33]);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return std::nullopt;
  }
  // What else comes to the interface is not for a VIP.
  uint64_t Counted() {
    for (const auto& [verdict, count] : Status().verdicts) {
      if (verdict == "forward") return count;
    }
    ADD_FAILURE() << "the status has no packets that were forwarded";
    return 0;
  }
};

TEST_F(ExplainDaemonTest, IsWhereThePacketComesOut) {
  AddNeighbors(5);
  Start({"--config", Write("four.yaml", MakeYaml(4))});
  ASSERT_EQ(Apply(MakeConfig(5)).kind, engine::Outcome::Kind::kApplied);  // slots move
  std::map<std::string, int> chosen;
  for (uint16_t port = 40000; port < 40040; ++port) {
    for (const bool opening : {true, false}) {
      const json said = ExplainJson({Client(port), "web", opening ? "--syn" : "--ack"});
      const json& packet = said["packet"];
      EXPECT_EQ(packet["verdict"], "forward");
      EXPECT_EQ(packet["agrees"], true);
      const auto sent = Send(PacketToVip(port, opening ? kTcpSyn : kTcpAck));
      ASSERT_TRUE(sent) << port;
      EXPECT_EQ(packet["backend"]["address"], *sent) << port << " " << opening;
      ++chosen[packet["chosen_by"]];
    }
  }
  EXPECT_GT(chosen["owner"], 10);
  EXPECT_GT(chosen["pin"], 2) << "those that opened in a slot that moves";
}

TEST_F(ExplainDaemonTest, CountsNothingAndNamesTheRevision) {
  AddNeighbors(5);
  Start({"--config", Write("four.yaml", MakeYaml(4))});
  ASSERT_EQ(Apply(MakeConfig(5)).kind, engine::Outcome::Kind::kApplied);
  const uint64_t before = Counted();
  json said;
  for (int i = 0; i < 5; ++i) said = ExplainJson({Client(40000), "192.0.2.10:80/tcp"});
  EXPECT_EQ(Counted(), before);
  EXPECT_EQ(said["revision"]["number"], Status().applied.revision);
  EXPECT_EQ(said["revision"]["reason"], "a test");
  EXPECT_THAT(std::string(said["revision"]["author"]), HasSubstr("uid 0"));
  EXPECT_EQ(said["digest"], Status().kernel_digest);
  ASSERT_TRUE(Send(PacketToVip(40000, kTcpSyn)));
  EXPECT_EQ(Counted(), before + 1);
  const CommandResult elsewhere = Explain({Client(40000), "192.0.2.10:81/tcp"});
  EXPECT_EQ(elsewhere.exit_code, 0);
  EXPECT_THAT(elsewhere.out, HasSubstr("pass_no_vip"));
  const CommandResult unknown = Explain({Client(40000), "wbe"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean \"web\"?"));
}

TEST_F(ExplainDaemonTest, SharesOfACapture) {
  AddNeighbors(2);
  Start({"--config", config_});
  std::string file;
  const auto put = [&](auto value) {
    file.append(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  put(uint32_t{0xa1b2c3d4});
  put(uint32_t{0x00040002});
  put(uint64_t{0});
  put(uint32_t{65535});
  put(uint32_t{1});
  for (uint16_t port = 10000; port < 14000; ++port) {
    const Bytes frame = PacketToVip(port, kTcpSyn);
    put(uint64_t{0});
    put(static_cast<uint32_t>(frame.size()));
    put(static_cast<uint32_t>(frame.size()));
    file.append(frame.begin(), frame.end());
  }
  const uint64_t before = Counted();
  const json said = ExplainJson({"--pcap", Write("syns.pcap", file)});
  EXPECT_EQ(Counted(), before);
  EXPECT_EQ(said["packets"], 4000);
  EXPECT_EQ(said["differing_packets"], 0);
  EXPECT_EQ(said["verdicts"]["forward"], 4000);
  for (const json& backend : said["vips"][0]["backends"]) {
    EXPECT_NEAR(backend["table_share"], 0.5, 0.01);
    EXPECT_NEAR(backend["flow_share"], 0.5, 0.04) << "five standard deviations";
  }
}

}  // namespace
}  // namespace evenkeel::testing
