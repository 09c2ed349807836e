// SPDX-License-Identifier: Apache-2.0
//
// How servers come back into a table: what share they have, and how many slots move at once.
#include "control/health/slow_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/guard/fleet.h"

namespace evenkeel::health {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::Pair;

model::IpAddress Server(int number) {
  return *model::IpAddress::Parse(absl::StrCat("10.0.1.", number));
}

model::Config MakeConfig(int servers) {
  model::Config config;
  model::Pool& pool = config.pools.emplace_back();
  pool.name = "web";
  pool.table_size = 65537;
  pool.health_check.emplace();
  for (int i = 1; i <= servers; ++i) {
    model::Backend& backend = pool.backends.emplace_back();
    backend.name = absl::StrCat("web-", i);
    backend.address = Server(i);
  }
  config.vips.push_back({.name = "web",
                         .address = *model::IpAddress::Parse("192.0.2.10"),
                         .port = 443,
                         .pool = "web"});
  return config;
}

class SlowStartTest : public ::testing::Test {
 protected:
  void Configure(model::Config config) {
    config_ = std::move(config);
    slow_start_.Configure(config_);
    decision_.pools.resize(1);
    decision_.pools[0].pool = "web";
  }
  void PutOut(const std::vector<int>& servers) {
    decision_.pools[0].out.clear();
    for (const int server : servers) decision_.pools[0].out.push_back(Server(server));
  }
  // Goes on for `time`, in the steps that the daemon makes; what is decided is in force.
  void Run(milliseconds time) {
    for (milliseconds passed{0}; passed < time; passed += milliseconds(50)) {
      now_ns_ += 50'000'000;
      Step();
    }
  }
  void Step() {
    const Admission next = slow_start_.Next(in_force_, decision_, now_ns_);
    if (next == in_force_) return;
    const std::vector<model::IpAddress> before = Owners();
    in_force_ = next;
    const std::vector<model::IpAddress> after = Owners();
    size_t moved = 0;
    for (size_t i = 0; i < after.size(); ++i) moved += before[i] != after[i];
    moves_.push_back(static_cast<double>(moved) / static_cast<double>(after.size()));
    at_ns_.push_back(now_ns_);
  }
  uint16_t Has(int server) const { return Admitted(in_force_, "web", Server(server)); }
  model::Pool Effective() const {
    model::Pool pool = config_.pools[0];
    if (const auto found = in_force_.find("web"); found != in_force_.end()) {
      ApplyAdmission(found->second, &pool);
    }
    return pool;
  }
  std::vector<model::IpAddress> Owners() const {
    model::Config config = config_;
    config.pools[0] = Effective();
    const auto fleet = guard::BuildFleet(config, {}, nullptr);
    EXPECT_TRUE(fleet.ok()) << fleet.status();
    const guard::BuiltTable& table = *(*fleet)->pools[0]->table;
    std::vector<model::IpAddress> owners;
    for (const uint16_t owner : table.owner) owners.push_back(table.servers[owner]);
    return owners;
  }
  double MostMoved() const { return *std::max_element(moves_.begin(), moves_.end()); }

