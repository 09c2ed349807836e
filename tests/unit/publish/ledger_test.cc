// SPDX-License-Identifier: Apache-2.0
#include "control/publish/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::testing {
namespace {

using publish::IdPool;
using publish::Ledger;
using publish::TableRecord;
using publish::TableRef;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr dataplane::Limits kLimits = {.max_tables = 4, .max_vips = 2, .max_backends = 6};

std::vector<model::IpAddress> Addresses(std::initializer_list<int> hosts) {
  std::vector<model::IpAddress> out;
  for (const int host : hosts) {
    out.push_back(model::IpAddress::FromIpv4({10, 0, 0, static_cast<uint8_t>(host)}));
  }
  return out;
}

absl::StatusOr<TableRef> Add(Ledger& ledger, const std::string& pool,
                             std::initializer_list<int> hosts) {
  return ledger.AddTable(pool, 251, {}, model::Forwarding::kIpip, Addresses(hosts));
}

// Last bytes of the addresses by local id; 0 = unused.
std::vector<int> Hosts(const TableRef& table) {
  std::vector<int> out;
  for (const auto& slot : table->backends) {
    out.push_back(slot.method == EK_METHOD_NONE ? 0 : slot.address.bytes()[3]);
  }
  return out;
}

TEST(IdPoolTest, HandsOutWhatWasReleasedLast) {
  IdPool pool(3);
  EXPECT_EQ(pool.Acquire(), 0u);
  EXPECT_EQ(pool.Acquire(), 1u);
  pool.Release(0);
  EXPECT_TRUE(pool.Take(2));
  EXPECT_FALSE(pool.Take(2));
  EXPECT_FALSE(pool.Take(3));
  EXPECT_EQ(pool.Acquire(), 0u);
  EXPECT_EQ(pool.Acquire(), std::nullopt);
}

TEST(IdPoolTest, PrefersIdsOfTheSameKindThenUnusedOnes) {
  IdPool pool(4);
  for (uint32_t id = 0; id < 3; ++id) ASSERT_EQ(pool.Acquire(), id);
  pool.Release(0, 7);
  pool.Release(1, 8);
  pool.Release(2, 7);
  EXPECT_EQ(pool.Acquire(8), 1u);
  EXPECT_EQ(pool.Acquire(8), 3u) << "never used";
  EXPECT_EQ(pool.Acquire(8), 2u) << "another kind's";
  EXPECT_EQ(pool.Acquire(7), 0u);
  EXPECT_EQ(pool.Acquire(7), std::nullopt);
}

TEST(LedgerTest, ABackendKeepsItsLocalIdWhileAnyTableStands) {
  Ledger ledger(kLimits);
  auto first = Add(ledger, "web", {1, 2, 3});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(Hosts(*first), ElementsAre(1, 2, 3));
  auto second = Add(ledger, "web", {3, 1});
  ASSERT_TRUE(second.ok());
  EXPECT_THAT(Hosts(*second), ElementsAre(1, 0, 3));
  // Id 2 is still backend 2's in the first table: a new backend gets another.
  auto third = Add(ledger, "web", {1, 3, 4});
  ASSERT_TRUE(third.ok());
  EXPECT_THAT(Hosts(*third), ElementsAre(1, 0, 3, 4));
  ledger.FreeBackendCounters(ledger.RemoveTable(*first));
  auto fourth = Add(ledger, "web", {1, 3, 4, 5});
  ASSERT_TRUE(fourth.ok());
  EXPECT_THAT(Hosts(*fourth), ElementsAre(1, 5, 3, 4));
}

TEST(LedgerTest, CountersFollowPoolAndAddress) {
  Ledger ledger(kLimits);
  auto first = Add(ledger, "web", {1, 2});
  auto second = Add(ledger, "web", {2, 3});
  auto other = Add(ledger, "api", {2});
  ASSERT_TRUE(first.ok() && second.ok() && other.ok());
  EXPECT_EQ((*first)->backends[1].counter, (*second)->backends[1].counter);
  EXPECT_NE((*first)->backends[1].counter, (*other)->backends[0].counter);
  const uint32_t gone = (*first)->backends[0].counter;
  EXPECT_THAT(ledger.RemoveTable(*first), ElementsAre(gone));
  EXPECT_TRUE(ledger.BackendCounterUsed(gone)) << "not before it is cleared";
  ledger.FreeBackendCounters({gone});
  EXPECT_FALSE(ledger.BackendCounterUsed(gone));
}

// What the kernel holds for an id fits a table of the same size.
TEST(LedgerTest, TablesOfOneSizeTakeTurnsAtAnId) {
  Ledger ledger(kLimits);
  auto add = [&](uint32_t size) {
    auto table = ledger.AddTable("web", size, {}, model::Forwarding::kIpip, Addresses({1}));
    EXPECT_TRUE(table.ok()) << table.status();
    return *table;
  };
  const TableRef small = add(251), large = add(65537);
  ledger.RemoveTable(large);
  ledger.RemoveTable(small);
  EXPECT_EQ(add(65537)->id, large->id);
  EXPECT_EQ(add(251)->id, small->id);
}

TEST(LedgerTest, KnowsWhereAnAddressStands) {
  Ledger ledger(kLimits);
  auto first = Add(ledger, "web", {1, 2});
  auto other = Add(ledger, "api", {2});
  ASSERT_TRUE(first.ok() && other.ok());
  EXPECT_EQ(ledger.PlacesOf(Addresses({2})[0]).size(), 2u);
  ledger.RemoveTable(*other);
  ASSERT_EQ(ledger.PlacesOf(Addresses({2})[0]).size(), 1u);
  EXPECT_EQ(ledger.PlacesOf(Addresses({2})[0])[0].backend_id, 2);
  ledger.RemoveTable(*first);
  EXPECT_TRUE(ledger.Addresses().empty());
}

TEST(LedgerTest, NothingIsTakenWhenSomethingIsExhausted) {
  Ledger ledger(kLimits);
  ASSERT_TRUE(Add(ledger, "a", {1, 2, 3}).ok());
  auto many = Add(ledger, "b", {1, 2, 3, 4});
  EXPECT_TRUE(absl::IsResourceExhausted(many.status())) << many.status();
  EXPECT_THAT(std::string(many.status().message()), ::testing::HasSubstr("max_backends"));
  ASSERT_TRUE(Add(ledger, "b", {1, 2, 3}).ok()) << "the failed attempt kept nothing";
  ASSERT_TRUE(Add(ledger, "a", {1}).ok());
  ASSERT_TRUE(Add(ledger, "a", {2}).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(Add(ledger, "a", {3}).status()));
}

TEST(LedgerTest, RefusesToAdoptAnIdTwice) {
  Ledger ledger(kLimits);
  TableRecord record;
  record.id = 1;
  record.pool = "web";
  record.backends = {{Addresses({1})[0], EK_METHOD_IPIP4, 3}};
  ASSERT_TRUE(ledger.AdoptTable(record).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(ledger.AdoptTable(record).status()));
  record.id = 2;
  record.backends[0].address = Addresses({9})[0];
  EXPECT_TRUE(absl::IsFailedPrecondition(ledger.AdoptTable(record).status())) << "counter 3";
}

TEST(LedgerTest, VipCountersAreShared) {
  Ledger ledger(kLimits);
  const dataplane::VipKey a{.address = Ip("192.0.2.1"), .port = 80, .ip_protocol = 6};
  const dataplane::VipKey b{.address = Ip("192.0.2.1"), .port = 80, .ip_protocol = 17};
  const dataplane::VipKey c{.address = Ip("192.0.2.1"), .port = 81, .ip_protocol = 6};
  auto first = ledger.AcquireVip(a);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*ledger.AcquireVip(a), *first);
  EXPECT_NE(*ledger.AcquireVip(b), *first);
  EXPECT_TRUE(absl::IsResourceExhausted(ledger.AcquireVip(c).status()));
  EXPECT_EQ(ledger.DropVip(a), std::nullopt);
  EXPECT_EQ(ledger.DropVip(a), *first);
  EXPECT_TRUE(absl::IsResourceExhausted(ledger.AcquireVip(c).status())) << "not cleared yet";
  ledger.FreeVipCounter(*first);
  EXPECT_EQ(*ledger.AcquireVip(c), *first);
}

}  // namespace
}  // namespace evenkeel::testing
