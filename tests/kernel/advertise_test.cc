// SPDX-License-Identifier: Apache-2.0
//
// Routes in a namespace of its own, against what iproute2 shows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include "control/advertise/route_table.h"
#include "tests/harness/fake_dataplane/fleets.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/scoped_netns.h"

namespace evenkeel::testing {
namespace {

using advertise::OwnRoute;
using advertise::RouteOptions;
using advertise::RouteTable;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const model::IpAddress kFour = Ip("192.0.2.10");
const model::IpAddress kSix = Ip("2001:db8::10");

class AdvertiseTest : public KernelTest, public ::testing::WithParamInterface<uint32_t> {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    netns_ = std::make_unique<ScopedNetns>();
    table_ = Open({.table = GetParam()});
  }

  std::unique_ptr<RouteTable> Open(const RouteOptions& options) {
    const ScopedNetns::Entered entered(*netns_);
    auto opened = RouteTable::Open(options);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }

  std::string Table() const { return std::to_string(GetParam()); }
  // As iproute2 shows them; nothing while a table does not exist.
  std::string Shown(const std::string& family = "-4") {
    return netns_->Output("ip " + family + " route show table " + Table() +
                          " 2>/dev/null | grep -v fe80 || true");
  }
  std::vector<OwnRoute> Read() {
    auto routes = table_->Read();
    EXPECT_TRUE(routes.ok()) << routes.status();
    return routes.ok() ? *routes : std::vector<OwnRoute>();
  }

  std::unique_ptr<ScopedNetns> netns_;
  std::unique_ptr<RouteTable> table_;
};

const OwnRoute kMade4{kFour, 32, RTN_BLACKHOLE, 1024};
const OwnRoute kMade6{kSix, 128, RTN_BLACKHOLE, 1024};

TEST_P(AdvertiseTest, AddsReadsAndRemoves) {
  EXPECT_THAT(Read(), IsEmpty()) << "there is no such table yet";
  for (const auto& address : {kFour, kSix}) {
    ASSERT_EQ(table_->Add(address), absl::OkStatus());
    ASSERT_EQ(table_->Add(address), absl::OkStatus()) << "it is there already";
  }
  EXPECT_THAT(Shown("-4"), HasSubstr("blackhole 192.0.2.10 proto 150 metric 1024"));
  EXPECT_THAT(Shown("-6"), HasSubstr("blackhole 2001:db8::10 dev lo proto 150 metric 1024"));
  EXPECT_THAT(Read(), UnorderedElementsAre(kMade4, kMade6));

  for (const OwnRoute& route : {kMade4, kMade6}) {
    ASSERT_EQ(table_->Remove(route), absl::OkStatus());
    ASSERT_EQ(table_->Remove(route), absl::OkStatus()) << "it is gone already";
  }
  EXPECT_EQ(Shown("-4") + Shown("-6"), "");
  EXPECT_THAT(Read(), IsEmpty());
}

TEST_P(AdvertiseTest, NobodyElsesRoutesAreSeenOrTouched) {
  // Same destination, other protocol and metric; other destination; same route, other table.
  netns_->Run("ip route add blackhole 192.0.2.10 proto static metric 7 table " + Table() +
              "; ip route add blackhole 192.0.2.99 proto bird table " + Table() +
              "; ip route add blackhole 192.0.2.10 proto 150 metric 1024 table 77"
              "; ip -6 route add blackhole 2001:db8::10 proto static metric 7 table " +
              Table());
  const std::string before = Shown("-4") + Shown("-6");
  EXPECT_THAT(Read(), IsEmpty());
  ASSERT_EQ(table_->Add(kFour), absl::OkStatus());
  ASSERT_EQ(table_->Add(kSix), absl::OkStatus());
  EXPECT_THAT(Read(), UnorderedElementsAre(kMade4, kMade6));
  ASSERT_EQ(table_->RemoveAll(), absl::OkStatus());
  EXPECT_EQ(Shown("-4") + Shown("-6"), before);
  // To remove what is not ours: nothing of the kind is there.
  ASSERT_EQ(table_->Remove({kFour, 32, RTN_BLACKHOLE, 7}), absl::OkStatus());
  EXPECT_EQ(Shown("-4") + Shown("-6"), before);
  EXPECT_THAT(netns_->Output("ip route show table 77"), HasSubstr("192.0.2.10"));
}

TEST_P(AdvertiseTest, RouteOfAnotherInOurPlaceIsNamed) {
  netns_->Run("ip route add blackhole 192.0.2.10 proto static metric 1024 table " + Table());
  const absl::Status refused = table_->Add(kFour);
  EXPECT_TRUE(absl::IsAlreadyExists(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("192.0.2.10/32"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("advertise.metric"));
  EXPECT_THAT(Shown(), HasSubstr("proto static"));
}

// Of our protocol, made by somebody else or with other settings: ours to remove.
TEST_P(AdvertiseTest, ReadsAndRemovesEveryRouteOfOurProtocol) {
  netns_->Run("ip route add blackhole 192.0.2.0/24 proto 150 metric 9 table " + Table() +
              "; ip -6 route add unreachable 2001:db8::/64 proto 150 metric 9 table " + Table());
  EXPECT_THAT(Read(), UnorderedElementsAre(OwnRoute{Ip("192.0.2.0"), 24, RTN_BLACKHOLE, 9},
                                           OwnRoute{Ip("2001:db8::"), 64, RTN_UNREACHABLE, 9}));
  ASSERT_EQ(table_->RemoveAll(), absl::OkStatus());
  EXPECT_EQ(Shown("-4") + Shown("-6"), "");
}

// A router's table does not slow down what is done every few seconds.
TEST_P(AdvertiseTest, TenThousandOtherRoutesAreLeftOut) {
  netns_->Run(
      "for i in $(seq 0 9999); do echo route add blackhole 10.$((i / 250 % 250)).$((i % "
      "250)).0/24 proto bird table " +
      Table() + "; done | ip -batch -");
  ASSERT_EQ(table_->Add(kFour), absl::OkStatus());
  EXPECT_THAT(Read(), UnorderedElementsAre(kMade4));
}

TEST_P(AdvertiseTest, RoutesOutliveTheirMaker) {
  ASSERT_EQ(table_->Add(kFour), absl::OkStatus());
  table_.reset();
  table_ = Open({.table = GetParam()});
  EXPECT_THAT(Read(), UnorderedElementsAre(kMade4));
}

INSTANTIATE_TEST_SUITE_P(Tables, AdvertiseTest,
                         ::testing::Values(150u, advertise::kMainTable, 4'000'000'000u),
                         [](const auto& test) { return "table" + std::to_string(test.param); });

}  // namespace
}  // namespace evenkeel::testing
