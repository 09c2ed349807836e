// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/examiner.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/harness/fake_dataplane/fleets.h"
#include "tests/unit/daemon/temp_dir.h"

namespace evenkeel::daemon {
namespace {

using engine::Finding;
using model::HealthCheck;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Ip;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Level = Finding::Level;

// One pool over eth1, and eth0 attached; the host is well.
class ExaminerTest : public TempDir {
 protected:
  void SetUp() override {
    TempDir::SetUp();
    config_.pools = {testing::MakePool("web", 1, {1, 2})};
    config_.vips = {testing::MakeVip("web", "192.0.2.10", 80, "web")};
    status_.interfaces = {{"eth0", "native", "", false}};
    for (const char* name : {"all", "eth0", "eth1"}) SetRpFilter(name, 0);
  }
  void Put(const std::string& path, const std::string& text) const {
    const std::filesystem::path full = std::filesystem::path(dir_) / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  void SetRpFilter(const std::string& name, int value) const {
    Put("proc/sys/net/ipv4/conf/" + name + "/rp_filter", std::to_string(value));
  }
  HealthCheck& check() {
    if (!config_.pools[0].health_check) config_.pools[0].health_check.emplace();
    return *config_.pools[0].health_check;
  }
  std::vector<Finding> Examine(bool probe = false) {
    Examiner examiner(
        {.resolve =
             [this](const model::IpAddress& server) {
               neighbor::Resolution way;
               way.address = server;
               way.interface = "eth1";
               way.next_hop.emplace().mtu = mtu_;
               return way;
             },
         .return_facts =
             [this](const model::IpAddress&, const std::string&) {
               return ReturnFacts{.own = own_, .rp_filter = 0, .way = way_};
             },
         .mtu = [this](const std::string&) { return link_mtu_; },
         .trace = [this] { return trace_; },
         .lend_paths =
             [this](const std::set<VipPath::Server>& servers) -> absl::StatusOr<Examiner::Marks> {
           lent_.push_back(servers.size());
           if (!lend_.ok()) return lend_;
           Examiner::Marks marks;
           for (const auto& server : servers) marks[server] = server.address.bytes()[3];
           return marks;
         },
         .ask =
             [this](const std::vector<probe::Target>& targets) {
               asked_ = targets;
               std::vector<VipAnswer> answers;
               for (const probe::Target& target : targets) {
                 const bool yes = !target.via || target.address != deaf_;
                 answers.push_back({yes ? VipAnswer::Kind::kYes : VipAnswer::Kind::kNone, ""});
               }
               return answers;
             },
         .root = dir_ + "/"});
    engine::State state;
    state.desired = testing::Judge(config_, nullptr).fleet;
    return examiner.Examine({.probe = probe}, state, status_);
  }
  std::vector<Finding> Of(const std::string& check, bool probe = false) {
    std::vector<Finding> found = Examine(probe);
    std::erase_if(found, [&](const Finding& f) { return f.check != check; });
    return found;
  }

  model::Config config_;
  engine::Status status_;
  uint16_t mtu_ = 1520;
  uint32_t link_mtu_ = 1520;
  bool own_ = false;
  std::string way_;  // to the VIP
  absl::Status trace_, lend_;
  std::optional<model::IpAddress> deaf_;
  std::vector<size_t> lent_;
  std::vector<probe::Target> asked_;
};

TEST_F(ExaminerTest, AHostThatIsWell) {
  for (const Finding& finding : Examine(true)) {
    EXPECT_EQ(finding.level, Level::kOk) << finding.check << ": " << finding.detail;
    EXPECT_EQ(finding.remedy, "") << finding.check;
  }
  EXPECT_THAT(Of("rp-filter"), SizeIs(2));
  EXPECT_THAT(Of("mtu"), SizeIs(1));
  EXPECT_THAT(Of("tracing"), SizeIs(1));
  EXPECT_THAT(Of("memory-limit"), SizeIs(1));
  EXPECT_THAT(Of("decapsulation"), IsEmpty()) << "it was not asked for";
}

TEST_F(ExaminerTest, RpFilterIsTheLargerOneOfBothAndMattersWhereServersAnswer) {
  SetRpFilter("all", 1);
  auto found = Of("rp-filter");
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].subject, "eth0");
  EXPECT_EQ(found[0].level, Level::kOk) << "no server is behind it";
  EXPECT_EQ(found[1].subject, "eth1");
  EXPECT_EQ(found[1].level, Level::kWarn);
  EXPECT_THAT(found[1].detail, HasSubstr("what servers answer from 192.0.2.10 is dropped here"));
  EXPECT_EQ(found[1].remedy,
            "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0");
  check().through = HealthCheck::Through::kVip;
  EXPECT_EQ(Of("rp-filter")[1].level, Level::kFail) << "it is needed";
  way_ = "eth0";  // the default route, say
  EXPECT_EQ(Of("rp-filter")[1].remedy, "sysctl -w net.ipv4.conf.eth1.rp_filter=2");
  SetRpFilter("eth1", 2);
  EXPECT_EQ(Of("rp-filter")[1].level, Level::kOk) << "some way is enough";
  SetRpFilter("eth1", 0);
  way_ = "eth1";
  EXPECT_EQ(Of("rp-filter")[1].level, Level::kOk) << "strict, and the way is the same";
  own_ = true;
  EXPECT_EQ(Of("rp-filter")[1].level, Level::kOk) << "another fault";
}

TEST_F(ExaminerTest, Ipv6KnowsNoRpFilter) {
  SetRpFilter("all", 1);
  config_.vips = {testing::MakeVip("web", "2001:db8::10", 80, "web")};
  EXPECT_EQ(Of("rp-filter")[1].level, Level::kOk);
}

TEST_F(ExaminerTest, TheWayToServersMustBearTheOuterHeaders) {
  mtu_ = 1519;
  auto found = Of("mtu");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].level, Level::kWarn);
  EXPECT_THAT(found[0].detail, HasSubstr("packets of more than 1499 bytes"));
  EXPECT_THAT(found[0].remedy, HasSubstr("raise it to 1520"));
  mtu_ = 1299;
  EXPECT_EQ(Of("mtu")[0].level, Level::kFail);
  config_.pools[0].forwarding = model::Forwarding::kL2;
  EXPECT_EQ(Of("mtu")[0].level, Level::kOk);
  // The command itself looks at the interfaces that are attached.
  config_.pools[0].forwarding = model::Forwarding::kIpip;
  mtu_ = 1500;
  status_.interfaces[0].name = "eth1";
  EXPECT_EQ(Of("mtu")[0].level, Level::kWarn) << "a route with less than its interface";
  link_mtu_ = 1500;
  EXPECT_THAT(Of("mtu"), IsEmpty());
}

