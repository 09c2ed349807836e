// SPDX-License-Identifier: Apache-2.0
#include "control/engine/capture.h"

#include <gmock/gmock.h>

#include <thread>

#include "tests/unit/engine/engine_fixture.h"
#include "tests/unit/engine/fake_capture.h"

namespace evenkeel::engine {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using std::chrono::milliseconds;
using std::chrono::seconds;

class CaptureTest : public EngineFixture {
 protected:
  void SetUp() override {
    capture_ = ring_.Source();
    EngineFixture::SetUp();
    MustStart();
    MustApply(MakeConfig(3));
    kernel_.names = {.vips = {{7, {"web", "web"}}, {8, {"dns", "dns"}}},
                     .backends = {{20, {"web", "web-1", Address("10.0.1.1")}},
                                  {21, {"web", "web-2", Address("10.0.1.2")}}},
                     .revisions = {{3, 41}}};
  }
  static model::IpAddress Address(const std::string& text) {
    return *model::IpAddress::Parse(text);
  }
  std::string Refusal(const CaptureRequest& request) {
    const auto report = engine_->Capture(request, [](const CaptureNews*) { return true; });
    EXPECT_FALSE(report.ok());
    return std::string(report.status().message());
  }

  FakeRing ring_;
};

TEST_F(CaptureTest, PacketsHaveNames) {
  ring_.Push(MakeCaptured());
  std::vector<CapturePacket> packets;
  const auto report = engine_->Capture(
      {.vips = {"web"}, .max_packets = 1, .author = "uid 0"}, [&](const CaptureNews* news) {
        if (news == nullptr) return true;
        EXPECT_EQ(news->counts.at(0).interface, "eth0");
        packets.insert(packets.end(), news->packets.begin(), news->packets.end());
        return true;
      });
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->end, CaptureReport::End::kCount);
  EXPECT_EQ(report->packets, 1u);
  EXPECT_EQ(report->counts.at(0).missed(), 2u);
  EXPECT_EQ(report->problem, "");
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].verdict, "forward");
  EXPECT_EQ(packets[0].vip, "web");
  EXPECT_EQ(packets[0].backend, "web-1");
  EXPECT_EQ(packets[0].address, "10.0.1.1");
  EXPECT_EQ(packets[0].slot, 4u);
  EXPECT_EQ(packets[0].revision, 41u);
  EXPECT_EQ(packets[0].ingress, "lo");
  EXPECT_EQ(packets[0].in, "a");
  EXPECT_EQ(packets[0].out, "b");
  EXPECT_FALSE(ring_.InPlace());
}

TEST_F(CaptureTest, WhatIsAskedForByName) {
  const auto nothing = [](const CaptureNews*) { return false; };
  const auto filter = [&](const CaptureRequest& request) {
    const auto report = engine_->Capture(request, nothing);
    EXPECT_TRUE(report.ok()) << report.status();
    return ring_.options.filter;
  };
  EXPECT_THAT(*filter({.vips = {"web"}}).vips, ElementsAre(7));
  EXPECT_FALSE(filter({.vips = {"web"}}).backends);
  EXPECT_THAT(*filter({.pool = "web"}).vips, ElementsAre(7));
  EXPECT_THAT(*filter({.backend = "web-2"}).backends, ElementsAre(21));
  EXPECT_FALSE(filter({.backend = "web-2"}).vips);
  EXPECT_TRUE(filter({.only_drops = true}).only_drops);
  EXPECT_EQ(filter({.all = true}), dataplane::CaptureFilter{});
  // Without an entry in the kernel nothing gets to it: not everything.
  EXPECT_THAT(*filter({.backend = "web-3"}).backends, IsEmpty());
}

