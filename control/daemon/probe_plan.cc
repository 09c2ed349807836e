// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/probe_plan.h"

#include "absl/strings/str_cat.h"
#include "control/health/probed.h"

namespace evenkeel::daemon {
namespace {

using model::HealthCheck;

// One server may have several names.
std::set<model::IpAddress> ServersOf(const model::Pool& pool) {
  std::set<model::IpAddress> servers;
  for (const model::Backend& backend : pool.backends) {
    if (backend.serving()) servers.insert(backend.address);
  }
  return servers;
}

class Planner {
 public:
  explicit Planner(const ProbeHost& host) : host_(host) {}

  void Add(const model::Pool& pool, const std::vector<health::Question>& questions) {
    const size_t before = plan_.targets.size();
    const std::set<model::IpAddress> servers = ServersOf(pool);
    for (const model::IpAddress& server : servers) {
      for (const health::Question& question : questions) Ask(pool, server, question);
    }
    if (servers.empty() || plan_.targets.size() != before) return;
    plan_.blind.insert(pool.name);
    Note(pool,
         "none of its servers can be asked: until that is mended, who is out stays out, and nobody "
         "goes out");
  }

  void AddUnasked(const model::Pool& pool) {
    plan_.unprobed.insert(pool.name);
    const bool ports = pool.health_check->type != HealthCheck::Type::kIcmp;
    Note(pool, absl::StrCat("is not probed: no VIP ", ports ? "with a port " : "", "leads to it; ",
                            pool.health_check->through == HealthCheck::Through::kVip
                                ? "add one, or write through: direct"
                                : "write health_check.port"));
  }

  ProbePlan Take() {
    plan_.notices.assign(notices_.begin(), notices_.end());
    return std::move(plan_);
  }

 private:
  void Ask(const model::Pool& pool, const model::IpAddress& server,
           const health::Question& question) {
    probe::Target target{
        .pool = pool.name, .address = server, .port = question.port, .check = *pool.health_check};
    if (question.vip) {
      const std::optional<uint32_t> mark = host_.mark(pool.name, server);
      if (!mark) return Note(pool, "cannot be probed through its VIPs on this host; see the log");
      if (const std::string fault = host_.fault(*question.vip, server); !fault.empty()) {
        return Note(pool, absl::StrCat("is not probed through every VIP: ", fault));
      }
      target.via = probe::Via{.vip = *question.vip, .mark = *mark};
    }
    auto& witnesses = plan_.witnesses[{pool.name, server}];
    witnesses.insert(WitnessOf(target));
    if (pool.health_check->passive) witnesses.insert(kPassiveWitness);
    plan_.targets.push_back(std::move(target));
  }

  void Note(const model::Pool& pool, const std::string& what) {
    notices_.insert(absl::StrCat("pool ", pool.name, " has a health check and ", what));
  }

  const ProbeHost& host_;
  ProbePlan plan_;
  std::set<std::string> notices_;
};

}  // namespace

std::string WitnessOf(const probe::Target& target) {
  return target.via ? absl::StrCat(target.via->vip.ToString(), " ", target.port) : "";
}

ProbePlan PlanProbes(const model::Config& config, const ProbeHost& host) {
  Planner planner(host);
  for (const model::Pool& pool : config.pools) {
    if (!pool.health_check) continue;
    const std::vector<health::Question> questions = health::QuestionsOf(pool, config.vips);
    if (questions.empty()) {
      planner.AddUnasked(pool);
    } else {
      planner.Add(pool, questions);
    }
  }
  return planner.Take();
}

model::Config WatchedConfig(const model::Config& config, const ProbePlan& plan) {
  model::Config watched = config;
  for (model::Pool& pool : watched.pools) {
    if (plan.unprobed.contains(pool.name)) pool.health_check.reset();
    if (plan.blind.contains(pool.name)) pool.health_check->start = HealthCheck::Start::kUp;
  }
  return watched;
}

std::set<model::IpAddress> ServersBehindVips(const model::Pool& pool) {
  const bool through =
      pool.health_check && pool.health_check->through == HealthCheck::Through::kVip;
  return through ? ServersOf(pool) : std::set<model::IpAddress>{};
}

}  // namespace evenkeel::daemon
