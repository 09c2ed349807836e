// SPDX-License-Identifier: Apache-2.0
//
// The latest changes of configuration and of health, to go with an alarm. Bounded.
#ifndef EVENKEEL_CONTROL_DETECT_CHANGES_H_
#define EVENKEEL_CONTROL_DETECT_CHANGES_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "control/detect/input.h"

namespace evenkeel::detect {

class Changes {
 public:
  void Note(Change change);
  void Note(HealthChange change);

  // That concern the pool (empty: any) and were made up to `until` and after `from`, newest first;
  // at most a few. Of configuration: where there is none, the last one before.
  std::vector<Change> Of(const std::string& pool, int64_t from_unix_ns,
                         int64_t until_unix_ns) const;
  std::vector<HealthChange> HealthOf(const std::string& pool, int64_t from_unix_ns,
                                     int64_t until_unix_ns) const;

 private:
  std::deque<Change> changes_;  // newest first
  std::deque<HealthChange> health_;
};

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_CHANGES_H_
