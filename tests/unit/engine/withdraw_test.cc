// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// An engine that advertises: the routes are what it was asked for, and can fail.
class WithdrawTest : public EngineFixture {
 protected:
  void SetUp() override {
    advertises_ = true;
    EngineFixture::SetUp();
    MustStart();
    model::Config config = MakeConfig(4);
    for (const auto& [name, address, port] :
         {std::tuple{"dns", "192.0.2.10", 53}, {"mail", "192.0.2.11", 25}}) {
      model::Vip vip = config.vips[0];
      vip.name = name;
      vip.address = *model::IpAddress::Parse(address);
      vip.port = static_cast<uint16_t>(port);
      config.vips.push_back(vip);
    }
    MustApply(config);
    engine_->Subscribe([this](const Event& event) { events_.push_back(event); });
  }

  static WithdrawalRequest Of(std::vector<std::string> vips, const std::string& reason = "work") {
    return {.vips = std::move(vips), .reason = reason, .author = "uid 0 (root)"};
  }
  static WithdrawalRequest All(const std::string& reason = "work") {
    return {.all = true, .reason = reason, .author = "uid 0 (root)"};
  }
  std::vector<std::string> Withdrawn() {
    std::vector<std::string> names;
    for (const char* name : {"web", "dns", "mail", "later"}) {
      if (engine_->CurrentWithdrawals()->Find(name) != nullptr) names.push_back(name);
    }
    return names;
  }
  void MustWithdraw(const WithdrawalRequest& request) {
    const auto report = engine_->Withdraw(request);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->problem, "");
    EXPECT_EQ(report->vips.size(), 3u);
  }
  void MustAnnounce(const WithdrawalRequest& request) {
    const auto report = engine_->Announce(request);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->problem, "");
  }

  std::vector<Event> events_;
};

TEST_F(WithdrawTest, OneVipAndAllOfAnAddress) {
  MustWithdraw(Of({"mail"}, "new kernel"));
  EXPECT_THAT(Withdrawn(), ElementsAre("mail"));
  const history::Withdrawal* mail = engine_->CurrentWithdrawals()->Find("mail");
  EXPECT_EQ(mail->author, "uid 0 (root)");
  EXPECT_EQ(mail->reason, "new kernel");
  EXPECT_EQ(reconciled_, 1);
  MustWithdraw(Of({"192.0.2.10", "web"}));
  EXPECT_THAT(Withdrawn(), ElementsAre("web", "dns", "mail"));
  MustAnnounce(Of({"192.0.2.10"}, ""));
  EXPECT_THAT(Withdrawn(), ElementsAre("mail"));

  std::vector<std::string> told;
  for (const Event& e : events_) {
    told.push_back((e.kind == Event::Kind::kWithdrawn   ? "-"
                    : e.kind == Event::Kind::kAnnounced ? "+"
                                                        : "?") +
                   e.subject);
  }
  EXPECT_THAT(told, ElementsAre("-mail", "-web", "-dns", "+web", "+dns"));
  EXPECT_EQ(events_[0].message, "mail withdrawn by uid 0 (root): new kernel");
  EXPECT_EQ(events_[3].message, "web announced by uid 0 (root)");
}

TEST_F(WithdrawTest, AllMeansThoseThatComeLaterToo) {
  MustWithdraw(Of({"dns"}));
  MustWithdraw(All());
  EXPECT_THAT(Withdrawn(), ElementsAre("web", "dns", "mail", "later"));
  MustAnnounce(Of({"web"}));  // back one by one
  EXPECT_THAT(Withdrawn(), ElementsAre("dns", "mail", "later"));
  MustAnnounce(All());
  EXPECT_THAT(Withdrawn(), IsEmpty());
}

TEST_F(WithdrawTest, SurvivesARestart) {
  MustWithdraw(All());
  MustAnnounce(Of({"dns"}));
  StartDaemon();
  EXPECT_THAT(Withdrawn(), IsEmpty()) << "nothing is read yet";
  MustStart();
  EXPECT_THAT(Withdrawn(), ElementsAre("web", "mail", "later"));
  EXPECT_EQ(engine_->CurrentWithdrawals()->Find("web")->reason, "work");
}

TEST_F(WithdrawTest, ChangesNoRevision) {
  const uint64_t revision = engine_->Get()->revision;
  const int writes = kernel_.writes;
  MustWithdraw(All());
  EXPECT_EQ(engine_->Get()->revision, revision);
  EXPECT_EQ(kernel_.writes, writes);
}

