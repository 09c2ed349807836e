// SPDX-License-Identifier: Apache-2.0
//
// Random histories of health, with the guard's part played by LB001 on the tables as built.
#include <gtest/gtest.h>

#include <sstream>

#include "oracle.h"
#include "tests/unit/guard/states.h"
#include "world.h"

namespace evenkeel::health::testing {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int kHistories = 2500;
constexpr int kSteps = 50;

class History {
 public:
  explicit History(uint64_t seed) : random_(seed), monitor_(std::make_unique<Monitor>()) {
    do {
      config_ = RandomFleet(random_);
    } while (!Accepts(*monitor_, config_));
    Configure(config_);
  }

  void Run(int steps) {
    for (int i = 0; i < steps && fault_.empty(); ++i) Step();
  }

  // What becomes of it when every server works, and nobody touches anything.
  void Calm() {
    truth_.MendAll();
    for (int i = 0; i < 120 && fault_.empty(); ++i) {
      now_.steady_ns += 10 * kSecond;
      now_.unix_ns += 10 * kSecond;
      truth_.Probe(random_, config_, false, now_, *monitor_);
      Settle(false);
    }
    for (const PoolDecision& pool : monitor_->Decide(now_).pools) {
      if (!pool.out.empty() || !pool.held.empty() || pool.panic) Fail(pool.pool + " is not calm");
    }
  }

  const std::string& fault() const { return fault_; }
  std::string log() const { return log_.str(); }
  const Oracle& oracle() const { return oracle_; }
  int refusals() const { return refusals_; }
  int forced() const { return forced_; }

 private:
  using Outs = std::map<std::string, Addresses>;

  static Outs OutsOf(const Monitor& monitor, const model::Config& config) {
    Outs outs;
    for (const model::Pool& pool : config.pools) {
      for (const ServerStatus& server : monitor.Status(pool.name)) {
        if (!server.in_table) outs[pool.name].insert(server.server);
      }
    }
    return outs;
  }

  // Names a pool whose table gives one server too much.
  std::string Offender(const model::Config& config, const Outs& outs) {
    model::Config in = config;
    for (model::Pool& pool : in.pools) {
      if (const auto out = outs.find(pool.name); out != outs.end()) {
        pool = Without(pool, out->second);
      }
    }
    fleet_ = guard::testing::Built(in, fleet_);
    for (const auto& pool : fleet_->pools) {
      if (!TooMuch(*pool).empty()) return pool->name();
    }
    return "";
  }

  // As the guard would judge a change: with all servers, and with those that are in.
  bool Accepts(const Monitor& monitor, const model::Config& config) {
    for (const model::Pool& pool : config.pools) {
      if (ServingOf(pool).size() < (pool.policy.single_backend ? 1 : 2)) return false;
    }
    Monitor trial = monitor;
    trial.Configure(config, now_);
    return Offender(config, {}).empty() && Offender(config, OutsOf(trial, config)).empty();
  }

  void Configure(const model::Config& config) {
    config_ = config;
    monitor_->Configure(config, now_);
    oracle_.Configure(config);
    applied_ = OutsOf(*monitor_, config);
  }

  void Restart() {
    const Decision last = monitor_->Decide(now_);  // what it said last is not lost
    Fail(oracle_.CheckTransitions(last.transitions));
    std::map<std::string, std::vector<model::IpAddress>> seed;
    for (const PoolDecision& pool : last.pools) seed[pool.pool] = pool.out;
    monitor_ = std::make_unique<Monitor>();
    monitor_->Configure(config_, now_);
    monitor_->Seed(seed, now_);
    oracle_.Restart();
    applied_ = OutsOf(*monitor_, config_);
  }

  void Step() {
    if (Below(random_, 60) == 0) Restart();
    const int64_t pause = static_cast<int64_t>(Below(random_, 4000) * 1'000'000) +
                          (Below(random_, 8) == 0 ? 40 * kSecond : 0);
    now_.steady_ns += pause;
    now_.unix_ns += pause;
    if (Below(random_, 12) == 0) {
      model::Config edited = config_;
      RandomEdit(random_, edited);
      if (Accepts(*monitor_, edited)) Configure(edited);
    }
    truth_.Change(random_, config_);
    truth_.Probe(random_, config_, true, now_, *monitor_);
    Settle(true);
  }