TEST_F(CaptureTest, RefusesWhatCannotBe) {
  EXPECT_THAT(Refusal({}), HasSubstr("say what to capture"));
  EXPECT_THAT(Refusal({.vips = {"web"}, .all = true}), HasSubstr("not both"));
  EXPECT_THAT(Refusal({.vips = {"wep"}}), HasSubstr("did you mean \"web\"?"));
  EXPECT_THAT(Refusal({.vips = {"other"}}), HasSubstr("valid: web"));
  EXPECT_THAT(Refusal({.pool = "wbe"}), HasSubstr("did you mean \"web\"?"));
  EXPECT_THAT(Refusal({.backend = "web-9"}), HasSubstr("did you mean \"web-"));
  EXPECT_THAT(Refusal({.all = true, .duration = seconds(601)}), HasSubstr("1 to 600 s"));
  EXPECT_THAT(Refusal({.all = true, .snaplen = 9217}), HasSubstr("1 to 9216 bytes"));
  EXPECT_THAT(Refusal({.all = true, .rate = 100001}), HasSubstr("1 to 100000 packets"));
  EXPECT_EQ(ring_.started, 0);
}

TEST_F(CaptureTest, OneAtATimeAndTheStatusSaysWhose) {
  std::string second, notice;
  const auto first =
      engine_->Capture({.vips = {"web"}, .author = "uid 7 (bob)"}, [&](const CaptureNews*) {
        second = Refusal({.all = true});
        const auto status = engine_->GetStatus();
        for (const std::string& one : status->notices) notice += one;
        return false;
      });
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->end, CaptureReport::End::kListener);
  for (const std::string& text : {second, notice}) {
    EXPECT_THAT(text, AllOf(HasSubstr("a capture of vip web by uid 7 (bob) runs since"),
                            HasSubstr("until")));
  }
  const auto after = engine_->GetStatus();
  for (const std::string& one : after->notices) {
    EXPECT_THAT(one, ::testing::Not(HasSubstr("capture"))) << "it is over";
  }
  EXPECT_TRUE(engine_->Capture({.all = true}, [](const CaptureNews*) { return false; }).ok());
}

// The balancer does not wait for somebody who does not read.
TEST_F(CaptureTest, EndsInTimeWhileTheListenerKeepsItWaiting) {
  bool ended = false;
  const auto report =
      engine_->Capture({.all = true, .duration = seconds(1)}, [&](const CaptureNews* news) {
        if (news == nullptr || ended) return true;
        const auto until = std::chrono::steady_clock::now() + seconds(10);
        while (ring_.InPlace() && std::chrono::steady_clock::now() < until) {
          std::this_thread::sleep_for(milliseconds(10));
        }
        ended = !ring_.InPlace();
        ring_.Push(MakeCaptured());  // in the ring still
        return true;
      });
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(ended);
  EXPECT_EQ(report->end, CaptureReport::End::kTime);
  EXPECT_EQ(report->packets, 1u) << "what was taken is handed over";
  EXPECT_GE(ring_.kept_alive, 3);
}

TEST_F(CaptureTest, IdsThatWentToOthersAreNotShown) {
  ring_.Push(MakeCaptured(7, /*generation=*/4));  // not known yet: names are read again
  kernel_.names.vips[7] = {"other", "other"};
  int shown = 0;
  const auto report =
      engine_->Capture({.vips = {"web"}, .duration = seconds(1)}, [&](const CaptureNews* news) {
        if (news != nullptr) shown += news->packets.size();
        return true;
      });
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(shown, 0);
  EXPECT_THAT(*ring_.filter.vips, IsEmpty());
}

TEST_F(CaptureTest, TheFilterFollowsTheState) {
  const auto report =
      engine_->Capture({.pool = "web", .duration = seconds(2)}, [&](const CaptureNews*) {
        kernel_.names.vips[9] = {"web-tls", "web"};
        return true;
      });
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(*ring_.filter.vips, ElementsAre(7, 9));
}

TEST_F(CaptureTest, SaysWhereTheBalancerIsNotBack) {
  ring_.end = absl::FailedPreconditionError("somebody else has put another program there");
  const auto report = engine_->Capture({.all = true}, [](const CaptureNews*) { return false; });
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->problem, HasSubstr("somebody else"));
}

TEST_F(CaptureTest, WhatTheDataPlaneRefuses) {
  capture_ =
      [](const dataplane::CaptureOptions&) -> absl::StatusOr<std::unique_ptr<dataplane::Capture>> {
    return absl::FailedPreconditionError("interface eth0 is shared");
  };
  for (int i = 0; i < 2; ++i) EXPECT_THAT(Refusal({.all = true}), HasSubstr("eth0 is shared"));
}

}  // namespace
}  // namespace evenkeel::engine
