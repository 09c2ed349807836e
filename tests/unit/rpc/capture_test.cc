// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "control/rpc/capture_convert.h"
#include "tests/unit/engine/fake_capture.h"
#include "tests/unit/rpc/server_fixture.h"

namespace evenkeel::rpc {
namespace {

using engine::CaptureNews;
using engine::CapturePacket;
using engine::CaptureReport;
using engine::MakeCaptured;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

TEST(CaptureConvertTest, EverythingComesAcross) {
  engine::CaptureRequest request{.vips = {"web", "dns"},
                                 .pool = "p",
                                 .backend = "b",
                                 .only_drops = true,
                                 .all = true,
                                 .snaplen = 1,
                                 .rate = 2,
                                 .max_packets = 3,
                                 .duration = seconds(4)};
  const auto back = FromProto(ToProto(request));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(ToProto(*back).ShortDebugString(), ToProto(request).ShortDebugString());
  EXPECT_EQ(back->vips, request.vips);
  EXPECT_EQ(back->duration, seconds(4));
  EXPECT_EQ(FromProto(v1::CaptureRequest{})->duration, engine::kDefaultCapture);
  EXPECT_EQ(FromProto(v1::CaptureRequest{})->snaplen, 256u);

  CaptureNews news{.packets = {{.unix_ns = 1'000'000'002,
                                .verdict = "forward",
                                .vip = "web",
                                .pool = "p",
                                .backend = "b",
                                .address = "10.0.1.1",
                                .ingress = "eth0",
                                .egress = "eth1",
                                .slot = 0,
                                .published = true,
                                .generation = 0,
                                .revision = 41,
                                .length_in = 5,
                                .length_out = 6,
                                .in = std::string("\0a", 2),
                                .out = "b"},
                               {.verdict = "pass_no_vip"}},
                   .counts = {{.interface = "eth0", .matched = 1, .over_rate = 2, .no_room = 3}}};
  const CaptureNews got = NewsFromProto(ToProto(news));
  EXPECT_EQ(ToProto(got).ShortDebugString(), ToProto(news).ShortDebugString());
  ASSERT_EQ(got.packets.size(), 2u);
  EXPECT_EQ(got.packets[0].unix_ns, 1'000'000'002);
  EXPECT_EQ(got.packets[0].slot, 0u);
  EXPECT_TRUE(got.packets[0].published);
  EXPECT_EQ(got.packets[0].in, news.packets[0].in);
  EXPECT_EQ(got.packets[0].egress, "eth1");
  EXPECT_FALSE(got.packets[1].slot);
  EXPECT_FALSE(got.packets[1].published);
  EXPECT_EQ(got.counts[0].over_rate, 2u);

  const CaptureReport report{.end = CaptureReport::End::kCount,
                             .began_unix_ns = 1,
                             .ended_unix_ns = 2,
                             .packets = 3,
                             .counts = news.counts,
                             .problem = "p"};
  const CaptureReport told = ReportFromProto(ToProto(report));
  EXPECT_EQ(ToProto(told).ShortDebugString(), ToProto(report).ShortDebugString());
  EXPECT_EQ(told.end, CaptureReport::End::kCount);
  EXPECT_EQ(told.counts[0].no_room, 3u);
}

class CaptureRpcTest : public ServerFixture {
 protected:
  void SetUp() override {
    capture_ = ring_.Source();
    ServerFixture::SetUp();
    MustApply(engine::MakeConfig(3));
    kernel_.names = {.vips = {{7, {"web", "web"}}},
                     .backends = {{20, {"web", "web-1", *model::IpAddress::Parse("10.0.1.1")}}},
                     .revisions = {{3, 41}}};
  }
  bool BackWithin(milliseconds timeout) {
    const auto until = Clock::now() + timeout;
    while (ring_.InPlace() && Clock::now() < until) std::this_thread::sleep_for(milliseconds(5));
    return !ring_.InPlace();
  }

  engine::FakeRing ring_;
};

TEST_F(CaptureRpcTest, TheClientGetsPacketsAndTheDaemonsReport) {
  for (int i = 0; i < 200; ++i) ring_.Push(MakeCaptured());
  std::vector<CapturePacket> packets;
  const auto report =
      client_->Capture({.vips = {"web"}, .max_packets = 200}, [&](const CaptureNews* news) {
        if (news == nullptr) return true;
        packets.insert(packets.end(), news->packets.begin(), news->packets.end());
        return true;
      });
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->end, CaptureReport::End::kCount);
  EXPECT_EQ(report->packets, 200u);
  EXPECT_EQ(report->counts.at(0).interface, "eth0");
  ASSERT_EQ(packets.size(), 200u);
  EXPECT_EQ(packets[199].backend, "web-1");
  EXPECT_FALSE(ring_.InPlace());
}

TEST_F(CaptureRpcTest, AClientThatEndsItHasWhatCame) {
  ring_.Push(MakeCaptured());
  const auto report = client_->Capture({.vips = {"web"}}, [](const CaptureNews* news) {
    return news == nullptr || news->packets.empty();
  });
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->end, CaptureReport::End::kListener);
  EXPECT_EQ(report->packets, 1u);
  EXPECT_EQ(report->counts.at(0).no_room, 2u);
  EXPECT_TRUE(BackWithin(seconds(2)));
}

TEST_F(CaptureRpcTest, OneThatGoesAwayWithoutAWord) {
  {
    grpc::ClientContext context;
    v1::CaptureRequest request;
    request.set_all(true);
    const auto reader = stub_->Capture(&context, request);
    v1::CaptureResponse first;
    ASSERT_TRUE(reader->Read(&first));
    EXPECT_EQ(first.counts(0).interface(), "eth0");
    EXPECT_TRUE(ring_.InPlace());
    context.TryCancel();
    EXPECT_FALSE(reader->Finish().ok());
  }
  EXPECT_TRUE(BackWithin(seconds(2)));
}

// It costs a thread until it reads or goes, and neither the balancer nor the next one who asks.
TEST_F(CaptureRpcTest, OneThatDoesNotRead) {
  dataplane::CapturedPacket large = MakeCaptured();
  large.in.resize(9000);
  large.out.resize(9000);
  for (int i = 0; i < 4000; ++i) ring_.Push(large);
  grpc::ClientContext context;
  v1::CaptureRequest request;
  request.set_all(true);
  request.mutable_duration()->set_seconds(1);
  const auto reader = stub_->Capture(&context, request);
  const auto until = Clock::now() + seconds(5);
  while (!ring_.InPlace() && Clock::now() < until) std::this_thread::sleep_for(milliseconds(5));
  ASSERT_TRUE(ring_.InPlace());
  EXPECT_TRUE(BackWithin(seconds(5)));
  {
    std::lock_guard lock(ring_.mutex);
    EXPECT_GT(ring_.packets.size(), 1000u) << "not taken into the daemon's memory";
  }
  const auto another =
      client_->Capture({.vips = {"web"}}, [](const CaptureNews*) { return false; });
  EXPECT_TRUE(another.ok()) << another.status();
  context.TryCancel();
}

TEST_F(CaptureRpcTest, Refusals) {
  const auto refusal = [&](const engine::CaptureRequest& request) {
    return client_->Capture(request, [](const CaptureNews*) { return true; }).status();
  };
  EXPECT_EQ(refusal({}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refusal({.vips = {"wep"}}).message()),
              HasSubstr("did you mean \"web\"?"));
  absl::Status second;
  const auto first = client_->Capture({.all = true}, [&](const CaptureNews* news) {
    if (news == nullptr) return true;
    second = refusal({.vips = {"web"}});
    return false;
  });
  EXPECT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(second.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(second.message()),
              AllOf(HasSubstr("a capture of all packets by uid "), HasSubstr("runs since")));
}

TEST_F(CaptureRpcTest, EndsWithTheDaemon) {
  std::thread ending;
  const auto report = client_->Capture({.all = true}, [&](const CaptureNews* news) {
    if (news != nullptr && !ending.joinable()) {
      ending = std::thread([this] { server_->Shutdown(seconds(2)); });
    }
    return true;
  });
  ending.join();
  EXPECT_FALSE(report.ok());
  EXPECT_FALSE(ring_.InPlace());
}

}  // namespace
}  // namespace evenkeel::rpc