  // Decides, and has the guard refuse one move after the other until the tables are fit to serve.
  void Settle(bool moody) {
    std::set<std::pair<std::string, model::IpAddress>> refused;
    for (int round = 0; fault_.empty(); ++round) {
      const Decision decision = monitor_->Decide(now_);
      Fail(oracle_.CheckTransitions(decision.transitions));
      Outs outs;
      for (const PoolDecision& pool : decision.pools)
        outs[pool.pool].insert(pool.out.begin(), pool.out.end());
      std::string offender = Offender(config_, outs);
      const bool mood = moody && round == 0 && Below(random_, 10) == 0;
      if (offender.empty() && mood) offender = decision.pools.empty() ? "" : decision.pools[0].pool;
      if (offender.empty() || !RefuseOne(offender, outs[offender], refused)) {
        // The minimum goes before what the guard would have.
        if (!Offender(config_, outs).empty()) ++forced_;
        Accept(decision, outs);
        return;
      }
      if (round > 100) Fail("does not come to an end");
    }
  }

  bool RefuseOne(const std::string& pool, const Addresses& out,
                 std::set<std::pair<std::string, model::IpAddress>>& refused) {
    std::vector<model::IpAddress> moved;
    const Addresses& before = applied_[pool];
    std::set_symmetric_difference(before.begin(), before.end(), out.begin(), out.end(),
                                  std::back_inserter(moved));
    std::erase_if(moved, [&](const auto& a) { return refused.contains({pool, a}); });
    if (moved.empty()) return false;
    const model::IpAddress& one = moved[Below(random_, moved.size())];
    refused.insert({pool, one});
    monitor_->Refused(pool, one, "LB001: too much for one server", now_);
    ++refusals_;
    return true;
  }

  void Accept(const Decision& decision, const Outs& outs) {
    Fail(oracle_.Check(decision, *monitor_, now_));
    applied_ = outs;
    for (const PoolDecision& pool : decision.pools) {
      log_ << now_.steady_ns << ' ' << pool.pool << (pool.panic ? " panic:" : ":");
      for (const auto& address : pool.out) log_ << ' ' << address.ToString();
      for (const Held& held : pool.held) log_ << "; " << held.server.ToString() << held.reason;
      log_ << '\n';
    }
    for (const Transition& t : decision.transitions) log_ << t.server.ToString() << t.cause << '\n';
  }

  void Fail(const std::string& fault) {
    if (fault_.empty()) fault_ = fault;
  }

  Random random_;
  model::Config config_;
  Truth truth_;
  std::unique_ptr<Monitor> monitor_;
  Oracle oracle_;
  Time now_{1000 * kSecond, 1000 * kSecond};
  std::shared_ptr<const guard::BuiltFleet> fleet_;
  Outs applied_;
  std::string fault_;
  std::ostringstream log_;
  int refusals_ = 0, forced_ = 0;
};

TEST(HealthProperty, NoHistoryLeadsToABadTable) {
  std::set<std::pair<Health, Health>> edges;
  std::map<Hold, int> held;
  int panics = 0, exits = 0, removals = 0, returns = 0, refusals = 0, forced = 0;
  for (int seed = 0; seed < kHistories; ++seed) {
    History history(seed);
    history.Run(kSteps);
    history.Calm();
    ASSERT_EQ(history.fault(), "") << "seed " << seed << "\n" << history.log();
    const Oracle& oracle = history.oracle();
    edges.insert(oracle.edges.begin(), oracle.edges.end());
    for (const auto& [hold, n] : oracle.held) held[hold] += n;
    panics += oracle.panics, exits += oracle.exits, removals += oracle.removals;
    returns += oracle.returns, refusals += history.refusals(), forced += history.forced();
  }
  EXPECT_EQ(edges.size(), Edges().size()) << "every way was taken";
  for (const Hold hold : {Hold::kRate, Hold::kPanic, Hold::kMinimum, Hold::kRefused}) {
    EXPECT_GT(held[hold], 0) << ToString(hold);
  }
  EXPECT_GT(panics, 1000);
  EXPECT_GT(exits, 1000);
  EXPECT_GT(removals, 1000);
  EXPECT_GT(returns, 1000);
  EXPECT_GT(refusals, 100);
  EXPECT_LT(forced, refusals / 20) << "the minimum is a rare reason to do what the guard refuses";
  std::cout << panics << " panics, " << removals << " removals, " << refusals << " refusals, "
            << forced << " forced\n";
}

TEST(HealthProperty, TheSameHistoryLeadsToTheSameDecisions) {
  for (int seed = 0; seed < 100; ++seed) {
    History a(seed), b(seed);
    a.Run(kSteps);
    b.Run(kSteps);
    ASSERT_EQ(a.log(), b.log()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace evenkeel::health::testing
