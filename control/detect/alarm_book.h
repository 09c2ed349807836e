// SPDX-License-Identifier: Apache-2.0
//
// The open alarms of a pool: when they rise, what they become, and when they end.
#ifndef EVENKEEL_CONTROL_DETECT_ALARM_BOOK_H_
#define EVENKEEL_CONTROL_DETECT_ALARM_BOOK_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/detect/alarm.h"
#include "control/detect/changes.h"
#include "control/detect/thresholds.h"

namespace evenkeel::detect {

// Of a pool, or of a server; of a lane `name` alone tells which.
struct Subject {
  Kind kind = Kind::kFlows;
  std::optional<model::IpAddress> server;
  std::string name;  // what the operator calls it
};

// What this tick says of a subject that is bad.
struct Finding {
  Severity severity = Severity::kTicket;
  Diagnosis diagnosis = Diagnosis::kUnexplained;
  std::string text;
  Evidence evidence;
};

// What this tick says of a subject that is not bad, but was.
enum class Calm {
  kUnknown,    // too little traffic
  kBetween,    // not bad enough to rise, not good enough to end
  kRecovered,  // ends it, when it lasts
};

struct Scene {
  const Thresholds& thresholds;
  const Changes& changes;
  Time now;
  uint64_t revision = 0;
  uint32_t generation = 0;
  std::vector<AlarmEvent>& events;
};

class AlarmBook {
 public:
  explicit AlarmBook(std::string pool) : pool_(std::move(pool)) {}

  void Raise(const Subject& subject, Finding finding, const Scene& scene);
  // Nothing happens where the alarm is not open.
  void Note(const Subject& subject, Calm calm, const Scene& scene);
  // The subject is not there any more: a server left the table.
  void End(const std::string& id, const Scene& scene);

  bool Acknowledge(const std::string& id, std::string who, int64_t unix_ns);

  bool empty() const { return open_.empty(); }
  const Alarm* Find(const Subject& subject) const;
  // The gravest of this kind.
  const Alarm* Worst(Kind kind) const;
  std::vector<const Alarm*> All() const;

 private:
  struct Open {
    Alarm alarm;
    std::optional<int64_t> calm_since_ns{};
  };
  std::string IdOf(const Subject& subject) const;
  Alarm Begin(const Subject& subject, const Scene& scene) const;
  void Explain(const Scene& scene, Alarm* alarm) const;

  std::string pool_;
  std::map<std::string, Open> open_;  // by id
};

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_ALARM_BOOK_H_