  model::Config config_;
  SlowStart slow_start_;
  Decision decision_;
  Admission in_force_;
  int64_t now_ns_ = 1'000'000'000'000;
  std::vector<double> moves_;  // part of the slots, of each step
  std::vector<int64_t> at_ns_;
};

TEST_F(SlowStartTest, WhoComesBackGetsItsShareInStepsThatAreBounded) {
  Configure(MakeConfig(4));
  PutOut({2});
  Step();
  EXPECT_EQ(Has(2), kOut);
  moves_.clear();
  at_ns_.clear();
  PutOut({});
  Run(milliseconds(60'000));
  EXPECT_EQ(Has(2), kWhole);
  EXPECT_TRUE(in_force_.empty());
  EXPECT_EQ(moves_.size(), 13u) << "a quarter of the slots, a fiftieth at once";
  EXPECT_LT(MostMoved(), 0.02 * 1.1);
  const double seconds = static_cast<double>(at_ns_.back() - at_ns_.front()) / 1e9;
  EXPECT_NEAR(seconds, 30, 4);
}

TEST_F(SlowStartTest, ASmallShareComesInTenStepsAllTheSame) {
  Configure(MakeConfig(100));
  PutOut({2});
  Step();
  PutOut({});
  moves_.clear();
  Run(milliseconds(60'000));
  EXPECT_EQ(moves_.size(), 10u);
  EXPECT_EQ(Has(2), kWhole);
}

TEST_F(SlowStartTest, ManyAtOnceShareTheBound) {
  Configure(MakeConfig(10));
  PutOut({1, 2, 3, 4});
  Step();
  PutOut({});
  moves_.clear();
  Run(milliseconds(120'000));
  EXPECT_TRUE(in_force_.empty());
  EXPECT_EQ(moves_.size(), 20u) << "four tenths of the slots";
  EXPECT_LT(MostMoved(), 0.02 * 1.1);
}

TEST_F(SlowStartTest, TheBoundGoesBeforeTheTime) {
  model::Config config = MakeConfig(4);
  config.pools[0].slow_start = {.over = milliseconds(1000), .max_step_fraction = 0.01};
  Configure(config);
  PutOut({2});
  Step();
  PutOut({});
  moves_.clear();
  at_ns_.clear();
  Run(milliseconds(60'000));
  EXPECT_EQ(Has(2), kWhole);
  EXPECT_LT(MostMoved(), 0.01 * 1.1);
  EXPECT_GT(at_ns_.back() - at_ns_.front(), 23'000'000'000) << "one step a second";
}

TEST_F(SlowStartTest, AtOnceWhereThatIsAskedFor) {
  model::Config config = MakeConfig(4);
  config.pools[0].slow_start.over = milliseconds(0);
  Configure(config);
  PutOut({2});
  Step();
  PutOut({});
  Step();
  EXPECT_TRUE(in_force_.empty());
}

TEST_F(SlowStartTest, WhoFailsAgainIsOutAtOnceAndBeginsAnew) {
  Configure(MakeConfig(4));
  PutOut({2});
  Step();
  PutOut({});
  Run(milliseconds(10'000));
  const uint16_t reached = Has(2);
  EXPECT_GT(reached, 200);
  PutOut({2});
  Step();
  EXPECT_EQ(Has(2), kOut);
  PutOut({});
  Step();
  EXPECT_LT(Has(2), 100);
  EXPECT_GT(Has(2), 0);
}

// The load has to go somewhere: there is nobody to spare the cold ones.
TEST_F(SlowStartTest, APanicEndsIt) {
  Configure(MakeConfig(4));
  PutOut({2});
  Step();
  PutOut({});
  Step();
  ASSERT_LT(Has(2), kWhole);
  decision_.pools[0].panic.emplace();
  Step();
  EXPECT_EQ(Has(2), kWhole);
}

TEST_F(SlowStartTest, WhereNobodyElseServesItIsNotForTheTable) {
  Configure(MakeConfig(2));
  Admit("web", Server(1), kOut, &in_force_);
  Admit("web", Server(2), kOut, &in_force_);
  slow_start_.Next(in_force_, decision_, now_ns_);
  EXPECT_TRUE(slow_start_.Next(in_force_, decision_, now_ns_).empty());
}

TEST_F(SlowStartTest, AStepThatWasNotPublishedIsMadeLater) {
  Configure(MakeConfig(4));
  PutOut({2});
  Step();
  PutOut({});
  const Admission first = slow_start_.Next(in_force_, decision_, now_ns_);
  EXPECT_EQ(slow_start_.Next(in_force_, decision_, now_ns_ + 50'000'000), first);
  in_force_ = first;
  EXPECT_EQ(slow_start_.Next(in_force_, decision_, now_ns_ + 100'000'000), first) << "not due";
}

// As after a restart: the record says how far it was.
TEST_F(SlowStartTest, AStartThatIsFoundGoesOn) {
  Configure(MakeConfig(4));
  Admit("web", Server(2), 500, &in_force_);
  Step();
  EXPECT_EQ(Has(2), 500);
  Run(milliseconds(5'000));
  EXPECT_GT(Has(2), 500);
  EXPECT_LT(Has(2), kWhole);
}

TEST_F(SlowStartTest, APoolWithoutAHealthCheckHasItToo) {
  model::Config config = MakeConfig(4);
  config.pools[0].health_check.reset();
  Configure(config);
  decision_.pools.clear();
  Admit("web", Server(2), 77, &in_force_);
  Run(milliseconds(60'000));
  EXPECT_TRUE(in_force_.empty());
}

TEST_F(SlowStartTest, PoolsAndServersThatAreGoneAreForgotten) {
  Configure(MakeConfig(4));
  Admit("web", Server(9), 77, &in_force_);
  Admit("gone", Server(1), 77, &in_force_);
  EXPECT_TRUE(slow_start_.Next(in_force_, decision_, now_ns_).empty());
}

double ShareOf(const model::Pool& pool, size_t backend) {
  double all = 0;
  for (const model::Backend& b : pool.backends) all += b.serving() ? double(b.weight) : 0;
  return pool.backends[backend].serving() ? double(pool.backends[backend].weight) / all : 0;
}

TEST(AdmissionTest, ThePartIsOfTheShareThatAServerHasInTheEnd) {
  model::Pool pool = MakeConfig(4).pools[0];
  pool.backends[0].weight = 300;
  pool.backends[1].capacity = 1000;
  pool.backends[2].capacity = 1000;
  ASSERT_TRUE(ApplyAdmission({{Server(2), 500}, {Server(4), kOut}}, &pool));
  EXPECT_NEAR(ShareOf(pool, 1), 0.1, 1e-6);  // half of 1 / 5
  EXPECT_NEAR(ShareOf(pool, 0), 0.9 * 3 / 4, 1e-6);
  EXPECT_NEAR(ShareOf(pool, 2), 0.9 / 4, 1e-6);
  EXPECT_EQ(pool.backends[3].state, model::AdminState::kDisabled);
  EXPECT_EQ(pool.backends[1].capacity, 500);
  EXPECT_EQ(pool.backends[2].capacity, 1000);
}

TEST(AdmissionTest, NobodyIsLeftWithoutASlot) {
  model::Pool pool = MakeConfig(4).pools[0];
  pool.backends[0].weight = 1'000'000'000'000;
  ASSERT_TRUE(ApplyAdmission({{Server(2), 1}}, &pool));
  for (const model::Backend& backend : pool.backends) EXPECT_TRUE(backend.serving());
}

TEST(AdmissionTest, WhereNobodyHasTheWholeAllHave) {
  const model::Pool pool = MakeConfig(2).pools[0];
  model::Pool changed = pool;
  EXPECT_FALSE(ApplyAdmission({{Server(1), 100}, {Server(2), 700}}, &changed));
  EXPECT_EQ(changed, pool);
}

TEST(AdmissionTest, WhoDoesNotServeIsNotConcerned) {
  const model::Pool pool = MakeConfig(2).pools[0];
  model::Pool changed = pool;
  EXPECT_FALSE(ApplyAdmission({{Server(7), kOut}}, &changed));
  EXPECT_EQ(changed, pool);
}

TEST(AdmissionTest, NoPoolHasAnEmptyOne) {
  Admission admission;
  Admit("web", Server(1), kWhole, &admission);
  EXPECT_TRUE(admission.empty());
  Admit("web", Server(1), 5, &admission);
  Admit("web", Server(1), kWhole, &admission);
  EXPECT_TRUE(admission.empty());
  Admit("web", Server(1), 5, &admission);
  EXPECT_THAT(LesserOf({{"web", {{Server(1), 3}}}}, admission)["web"],
              ElementsAre(Pair(Server(1), 3)));
  EXPECT_THAT(LesserOf({}, admission)["web"], ElementsAre(Pair(Server(1), 5)));
}

}  // namespace
}  // namespace evenkeel::health
