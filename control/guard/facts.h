// SPDX-License-Identifier: Apache-2.0
//
// What the rules need beside the two states. Gathered by the caller: the guard does no I/O and
// reads no clock. What could not be gathered is a Status here; a rule that needs it refuses and
// says so.
#ifndef EVENKEEL_CONTROL_GUARD_FACTS_H_
#define EVENKEEL_CONTROL_GUARD_FACTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/model/config.h"
#include "control/model/ip_address.h"

namespace evenkeel::guard {

// One pool in one applied revision that changed it.
struct PastChange {
  std::string pool;
  uint64_t revision = 0;
  int64_t unix_ns = 0;
};

struct Traffic {
  struct Vip {
    uint64_t packets = 0;             // in the last 5 minutes, or since the daemon's start
    int64_t last_packet_unix_ns = 0;  // at the latest; 0: none was ever counted
  };
  std::map<std::string, Vip> vips;        // by name, of the running state; absent: no packets
  std::map<std::string, uint64_t> pools;  // packets in the same time, of all VIPs of the pool
};

// Whether packets can get to a backend, as the host's routes and neighbours stand.
struct Reach {
  bool reachable = true;
  std::string problem;  // why not: "no route to 10.0.1.9", "the path takes 1500 bytes, ..."
};

// How often a pool may change (LB014).
struct Pace {
  int64_t gap_ns = 30'000'000'000;
  uint32_t per_hour = 10;
};

// What only the daemon knows.
struct LiveFacts {
  int64_t now_unix_ns = 0;
  Pace pace{};
  uint64_t pending_revision = 0;                    // awaits its confirmation; 0: none does
  absl::StatusOr<std::vector<PastChange>> changes;  // of the last hour
  absl::StatusOr<Traffic> traffic;
  absl::StatusOr<std::map<model::IpAddress, Reach>> reach;  // every backend of the candidate

  LiveFacts()
      : changes(std::vector<PastChange>{}),
        traffic(Traffic{}),
        reach(std::map<model::IpAddress, Reach>{}) {}
};

struct Facts {
  std::vector<model::IpAddress> own_addresses;  // LB009
  // The host's, for every pool of every configuration; from the daemon's settings.
  model::Policy host_policy{};
  // Absent offline: rules that need it pass, and their result says that they were not judged.
  std::optional<LiveFacts> live{};
};

// What a rule would block is a warning until it expires. LB002, LB008 and LB009 have none.
struct Override {
  std::string rule;  // "LB001"
  std::string reason;
  std::string author;
  int64_t expires_unix_ns = 0;
};

// What the request says about its own danger.
struct Consent {
  bool allow_live = false;  // LB015: what is removed may have carried traffic just now
  std::vector<Override> overrides{};
};

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_FACTS_H_
