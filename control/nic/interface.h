// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_NIC_INTERFACE_H_
#define EVENKEEL_CONTROL_NIC_INTERFACE_H_

#include <cstdint>
#include <optional>
#include <string>

namespace evenkeel::nic {

struct Interface {
  uint32_t mtu = 0;
  std::string address;  // of its link, as in /sys/class/net/IF/address
};

// In the network namespace of the calling thread, which that of /sys need not be: that one is
// fixed when it is mounted. nullopt: there is no such interface.
std::optional<Interface> ReadInterface(const std::string& name);

}  // namespace evenkeel::nic

#endif  // EVENKEEL_CONTROL_NIC_INTERFACE_H_
