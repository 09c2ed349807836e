// SPDX-License-Identifier: Apache-2.0
#include "control/health/past.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace evenkeel::health {
namespace {

constexpr int64_t kMinute = 60'000'000'000;

// What is in the future is the clock's doing.
int64_t Ago(int64_t unix_ns, int64_t now_unix_ns) {
  return std::max<int64_t>(0, now_unix_ns - unix_ns);
}

struct Server {
  Flaps flaps;
  bool out = false;
  int64_t since_unix_ns = 0;
};

}  // namespace

Past Recall(std::span<const Move> moves, const Dampening& dampening, int64_t now_unix_ns) {
  Past past;
  std::map<std::pair<std::string, model::IpAddress>, Server> servers;
  for (const Move& move : moves) {
    const auto key = std::pair(move.pool, move.server);
    // Who was never out has no flaps to forget.
    if (!move.out && !servers.contains(key)) continue;
    const auto [it, first] = servers.try_emplace(key, Server{Flaps(dampening)});
    Server& server = it->second;
    if (!first && server.out == move.out) continue;
    if (move.out) {
      if (!first) server.flaps.Rest(move.unix_ns - server.since_unix_ns);
      server.flaps.Fall();
      const int64_t ago = Ago(move.unix_ns, now_unix_ns);
      if (ago < kMinute) past[move.pool].removals.push_back({move.server, ago});
    }
    server.out = move.out;
    server.since_unix_ns = move.unix_ns;
  }
  for (auto& [key, server] : servers) {
    const int64_t ago = Ago(server.since_unix_ns, now_unix_ns);
    if (!server.out) server.flaps.Rest(ago);
    const int64_t left = server.out ? std::max<int64_t>(0, server.flaps.hold_ns() - ago) : 0;
    past[key.first].servers.try_emplace(key.second, PoolPast::Server{server.flaps, left});
  }
  return past;
}

}  // namespace evenkeel::health
