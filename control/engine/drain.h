// SPDX-License-Identifier: Apache-2.0
//
// How far a drain is: what is still at a server, and whether it may be stopped.
#ifndef EVENKEEL_CONTROL_ENGINE_DRAIN_H_
#define EVENKEEL_CONTROL_ENGINE_DRAIN_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/model/config.h"

namespace evenkeel::engine {

struct DrainQuery {
  std::string pool{};  // empty: the one pool that has the backend
  std::string backend{};
  // Without packets for so long it counts as quiet, whatever may still be open; 1 s to 24 h. 0:
  // only what nothing leads to is done.
  std::chrono::seconds quiet{0};
};
inline constexpr std::chrono::seconds kMaxQuiet{24 * 3600};

// The server in one pool.
struct DrainPlace {
  std::string pool, backend;
  model::AdminState state = model::AdminState::kEnabled;
  bool serving = false;       // it is meant to get new connections, though it may be out just now
  bool known = true;          // false: the kernel was not looked at since its table changed
  uint32_t slots = 0;         // that it owns
  uint32_t held_slots = 0;    // of others, whose connections from before the drain stay with it
  uint32_t used_slots = 0;    // of these, through which it got packets since
  uint64_t pinned_flows = 0;  // live ones
  bool tracked = true;        // false: no VIP of the pool keeps connections where they are
  bool by_id = false;         // QUIC connection ids name it
  uint64_t packets = 0;       // forwarded to it
  double packets_per_s = 0;
  // At least since the last packet; nothing: not known yet.
  std::optional<std::chrono::milliseconds> idle{};
};

struct DrainProgress {
  enum class State {
    kServing,    // it is not drained, or no longer
    kDraining,   // packets come, or may come
    kQuiet,      // none came for DrainQuery::quiet; idle connections break with the server
    kSafe,       // nothing leads to it any more
    kElsewhere,  // done in this pool, but it serves in another one
  } state = State::kDraining;
  int64_t unix_ns = 0;
  model::IpAddress address{};
  std::vector<DrainPlace> places{};  // the one asked for, then the server's others
  std::string text{};                // what is known, and what would break
  // In these states nothing more is to be waited for.
  bool last() const { return state != State::kDraining; }
  bool safe() const { return state == State::kQuiet || state == State::kSafe; }
};

// Called every second with what is known then, and more often with null, so that who waits can look
// whether to go on: false ends it.
using DrainSink = std::function<bool(const DrainProgress*)>;

// Of `places`: state and text. `idle_timeout`: after which a flow without packets is no more.
void JudgeDrain(std::chrono::seconds quiet, std::chrono::seconds idle_timeout,
                DrainProgress* progress);

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_DRAIN_H_
