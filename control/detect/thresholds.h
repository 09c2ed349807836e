// SPDX-License-Identifier: Apache-2.0
//
// What docs/detector.md explains and measures.
#ifndef EVENKEEL_CONTROL_DETECT_THRESHOLDS_H_
#define EVENKEEL_CONTROL_DETECT_THRESHOLDS_H_

namespace evenkeel::detect {

struct Thresholds {
  // Times the expected share.
  double page_ratio = 2, ticket_ratio = 1.5, starved_ratio = 0.5;
  double clear_ratio = 1.25, clear_starved_ratio = 0.8;
  // Almost all of the flows on one server, also where that is less than page_ratio.
  double everything = 0.95, everything_ratio = 1.2;
  // Standard deviations. In 3 s or 10 s alone, which take in a while before, more: fast_z.
  double page_z = 6, fast_z = 8, ticket_z = 4;
  double min_expected = 25;  // flows in a window; less is insufficient data
  // Variance over that of independent flows: at least, and at most where each connection is
  // spread by itself.
  double dispersion = 4, max_dispersion = 16;
  double packets_per_flow = 100;  // taken for one, where flows cannot be counted
  double stray_share = 0.02;      // of new flows, to a server that is to have none
  // LB002, and LB001 where a plan has no limits.
  double table_relative = 0.02, table_slots = 2;
  double limit_of_two = 0.8, limit_of_many = 0.5;
  // Seconds.
  double ticket_s = 300;
  double by_right_s = 300;  // of ticket_ratio, where heavy clients or flows make it by right
  double clear_hold_s = 30;
  double down_s = 10;            // until a server that is down but has slots is a ticket
  double unanswered_s = 15;      // that health has to find a server that does not answer
  double readback_s = 1;         // that a digest must differ; a publication is shorter
  double recent_change_s = 900;  // a change that long before an alarm may be its cause
  double lane_packets = 1000;    // expected in a window, of each lane
};

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_THRESHOLDS_H_
