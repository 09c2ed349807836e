// SPDX-License-Identifier: Apache-2.0
//
// The states of the update storm. State `n` is known by its backends' addresses:
//
//   pool    VIPs                               backends
//   first   192.0.2.1:443 (storm_kind FIRST)   10.1.<n>, replaced by every update
//   many    192.0.2.2:53/udp (STATELESS),      10.3.<n - 15> to 10.3.<n>: every update replaces one
//           192.0.2.2:443 (ESTABLISHED)
//   last    [2001:db8::1]:443 (LAST)           fd00::<n>, replaced by every update
//
// where <n> in IPv4 is two bytes, n / 250 and n % 250 + 1.
#ifndef EVENKEEL_TESTS_KERNEL_STORM_STATES_H_
#define EVENKEEL_TESTS_KERNEL_STORM_STATES_H_

#include <array>
#include <vector>

#include "control/guard/fleet.h"
#include "control/model/config.h"
#include "tests/harness/packet/oracle.h"
#include "tests/kernel/storm/storm.h"

namespace evenkeel::testing {

inline constexpr uint32_t kStormMembers = 16;  // of pool "many"
inline constexpr uint32_t kFirstStormState = kStormMembers;

model::Config StormState(uint32_t n);

// The packet of a kind and flow number, STORM_FRAME bytes as a frame, and its hash.
Packet StormPacket(storm_kind kind, uint32_t flow);
uint64_t StormHash(const Packet& packet);
// Backend `number` of the kind's pool, reached as FakeResolver says.
Backend StormBackend(storm_kind kind, uint32_t number);

using StormOwners = std::array<storm_owner, STORM_FLOWS>;

// Where the flows to pool "many" go. A stateless one goes to its slot's owner; an established one
// stays where it is until that backend leaves the pool, then it goes to the owner.
class StormOracle {
 public:
  // The state that follows: numbers one by one, and none left out.
  const StormOwners& Next(const guard::BuiltFleet& fleet, uint32_t n);

 private:
  StormOwners owners_{};
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_KERNEL_STORM_STATES_H_
