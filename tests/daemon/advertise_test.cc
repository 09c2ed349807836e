// SPDX-License-Identifier: Apache-2.0
//
// Routes of a real daemon, as iproute2 shows them: added when it can serve, kept when it dies, and
// gone for a reason only.
#include <gmock/gmock.h>

#include "tests/daemon/daemon_fixture.h"

namespace evenkeel::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A pool of each family; `check` is a line of both.
std::string Yaml(const std::string& check = "") {
  std::string yaml =
      "vips:\n"
      "  - {name: web, address: 192.0.2.10, port: 80, protocol: tcp, pool: four}\n"
      "  - {name: six, address: \"2001:db8::10\", port: 80, protocol: tcp, pool: six}\n"
      "pools:\n";
  for (const auto& [pool, net] : {std::pair{"four", "10.9.0."}, {"six", "fd09::"}}) {
    absl::StrAppend(&yaml, "  - name: ", pool, "\n    table_size: 4099\n", check,
                    "    backends:\n      - {name: b1, address: \"", net,
                    "11\"}\n      - {name: b2, address: \"", net, "12\"}\n");
  }
  return yaml;
}

class AdvertiseDaemonTest : public DaemonFixture {
 protected:
  void SetUp() override {
    DaemonFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    netns_->Run("ip address add fd09::1/64 dev ek0 nodad");
  }
  void AddAllNeighbors() const {
    AddNeighbors(2);
    netns_->Run(
        "for i in 11 12; do ip neighbour replace fd09::$i lladdr 02:00:00:00:00:02 dev ek0 nud "
        "permanent; done");
  }
  void StartAdvertising(const Argv& more = {}) {
    Argv flags = {"--advertise", "--config", Write("web.yaml", Yaml())};
    flags.insert(flags.end(), more.begin(), more.end());
    Start(flags);
  }
  std::string Routes(const std::string& table = "150") const {
    return netns_->Output("ip -4 route show table " + table +
                          " 2>/dev/null; ip -6 route show table " + table + " 2>/dev/null; true");
  }
  bool BothRouted() const {
    const std::string routes = Routes();
    return routes.find("blackhole 192.0.2.10 proto 150 metric 1024") != std::string::npos &&
           routes.find("blackhole 2001:db8::10 dev lo proto 150 metric 1024") != std::string::npos;
  }
  template <typename Condition>
  bool Soon(Condition condition) const {
    for (int i = 0; i < 200; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }
  engine::Advertisement Of(size_t vip) {
    const engine::Status status = Status();
    return status.vips.at(vip).advertised.value_or(engine::Advertisement{.why = "absent"});
  }
  static engine::WithdrawalRequest All() { return {.all = true, .reason = "new kernel"}; }
};

TEST_F(AdvertiseDaemonTest, OffByDefault) {
  AddAllNeighbors();
  Start({"--config", Write("web.yaml", Yaml())});
  EXPECT_THAT(Routes(), IsEmpty());
  EXPECT_FALSE(Status().vips.at(0).advertised.has_value());
  EXPECT_EQ(client_->Withdraw(All()).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(AdvertiseDaemonTest, AddedAtTheStartAndKeptHoweverItEnds) {
  AddAllNeighbors();
  StartAdvertising();
  ASSERT_TRUE(Soon([&] { return BothRouted(); })) << Routes();
  EXPECT_TRUE(Of(0).routed);
  EXPECT_EQ(Of(0).why, "");
  for (const int signal : {SIGKILL, SIGTERM}) {
    End(signal);
    EXPECT_TRUE(BothRouted());
    StartAdvertising();
    EXPECT_TRUE(BothRouted());
  }
  // Nothing is told of routes that were there.
  EXPECT_THAT(End(SIGTERM).err, Not(HasSubstr("advertised")));
}

TEST_F(AdvertiseDaemonTest, GoneWithTheDataPlane) {
  AddAllNeighbors();
  StartAdvertising({"--detach-on-exit"});
  ASSERT_TRUE(Soon([&] { return BothRouted(); }));
  End(SIGTERM);
  EXPECT_THAT(Routes(), IsEmpty());
}

TEST_F(AdvertiseDaemonTest, SettingsSayWhichRoutes) {
  AddAllNeighbors();
  const std::string settings =
      Write("s.yaml", "advertise: {enabled: true, table: main, protocol: 77, metric: 9}\n");
  Argv argv = CommandLine({"--config", Write("web.yaml", Yaml())});
  std::replace(argv.begin(), argv.end(), std::string("/dev/null"), settings);
  {
    const ScopedNetns::Entered inside(*netns_);
    daemon_ = std::make_unique<Process>(argv);
  }
  WaitForAnswer();
  ASSERT_TRUE(Soon([&] { return Routes("main").find("192.0.2.10") != std::string::npos; }));
  EXPECT_THAT(Routes("main"), AllOf(HasSubstr("blackhole 192.0.2.10 proto 77 metric 9"),
                                    HasSubstr("blackhole 2001:db8::10 dev lo proto 77 metric 9"),
                                    HasSubstr("10.9.0.0/24 dev ek0")));
  ASSERT_TRUE(client_->Withdraw(All()).ok());
  EXPECT_THAT(Routes("main"), AllOf(Not(HasSubstr("proto 77")), HasSubstr("10.9.0.0/24 dev ek0")));
}

TEST_F(AdvertiseDaemonTest, WithdrawnAtOnceForLongerThanTheDaemonLives) {
  AddAllNeighbors();
  StartAdvertising();
  ASSERT_TRUE(Soon([&] { return BothRouted(); }));
  std::mutex mutex;
  std::vector<std::string> events;
  const uint64_t watch = client_->Subscribe([&](const engine::Event& event) {
    const std::lock_guard lock(mutex);
    events.push_back((event.kind == engine::Event::Kind::kWithdrawn   ? "-"
                      : event.kind == engine::Event::Kind::kAnnounced ? "+"
                                                                      : "?") +
                     event.subject);
  });
  const auto one = client_->Withdraw({.vips = {"six"}, .reason = "test"});
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_THAT(Routes(), AllOf(HasSubstr("192.0.2.10"), Not(HasSubstr("2001:db8"))));
  ASSERT_TRUE(client_->Withdraw(All()).ok());
  EXPECT_THAT(Routes(), IsEmpty()) << "when the call returns, they are gone";
  EXPECT_TRUE(Soon([&] {
    const std::lock_guard lock(mutex);
    return events.size() == 4;
  }));
  client_->Unsubscribe(watch);
  EXPECT_THAT(events, ElementsAre("-six", "-2001:db8::10/128", "-all VIPs", "-192.0.2.10/32"));

  End(SIGKILL);
  StartAdvertising();
  EXPECT_THAT(Of(0).why, AllOf(HasSubstr("withdrawn by uid 0"), HasSubstr(": new kernel")));
  EXPECT_TRUE(Of(0).withdrawn);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_THAT(Routes(), IsEmpty());
  ASSERT_TRUE(client_->Announce({.all = true}).ok());
  EXPECT_TRUE(BothRouted());
}

TEST_F(AdvertiseDaemonTest, AFlushedTableIsFilledAgain) {
  AddAllNeighbors();
  StartAdvertising();
  ASSERT_TRUE(Soon([&] { return BothRouted(); }));
  netns_->Run("ip route flush table 150; ip -6 route flush table 150");
  EXPECT_TRUE(Soon([&] { return BothRouted(); }));
}

TEST_F(AdvertiseDaemonTest, FollowsTheState) {
  AddAllNeighbors();
  StartAdvertising();
  ASSERT_TRUE(Soon([&] { return BothRouted(); }));
  model::Config config = client_->Get()->config;
  config.vips.pop_back();
  const engine::Outcome outcome = Apply(config);
  ASSERT_EQ(outcome.kind, engine::Outcome::Kind::kApplied) << outcome.status;
  EXPECT_TRUE(Soon([&] { return Routes().find("2001:db8") == std::string::npos; }));
  EXPECT_THAT(Routes(), HasSubstr("192.0.2.10"));
}

TEST_F(AdvertiseDaemonTest, NoServerThatCanBeReachedNoRoute) {
  StartAdvertising();  // nobody is on the link
  EXPECT_TRUE(Soon([&] { return Of(0).why.find("can be reached") != std::string::npos; }))
      << Of(0).why;
  EXPECT_THAT(Routes(), IsEmpty());
  AddAllNeighbors();
  EXPECT_TRUE(Soon([&] { return BothRouted(); })) << Of(0).why;
}

TEST_F(AdvertiseDaemonTest, ARouteOfAnotherIsNamedAndLeft) {
  AddAllNeighbors();
  netns_->Run("ip route add blackhole 192.0.2.10 proto static metric 1024 table 150");
  StartAdvertising();
  ASSERT_TRUE(Soon([&] { return Routes().find("2001:db8::10") != std::string::npos; }))
      << "one that fails does not hold up the other";
  EXPECT_TRUE(Of(0).missing());
  EXPECT_THAT(Status().notices, ::testing::Contains(HasSubstr("not of protocol 150")));
  EXPECT_THAT(Routes(), HasSubstr("proto static"));
  netns_->Run("ip route del blackhole 192.0.2.10 proto static metric 1024 table 150");
  EXPECT_TRUE(Soon([&] { return BothRouted(); }));
}

// A new route waits for the first server that answers; with all dead and `panic: withdraw` it goes.
TEST_F(AdvertiseDaemonTest, HealthSpeaksForAndAgainst) {
  AddAllNeighbors();
  const auto peer = std::make_unique<ScopedNetns>();
  netns_->Run("ip link set ek1 netns " + peer->path());
  // Beside the kernel's own answers: 10.9.0.11 and .12 refuse connections until somebody listens.
  peer->Run(
      "ip link set ek1 address 02:00:00:00:00:02 up; ip address add 10.9.0.11/24 dev ek1;"
      "ip address add fd09::11/64 dev ek1 nodad; ip address add fd09::12/64 dev ek1 nodad;"
      "ip address add 10.9.0.12/24 dev ek1");
  const std::string config = Write(
      "web.yaml", Yaml("    health_check: {type: tcp, port: 8080, interval: 100ms, timeout: 100ms, "
                       "rise: 2, fall: 100, panic: withdraw}\n"));
  Start({"--advertise", "--config", config});
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  EXPECT_THAT(Routes(), IsEmpty()) << "no server has answered yet";
  EXPECT_THAT(Of(0).why, HasSubstr("no probe"));
  {
    std::unique_ptr<Process> server;
    {
      const ScopedNetns::Entered inside(*peer);
      server = std::make_unique<Process>(
          Argv{"nginx", "-c",
               Write("nginx.conf",
                     "daemon off; master_process off; pid /dev/null; error_log stderr; events {}\n"
                     "http { access_log off; server { listen 8080; listen [::]:8080; } }\n")});
    }
    ASSERT_TRUE(Soon([&] { return BothRouted(); })) << Of(0).why;
    // A restart knows nothing of the servers, and keeps what is there.
    End(SIGKILL);
    Start({"--advertise"});
    EXPECT_TRUE(BothRouted());
    EXPECT_TRUE(Soon([&] { return Status().pools.at(0).backends.at(0).health == "up"; }));
    model::Config shorter = client_->Get()->config;
    for (model::Pool& pool : shorter.pools) pool.health_check->fall = 2;
    ASSERT_EQ(Apply(shorter).kind, engine::Outcome::Kind::kApplied);
    EXPECT_TRUE(BothRouted());
  }
  EXPECT_TRUE(Soon([&] { return Routes().empty(); })) << Routes();
  EXPECT_THAT(Of(0).why, HasSubstr("pool four is in panic"));
}

}  // namespace
}  // namespace evenkeel::testing