TEST_F(WithdrawTest, BadRequestsAreRefusedAndChangeNothing) {
  const auto fails = [&](const WithdrawalRequest& request, absl::StatusCode code,
                         const std::string& text) {
    const auto report = engine_->Withdraw(request);
    EXPECT_EQ(report.status().code(), code) << report.status();
    EXPECT_THAT(std::string(report.status().message()), HasSubstr(text));
  };
  fails(Of({"wbe"}), absl::StatusCode::kNotFound, "did you mean \"web\"");
  fails(Of({"192.0.2.99"}), absl::StatusCode::kNotFound, "evenkeel status");
  fails(Of({"dns", "nothing-like-it"}), absl::StatusCode::kNotFound, "nothing-like-it");
  fails(Of({}), absl::StatusCode::kInvalidArgument, "vips is empty");
  fails(Of({"web"}, ""), absl::StatusCode::kInvalidArgument, "reason is missing");
  fails(Of({"web"}, std::string(2000, 'x')), absl::StatusCode::kInvalidArgument, "2000 bytes");
  WithdrawalRequest both = All();
  both.vips = {"web"};
  fails(both, absl::StatusCode::kInvalidArgument, "beside all");
  EXPECT_THAT(Withdrawn(), IsEmpty());
  EXPECT_THAT(*history_->Withdrawals(), IsEmpty());
  EXPECT_EQ(reconciled_, 0);
}

TEST_F(WithdrawTest, AnnouncingWhatIsAnnouncedRecordsNothing) {
  MustAnnounce(Of({"web", "dns"}));
  EXPECT_THAT(*history_->Withdrawals(), IsEmpty());
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(WithdrawTest, AVipThatLeftTheConfigurationCanBeAnnounced) {
  MustWithdraw(Of({"mail"}));
  model::Config config = engine_->Get()->config;
  config.vips.pop_back();
  MustApply(config);
  EXPECT_NE(engine_->CurrentWithdrawals()->Find("mail"), nullptr) << "it may come back";
  MustAnnounce(Of({"mail"}));
  EXPECT_EQ(engine_->CurrentWithdrawals()->Find("mail"), nullptr);
}

// Maintenance of a host whose disk is full: the routes go, and it is recorded when it can be.
TEST_F(WithdrawTest, GoesOnWhereNothingCanBeRecorded) {
  Sql("CREATE TRIGGER full BEFORE INSERT ON withdrawals BEGIN SELECT RAISE(FAIL, 'full'); END");
  const auto report = engine_->Withdraw(All());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->problem, HasSubstr("could not be recorded"));
  EXPECT_EQ(reconciled_, 1);
  EXPECT_THAT(Withdrawn(), ElementsAre("web", "dns", "mail", "later"));
  EXPECT_THAT(engine_->GetStatus()->notices, ElementsAre(HasSubstr("could not be recorded")));
  Sql("DROP TRIGGER full");
  Pass(std::chrono::seconds(10));
  EXPECT_THAT(engine_->GetStatus()->notices, IsEmpty());
  EXPECT_EQ(history_->Withdrawals()->size(), 1u);
}

TEST_F(WithdrawTest, RoutesThatCannotBeChangedAreAnErrorAndTheWishStands) {
  routes_ = absl::PermissionDeniedError("CAP_NET_ADMIN is needed");
  const auto report = engine_->Withdraw(All());
  EXPECT_EQ(report.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(report.status().message()),
              AllOf(HasSubstr("CAP_NET_ADMIN"), HasSubstr("it is noted")));
  EXPECT_EQ(Withdrawn().size(), 4u);
}

TEST_F(WithdrawTest, WithoutAdvertisingThereIsNothingToWithdraw) {
  advertises_ = false;
  StartDaemon();
  MustStart();
  const auto report = engine_->Withdraw(All());
  EXPECT_EQ(report.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("advertise.enabled"));
  EXPECT_FALSE(engine_->GetStatus()->vips.at(0).advertised.has_value());
}

// What the routes say, as the doctor tells it.
TEST_F(WithdrawTest, DoctorNamesWhatIsNotAdvertised) {
  describe_ = [](Status* status) {
    for (VipStatus& vip : status->vips) vip.advertised = Advertisement{.routed = true};
  };
  const auto find = [&](const std::string& subject) {
    std::vector<std::string> found;
    const auto findings = engine_->Diagnose();
    for (const Finding& f : *findings) {
      const char* level = f.level == Finding::Level::kOk     ? "ok: "
                          : f.level == Finding::Level::kWarn ? "warn: "
                                                             : "fail: ";
      if (f.check == "advertise" && f.subject == subject) {
        found.push_back(level + f.detail + " / " + f.remedy);
      }
    }
    return found;
  };
  EXPECT_THAT(find(""), ElementsAre("ok: all 3 VIPs have a route / "));
  describe_ = [](Status* status) {
    status->vips[0].advertised = Advertisement{};  // missing
    status->vips[1].advertised =
        Advertisement{.routed = true, .why = "withdrawn by root: work", .withdrawn = true};
    status->vips[2].advertised = Advertisement{.why = "no server of pool web serves"};
  };
  EXPECT_THAT(find("web"), ElementsAre(HasSubstr("fail: there is no route for 192.0.2.10")));
  EXPECT_THAT(find("dns"), ElementsAre(AllOf(HasSubstr("warn: withdrawn by root: work"),
                                             HasSubstr("evenkeel announce dns"))));
  EXPECT_THAT(find("mail"), ElementsAre(HasSubstr("fail: cannot be served here: no server")));
  EXPECT_THAT(find(""), IsEmpty());
}

}  // namespace
}  // namespace evenkeel::engine
