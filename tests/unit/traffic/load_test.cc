// SPDX-License-Identifier: Apache-2.0
#include "control/traffic/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/str_cat.h"

namespace evenkeel::traffic {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

model::IpAddress Server(int number) {
  return *model::IpAddress::Parse(absl::StrCat("10.0.1.", number));
}

// Servers with 1000 slots each, and what they carry.
class LoadTest : public ::testing::Test {
 protected:
  void Add(double load, std::optional<double> capacity, const std::string& rack = "",
           const std::string& zone = "", uint32_t slots = 1000) {
    const int number = static_cast<int>(pool_.backends.size()) + 1;
    model::Backend& backend = pool_.backends.emplace_back();
    backend.name = absl::StrCat("web-", number);
    backend.address = Server(number);
    backend.capacity = capacity;
    backend.rack = rack;
    backend.zone = zone;
    const uint16_t owner = static_cast<uint16_t>(table_.servers.size());
    table_.servers.push_back(backend.address);
    table_.owner.insert(table_.owner.end(), slots, owner);
    table_.size += slots;
    rates_[backend.address] = load;
  }
  PoolLoad Load() const {
    const auto table = std::make_shared<guard::BuiltTable>(table_);
    return LoadOf(pool_, {pool_, table, {}, table->CountSlots()}, rates_);
  }

  model::Pool pool_;
  guard::BuiltTable table_;
  std::map<model::IpAddress, double> rates_;
};

TEST_F(LoadTest, WhatIsLostGoesToTheOthersByTheirSlots) {
  Add(300, 1000);
  Add(600, 1000);
  Add(100, 1000, "", "", 2000);
  const PoolLoad load = Load();
  ASSERT_THAT(load.servers, SizeIs(3));
  // Without web-2, whose 600 go to 1000 and 2000 slots.
  EXPECT_DOUBLE_EQ(load.servers[0].after, 300 + 200);
  EXPECT_EQ(load.servers[0].loss, "web-2");
  EXPECT_DOUBLE_EQ(load.servers[2].after, 100 + 400);
  // Without web-1 (300 over 3000 slots) rather than web-3 (100 over 2000).
  EXPECT_DOUBLE_EQ(load.servers[1].after, 600 + 100);
  EXPECT_EQ(load.servers[1].loss, "web-1");
  EXPECT_EQ(load.problem, "");
}

TEST_F(LoadTest, ARackMayBeWorseThanAServer) {
  for (const char* rack : {"r1", "r1", "r2", "r2"}) Add(500, 1000, rack);
  const PoolLoad load = Load();
  EXPECT_DOUBLE_EQ(load.servers[0].after, 1000);
  EXPECT_EQ(load.servers[0].loss, "rack r2");
  EXPECT_EQ(load.problem, "") << "all of it is not more than all of it";
  ASSERT_THAT(load.domains, SizeIs(2));
  EXPECT_EQ(load.domains[0].kind, "rack");
  EXPECT_EQ(load.domains[0].name, "r1");
  EXPECT_DOUBLE_EQ(load.domains[0].load, 1000);
  EXPECT_EQ(load.domains[0].capacity, 2000);
  EXPECT_DOUBLE_EQ(load.domains[0].use, 1);
  rates_[Server(3)] = 502;
  EXPECT_EQ(Load().problem, "web-3 would carry 100.2 % of its capacity without rack r1");
}

TEST_F(LoadTest, ZonesComeAfterRacks) {
  Add(500, 1000, "r1", "a");
  Add(500, 1000, "r2", "b");
  Add(500, 600, "r3", "b");
  const PoolLoad load = Load();
  ASSERT_THAT(load.domains, SizeIs(5));
  EXPECT_EQ(load.domains[4].kind, "zone");
  EXPECT_EQ(load.domains[4].name, "b");
  EXPECT_DOUBLE_EQ(load.domains[4].use, 1.5);
  EXPECT_EQ(load.domains[4].hottest, "web-1");
  EXPECT_EQ(load.domains[0].hottest, "web-3") << "750 of 600";
  EXPECT_EQ(load.problem, "web-1 would carry 150.0 % of its capacity without zone b");
}

TEST_F(LoadTest, WhatIsTooMuchNowIsSaidFirst) {
  Add(1200, 1000);
  Add(100, 1000);
  EXPECT_EQ(Load().problem, "web-1 carries 120.0 % of its capacity");
}

TEST_F(LoadTest, TheOnlyZoneIsNothingToLose) {
  Add(900, 1000, "", "a");
  Add(50, 1000, "", "a");
  const PoolLoad load = Load();
  EXPECT_DOUBLE_EQ(load.domains[0].use, 0);
  EXPECT_EQ(load.servers[0].loss, "web-2");
  EXPECT_EQ(load.problem, "");
}

TEST_F(LoadTest, WithoutACapacityNothingIsTooMuch) {
  Add(1e9, std::nullopt, "r1");
  Add(1e9, std::nullopt, "r1");
  const PoolLoad load = Load();
  EXPECT_EQ(load.problem, "");
  EXPECT_FALSE(load.domains[0].capacity.has_value());
}

TEST_F(LoadTest, OneServerAloneLosesNobody) {
  Add(10, 1000);
  const PoolLoad load = Load();
  EXPECT_DOUBLE_EQ(load.servers[0].after, 10);
  EXPECT_EQ(load.servers[0].loss, "");
}

TEST_F(LoadTest, AnEmptyTableHasNoLoad) { EXPECT_THAT(Load().servers, IsEmpty()); }

}  // namespace
}  // namespace evenkeel::traffic
