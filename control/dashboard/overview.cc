// SPDX-License-Identifier: Apache-2.0
#include "control/dashboard/overview.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "control/json/status.h"
#include "control/json/time.h"

namespace evenkeel::dashboard {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxAlarms = 50;

// The server that is farthest from its share, to either side.
struct Worst {
  std::string backend;
  double ratio = 0;  // 0: not known
  double off = 0;    // >= 1
};

Worst WorstOf(const engine::PoolStatus& pool) {
  Worst worst;
  if (!pool.distribution) return worst;
  for (const detect::ServerShares& server : pool.distribution->servers) {
    if (!server.sufficient) continue;
    constexpr double kNone = 0.01;  // a server that gets nothing is 100 times off
    const double off = server.ratio >= 1 ? server.ratio : 1 / std::max(server.ratio, kNone);
    if (off > worst.off) worst = {server.name, server.ratio, off};
  }
  return worst;
}

bool IsDown(const engine::BackendStatus& backend) {
  return backend.health == "down" || !backend.problem.empty();
}

bool Has(const std::string& text, const std::string& filter) {
  return absl::AsciiStrToLower(text).find(filter) != std::string::npos;
}

// But for alarms.
Rank RankOf(const engine::PoolStatus& pool) {
  const bool known = pool.distribution.has_value();
  if (known && pool.distribution->verdict == detect::Verdict::kBroken) return Rank::kBroken;
  if (!pool.panic.empty()) return Rank::kPanic;
  if (std::any_of(pool.backends.begin(), pool.backends.end(), IsDown)) return Rank::kDown;
  if (!pool.no_spare.empty()) return Rank::kNoSpare;
  if (pool.moving_slots > 0) return Rank::kMoving;
  if (known && pool.distribution->verdict == detect::Verdict::kMatches) return Rank::kFine;
  return Rank::kUnknown;
}

struct Entry {
  const engine::PoolStatus* pool = nullptr;
  std::vector<const engine::VipStatus*> vips;
  Rank rank = Rank::kFine;
  Worst worst;
  size_t down = 0;
  dataplane::Counter counter;
};

bool Matches(const Entry& entry, const std::string& filter) {
  if (filter.empty() || Has(entry.pool->name, filter)) return true;
  for (const engine::VipStatus* vip : entry.vips) {
    if (Has(vip->vip.name, filter) || Has(vip->vip.address.ToString(), filter)) return true;
  }
  for (const engine::BackendStatus& backend : entry.pool->backends) {
    if (Has(backend.name, filter) || Has(backend.address.ToString(), filter)) return true;
  }
  return false;
}

std::vector<Entry> EntriesOf(const engine::Status& status) {
  std::map<std::string, std::vector<const engine::VipStatus*>> vips;
  for (const engine::VipStatus& vip : status.vips) vips[vip.vip.pool].push_back(&vip);
  std::map<std::string, Rank> alarmed;
  for (const detect::Alarm& alarm : status.alarms) {
    const Rank rank = alarm.severity == detect::Severity::kPage ? Rank::kPage : Rank::kTicket;
    const auto [at, added] = alarmed.emplace(alarm.pool, rank);
    at->second = std::min(at->second, rank);
  }
  std::vector<Entry> entries;
  for (const engine::PoolStatus& pool : status.pools) {
    Entry& entry = entries.emplace_back();
    entry.pool = &pool;
    entry.vips = vips[pool.name];
    const auto alarm = alarmed.find(pool.name);
    entry.rank = alarm != alarmed.end() ? alarm->second : RankOf(pool);
    entry.worst = WorstOf(pool);
    for (const engine::BackendStatus& backend : pool.backends) {
      entry.down += IsDown(backend);
      entry.counter.packets += backend.counter.packets;
      entry.counter.bytes += backend.counter.bytes;
      entry.counter.new_flows += backend.counter.new_flows;
    }
  }
  return entries;
}

void Order(Sort sort, std::vector<Entry>* entries) {
  // Coarse, so that rows do not change places at every look.
  const auto step = [](double off) { return static_cast<int>(off * 2); };
  std::stable_sort(entries->begin(), entries->end(), [&](const Entry& a, const Entry& b) {
    if (sort == Sort::kWorst && a.rank != b.rank) return a.rank < b.rank;
    if (sort == Sort::kWorst && step(a.worst.off) != step(b.worst.off)) {
      return a.worst.off > b.worst.off;
    }
    if (sort == Sort::kFlows && a.counter.new_flows != b.counter.new_flows) {
      return a.counter.new_flows > b.counter.new_flows;
    }
    return a.pool->name < b.pool->name;
  });
}

ordered_json VipsJson(const Entry& entry) {
  ordered_json list = ordered_json::array();
  for (const engine::VipStatus* vip : entry.vips) {
    list.push_back(
        {{"name", vip->vip.name},
         {"address", vip->vip.address.ToString()},
         {"port", vip->vip.port},
         {"protocol", std::string(model::ToString(vip->vip.protocol))},
         {"advertised", vip->advertised ? ordered_json(json::AdvertisedWord(*vip->advertised))
                                        : ordered_json(nullptr)}});
  }
  return list;
}

ordered_json ToJson(const Entry& entry, bool open) {
  const auto& report = entry.pool->distribution;
  ordered_json json = {
      {"name", entry.pool->name},
      {"rank", std::string(ToString(entry.rank))},
      {"verdict", report ? std::string(detect::ToString(report->verdict)) : ""},
      {"diagnosis",
       report && report->diagnosis ? std::string(detect::ToString(*report->diagnosis)) : ""},
      // No balancer's diagnosis, and nothing broken: the verdict that clears it.
      {"not_the_balancer",
       report && (report->verdict == detect::Verdict::kMatches ||
                  (report->diagnosis && !detect::IsBalancer(*report->diagnosis)))},
      {"worst_backend", entry.worst.backend},
      {"worst_ratio", entry.worst.ratio},
      {"backends", entry.pool->backends.size()},
      {"down", entry.down},
      {"moving_slots", entry.pool->moving_slots},
      {"panic", entry.pool->panic},
      {"no_spare", entry.pool->no_spare},
      {"counter",
       {{"packets", entry.counter.packets},
        {"bytes", entry.counter.bytes},
        {"new_flows", entry.counter.new_flows}}},
      {"vips", VipsJson(entry)}};
  if (open) json["detail"] = json::ToJson(*entry.pool);
  return json;
}

}  // namespace

