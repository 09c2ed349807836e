// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/vip_probe.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::daemon {
namespace {

using engine::Finding;
using model::HealthCheck;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Ip;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Kind = VipAnswer::Kind;
using Level = Finding::Level;

class VipProbeTest : public ::testing::Test {
 protected:
  VipProbeTest() {
    config_.pools = {testing::MakePool("web", 1, {1, 2})};
    config_.vips = {testing::MakeVip("web", "192.0.2.10", 80, "web")};
  }
  model::Pool& pool() { return config_.pools[0]; }
  VipQuestions Plan(size_t limit = 100) {
    return PlanVipQuestions(
        config_, status_,
        [this](const model::IpAddress& vip, const model::IpAddress&) {
          return vip == faulty_ ? "answers are dropped" : "";
        },
        limit);
  }
  // Of one question and its two answers.
  std::vector<Finding> Judge(VipAnswer through, VipAnswer direct) {
    VipQuestions questions = Plan();
    questions.asked.resize(1);
    return JudgeVipAnswers(questions, {std::move(through)}, {std::move(direct)});
  }
  void SetHealth(const std::string& health, const std::string& cause = "") {
    engine::PoolStatus pool;
    pool.name = "web";
    for (const model::Backend& backend : config_.pools[0].backends) {
      engine::BackendStatus b;
      b.name = backend.name;
      b.address = backend.address;
      b.health = health;
      b.health_cause = cause;
      pool.backends.push_back(b);
    }
    status_.pools = {pool};
  }

