// SPDX-License-Identifier: Apache-2.0
#include "control/cli/server_changes.h"

#include <algorithm>
#include <map>

#include "control/cli/cat.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

using nlohmann::ordered_json;

constexpr size_t kServersListed = 24;

// Servers of a pool with what they own after the change, the largest share first.
std::vector<std::pair<std::string, double>> SharesAfter(const guard::PoolChange& pool) {
  std::map<model::IpAddress, std::pair<std::string, double>> by_address;
  for (const guard::BackendChange& b : pool.backends) {
    if (b.removed || b.share_after <= 0) continue;
    auto& [name, share] = by_address[b.address];
    if (name.empty()) name = b.name;
    share += b.share_after;
  }
  std::vector<std::pair<std::string, double>> shares;
  for (auto& [address, server] : by_address) shares.push_back(std::move(server));
  std::stable_sort(shares.begin(), shares.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return shares;
}

}  // namespace

std::vector<ServerChange> ChangesByServer(const guard::Verdict& verdict) {
  std::vector<ServerChange> servers;
  std::map<model::IpAddress, size_t> index;
  for (const guard::PoolChange& pool : verdict.pools) {
    for (const guard::BackendChange& b : pool.backends) {
      const auto [at, added] = index.try_emplace(b.address, servers.size());
      if (added) servers.push_back({b.address, {}});
      std::vector<ServerInPool>& in = servers[at->second].pools;
      if (in.empty() || in.back().pool != pool.pool) in.push_back({pool.pool, 0, 0});
      in.back().before += b.share_before;
      in.back().after += b.share_after;
    }
  }
  return servers;
}

std::optional<Failure> WorstFailure(const guard::PoolChange& pool) {
  const auto shares = SharesAfter(pool);
  if (shares.size() < 2) return std::nullopt;
  // Who gets most is one of the two largest, and loses most when the other one fails.
  const auto& [first, a] = shares[0];
  const auto& [second, b] = shares[1];
  const Failure second_fails{second, first, a / (1 - b)}, first_fails{first, second, b / (1 - a)};
  return first_fails.share > second_fails.share ? first_fails : second_fails;
}

ordered_json ServerChangesJson(const guard::Verdict& verdict) {
  ordered_json list = ordered_json::array();
  for (const ServerChange& server : ChangesByServer(verdict)) {
    ordered_json pools = ordered_json::array();
    for (const ServerInPool& in : server.pools) {
      pools.push_back({{"pool", in.pool}, {"share_before", in.before}, {"share_after", in.after}});
    }
    list.push_back({{"address", server.address.ToString()}, {"pools", pools}});
  }
  return list;
}

void PrintServerChanges(Printer& out, const guard::Verdict& verdict, bool all) {
  std::vector<std::vector<Cell>> rows;
  size_t left_out = 0;
  for (const ServerChange& server : ChangesByServer(verdict)) {
    if (server.pools.size() < 2) continue;
    if (!all && rows.size() == kServersListed) {
      ++left_out;
      continue;
    }
    std::string text;
    for (const ServerInPool& in : server.pools) {
      text += Cat(text.empty() ? "" : ", ", in.pool, " ", Percent(in.before), " -> ",
                  Percent(in.after));
    }
    rows.push_back({{server.address.ToString()}, {text}});
  }
  if (rows.empty()) return;
  out.Line("Servers in several of these pools:").Table(2, rows);
  if (left_out > 0) {
    out.Line(Cat("  ... and ", Plural(left_out, "server"), " more (--all lists them)"),
             Style::kDim);
  }
  out.End();
}

}  // namespace evenkeel::cli
