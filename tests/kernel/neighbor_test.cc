// SPDX-License-Identifier: Apache-2.0
//
// The resolver in a namespace of its own: two hosts on a wire, and a router to a third network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "control/neighbor/neighbor.h"
#include "tests/harness/fake_dataplane/fleets.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/scoped_netns.h"

namespace evenkeel::testing {
namespace {

using neighbor::NetlinkResolver;
using neighbor::Resolution;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr dataplane::MacAddress kPeerMac = {0x02, 0, 0, 0, 0, 0x0b};
constexpr dataplane::MacAddress kOwnMac = {0x02, 0, 0, 0, 0, 0x0a};

class NeighborTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    balancer_ = std::make_unique<ScopedNetns>();
    peer_ = std::make_unique<ScopedNetns>();
    balancer_->Run("ip link add up0 type veth peer name up1 netns " + peer_->path());
    balancer_->Run(
        "ip link set up0 address 02:00:00:00:00:0a mtu 1600 up;"
        "ip addr add 10.9.0.1/24 dev up0; ip -6 addr add fd09::1/64 dev up0 nodad");
    peer_->Run(
        "ip link set up1 address 02:00:00:00:00:0b mtu 1600 up;"
        "ip addr add 10.9.0.2/24 dev up1; ip -6 addr add fd09::2/64 dev up1 nodad;"
        "ip addr add 10.9.1.1/24 dev lo; ip -6 addr add fd09:1::1/64 dev lo nodad");
    balancer_->Run(
        "ip route add 10.9.1.0/24 via 10.9.0.2; ip -6 route add fd09:1::/64 via fd09::2");
    const ScopedNetns::Entered entered(*balancer_);
    auto created = NetlinkResolver::Create([this](const Resolution& resolution) {
      std::lock_guard lock(mu_);
      told_.push_back(resolution);
    });
    ASSERT_TRUE(created.ok()) << created.status();
    resolver_ = *std::move(created);
  }

  void TearDown() override { resolver_.reset(); }

  bool Eventually(const std::string& address, const std::function<bool(const Resolution&)>& good,
                  milliseconds limit = milliseconds{8000}) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
      if (good(resolver_->Get(Ip(address)))) return true;
      std::this_thread::sleep_for(milliseconds{5});
    }
    const Resolution last = resolver_->Get(Ip(address));
    ADD_FAILURE() << address << ": " << (last.next_hop ? "resolved" : last.problem);
    return false;
  }

  std::vector<Resolution> Told(const std::string& address) {
    std::lock_guard lock(mu_);
    std::vector<Resolution> out;
    for (const Resolution& resolution : told_) {
      if (resolution.address == Ip(address)) out.push_back(resolution);
    }
    return out;
  }

  // What Get() says is told right afterwards.
  bool EventuallyTold(const std::string& address,
                      const std::function<bool(const Resolution&)>& good) {
    return Eventually(address, [&](const Resolution&) {
      const auto told = Told(address);
      return !told.empty() && good(told.back());
    });
  }

  static bool Resolved(const Resolution& resolution) { return resolution.next_hop.has_value(); }

  std::unique_ptr<ScopedNetns> balancer_, peer_;
  std::mutex mu_;
  std::vector<Resolution> told_;
  std::unique_ptr<NetlinkResolver> resolver_;
};

struct Target {
  const char* name;
  const char* address;
  const char* gateway;
};

TEST_F(NeighborTest, ResolvesOnLinkAndBehindAGateway) {
  const Target targets[] = {{"v4-on-link", "10.9.0.2", nullptr},
                            {"v6-on-link", "fd09::2", nullptr},
                            {"v4-gateway", "10.9.1.1", "10.9.0.2"},
                            {"v6-gateway", "fd09:1::1", "fd09::2"}};
  std::vector<model::IpAddress> addresses;
  for (const Target& target : targets) addresses.push_back(Ip(target.address));
  ASSERT_TRUE(resolver_->Follow(addresses).ok());
  resolver_->WaitResolved(milliseconds{5000});
  for (const Target& target : targets) {
    SCOPED_TRACE(target.name);
    const Resolution resolution = resolver_->Get(Ip(target.address));
    ASSERT_TRUE(resolution.next_hop) << resolution.problem;
    EXPECT_EQ(resolution.problem, "");
    EXPECT_EQ(resolution.next_hop->dmac, kPeerMac);
    EXPECT_EQ(resolution.next_hop->smac, kOwnMac);
    EXPECT_EQ(resolution.next_hop->mtu, 1600);
    EXPECT_NE(resolution.next_hop->ifindex, 0u);
    EXPECT_EQ(resolution.interface, "up0");
    EXPECT_EQ(resolution.gateway.has_value(), target.gateway != nullptr);
    if (target.gateway) {
      EXPECT_EQ(resolution.gateway, Ip(target.gateway));
    }
    // The first thing told is the answer: never "unknown" before it.
    ASSERT_TRUE(EventuallyTold(target.address, [](const Resolution&) { return true; }));
    const auto told = Told(target.address);
    ASSERT_FALSE(told.empty());
    EXPECT_TRUE(told.front().next_hop) << told.front().problem;
  }
}

