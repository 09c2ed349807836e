// SPDX-License-Identifier: Apache-2.0
#include "control/publish/treatment_flags.h"

#include <netinet/in.h>

#include "bpf/abi/maps.h"

namespace evenkeel::publish {
namespace {

using Tracking = guard::Treatment::Tracking;
using By = guard::Spread::By;

// What a moving slot does with the VIP's packets. Plain UDP has none that opens a flow.
uint32_t TrackingFlags(const guard::Treatment& treatment, uint8_t ip_protocol) {
  if (treatment.tracking == Tracking::kFlows) return EK_VIP_PIN_ALL;
  const bool plain_udp = ip_protocol == IPPROTO_UDP && !treatment.quic;
  return plain_udp || treatment.tracking == Tracking::kNone ? EK_VIP_STATELESS : 0;
}

uint32_t SpreadFlags(const guard::Spread& spread) {
  switch (spread.by) {
    case By::kFlow:
      return 0;
    case By::kSource:
      return EK_VIP_HASH_SRC | EK_VIP_WITH_PREFIXES(spread.prefix4, spread.prefix6);
    case By::kDestinationPort:
      return EK_VIP_HASH_PORT;
  }
  return 0;
}

}  // namespace

uint32_t ToFlags(const guard::Treatment& treatment, uint8_t ip_protocol) {
  uint32_t flags = TrackingFlags(treatment, ip_protocol) | SpreadFlags(treatment.spread);
  if (treatment.quic) flags |= EK_VIP_QUIC;
  if (treatment.forward_fragments) flags |= EK_VIP_FRAGMENTS;
  flags |= treatment.dscp.copy ? EK_VIP_COPY_DSCP : EK_VIP_WITH_DSCP(treatment.dscp.value);
  return flags;
}

guard::Treatment FromFlags(uint32_t flags, uint8_t ip_protocol) {
  guard::Treatment treatment;
  treatment.quic = flags & EK_VIP_QUIC;
  const bool plain_udp = ip_protocol == IPPROTO_UDP && !treatment.quic;
  if (flags & EK_VIP_PIN_ALL) {
    treatment.tracking = Tracking::kFlows;
  } else if (flags & EK_VIP_STATELESS && !plain_udp) {
    treatment.tracking = Tracking::kNone;
  }
  if (flags & EK_VIP_HASH_SRC) {
    treatment.spread = {.by = By::kSource,
                        .prefix4 = static_cast<uint8_t>(EK_VIP_PREFIX4(flags)),
                        .prefix6 = static_cast<uint8_t>(EK_VIP_PREFIX6(flags))};
  } else if (flags & EK_VIP_HASH_PORT) {
    treatment.spread.by = By::kDestinationPort;
  }
  treatment.forward_fragments = flags & EK_VIP_FRAGMENTS;
  treatment.dscp.copy = flags & EK_VIP_COPY_DSCP;
  if (!treatment.dscp.copy) {
    treatment.dscp.value = static_cast<uint8_t>((flags & EK_VIP_TOS_MASK) >> 10);
  }
  return treatment;
}

}  // namespace evenkeel::publish
