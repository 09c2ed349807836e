// SPDX-License-Identifier: Apache-2.0
//
// How packets come into this host: queues, CPUs, interfaces, or the balancers beside it. They are
// to get equal parts; where they do not, the cause is before the balancer.
#ifndef EVENKEEL_CONTROL_DETECT_LANES_H_
#define EVENKEEL_CONTROL_DETECT_LANES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "control/detect/alarm_book.h"
#include "control/detect/input.h"
#include "control/detect/series.h"
#include "control/detect/skew.h"

namespace evenkeel::detect {

class Lanes {
 public:
  void Read(const std::vector<LaneReading>& lanes, int64_t seconds);
  // `largest_flow`: packets of the heaviest single flow in 60 s, as far as known.
  void Judge(double largest_flow, const Scene& scene);

  // "queue rx-3 gets 81.0 % of the packets instead of 12.5 %"; empty: even, or not known.
  const std::string& uneven() const { return uneven_; }
  bool known() const { return known_; }
  // Something is uneven: a sample of flows tells whether it is one of them.
  bool wants_sample() const { return uneven_ticks_ > 0; }
  // In 60 s, the most that one kind of lane saw.
  double packets() const { return packets_; }
  AlarmBook& book() { return book_; }
  const AlarmBook& book() const { return book_; }

 private:
  struct Group {
    std::vector<std::string> names;
    std::vector<uint64_t> last;
    std::vector<float> shares;
    Series packets{0};
  };
  void JudgeGroup(LaneReading::Kind kind, const Group& group, double largest_flow,
                  const Scene& scene);

  std::map<LaneReading::Kind, Group> groups_;
  AlarmBook book_{""};
  WindowView short_, long_;
  std::string uneven_;
  bool known_ = false;
  bool any_uneven_ = false;
  uint32_t uneven_ticks_ = 0;  // in a row
  double packets_ = 0;
};

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_LANES_H_