  model::Config config_;
  engine::Status status_;
  std::optional<model::IpAddress> faulty_;
};

const VipAnswer kYes{Kind::kYes, ""};
const VipAnswer kRefused{Kind::kRefused, "connection refused"};
const VipAnswer kNone{Kind::kNone, "no answer within 1s"};

TEST_F(VipProbeTest, TcpVipsAreAskedAsClientsAsk) {
  pool().backends.push_back(pool().backends[0]);  // another name of the same
  pool().backends.back().name = "again";
  config_.vips.push_back(testing::MakeVip("tls", "192.0.2.11", 443, "web"));
  config_.vips.push_back(testing::MakeVip("other", "192.0.2.12", 443, "elsewhere"));
  const VipQuestions plan = Plan();
  ASSERT_THAT(plan.asked, SizeIs(4));
  EXPECT_EQ(plan.asked[0].vip, Ip("192.0.2.10"));
  EXPECT_EQ(plan.asked[0].target.port, 80);
  EXPECT_EQ(plan.asked[1].target.port, 443);
  EXPECT_TRUE(plan.asked[1].clients_port);
  EXPECT_FALSE(plan.asked[1].target.via);
  EXPECT_THAT(plan.findings, IsEmpty());
}

TEST_F(VipProbeTest, WhoDrainsIsNotAsked) {
  pool().backends[0].state = model::AdminState::kDraining;
  ASSERT_THAT(Plan().asked, SizeIs(1));
  EXPECT_EQ(Plan().asked[0].server, pool().backends[1].address);
}

TEST_F(VipProbeTest, UdpIsAskedByTheHealthCheckOrCannotBeTold) {
  config_.vips[0].protocol = model::Protocol::kUdp;
  EXPECT_THAT(Plan().asked, IsEmpty());
  ASSERT_THAT(Plan().findings, SizeIs(1));
  EXPECT_EQ(Plan().findings[0].level, Level::kOk);
  EXPECT_THAT(Plan().findings[0].detail, HasSubstr("cannot be told through VIP web"));
  HealthCheck& check = pool().health_check.emplace();
  check.type = HealthCheck::Type::kUdp;
  check.send = "ping";
  check.expect = "pong";
  ASSERT_THAT(Plan().asked, SizeIs(2));
  EXPECT_EQ(Plan().asked[0].target.check.send, "ping");
  EXPECT_EQ(Plan().asked[0].target.check.expect, "") << "any answer came through";
  EXPECT_EQ(Plan().asked[0].target.port, 80);
  EXPECT_FALSE(Plan().asked[0].clients_port);
  check = {};
  check.type = HealthCheck::Type::kHttp;
  check.port = 8080;
  EXPECT_EQ(Plan().asked[0].target.port, 8080);
  EXPECT_EQ(Plan().asked[0].target.check.type, HealthCheck::Type::kTcp);
  check.type = HealthCheck::Type::kIcmp;
  EXPECT_EQ(Plan().asked[0].target.port, 0);
  EXPECT_EQ(Plan().asked[0].target.check.type, HealthCheck::Type::kIcmp);
}

TEST_F(VipProbeTest, WhatThisHostWouldDropIsNotAskedAndSaidOnce) {
  faulty_ = Ip("192.0.2.10");
  EXPECT_THAT(Plan().asked, IsEmpty());
  ASSERT_THAT(Plan().findings, SizeIs(1));
  EXPECT_EQ(Plan().findings[0].level, Level::kWarn);
  EXPECT_THAT(Plan().findings[0].detail, HasSubstr("answers are dropped"));
}

TEST_F(VipProbeTest, EachPoolHasItsTurnAndTheRestIsNamed) {
  config_.pools.push_back(testing::MakePool("api", 2, {1, 2, 3}));
  config_.vips.push_back(testing::MakeVip("api", "192.0.2.20", 80, "api"));
  const VipQuestions plan = Plan(3);
  ASSERT_THAT(plan.asked, SizeIs(3));
  EXPECT_EQ(plan.asked[0].pool, "web");
  EXPECT_EQ(plan.asked[1].pool, "api");
  EXPECT_EQ(plan.asked[2].pool, "web");
  EXPECT_THAT(plan.left_out, SizeIs(2));
  const auto findings = JudgeVipAnswers(plan, {kYes, kYes, kYes}, {kYes, kYes, kYes});
  ASSERT_THAT(findings, SizeIs(3));
  EXPECT_THAT(findings[2].detail, HasSubstr(plan.left_out[1]));
  EXPECT_EQ(findings[2].level, Level::kOk);
}

TEST_F(VipProbeTest, ChecksThroughVipsSaySoThemselves) {
  pool().health_check.emplace().through = HealthCheck::Through::kVip;
  SetHealth("up");
  VipQuestions plan = Plan();
  EXPECT_THAT(plan.asked, IsEmpty());
  EXPECT_THAT(plan.well, SizeIs(2));
  EXPECT_THAT(JudgeVipAnswers(plan, {}, {})[0].detail, HasSubstr("2 servers take packets"));
  SetHealth("down", "3 probes failed");
  plan = Plan();
  ASSERT_THAT(plan.asked, SizeIs(2));
  const auto findings = JudgeVipAnswers(plan, {kNone, kNone}, {kYes, kNone});
  ASSERT_THAT(findings, SizeIs(2));
  EXPECT_THAT(findings[0].detail,
              ::testing::AllOf(HasSubstr("answers at its own address but not through"),
                               HasSubstr("its health check says: 3 probes failed")));
  EXPECT_THAT(findings[1].detail, HasSubstr("neither"));
  EXPECT_EQ(JudgeVipAnswers(plan, {kYes, kYes}, {kYes, kYes})[0].level, Level::kOk)
      << "HTTP status 503 is no fault of the way";
  SetHealth("unknown");  // nothing is known: it is asked like any other
  plan = Plan();
  ASSERT_THAT(plan.asked, SizeIs(2));
  EXPECT_FALSE(plan.asked[0].down);
}

TEST_F(VipProbeTest, WhatTheTwoAnswersSayTogether) {
  EXPECT_EQ(Judge(kYes, kNone)[0].level, Level::kOk) << "it may listen on the VIP alone";
  auto missing = Judge(kNone, kYes);
  ASSERT_THAT(missing, SizeIs(1));
  EXPECT_EQ(missing[0].level, Level::kFail);
  EXPECT_EQ(missing[0].check, "decapsulation");
  EXPECT_EQ(missing[0].subject, "web/" + pool().backends[0].name);
  EXPECT_THAT(missing[0].detail,
              HasSubstr("answers at its own address but not through VIP 192.0.2.10"));
  EXPECT_THAT(missing[0].remedy,
              ::testing::AllOf(HasSubstr("evenkeel-decap --status"),
                               HasSubstr("ip address add 192.0.2.10/32 dev lo")));
  EXPECT_THAT(Judge(kNone, kRefused)[0].detail, HasSubstr("but not through VIP"))
      << "who refuses is there";
  EXPECT_THAT(
      Judge(kNone, kNone)[0].detail,
      HasSubstr("answers neither through VIP 192.0.2.10 nor at its own address (no answer"));
  EXPECT_THAT(Judge(kRefused, kYes)[0].detail, HasSubstr("listens at its own address alone"));
  EXPECT_THAT(Judge(kRefused, kRefused)[0].detail, HasSubstr("as it does at its own address"));
  const auto fault = Judge({Kind::kOwnFault, "no port left"}, kYes);
  EXPECT_EQ(fault[0].level, Level::kWarn);
  EXPECT_THAT(fault[0].detail, HasSubstr("cannot be told: no port left"));
}

TEST_F(VipProbeTest, WhoRefusesAPortThatIsNotTheClientsTakesPackets) {
  config_.vips[0].protocol = model::Protocol::kUdp;
  pool().health_check.emplace().port = 8080;
  EXPECT_EQ(Judge(kRefused, kYes)[0].level, Level::kOk);
}

TEST_F(VipProbeTest, L2HasARemedyOfItsOwn) {
  pool().forwarding = model::Forwarding::kL2;
  const auto findings = Judge(kNone, kYes);
  EXPECT_THAT(findings[0].remedy,
              ::testing::AllOf(HasSubstr("arp_ignore=1"), Not(HasSubstr("evenkeel-decap"))));
}

TEST_F(VipProbeTest, ManyFaultsAreSummedUp) {
  std::vector<int> numbers;
  for (int i = 1; i <= 30; ++i) numbers.push_back(i);
  pool() = testing::MakePool("web", 1, numbers);
  const VipQuestions plan = Plan();
  const std::vector<VipAnswer> none(30, kNone), yes(30, kYes);
  const auto findings = JudgeVipAnswers(plan, none, yes);
  ASSERT_THAT(findings, SizeIs(21));
  EXPECT_THAT(findings[20].detail, HasSubstr("10 more"));
}

TEST(AskOnceTest, TellsAnswersRefusalsAndSilenceApart) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  socklen_t length = sizeof(address);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
  const probe::Target target{
      .pool = "p", .address = Ip("127.0.0.1"), .port = ntohs(address.sin_port), .check = {}};
  EXPECT_EQ(AskOnce({target}, std::chrono::milliseconds(1000))[0].kind, Kind::kRefused)
      << "it does not listen yet";
  ASSERT_EQ(::listen(listener, 5), 0);
  probe::Target silent = target;  // TEST-NET-3
  silent.address = Ip("203.0.113.1");
  const auto start = std::chrono::steady_clock::now();
  const auto answers = AskOnce({target, silent, target}, std::chrono::milliseconds(500));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(2000));
  EXPECT_EQ(answers[0].kind, Kind::kYes);
  EXPECT_NE(answers[1].kind, Kind::kYes);
  EXPECT_EQ(answers[2].kind, Kind::kYes) << "the same once more, by a label of its own";
  ::close(listener);
  EXPECT_THAT(AskOnce({}, std::chrono::milliseconds(500)), IsEmpty());
}

}  // namespace
}  // namespace evenkeel::daemon
