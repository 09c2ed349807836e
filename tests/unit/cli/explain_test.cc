// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>

#include <linux/bpf.h>

#include <fstream>

#include "control/cli/packet_spec.h"
#include "control/cli/text.h"
#include "tests/unit/cli/cli_fixture.h"
#include "tests/unit/cli/explained.h"
#include "tests/unit/cli/frames.h"

namespace evenkeel::cli {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(PacketSpecTest, Reads) {
  const auto four = ParsePacket("198.51.100.7:4711", "192.0.2.10:443/tcp");
  ASSERT_TRUE(four.ok()) << four.status();
  EXPECT_EQ(four->source.ToString(), "198.51.100.7");
  EXPECT_EQ(four->source_port, 4711);
  EXPECT_EQ(four->address->ToString(), "192.0.2.10");
  EXPECT_EQ(four->port, 443);
  EXPECT_EQ(four->protocol, model::Protocol::kTcp);
  EXPECT_TRUE(four->opening);
  const auto six = ParsePacket("[2001:db8::7]:1", "[2001:db8::10]:65535/quic");
  ASSERT_TRUE(six.ok()) << six.status();
  EXPECT_EQ(six->source.ToString(), "2001:db8::7");
  EXPECT_EQ(six->address->ToString(), "2001:db8::10");
  EXPECT_EQ(six->port, 65535);
  EXPECT_EQ(six->protocol, model::Protocol::kQuic);
  const auto name = ParsePacket("198.51.100.7:4711", "web");
  ASSERT_TRUE(name.ok()) << name.status();
  EXPECT_EQ(name->vip, "web");
  EXPECT_FALSE(name->address);
  EXPECT_EQ(name->port, 0);
  EXPECT_EQ(ParsePacket("198.51.100.7:4711", "web:8080")->port, 8080);
}

TEST(PacketSpecTest, SaysHowToWriteIt) {
  struct {
    const char *source, *vip, *says;
  } const cases[] = {
      {"198.51.100.7", "web", "the port is missing"},
      {"198.51.100.7:0", "web", "is no port"},
      {"198.51.100.7:70000", "web", "is no port"},
      {"198.51.100.7:x", "web", "is no port"},
      {"2001:db8::7", "web", "needs brackets"},
      {"[2001:db8::7", "web", "no client's address"},
      {"[2001:db8::7]4711", "web", "no client's address"},
      {"localhost:1", "web", "198.51.100.7:4711"},
      {"198.51.100.7:1", "192.0.2.10/tcp", "the port is missing"},
      {"198.51.100.7:1", "192.0.2.10:443", "the protocol is missing"},
      {"198.51.100.7:1", "192.0.2.10:443/sctp", "none of tcp, udp, quic"},
      {"198.51.100.7:1", "192.0.2.10:/tcp", "is no port"},
      {"198.51.100.7:1", "2001:db8::10/tcp", "needs brackets"},
      {"198.51.100.7:1", "[2001:db8::zz]:443/tcp", "192.0.2.10:443/tcp"},
      {"198.51.100.7:1", "web/tcp", "leave \"/tcp\" away"},
      {"198.51.100.7:1", "", "no VIP"},
  };
  for (const auto& tested : cases) {
    const auto packet = ParsePacket(tested.source, tested.vip);
    ASSERT_FALSE(packet.ok()) << tested.source << " " << tested.vip;
    EXPECT_THAT(std::string(packet.status().message()), HasSubstr(tested.says))
        << tested.source << " " << tested.vip;
  }
  for (const char* id : {"", "2", "xx", "000000000000000000000000000000000000000000"}) {
    EXPECT_FALSE(ParseConnectionId(id).ok()) << id;
  }
  EXPECT_EQ((*ParseConnectionId("20fF"))[2], 0xff);
}

class ExplainTest : public CliTest {
 protected:
  ExplainTest() {
    daemon_.explain = [this](const engine::ExplainRequest& request) {
      requests_.push_back(request);
      return report_;
    };
  }
  // Writes a classic capture of these frames, in the byte order of this host.
  std::string Capture(const std::vector<FrameBytes>& frames, uint32_t link = 1) {
    std::string file;
    const auto put = [&](auto value) {
      file.append(reinterpret_cast<const char*>(&value), sizeof(value));
    };
    put(uint32_t{0xa1b2c3d4});
    put(uint16_t{2});
    put(uint16_t{4});
    put(uint64_t{0});
    put(uint32_t{65535});
    put(link);
    for (const FrameBytes& frame : frames) {
      put(uint64_t{0});
      put(static_cast<uint32_t>(frame.size()));
      put(static_cast<uint32_t>(frame.size()));
      file.append(frame.begin(), frame.end());
    }
    const std::string path = Path("test.pcap");
    std::ofstream(path, std::ios::binary) << file;
    return path;
  }
  // Answers like a daemon: each flow to web-1, or web-2 for odd client ports.
  void AnswerFlows() {
    daemon_.explain = [this](const engine::ExplainRequest& request) {
      requests_.push_back(request);
      engine::ExplainReport report = report_;
      const publish::Explanation model = report.result.packets[0];
      report.result.packets.clear();
      for (const engine::ExplainPacket& packet : request.packets) {
        publish::Explanation e = model;
        e.flow.source = packet.source;
        e.flow.source_port = packet.source_port;
        e.flow.destination_port = packet.port;
        const bool odd = packet.source_port % 2 != 0;
        e.backend = {.id = 1, .name = odd ? "web-2" : "web-1", .share = odd ? 0.25 : 0.75};
        if (packet.port != 443) {
          e = {.flow = e.flow, .verdict = EK_PASS_NO_VIP, .action = XDP_PASS};
        }
        report.result.packets.push_back(e);
      }
      return report;
    };
  }

