// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_GUARD_SERVER_WEIGHTS_H_
#define EVENKEEL_CONTROL_GUARD_SERVER_WEIGHTS_H_

#include <cstdint>
#include <map>
#include <vector>

#include "control/maglev/maglev.h"
#include "control/model/config.h"

namespace evenkeel::guard {

// The servers that may own slots, with their weights. A server listed under several names (which
// LB008 refuses) is one server whose weights add up, saturating; a weight below 1 does not serve.
std::map<model::IpAddress, uint64_t> ServingWeights(const model::Pool& pool);

// As members of a table: identified by address, not by name, so that renaming moves nothing. In
// the order of addresses.
std::vector<maglev::Member> ToMembers(const std::map<model::IpAddress, uint64_t>& weights);

// IPPROTO_TCP or IPPROTO_UDP: what tells VIPs of one address and port apart.
uint8_t IpProtocol(model::Protocol protocol);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_SERVER_WEIGHTS_H_
