// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "control/rpc/explain_convert.h"
#include "tests/unit/cli/explained.h"
#include "tests/unit/rpc/server_fixture.h"

namespace evenkeel::rpc {
namespace {

using ::testing::HasSubstr;

TEST(ExplainConvertTest, EveryStageComesAcross) {
  engine::ExplainReport report = cli::MovingReport();
  publish::Explanation& e = report.result.packets[0];
  e.opens = true;
  e.new_flow_limit = publish::LimitAnswer{.limit = {.interval_ns = 3, .burst = 4}, .within = false};
  e.pin->closing = true;
  e.disagreement = "it differs";
  publish::Explanation nobody = e;
  nobody.verdict = EK_DROP_NO_NEXTHOP;
  nobody.next_hop.reset();
  nobody.interface = nobody.gateway = "";
  nobody.problem = "no answer on eth1";
  nobody.choice = publish::Choice::kConnectionId;
  nobody.pin.reset();
  report.result.packets.push_back(nobody);
  report.result.packets.push_back({.flow = nobody.flow, .action = 2});
  const v1::ExplainResponse message = ToProto(report);
  const auto back = FromProto(message);
  ASSERT_TRUE(back.ok()) << back.status();
  // What is equal as a message, and differs from what is empty.
  EXPECT_EQ(ToProto(*back).ShortDebugString(), message.ShortDebugString());
  ASSERT_EQ(back->result.packets.size(), 3u);
  const publish::Explanation& got = back->result.packets[0];
  EXPECT_EQ(got.hash, 0xdeadbeefu);
  EXPECT_EQ(got.pin_age, 5u);
  EXPECT_TRUE(got.pin_holds && got.pin->closing);
  EXPECT_EQ(got.new_flow_limit->limit, e.new_flow_limit->limit);
  EXPECT_EQ(got.next_hop->dmac, e.next_hop->dmac);
  EXPECT_EQ(got.choice, publish::Choice::kPin);
  EXPECT_EQ(got.method, EK_METHOD_IPIP4);
  EXPECT_EQ(got.disagreement, "it differs");
  EXPECT_EQ(back->result.packets[1].verdict, EK_DROP_NO_NEXTHOP);
  EXPECT_FALSE(back->result.packets[1].next_hop);
  EXPECT_FALSE(back->result.packets[2].vip);
  EXPECT_EQ(back->revision.reason, "add web-4");
}

TEST(ExplainConvertTest, ADaemonOfAnotherVersionIsNoted) {
  v1::ExplainResponse message = ToProto(cli::MovingReport());
  message.mutable_packets(0)->set_verdict("teleported");
  EXPECT_THAT(std::string(FromProto(message).status().message()), HasSubstr("different versions"));
}

class ExplainRpcTest : public ServerFixture {
 protected:
  void SetUp() override {
    ServerFixture::SetUp();
    MustApply(engine::MakeConfig(4));
  }
  grpc::Status Ask(const v1::ExplainRequest& request) {
    grpc::ClientContext context;
    v1::ExplainResponse response;
    return stub_->Explain(&context, request, &response);
  }
};

TEST_F(ExplainRpcTest, ByNameAndByAddress) {
  engine::ExplainPacket named{.source = *model::IpAddress::Parse("198.51.100.7"),
                              .source_port = 4711,
                              .vip = "web",
                              .opening = true};
  engine::ExplainPacket given = named;
  given.vip = "";
  given.address = *model::IpAddress::Parse("192.0.2.99");
  given.port = 53;
  given.protocol = model::Protocol::kUdp;
  given.payload = {1, 2, 3};
  const auto report = client_->Explain({.packets = {named, given}});
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->result.packets.size(), 2u);
  ASSERT_EQ(kernel_.explained.size(), 2u);
  EXPECT_EQ(kernel_.explained[0].destination.ToString(), "192.0.2.10");
  EXPECT_EQ(kernel_.explained[0].destination_port, 443);
  EXPECT_TRUE(kernel_.explained[0].opening);
  EXPECT_EQ(kernel_.explained[1].ip_protocol, 17);
  EXPECT_FALSE(kernel_.explained[1].opening);
  EXPECT_EQ(kernel_.explained[1].payload, given.payload);
  EXPECT_EQ(report->revision.revision, 1u);
  EXPECT_NE(report->revision.author, "");
  EXPECT_GT(report->revision.created_unix_ns, 0);
}

TEST_F(ExplainRpcTest, BadRequestsNameTheFieldAndTheRemedy) {
  v1::ExplainPacket good;
  good.set_source("198.51.100.7");
  good.set_source_port(1);
  good.set_vip("web");
  struct {
    const char* name;
    std::function<void(v1::ExplainPacket*)> change;
    const char* says;
  } const cases[] = {
      {"no-source", [](auto* p) { p->set_source(""); }, "packets[0].source"},
      {"family", [](auto* p) { p->set_source("2001:db8::1"); }, "both must be IPv4"},
      {"port", [](auto* p) { p->set_source_port(70000); }, "packets[0].source_port"},
      {"port-0", [](auto* p) { p->set_source_port(0); }, "1 to 65535"},
      {"vip", [](auto* p) { p->set_vip("wbe"); }, "did you mean \"web\""},
      {"neither", [](auto* p) { p->set_vip(""); }, "either vip or address"},
      {"both", [](auto* p) { p->set_address("192.0.2.1"); }, "either vip or address"},
      {"no-port",
       [](auto* p) {
         p->set_vip("");
         p->set_address("192.0.2.1");
         p->set_protocol(v1::PROTOCOL_TCP);
       },
       "packets[0].port"},
      {"no-protocol",
       [](auto* p) {
         p->set_vip("");
         p->set_address("192.0.2.1");
         p->set_port(1);
       },
       "packets[0].protocol"},
      {"payload", [](auto* p) { p->set_payload("x"); }, "UDP and QUIC only"},
  };
  for (const auto& tested : cases) {
    v1::ExplainRequest request;
    *request.add_packets() = good;
    tested.change(request.mutable_packets(0));
    const grpc::Status status = Ask(request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << tested.name;
    EXPECT_THAT(status.error_message(), HasSubstr(tested.says)) << tested.name;
  }
  EXPECT_EQ(Ask({}).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  v1::ExplainRequest many;
  for (int i = 0; i < 1025; ++i) *many.add_packets() = good;
  EXPECT_THAT(Ask(many).error_message(), HasSubstr("at most 1024"));
  EXPECT_TRUE(kernel_.explained.empty());
}

TEST_F(ExplainRpcTest, QuicPacketsAreMade) {
  engine::ExplainPacket packet{.source = *model::IpAddress::Parse("198.51.100.7"),
                               .source_port = 1,
                               .address = *model::IpAddress::Parse("192.0.2.10"),
                               .port = 443,
                               .protocol = model::Protocol::kQuic,
                               .opening = true};
  ASSERT_TRUE(client_->Explain({.packets = {packet}}).ok());
  EXPECT_EQ(kernel_.explained[0].payload[0], 0xc0) << "an Initial";
  packet.opening = false;
  ASSERT_TRUE(client_->Explain({.packets = {packet}}).ok());
  EXPECT_EQ(kernel_.explained[0].payload[0], 0x40) << "a short header";
  EXPECT_EQ(kernel_.explained[0].ip_protocol, 17);
}

}  // namespace
}  // namespace evenkeel::rpc
