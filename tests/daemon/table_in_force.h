// SPDX-License-Identifier: Apache-2.0
//
// What packets for the one VIP of a test meet, read from the pinned maps with system calls of its
// own: it needs no daemon, and shares no code with one.
#ifndef EVENKEEL_TESTS_DAEMON_TABLE_IN_FORCE_H_
#define EVENKEEL_TESTS_DAEMON_TABLE_IN_FORCE_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace evenkeel::testing {

// The outer IPv4 address, in network order, of each slot's owner; 0: it has none. A map that cannot
// be read fails the test.
std::vector<uint32_t> ReadTableInForce(const std::string& pin_dir);

// The outer addresses that the pinned program sends flows to the VIP `address` to; 0 stands for
// those that it does not forward.
std::set<uint32_t> ServersOfFlows(const std::string& pin_dir, const std::string& address,
                                  uint16_t port);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_DAEMON_TABLE_IN_FORCE_H_
