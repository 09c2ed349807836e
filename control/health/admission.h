// SPDX-License-Identifier: Apache-2.0
//
// How much of its share of a pool's table a server has: nothing while it is down, more and more
// while it starts slowly, then all of it.
#ifndef EVENKEEL_CONTROL_HEALTH_ADMISSION_H_
#define EVENKEEL_CONTROL_HEALTH_ADMISSION_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "control/model/config.h"
#include "control/model/ip_address.h"

namespace evenkeel::health {

// In thousandths of the share that a server's weight asks for.
inline constexpr uint16_t kOut = 0;
inline constexpr uint16_t kWhole = 1000;

// The servers that have less than the whole; whoever is not named has that.
using PoolAdmission = std::map<model::IpAddress, uint16_t>;
// By pool; no pool has an empty one.
using Admission = std::map<std::string, PoolAdmission>;

uint16_t Admitted(const PoolAdmission& admission, const model::IpAddress& server);
uint16_t Admitted(const Admission& admission, const std::string& pool,
                  const model::IpAddress& server);
void Admit(const std::string& pool, const model::IpAddress& server, uint16_t permille,
           Admission* admission);

// Of each server what is less.
Admission LesserOf(Admission one, const Admission& other);

// The pool as its table is to be built: who is out is disabled, so that no slot leads there and
// nobody's flows wait for it; the share that the others have less than the whole goes to those that
// have it. Where none has, all have the whole. Weights come out on another scale, and a declared
// capacity is scaled as its server's share is.
// False: it is as it was.
bool ApplyAdmission(const PoolAdmission& admission, model::Pool* pool);

}  // namespace evenkeel::health

#endif  // EVENKEEL_CONTROL_HEALTH_ADMISSION_H_
