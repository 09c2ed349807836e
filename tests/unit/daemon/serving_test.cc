// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/serving.h"

#include <gmock/gmock.h>

#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::daemon {
namespace {

using advertise::Serving;
using advertise::VipView;
using ::testing::HasSubstr;
using testing::Ip;

// Two VIPs of pool "web", one of pool "dns"; both pools have two servers.
class ServingTest : public ::testing::Test {
 protected:
  ServingTest() {
    model::Config config;
    config.pools = {testing::MakePool("web", 1, {1, 2}), testing::MakePool("dns", 2, {1, 2})};
    config.vips = {testing::MakeVip("web", "192.0.2.10", 80, "web"),
                   testing::MakeVip("web-tls", "192.0.2.10", 443, "web"),
                   testing::MakeVip("dns", "192.0.2.11", 53, "dns")};
    Publish(config);
    sources_.health = [this](const std::string& pool) {
      asked_.push_back(pool);
      return health_;
    };
    sources_.resolve = [this](const model::IpAddress& server) {
      neighbor::Resolution found;
      found.address = server;
      found.problem = "no route";
      found.pending = pending_.contains(server);
      if (!unreachable_.contains(server)) found.next_hop.emplace();
      return found;
    };
  }

  void Publish(const model::Config& config) {
    config_ = config;
    auto built = guard::BuildFleet(config, {1, 2, 3}, nullptr);
    ASSERT_TRUE(built.ok()) << built.status();
    state_.desired = state_.intended = state_.kernel = *built;
  }
  void Withdraw(const std::string& vip) {
    withdrawals_.Add({.vip = vip, .withdrawn = true, .author = "root", .reason = "work"});
  }
  std::vector<VipView> Views() const { return ServingOf(state_, withdrawals_, sources_); }
  std::vector<model::IpAddress> Servers(size_t pool) const {
    std::vector<model::IpAddress> servers;
    for (const auto& backend : config_.pools[pool].backends) servers.push_back(backend.address);
    return servers;
  }

  model::Config config_;
  engine::State state_;
  engine::Withdrawals withdrawals_;
  ServingSources sources_;
  PoolServing health_;
  std::set<model::IpAddress> unreachable_, pending_;
  std::vector<std::string> asked_;
};

TEST_F(ServingTest, AllServe) {
  const std::vector<VipView> views = Views();
  ASSERT_EQ(views.size(), 3u);
  EXPECT_EQ(views[0], (VipView{"web", Ip("192.0.2.10"), Serving::kYes, ""}));
  EXPECT_EQ(views[1], (VipView{"web-tls", Ip("192.0.2.10"), Serving::kYes, ""}));
  EXPECT_EQ(views[2], (VipView{"dns", Ip("192.0.2.11"), Serving::kYes, ""}));
  EXPECT_TRUE(asked_.empty()) << "no pool has a health check";
}

TEST_F(ServingTest, OperatorsWithdrawOneOrAll) {
  Withdraw("web");
  EXPECT_EQ(Views()[0].serving, Serving::kNo);
  EXPECT_EQ(Views()[0].why, "withdrawn by root: work");
  EXPECT_EQ(Views()[1].serving, Serving::kYes);
  Withdraw("");
  for (const VipView& view : Views()) EXPECT_EQ(view.serving, Serving::kNo) << view.vip;
}

TEST_F(ServingTest, OneServerThatCanBeReachedIsEnough) {
  unreachable_ = {Servers(0)[0]};
  EXPECT_EQ(Views()[0].serving, Serving::kYes);
  unreachable_ = {Servers(0)[0], Servers(0)[1]};
  EXPECT_EQ(Views()[0].serving, Serving::kNo);
  EXPECT_EQ(Views()[0].why, "no server of pool web can be reached: no route");
  EXPECT_EQ(Views()[2].serving, Serving::kYes) << "another pool";
  pending_ = {Servers(0)[1]};
  EXPECT_EQ(Views()[0].serving, Serving::kUnknown);
}

TEST_F(ServingTest, ThePoolsHealthIsAskedWhereItIsChecked) {
  model::Config config = config_;
  config.pools[0].health_check.emplace();
  Publish(config);
  health_ = {Serving::kNo, "panic"};
  EXPECT_EQ(Views()[0].serving, Serving::kNo);
  EXPECT_EQ(Views()[1].why, "panic");
  EXPECT_EQ(Views()[2].serving, Serving::kYes);
  EXPECT_THAT(asked_, ::testing::Each("web"));
  health_ = {Serving::kUnknown, "no probe"};
  EXPECT_EQ(Views()[0].serving, Serving::kUnknown);
  // What health does not know, the way to the servers may: none is there.
  unreachable_ = {Servers(0)[0], Servers(0)[1]};
  EXPECT_EQ(Views()[0].serving, Serving::kNo);
}

TEST_F(ServingTest, WhereNobodyServesThereIsNothingToAdvertise) {
  model::Config config = config_;
  for (model::Backend& backend : config.pools[0].backends) {
    backend.state = model::AdminState::kDisabled;
  }
  Publish(config);
  EXPECT_EQ(Views()[0].serving, Serving::kNo);
  EXPECT_EQ(Views()[0].why, "no server of pool web serves");
}

TEST_F(ServingTest, WithoutInterfacesNothingIsKnown) {
  sources_.attached = false;
  Withdraw("dns");
  EXPECT_EQ(Views()[0].serving, Serving::kUnknown);
  EXPECT_THAT(Views()[0].why, HasSubstr("--interface"));
  EXPECT_EQ(Views()[2].serving, Serving::kNo) << "operators are heard all the same";
}

TEST_F(ServingTest, AnUnknownKernelKeepsWhatIsThereUnlessWithdrawn) {
  state_.kernel = nullptr;
  Withdraw("dns");
  ASSERT_EQ(Views().size(), 3u);
  EXPECT_EQ(Views()[0].serving, Serving::kUnknown);
  EXPECT_EQ(Views()[2].serving, Serving::kNo);
}

}  // namespace
}  // namespace evenkeel::daemon