TEST_F(NeighborTest, FollowsAMacChange) {
  ASSERT_TRUE(resolver_->Follow({Ip("10.9.0.2")}).ok());
  ASSERT_TRUE(Eventually("10.9.0.2", Resolved));
  // The kernel ignores a second answer within a second of the first (locktime).
  std::this_thread::sleep_for(milliseconds{1100});
  // A host that takes over an address announces it.
  peer_->Run(
      "echo 1 > /proc/sys/net/ipv4/conf/up1/arp_notify;"
      "ip link set up1 address 02:00:00:00:00:0c");
  auto changed = [](const Resolution& r) { return r.next_hop && r.next_hop->dmac[5] == 0x0c; };
  EXPECT_TRUE(Eventually("10.9.0.2", changed));
  EXPECT_TRUE(EventuallyTold("10.9.0.2", changed));
}

// Gives every netlink socket of this process the smallest receive buffer there is.
void ShrinkEventBuffers() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    int domain = 0;
    socklen_t size = sizeof(domain);
    if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_NETLINK) {
      continue;
    }
    const int bytes = 1;
    EXPECT_EQ(::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
  }
}

// What a busy host does to who reads too slowly (netlink(7): ENOBUFS).
TEST_F(NeighborTest, MakesGoodWhatLostEventsHid) {
  constexpr int kHosts = 40;
  std::vector<model::IpAddress> hosts;
  for (int i = 1; i <= kHosts; ++i) hosts.push_back(Ip("10.9.0.1" + std::to_string(i + 10)));
  const std::string set_macs =
      "  printf 'neigh replace 10.9.0.1%d lladdr 02:00:00:00:MAC:00 nud permanent dev up0\\n' "
      "$((n + 10));";
  const std::string loop = absl::StrCat("for n in $(seq 1 ", kHosts, "); do");
  balancer_->Run(
      absl::StrCat(loop, absl::StrReplaceAll(set_macs, {{"MAC", "01"}}), " done | ip -batch -"));
  ASSERT_TRUE(resolver_->Follow(hosts).ok());
  for (const model::IpAddress& host : hosts) ASSERT_TRUE(Eventually(host.ToString(), Resolved));
  ShrinkEventBuffers();
  // Until some event was lost: a reader that happens to get its turn in time loses none.
  int mac = 1, dropped = 0;
  while (dropped == 0 && mac < 9) {
    ++mac;
    balancer_->Run(absl::StrCat(
        loop, "  for i in $(seq 1 50); do echo address add 10.7", mac, ".$n.$i/32 dev lo; done;",
        absl::StrReplaceAll(set_macs, {{"MAC", absl::StrCat("0", mac)}}), " done | ip -batch -"));
    dropped = std::stoi(
        balancer_->Output("awk 'NR > 1 { sum += $9 } END { print sum + 0 }' /proc/net/netlink"));
  }
  EXPECT_GT(dropped, 0) << "no event was lost: the test proves nothing";
  const auto changed = [mac](const Resolution& r) {
    return r.next_hop && r.next_hop->dmac[4] == mac;
  };
  for (const model::IpAddress& host : hosts) EXPECT_TRUE(Eventually(host.ToString(), changed));
}

TEST_F(NeighborTest, FollowsTheInterfaceDownAndUp) {
  ASSERT_TRUE(resolver_->Follow({Ip("10.9.0.2"), Ip("10.9.1.1")}).ok());
  ASSERT_TRUE(Eventually("10.9.0.2", Resolved));
  ASSERT_TRUE(Eventually("10.9.1.1", Resolved));
  balancer_->Run("ip link set up0 down");
  ASSERT_TRUE(Eventually("10.9.0.2", [](const Resolution& r) { return !r.next_hop; }));
  EXPECT_THAT(resolver_->Get(Ip("10.9.0.2")).problem, HasSubstr("interface up0 is down"));
  balancer_->Run("ip link set up0 up; ip route add 10.9.1.0/24 via 10.9.0.2");
  EXPECT_TRUE(Eventually("10.9.0.2", Resolved));
  EXPECT_TRUE(Eventually("10.9.1.1", Resolved));
}