TEST_F(ExaminerTest, NoTracingIsAWarning) {
  trace_ = absl::PermissionDeniedError("Linux 9.9 does not permit to trace");
  EXPECT_EQ(Of("tracing")[0].level, Level::kWarn);
  EXPECT_THAT(Of("tracing")[0].detail, HasSubstr("Linux 9.9 does not permit"));
}

TEST_F(ExaminerTest, ServersAreAskedBothWaysAndPathsGivenBack) {
  deaf_ = config_.pools[0].backends[1].address;
  const auto found = Of("decapsulation", true);
  EXPECT_THAT(lent_, ElementsAre(2, 0));
  ASSERT_THAT(asked_, SizeIs(4));
  EXPECT_FALSE(asked_[1].via);
  ASSERT_TRUE(asked_[3].via);
  EXPECT_EQ(asked_[3].via->vip, Ip("192.0.2.10"));
  EXPECT_EQ(asked_[3].via->mark, asked_[3].address.bytes()[3]);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].level, Level::kOk);
  EXPECT_THAT(found[0].detail, HasSubstr("1 server takes"));
  EXPECT_EQ(found[1].level, Level::kFail);
  EXPECT_EQ(found[1].subject, "web/" + config_.pools[0].backends[1].name);
}

TEST_F(ExaminerTest, WithoutPathsNothingIsSaidOfServers) {
  lend_ = absl::InternalError("no such program");
  const auto found = Of("decapsulation", true);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].level, Level::kWarn);
  EXPECT_THAT(found[0].detail, HasSubstr("cannot be told: no such program"));
  EXPECT_THAT(lent_, ElementsAre(2, 0));
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(ExaminerTest, AnswersThatThisHostDropsAreNotAwaited) {
  own_ = true;
  const auto found = Of("decapsulation", true);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].detail, HasSubstr("is an address of this host"));
  EXPECT_THAT(lent_, IsEmpty());
}

}  // namespace
}  // namespace evenkeel::daemon
