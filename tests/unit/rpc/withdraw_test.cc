// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/rpc/server_fixture.h"

namespace evenkeel::rpc {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class WithdrawRpcTest : public ServerFixture {
 protected:
  void SetUp() override {
    advertises_ = true;
    describe_ = [this](engine::Status* status) {
      for (engine::VipStatus& vip : status->vips) {
        vip.advertised = engine::Advertisement{.routed = true};
        const history::Withdrawal* w = engine_->CurrentWithdrawals()->Find(vip.vip.name);
        if (w == nullptr) continue;
        vip.advertised = engine::Advertisement{.why = "withdrawn",
                                               .withdrawn = true,
                                               .withdrawn_by = w->author,
                                               .reason = w->reason,
                                               .since_unix_ns = w->unix_ns};
      }
    };
    ServerFixture::SetUp();
    MustApply(engine::MakeConfig(4));
  }
};

TEST_F(WithdrawRpcTest, ComesAcrossBothWaysWithItsAuthor) {
  const auto withdrawn = client_->Withdraw({.vips = {"192.0.2.10"}, .reason = "work"});
  ASSERT_TRUE(withdrawn.ok()) << withdrawn.status();
  EXPECT_EQ(withdrawn->problem, "");
  ASSERT_EQ(withdrawn->vips.size(), 1u);
  EXPECT_EQ(withdrawn->vips[0].vip, engine::MakeConfig(4).vips[0]);
  const engine::Advertisement a = withdrawn->vips[0].advertised.value();
  EXPECT_FALSE(a.routed);
  EXPECT_EQ(a.why, "withdrawn");
  EXPECT_TRUE(a.withdrawn);
  EXPECT_THAT(a.withdrawn_by, HasSubstr("uid ")) << "the kernel's word";
  EXPECT_EQ(a.reason, "work");
  EXPECT_EQ(a.since_unix_ns, engine_->CurrentWithdrawals()->Find("web")->unix_ns);

  const auto status = client_->GetStatus();
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->vips[0].advertised->reason, "work");

  const auto announced = client_->Announce({.all = true});
  ASSERT_TRUE(announced.ok()) << announced.status();
  EXPECT_TRUE(announced->vips[0].advertised->routed);
  EXPECT_FALSE(announced->vips[0].advertised->withdrawn);
  EXPECT_EQ(engine_->CurrentWithdrawals()->Find("web"), nullptr);
}

TEST_F(WithdrawRpcTest, ErrorsKeepTheirCodeAndText) {
  EXPECT_EQ(client_->Withdraw({.vips = {"wbe"}, .reason = "x"}).status().code(),
            absl::StatusCode::kNotFound);
  const absl::Status bad = client_->Withdraw({.vips = {"web"}}).status();
  EXPECT_EQ(bad.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(bad.message()), HasSubstr("reason is missing"));
  routes_ = absl::PermissionDeniedError("CAP_NET_ADMIN is needed");
  const absl::Status failed = client_->Withdraw({.all = true, .reason = "x"}).status();
  EXPECT_EQ(failed.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(failed.message()), AllOf(HasSubstr("CAP_NET_ADMIN"), HasSubstr("noted")));
}

TEST_F(WithdrawRpcTest, EventsComeAcross) {
  std::mutex mutex;
  std::vector<engine::Event> events;
  const uint64_t watch = client_->Subscribe([&](const engine::Event& event) {
    const std::lock_guard lock(mutex);
    events.push_back(event);
  });
  ASSERT_TRUE(client_->Withdraw({.all = true, .reason = "work"}).ok());
  engine_->ReportAdvertised("192.0.2.10/32", true, "web");
  for (int i = 0; i < 500; ++i) {
    {
      const std::lock_guard lock(mutex);
      if (events.size() == 2) break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  client_->Unsubscribe(watch);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, engine::Event::Kind::kWithdrawn);
  EXPECT_EQ(events[0].subject, "all VIPs");
  EXPECT_EQ(events[1].kind, engine::Event::Kind::kAnnounced);
  EXPECT_EQ(events[1].message, "advertised to the routers, for web");
}

}  // namespace
}  // namespace evenkeel::rpc
