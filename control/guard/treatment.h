// SPDX-License-Identifier: Apache-2.0
//
// What becomes of a VIP's packets beyond the table that they use. Derived from the VIP and its
// pool, and covered by the digest of the state: two states that treat packets differently are two
// states.
#ifndef EVENKEEL_CONTROL_GUARD_TREATMENT_H_
#define EVENKEEL_CONTROL_GUARD_TREATMENT_H_

#include <cstdint>

#include "control/model/config.h"

namespace evenkeel::guard {

// What leads to a slot. A VIP for which this changes gives all its flows to other servers.
struct Spread {
  enum class By : uint8_t { kFlow, kSource, kDestinationPort };
  By by = By::kFlow;
  uint8_t prefix4 = 0, prefix6 = 0;  // bits of the source, for kSource

  friend bool operator==(const Spread&, const Spread&) = default;
};

struct Treatment {
  // kConnections: TCP and QUIC; a VIP of plain UDP has none. kFlows: UDP, too.
  enum class Tracking : uint8_t { kConnections, kFlows, kNone };
  Tracking tracking = Tracking::kConnections;
  bool quic = false;
  Spread spread{};
  model::Dscp dscp{};
  bool forward_fragments = false;  // later ones whose first was not seen

  friend bool operator==(const Treatment&, const Treatment&) = default;
};

Spread SpreadOf(const model::Vip& vip, const model::Pool& pool);
// Equal treatments are equal values: what has no effect is left at its default.
Treatment TreatmentOf(const model::Vip& vip, const model::Pool& pool);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_TREATMENT_H_
