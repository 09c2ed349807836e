// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DETECT_ALARM_H_
#define EVENKEEL_CONTROL_DETECT_ALARM_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/detect/input.h"
#include "control/model/ip_address.h"

namespace evenkeel::detect {

// What is wrong, as it is measured.
enum class Kind {
  kConcentration,  // the table gives a server more than policy allows
  kTable,          // built: another share than intended
  kKernel,         // read back: another table than built
  kFlows,          // a server gets more new flows than its share (plain UDP: packets)
  kStarved,        // ... less, or none
  kLoad,           // packets or bytes are uneven while new flows are even
  kBackend,        // a server is down and has slots
  kUpstream,       // queues, CPUs, interfaces or hosts get uneven parts; of no pool
};

// Why: the first link of the chain that is broken.
enum class Diagnosis {
  kWeights,      // weights and servers as configured
  kBuilder,      // the table is not what the weights ask for
  kMaps,         // a failed or foreign write to the kernel's maps
  kFewSources,   // few clients, NAT, or affinity to sources
  kUpstream,     // ECMP of routers, RSS of the interface
  kElephant,     // single flows that carry much
  kBackend,      // the server; the distribution is right
  kDataPath,     // table and kernel are right, and many clients: packets do not follow the table
  kUnexplained,  // as kDataPath, but nothing is known of the clients
};

enum class Severity { kTicket, kPage };

// Lower case, words joined by hyphens: "few-sources".
std::string_view ToString(Kind kind);
std::string_view ToString(Diagnosis diagnosis);
std::string_view ToString(Severity severity);

// Whether undoing a change of the balancer's can help.
bool IsBalancer(Diagnosis diagnosis);

// A flow, or what else decides a slot, that a sample shows to weigh much.
struct Heavy {
  std::optional<model::IpAddress> source;
  uint16_t source_port = 0, destination_port = 0;  // 0: not part of it
  uint8_t ip_protocol = 0;
  double share = 0;  // of the pool's bytes, or new flows; at least
};

struct Evidence {
  std::string unit;  // "new flows", "packets", "bytes", "slots"
  double window_s = 0;
  double expected = 0, observed = 0;              // in units
  double expected_share = 0, observed_share = 0;  // 0..1
  double ratio = 0;
  double z = 0, dispersion = 0;  // 0: no statistics, a fact
  std::vector<Heavy> heavy;      // that go to the server, heaviest first
};

struct Acknowledged {
  std::string who;
  int64_t unix_ns = 0;
};

struct Alarm {
  std::string id;  // "flows/web/10.0.1.11": the same whenever it rises again
  std::string pool;
  Kind kind = Kind::kFlows;
  std::optional<model::IpAddress> server;
  std::string name;  // of the server
  Severity severity = Severity::kTicket;
  Diagnosis diagnosis = Diagnosis::kUnexplained;
  std::string text;  // what and why, in plain words
  Evidence evidence;
  int64_t since_unix_ns = 0;
  int64_t page_since_unix_ns = 0;  // 0: it is no page; escalation counts from here
  uint64_t revision = 0;           // in force
  uint32_t generation = 0;
  bool insufficient = false;         // too little traffic to say whether it goes on
  std::vector<Change> changes;       // just before, newest first; else the last one
  std::vector<HealthChange> health;  // just before, newest first
  std::string undo;                  // command; empty: undoing nothing helps
  std::optional<Acknowledged> acknowledged;
};

struct AlarmEvent {
  enum class What {
    kRaised,
    kEscalated,  // a ticket became a page; it is not acknowledged any more
    kChanged,    // diagnosis, or whether there is enough data
    kCleared,
  };
  What what = What::kRaised;
  Alarm alarm;
};

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_ALARM_H_