TEST_F(NeighborTest, NoticesALostCarrier) {
  ASSERT_TRUE(resolver_->Follow({Ip("10.9.0.2")}).ok());
  ASSERT_TRUE(Eventually("10.9.0.2", Resolved));
  peer_->Run("ip link set up1 down");
  EXPECT_TRUE(Eventually("10.9.0.2", [](const Resolution& r) {
    return !r.next_hop && r.problem == "interface up0 is down (no carrier)";
  }));
  peer_->Run("ip link set up1 up");
  EXPECT_TRUE(Eventually("10.9.0.2", Resolved));
}

TEST_F(NeighborTest, FollowsARouteChange) {
  peer_->Run("ip addr add 10.9.0.3/24 dev up1");
  ASSERT_TRUE(resolver_->Follow({Ip("10.9.1.1")}).ok());
  ASSERT_TRUE(Eventually("10.9.1.1", Resolved));
  balancer_->Run("ip route replace 10.9.1.0/24 via 10.9.0.3 mtu 1400");
  EXPECT_TRUE(Eventually("10.9.1.1", [](const Resolution& r) {
    return r.next_hop && r.gateway == Ip("10.9.0.3") && r.next_hop->mtu == 1400;
  }));
  balancer_->Run("ip route del 10.9.1.0/24");
  EXPECT_TRUE(Eventually("10.9.1.1", [](const Resolution& r) {
    return !r.next_hop && r.problem == "no route to 10.9.1.1";
  }));
}

struct Unreachable {
  const char* name;
  const char* address;
  const char* setup;
  const char* problem;
};

TEST_F(NeighborTest, NamesWhatIsUnreachable) {
  const Unreachable cases[] = {
      {"nobody-answers", "10.9.0.99", "true", "no answer from 10.9.0.99 on up0"},
      {"nobody-answers-v6", "fd09::99", "true", "no answer from fd09::99 on up0"},
      {"no-route", "203.0.113.5", "true", "no route to 203.0.113.5"},
      {"dead-gateway", "10.9.7.1", "ip route add 10.9.7.0/24 via 10.9.0.98",
       "no answer from gateway 10.9.0.98 on up0"},
      {"blackhole", "10.9.8.1", "ip route add blackhole 10.9.8.0/24", "no route to 10.9.8.1"},
      {"own-address", "10.9.0.1", "true", "10.9.0.1 is an address of this host"},
  };
  std::vector<model::IpAddress> addresses;
  for (const Unreachable& one : cases) {
    balancer_->Run(one.setup);
    addresses.push_back(Ip(one.address));
  }
  ASSERT_TRUE(resolver_->Follow(addresses).ok());
  for (const Unreachable& one : cases) {
    SCOPED_TRACE(one.name);
    EXPECT_TRUE(
        Eventually(one.address, [&](const Resolution& r) { return r.problem == one.problem; }));
    EXPECT_FALSE(resolver_->Get(Ip(one.address)).next_hop);
  }
  // A backend that starts to answer is found without being asked for again.
  peer_->Run("ip addr add 10.9.0.99/24 dev up1");
  EXPECT_TRUE(Eventually("10.9.0.99", Resolved));
}

TEST_F(NeighborTest, AnswersOnlyForWhatIsFollowed) {
  EXPECT_EQ(resolver_->Get(Ip("10.9.0.2")).problem, "not followed");
  ASSERT_TRUE(resolver_->Follow({Ip("10.9.0.2")}).ok());
  ASSERT_TRUE(Eventually("10.9.0.2", Resolved));
  ASSERT_TRUE(resolver_->Follow({}).ok());
  EXPECT_EQ(resolver_->Get(Ip("10.9.0.2")).problem, "not followed");
}

TEST_F(NeighborTest, ListsOwnAddresses) {
  const ScopedNetns::Entered entered(*balancer_);
  auto own = NetlinkResolver::OwnAddresses();
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_THAT(*own, ::testing::IsSupersetOf({Ip("10.9.0.1"), Ip("fd09::1")}));
  EXPECT_THAT(*own, ::testing::Not(::testing::Contains(Ip("127.0.0.1"))));
  EXPECT_THAT(*own, ::testing::Not(::testing::Contains(Ip("::1"))));
}

}  // namespace
}  // namespace evenkeel::testing