  engine::ExplainReport report_ = MovingReport();
  std::vector<engine::ExplainRequest> requests_;
};

TEST_F(ExplainTest, OneLineForEachDecisionInTheirOrder) {
  const Ran ran = Run({"explain", "198.51.100.7:4711", "web"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  ASSERT_EQ(requests_.size(), 1u);
  EXPECT_EQ(requests_[0].packets[0].vip, "web");
  EXPECT_TRUE(requests_[0].packets[0].opening);
  size_t at = 0;
  for (const char* line :
       {"packet        198.51.100.7:4711 to 192.0.2.10:443/tcp", "generation    3, published",
        "revision      41 by alice", "VIP           web, 192.0.2.10:443/tcp, pool web",
        "rules         edge (global): allowed by 0.0.0.0/0", "own: allowed by 198.51.100.0/24",
        "limits        packets of one source, 100/s, burst 20: within",
        "hash          00000000deadbeef, the slot follows from the whole flow",
        "slot          123 of 4099", "owner         web-4 (10.0.1.14)",
        "moving        yes, from web-2 (10.0.1.12)", "pinned        yes, last packet 5 s ago",
        "backend       web-4 (10.0.1.14): the connection is pinned to it; has 25.00 %",
        "next hop      02:00:00:00:01:14 through eth1, gateway 10.0.0.1, MTU 1500",
        "encapsulated  in IPv4 (ipip), from 172.16.1.2 to 10.0.1.14", "verdict       forward",
        "program       agrees, XDP_REDIRECT"}) {
    const size_t found = ran.out.find(line, at);
    ASSERT_NE(found, std::string::npos) << line << " in\n" << ran.out;
    at = found;
  }
  for (std::string_view line : Split(ran.out, '\n')) EXPECT_LE(line.size(), 80u) << line;
}

TEST_F(ExplainTest, WhatEndsItIsTheLastDecision) {
  publish::Explanation& e = report_.result.packets[0];
  e.rules[1].denied = true;
  e.slots = 0;
  e.verdict = EK_DROP_SOURCE;
  e.action = XDP_DROP;
  const Ran denied = Run({"explain", "198.51.100.7:4711", "web"});
  EXPECT_EQ(denied.code, 0) << "a packet that is dropped is no error";
  EXPECT_THAT(denied.out, AllOf(HasSubstr("own: denied by 198.51.100.0/24"),
                                HasSubstr("drop_source"), Not(HasSubstr("backend "))));
  e = {.flow = e.flow, .action = XDP_PASS};
  EXPECT_THAT(
      Run({"explain", "198.51.100.7:4711", "web"}).out,
      AllOf(HasSubstr("none has this address"), HasSubstr("pass_no_vip"), Not(HasSubstr("rules"))));
}

TEST_F(ExplainTest, AProgramThatDoesSomethingElseIsLoud) {
  report_.result.packets[0].disagreement = "it must go to 10.0.1.14 and left for 10.0.1.11";
  const Ran ran = Run({"explain", "198.51.100.7:4711", "web"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("THE PROGRAM DID SOMETHING ELSE: it must go to 10.0.1.14"));
  const Ran json = Run({"explain", "198.51.100.7:4711", "web", "-o", "json"});
  EXPECT_EQ(json.code, 1);
  EXPECT_EQ(json.Json()["packet"]["agrees"], false);
}

TEST_F(ExplainTest, Json) {
  const nlohmann::json json =
      Run({"explain", "198.51.100.7:4711", "192.0.2.10:443/tcp", "--ack", "-o", "json"}).Json();
  EXPECT_FALSE(requests_[0].packets[0].opening);
  EXPECT_EQ(json["schema"], "evenkeel.explain/v1");
  EXPECT_EQ(json["generation"], 3);
  EXPECT_EQ(json["revision"]["number"], 41);
  EXPECT_EQ(json["revision"]["reason"], "add web-4");
  const auto& packet = json["packet"];
  EXPECT_EQ(packet["vip"], "web");
  EXPECT_EQ(packet["rules"][1]["prefix"], "198.51.100.0/24");
  EXPECT_EQ(packet["source_limit"]["burst"], 20);
  EXPECT_EQ(packet["previous_owner"]["name"], "web-2");
  EXPECT_EQ(packet["chosen_by"], "pin");
  EXPECT_EQ(packet["backend"]["address"], "10.0.1.14");
  EXPECT_EQ(packet["next_hop"]["gateway"], "10.0.0.1");
  EXPECT_EQ(packet["encapsulation"]["method"], "ipip");
  EXPECT_EQ(packet["verdict"], "forward");
}

TEST_F(ExplainTest, QuicIds) {
  const Ran ran = Run({"explain", "198.51.100.7:4711", "192.0.2.10:443/quic", "--quic-id", "2003"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const engine::ExplainPacket& packet = requests_[0].packets[0];
  EXPECT_EQ(packet.protocol, model::Protocol::kQuic);
  ASSERT_GE(packet.payload.size(), 9u);
  EXPECT_EQ(packet.payload[0], 0x40);
  EXPECT_EQ(packet.payload[1], 0x20);
  EXPECT_EQ(packet.payload[2], 0x03);
}

TEST_F(ExplainTest, UsageIsExplained) {
  struct {
    std::vector<std::string> args;
    const char* says;
  } const cases[] = {
      {{}, "or give --pcap FILE"},
      {{"198.51.100.7:1"}, "or give --pcap FILE"},
      {{"198.51.100.7", "web"}, "the port is missing"},
      {{"198.51.100.7:1", "web", "--syn", "--ack"}, "not both"},
      {{"198.51.100.7:1", "web", "--limit", "5"}, "belongs to --pcap"},
      {{"198.51.100.7:1", "web", "--pcap", "x"}, "give it alone"},
      {{"198.51.100.7:1", "web", "--quic-id", "xyz"}, "hex digits"},
      {{"198.51.100.7:1", "web", "--syn", "--quic-id", "20"}, "leave --syn away"},
      {{"--pcap", "/nonexistent/x.pcap"}, "cannot read"},
  };
  for (const auto& tested : cases) {
    std::vector<std::string> args = {"explain"};
    args.insert(args.end(), tested.args.begin(), tested.args.end());
    const Ran ran = Run(args);
    EXPECT_EQ(ran.code, 1) << tested.says;
    EXPECT_THAT(ran.err, HasSubstr(tested.says));
  }
  EXPECT_TRUE(requests_.empty());
}

TEST_F(ExplainTest, SharesOfACapture) {
  AnswerFlows();
  std::vector<FrameBytes> frames;
  for (uint16_t port = 1000; port < 1010; ++port) frames.push_back(TcpFrame(port));
  for (int i = 0; i < 10; ++i) frames.push_back(TcpFrame(1000));  // one flow that is large
  frames.push_back(TcpFrame(1000, 80));
  frames.push_back(FrameBytes(60));
  const std::string path = Capture(frames);
  const Ran ran = Run({"explain", "--pcap", path});
  EXPECT_EQ(ran.code, 0) << ran.err;
  ASSERT_EQ(requests_.size(), 1u);
  EXPECT_EQ(requests_[0].packets.size(), 11u) << "packets that are alike are asked for once";
  EXPECT_THAT(
      ran.out,
      AllOf(ContainsRegex("packets +22"), ContainsRegex("flows +11"), ContainsRegex("forward +20 "),
            ContainsRegex("pass_no_vip +1 "), ContainsRegex("not understood +1 "),
            HasSubstr("VIP web, 192.0.2.10:443/tcp, pool web: 20 packets, 10 flows"),
            ContainsRegex("web-1 +15 +75.00 % +5 +50.00 % +75.00 %"),
            ContainsRegex("web-2 +5 +25.00 % +5 +50.00 % +25.00 %")));
  const nlohmann::json json = Run({"explain", "--pcap", path, "-o", "json"}).Json();
  EXPECT_EQ(json["schema"], "evenkeel.explain_summary/v1");
  EXPECT_EQ(json["packets"], 22);
  EXPECT_EQ(json["verdicts"]["forward"], 20);
  EXPECT_EQ(json["vips"][0]["backends"][0]["packet_share"], 0.75);
  EXPECT_EQ(json["vips"][0]["backends"][0]["table_share"], 0.75);
}

TEST_F(ExplainTest, LargeCapturesGoInBatchesUpToALimit) {
  AnswerFlows();
  std::vector<FrameBytes> frames;
  for (uint16_t port = 1; port <= 3000; ++port) frames.push_back(TcpFrame(port));
  const Ran stopped = Run({"explain", "--pcap", Capture(frames)});  // Ctrl-C, in this environment
  EXPECT_THAT(stopped.out, HasSubstr("1024 packets, 1024 flows"));
  EXPECT_THAT(stopped.err, HasSubstr("stopped after 1024 packets"));
  requests_.clear();
  env_.sleep = [](std::chrono::milliseconds) { return true; };
  const Ran ran = Run({"explain", "--pcap", Capture(frames), "--limit", "2500"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  ASSERT_EQ(requests_.size(), 3u);
  EXPECT_EQ(requests_[0].packets.size(), 1024u);
  EXPECT_EQ(requests_[2].packets.size(), 2500u - 2048u);
  EXPECT_THAT(ran.out, HasSubstr("2500 packets, 2500 flows"));
  EXPECT_THAT(ran.err, HasSubstr("--limit takes more"));
}

TEST_F(ExplainTest, OtherLinkLayers) {
  AnswerFlows();
  FrameBytes raw = TcpFrame(1000);
  raw.erase(raw.begin(), raw.begin() + 14);
  FrameBytes cooked(16);
  cooked[14] = 0x08;
  cooked.insert(cooked.end(), raw.begin(), raw.end());
  EXPECT_THAT(Run({"explain", "--pcap", Capture({raw}, 101)}).out, HasSubstr("1 packet, 1 flow"));
  EXPECT_THAT(Run({"explain", "--pcap", Capture({cooked}, 113)}).out,
              HasSubstr("1 packet, 1 flow"));
  const Ran wireless = Run({"explain", "--pcap", Capture({raw}, 105)});
  EXPECT_EQ(wireless.code, 1);
  EXPECT_THAT(wireless.err, HasSubstr("link of type IEEE802_11"));
}

TEST_F(ExplainTest, BrokenCaptures) {
  AnswerFlows();
  const std::string path = Capture({TcpFrame(1000), TcpFrame(1001)});
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 5);
  const Ran cut = Run({"explain", "--pcap", path});
  EXPECT_EQ(cut.code, 0) << cut.err;
  EXPECT_THAT(cut.out, HasSubstr("1 packet, 1 flow"));
  EXPECT_THAT(cut.err, HasSubstr("is broken after packet 1"));
  EXPECT_THAT(Run({"explain", "--pcap", Capture({})}).err, HasSubstr("has no packets"));
  const Ran text = Run({"explain", "--pcap", WriteFile("x.pcap", "vips: []\n")});
  EXPECT_EQ(text.code, 1);
  EXPECT_THAT(text.err, HasSubstr("write it with tcpdump -w"));
}

}  // namespace
}  // namespace evenkeel::cli
