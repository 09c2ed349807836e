// SPDX-License-Identifier: Apache-2.0
#include "control/probe/schedule.h"

#include <algorithm>

namespace evenkeel::probe {
namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// 0 to `range` - 1, evenly.
int64_t Below(uint64_t hash, int64_t range) {
  return static_cast<int64_t>(
      (static_cast<unsigned __int128>(hash) * static_cast<uint64_t>(range)) >> 64);
}

Nanos PhaseOf(uint64_t seed, Nanos interval) { return Nanos(Below(Mix(seed), interval.count())); }

Nanos JitterOf(uint64_t seed, Nanos interval, int64_t round) {
  const int64_t most = interval.count() / kJitterDivisor;
  return Nanos(Below(Mix(seed ^ Mix(static_cast<uint64_t>(round) + 1)), 2 * most + 1) - most);
}

int64_t FirstRoundAfter(uint64_t seed, Nanos interval, Nanos now) {
  int64_t round = (now - PhaseOf(seed, interval)) / interval - 1;
  while (StartOf(seed, interval, round) <= now) ++round;
  return round;
}

}  // namespace

uint64_t SeedOf(std::string_view pool, const model::IpAddress& address, uint16_t port) {
  uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a; Mix() makes up for its weak upper bits
  const auto add = [&hash](uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3u; };
  for (const char c : pool) add(static_cast<uint8_t>(c));
  add(0);
  for (const uint8_t byte : address.bytes()) add(byte);
  add(static_cast<uint8_t>(port >> 8));
  add(static_cast<uint8_t>(port));
  return hash;
}

Nanos StartOf(uint64_t seed, Nanos interval, int64_t round) {
  return PhaseOf(seed, interval) + round * interval + JitterOf(seed, interval, round);
}

void Schedule::Add(TargetId id, uint64_t seed, Nanos interval, Nanos now) {
  Entry entry{.seed = seed, .interval = interval};
  entry.next_round = FirstRoundAfter(seed, interval, now);
  entry.next = StartOf(seed, interval, entry.next_round);
  if (interval > first_within_) {
    const Nanos first = now + PhaseOf(seed, first_within_);
    if (first < entry.next) {
      entry.next = first;
      --entry.next_round;
    }
  }
  queue_.emplace(entry.next, id);
  entries_.emplace(id, entry);
}

void Schedule::Remove(TargetId id) {
  const auto it = entries_.find(id);
  if (it == entries_.end()) return;
  queue_.erase({it->second.next, id});
  entries_.erase(it);
}

std::optional<Nanos> Schedule::NextDue() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.begin()->first;
}

void Schedule::Advance(Entry& entry, Nanos now) {
  ++entry.next_round;
  entry.next = StartOf(entry.seed, entry.interval, entry.next_round);
  if (entry.next > now) return;
  const int64_t missed_from = entry.next_round;
  entry.next_round = FirstRoundAfter(entry.seed, entry.interval, now);
  entry.next = StartOf(entry.seed, entry.interval, entry.next_round);
  skipped_ += static_cast<uint64_t>(entry.next_round - missed_from);
}

std::vector<Schedule::Due> Schedule::Take(Nanos now) {
  std::vector<Due> due;
  while (!queue_.empty() && queue_.begin()->first <= now) {
    const auto [at, id] = *queue_.begin();
    queue_.erase(queue_.begin());
    Entry& entry = entries_.at(id);
    if (entry.running) {
      ++skipped_;
    } else {
      entry.running = true;
      due.push_back({.id = id, .at = at});
    }
    Advance(entry, now);
    queue_.emplace(entry.next, id);
  }
  return due;
}

void Schedule::Ended(TargetId id) {
  const auto it = entries_.find(id);
  if (it != entries_.end()) it->second.running = false;
}

}  // namespace evenkeel::probe
