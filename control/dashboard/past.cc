// SPDX-License-Identifier: Apache-2.0
#include "control/dashboard/past.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/engine/verdict_json.h"
#include "control/guard/guard.h"
#include "control/json/revision.h"

namespace evenkeel::dashboard {
namespace {

using nlohmann::ordered_json;

constexpr size_t kPools = 10, kBackends = 8;

ordered_json RulesJson(const guard::Verdict& verdict) {
  struct Spoke {
    const guard::Violation* first = nullptr;
    int count = 0;
  };
  std::map<std::string, Spoke> rules;
  for (const guard::Violation& violation : verdict.violations) {
    Spoke& spoke = rules[violation.rule];
    if (spoke.first == nullptr || violation.severity > spoke.first->severity) {
      spoke.first = &violation;
    }
    ++spoke.count;
  }
  ordered_json list = ordered_json::array();
  for (const auto& [rule, spoke] : rules) {
    list.push_back({{"rule", rule},
                    {"name", spoke.first->name},
                    {"severity", std::string(guard::ToString(spoke.first->severity))},
                    {"subject", spoke.first->subject},
                    {"count", spoke.count}});
  }
  return list;
}

std::vector<const guard::BackendChange*> MostChanged(const guard::PoolChange& pool) {
  std::vector<const guard::BackendChange*> list;
  for (const guard::BackendChange& backend : pool.backends) {
    if (backend.share_before != backend.share_after) list.push_back(&backend);
  }
  std::stable_sort(list.begin(), list.end(), [](const auto* a, const auto* b) {
    return std::abs(a->share_after - a->share_before) > std::abs(b->share_after - b->share_before);
  });
  return list;
}

ordered_json PoolJson(const guard::PoolChange& pool) {
  std::vector<const guard::BackendChange*> changed = MostChanged(pool);
  const size_t all = changed.size();
  if (changed.size() > kBackends) changed.resize(kBackends);
  ordered_json backends = ordered_json::array();
  for (const guard::BackendChange* backend : changed) {
    backends.push_back({{"name", backend->name},
                        {"before", backend->share_before},
                        {"after", backend->share_after}});
  }
  return {{"pool", pool.pool},
          {"slots_moved", pool.slots_moved},
          {"table_size", pool.table_size},
          {"backends_changed", all},
          {"backends", backends}};
}

}  // namespace

ordered_json Brief(const history::Revision& revision) {
  ordered_json json = json::ToJson(revision);
  const ordered_json recorded = std::move(json["verdict"]);
  json["verdict"] = recorded.is_object() ? recorded.value("verdict", "") : "";
  // As text: the numbers of JavaScript are too short for it.
  json["created_unix_ns"] = absl::StrCat(revision.created_unix_ns);
  json["rules"] = ordered_json::array();
  json["pools"] = ordered_json::array();
  json["pools_changed"] = 0;
  const auto verdict = engine::VerdictFromJson(revision.verdict_json);
  if (!verdict.ok()) return json;
  json["rules"] = RulesJson(*verdict);
  json["pools_changed"] = verdict->pools.size();
  for (const guard::PoolChange& pool : verdict->pools) {
    if (json["pools"].size() == kPools) break;
    json["pools"].push_back(PoolJson(pool));
  }
  return json;
}

std::string Mark(const history::Revision& newest) {
  return absl::StrCat(newest.created_unix_ns, "/", newest.number, "/",
                      std::string(json::OutcomeWord(newest.outcome)), "/", newest.settled_unix_ns,
                      "/", newest.good_unix_ns);
}

}  // namespace evenkeel::dashboard