std::string_view ToString(Rank rank) {
  switch (rank) {
    case Rank::kPage:
      return "page";
    case Rank::kTicket:
      return "ticket";
    case Rank::kBroken:
      return "broken";
    case Rank::kPanic:
      return "panic";
    case Rank::kDown:
      return "down";
    case Rank::kNoSpare:
      return "no-spare";
    case Rank::kMoving:
      return "moving";
    case Rank::kFine:
      return "fine";
    case Rank::kUnknown:
      break;
  }
  return "unknown";
}

ordered_json Overview(const engine::Status& status, int64_t unix_ns, const OverviewQuery& query) {
  ordered_json document = json::HeadJson(status);
  document["schema"] = "evenkeel.overview/v1";
  document["time"] = json::Rfc3339(unix_ns);
  document["pinned_flows"] = status.pinned_flows;
  document["alarms_total"] = status.alarms.size();
  if (document["alarms"].size() > kMaxAlarms) {
    document["alarms"].erase(document["alarms"].begin() + kMaxAlarms, document["alarms"].end());
  }
  std::vector<Entry> entries = EntriesOf(status);
  document["pools_total"] = entries.size();
  document["backends_total"] = [&] {
    size_t total = 0;
    for (const Entry& entry : entries) total += entry.pool->backends.size();
    return total;
  }();
  ordered_json ranks = ordered_json::object();
  for (const Entry& entry : entries) {
    ordered_json& count = ranks[std::string(ToString(entry.rank))];
    count = count.is_null() ? 1 : count.get<int>() + 1;
  }
  document["ranks"] = std::move(ranks);
  const std::string filter = absl::AsciiStrToLower(query.filter);
  std::erase_if(entries, [&](const Entry& entry) { return !Matches(entry, filter); });
  Order(query.sort, &entries);
  document["pools_matching"] = entries.size();
  if (entries.size() > query.limit) entries.resize(query.limit);
  ordered_json& pools = document["pools"] = ordered_json::array();
  for (const Entry& entry : entries) {
    const bool open =
        std::find(query.open.begin(), query.open.end(), entry.pool->name) != query.open.end();
    pools.push_back(ToJson(entry, open));
  }
  return document;
}

}  // namespace evenkeel::dashboard
