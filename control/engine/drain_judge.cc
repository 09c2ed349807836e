// SPDX-License-Identifier: Apache-2.0
//
// When a server may be stopped. Two answers, never mixed up: nothing leads to it (kSafe), which is
// known, and no packet came for as long as somebody said (kQuiet), which says nothing about
// connections that are idle.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "control/engine/drain.h"

namespace evenkeel::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = DrainProgress::State;

// Packets that read the former table have left by then, and counters were read twice.
constexpr milliseconds kSettled{3000};

std::string Plural(uint64_t n, absl::string_view noun) {
  return absl::StrCat(n, " ", noun, n == 1 ? "" : "s");
}

std::string Time(milliseconds time) {
  const int64_t s = time.count() / 1000;
  if (s < 120) return absl::StrCat(s, " s");
  return s < 7200 ? absl::StrCat(s / 60, " min") : absl::StrCat(s / 3600, " h");
}

std::string Rate(double packets_per_s) {
  if (packets_per_s > 0 && packets_per_s < 10) return absl::StrFormat("%.1f", packets_per_s);
  return absl::StrFormat("%.0f", packets_per_s);
}

bool SilentFor(const DrainPlace& place, milliseconds time) {
  return place.idle && *place.idle >= time;
}

// Flows that the data plane would still take to the server.
bool HoldsFlows(const DrainPlace& place) {
  return place.tracked && (place.held_slots > 0 || place.pinned_flows > 0);
}

bool IsSafe(const DrainPlace& place, seconds idle_timeout) {
  return !place.serving && place.known && place.slots == 0 && !HoldsFlows(place) &&
         SilentFor(place, place.by_id ? milliseconds(idle_timeout) : kSettled);
}

bool IsQuiet(const DrainPlace& place, seconds quiet) {
  return !place.serving && place.known && place.slots == 0 && quiet.count() > 0 &&
         SilentFor(place, std::max<milliseconds>(quiet, kSettled));
}

// "3 connections are pinned to it", "older ones may be in 120 slots, 7 of which had packets since".
std::vector<std::string> Held(const DrainPlace& place) {
  std::vector<std::string> held;
  if (!place.tracked) return held;
  if (place.pinned_flows > 0) {
    held.push_back(absl::StrCat(Plural(place.pinned_flows, "connection"),
                                place.pinned_flows == 1 ? " is" : " are", " pinned to it"));
  }
  if (place.held_slots > 0) {
    held.push_back(absl::StrCat("connections from before may be in ",
                                Plural(place.held_slots, "slot"), ", packets came through ",
                                place.used_slots, " of them since"));
  }
  return held;
}

// Of the place that is asked for, and is not done.
std::string Waiting(const DrainPlace& place, seconds idle_timeout) {
  if (!place.known) return "the table has just changed, and was not looked at since";
  if (place.slots > 0) return absl::StrCat("it still owns ", Plural(place.slots, "slot"));
  std::vector<std::string> parts;
  if (!place.idle) {
    parts.push_back("its packets were not counted yet");
  } else if (place.packets_per_s > 0 || *place.idle < milliseconds(1000)) {
    parts.push_back(absl::StrCat(Rate(place.packets_per_s), " packets/s"));
  } else {
    parts.push_back(absl::StrCat("0 packets for ", Time(*place.idle)));
  }
  const std::vector<std::string> held = Held(place);
  parts.insert(parts.end(), held.begin(), held.end());
  if (place.by_id) parts.push_back("QUIC connection ids name it");
  if (place.idle && *place.idle >= milliseconds(1000) && (!held.empty() || place.by_id)) {
    parts.push_back(absl::StrCat(
        "idle ones break if you stop it; without a packet they count as ended in ",
        Time(std::max<milliseconds>(milliseconds(idle_timeout) - *place.idle, seconds(1)))));
  }
  return absl::StrJoin(parts, "; ");
}

std::string WhyServing(const DrainPlace& place) {
  return absl::StrCat(place.backend, " of pool ", place.pool, " is not drained: it ",
                      place.slots > 0 ? "gets new connections"
                                      : "is out by its health just now, and may come back");
}

std::string PoolsThatServe(const std::vector<DrainPlace>& places) {
  std::vector<std::string> pools;
  for (const DrainPlace& place : places) {
    if (place.serving) pools.push_back(absl::StrCat(place.pool, " (as ", place.backend, ")"));
  }
  return absl::StrJoin(pools, ", ");
}

std::string WhyQuiet(const DrainProgress& progress, seconds quiet) {
  std::vector<std::string> parts;
  for (const DrainPlace& place : progress.places) {
    std::vector<std::string> held = Held(place);
    if (place.by_id) held.push_back("QUIC connection ids name it");
    if (held.empty()) continue;
    parts.push_back(absl::StrCat("in pool ", place.pool, " ", absl::StrJoin(held, " and ")));
  }
  return absl::StrCat("quiet, and safe to stop but for idle connections: no packet for ",
                      Time(quiet), ", as asked; ", absl::StrJoin(parts, "; "),
                      ". Those that are still open break if you stop it");
}

std::string WhySafe(const DrainProgress& progress) {
  const DrainPlace& asked = progress.places.front();
  milliseconds idle = *asked.idle;
  for (const DrainPlace& place : progress.places) idle = std::min(idle, *place.idle);
  return absl::StrCat("safe to stop: no slot leads to ", progress.address.ToString(),
                      ", no connection is kept for it, and no packet went there for ", Time(idle),
                      asked.state == model::AdminState::kDisabled
                          ? " (disabled: what it had was cut off then)"
                          : "");
}

}  // namespace

void JudgeDrain(seconds quiet, seconds idle_timeout, DrainProgress* progress) {
  const std::vector<DrainPlace>& places = progress->places;
  const DrainPlace& asked = places.front();
  const auto safe = [&](const DrainPlace& place) { return IsSafe(place, idle_timeout); };
  const auto done = [&](const DrainPlace& place) { return safe(place) || IsQuiet(place, quiet); };
  const auto serving = [](const DrainPlace& place) { return place.serving; };
  if (asked.serving) {
    progress->state = State::kServing;
    progress->text = WhyServing(asked);
  } else if (std::all_of(places.begin(), places.end(), safe)) {
    progress->state = State::kSafe;
    progress->text = WhySafe(*progress);
  } else if (std::all_of(places.begin(), places.end(), done)) {
    progress->state = State::kQuiet;
    progress->text = WhyQuiet(*progress, quiet);
  } else if (done(asked) && std::any_of(places.begin(), places.end(), serving)) {
    progress->state = State::kElsewhere;
    progress->text = absl::StrCat("not safe to stop: pool ", asked.pool, " is done with it, but ",
                                  progress->address.ToString(), " also serves pool ",
                                  PoolsThatServe(places), "; drain it there, too");
  } else {
    progress->state = State::kDraining;
    const DrainPlace& place = *std::find_if_not(
        places.begin(), places.end(), [&](const auto& p) { return p.serving || done(p); });
    progress->text =
        absl::StrCat(&place == &asked ? "" : absl::StrCat("in pool ", place.pool, ": "),
                     Waiting(place, idle_timeout));
  }
}

}  // namespace evenkeel::engine
