// SPDX-License-Identifier: Apache-2.0
#include "control/detect/pool_facts.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "control/detect/words.h"

namespace evenkeel::detect {
namespace {

Evidence Slots(double expected_share, double observed_share, uint32_t table_size) {
  Evidence evidence;
  evidence.unit = "slots";
  evidence.expected_share = expected_share;
  evidence.observed_share = observed_share;
  evidence.expected = expected_share * table_size;
  evidence.observed = observed_share * table_size;
  evidence.ratio = expected_share > 0 ? observed_share / expected_share : 0;
  return evidence;
}

double LimitOf(const ServerPlan& server, const PoolPlan& plan, size_t serving,
               const Thresholds& thresholds) {
  if (server.limit > 0) return server.limit;
  if (serving >= 3) return thresholds.limit_of_many;
  return serving == 2 ? thresholds.limit_of_two : (plan.single_backend ? 1.0 : 0.0);
}

std::optional<Fact> Concentration(const ServerPlan& server, const PoolPlan& plan, size_t serving,
                                  const Thresholds& thresholds) {
  const double limit = LimitOf(server, plan, serving, thresholds);
  if (server.built <= limit + 1.0 / plan.table_size) return std::nullopt;
  // One that nobody limits is compared with half: that is what a second server would leave.
  Fact fact{{Kind::kConcentration, server.address, server.name},
            {Severity::kPage, Diagnosis::kWeights, "",
             Slots(limit > 0 ? limit : 0.5, server.built, plan.table_size)}};
  fact.finding.text =
      serving == 1
          ? absl::StrCat(server.name, " has all of the pool: no other server is in the table")
          : absl::StrCat(server.name, " has ", Percent(server.built),
                         " of the pool, more than the ", Percent(limit), " that are allowed");
  absl::StrAppend(&fact.finding.text, ". Revision ", plan.revision,
                  " says so: weights and servers are as configured.");
  return fact;
}

std::optional<Fact> WrongTable(const ServerPlan& server, const PoolPlan& plan,
                               const Thresholds& thresholds) {
  const double off = std::abs(server.built - server.intended);
  if (off <= thresholds.table_relative * server.intended ||
      off * plan.table_size <= thresholds.table_slots) {
    return std::nullopt;
  }
  const bool grave = server.built >= thresholds.page_ratio * server.intended || server.built == 0;
  Fact fact{{Kind::kTable, server.address, server.name},
            {grave ? Severity::kPage : Severity::kTicket, Diagnosis::kBuilder, "",
             Slots(server.intended, server.built, plan.table_size)}};
  fact.finding.text = absl::StrCat("the table gives ", server.name, " ", Percent(server.built),
                                   " of the slots where its weight asks for ",
                                   Percent(server.intended), ": the table was built wrongly.");
  return fact;
}

}  // namespace

std::vector<Fact> FactsOf(const PoolPlan& plan, const Thresholds& thresholds) {
  std::vector<Fact> facts;
  const auto serving =
      static_cast<size_t>(std::count_if(plan.servers.begin(), plan.servers.end(),
                                        [](const ServerPlan& server) { return server.built > 0; }));
  for (const ServerPlan& server : plan.servers) {
    if (auto fact = WrongTable(server, plan, thresholds)) facts.push_back(*std::move(fact));
    if (server.built == 0) continue;
    if (auto fact = Concentration(server, plan, serving, thresholds)) {
      facts.push_back(*std::move(fact));
    }
  }
  return facts;
}

Fact KernelFact(const PoolPlan& plan, const PoolReading& reading) {
  Fact fact{{Kind::kKernel, std::nullopt, ""}, {Severity::kPage, Diagnosis::kMaps, "", {}}};
  fact.finding.evidence.unit = "slots";
  std::string worst;
  double most = 0;
  for (const ServerReading& server : reading.servers) {
    const auto planned =
        std::find_if(plan.servers.begin(), plan.servers.end(),
                     [&](const ServerPlan& p) { return p.address == server.address; });
    if (planned == plan.servers.end() || !server.kernel) continue;
    const double off = std::abs(*server.kernel - planned->built);
    if (off <= most) continue;
    most = off;
    fact.finding.evidence = Slots(planned->built, *server.kernel, plan.table_size);
    worst = absl::StrCat("; ", planned->name, " has ", Percent(*server.kernel),
                         " of it instead of ", Percent(planned->built));
  }
  fact.finding.text = absl::StrCat(
      "the kernel's table is not the one of revision ", plan.revision, worst,
      ": a write failed, or another program writes to the maps. evenkeeld restores it when it is "
      "restarted.");
  return fact;
}

}  // namespace evenkeel::detect
