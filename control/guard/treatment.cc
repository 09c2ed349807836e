// SPDX-License-Identifier: Apache-2.0
#include "control/guard/treatment.h"

namespace evenkeel::guard {

Spread SpreadOf(const model::Vip& vip, const model::Pool& pool) {
  if (vip.spread_by == model::SpreadBy::kDestinationPort) {
    return {.by = Spread::By::kDestinationPort};
  }
  if (pool.affinity != model::Affinity::kSource) return {};
  return {.by = Spread::By::kSource,
          .prefix4 = pool.affinity_prefix4,
          .prefix6 = pool.affinity_prefix6};
}

Treatment TreatmentOf(const model::Vip& vip, const model::Pool& pool) {
  using Tracking = Treatment::Tracking;
  const bool udp = vip.protocol == model::Protocol::kUdp;
  Treatment treatment;
  treatment.quic = vip.protocol == model::Protocol::kQuic;
  treatment.spread = SpreadOf(vip, pool);
  treatment.dscp = pool.dscp;
  treatment.forward_fragments = pool.out_of_order_fragments == model::OutOfOrder::kForward &&
                                treatment.spread.by == Spread::By::kSource;
  // Plain UDP has no connections.
  if (!vip.tracking && !udp) treatment.tracking = Tracking::kNone;
  if (vip.tracking && udp && pool.affinity != model::Affinity::kConnection) {
    treatment.tracking = Tracking::kFlows;
  }
  return treatment;
}

}  // namespace evenkeel::guard
