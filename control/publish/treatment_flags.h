// SPDX-License-Identifier: Apache-2.0
//
// A treatment as the data plane's flags of a VIP, and back. Pure.
#ifndef EVENKEEL_CONTROL_PUBLISH_TREATMENT_FLAGS_H_
#define EVENKEEL_CONTROL_PUBLISH_TREATMENT_FLAGS_H_

#include <cstdint>

#include "control/guard/treatment.h"

namespace evenkeel::publish {

// EK_VIP_* (bpf/abi/maps.h).
uint32_t ToFlags(const guard::Treatment& treatment, uint8_t ip_protocol);
// Flags that no treatment gives come back as one that gives other flags.
guard::Treatment FromFlags(uint32_t flags, uint8_t ip_protocol);

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_TREATMENT_FLAGS_H_
