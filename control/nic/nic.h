// SPDX-License-Identifier: Apache-2.0
//
// What a network interface's driver says of itself, by ethtool's ioctls (linux/ethtool.h). Only
// questions that need no privilege are asked, and nothing is changed.
#ifndef EVENKEEL_CONTROL_NIC_NIC_H_
#define EVENKEEL_CONTROL_NIC_NIC_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace evenkeel::nic {

// One command of ethtool on an interface: 0, or a negative errno.
using Ethtool = std::function<int(const std::string& interface, void* command)>;

// In the network namespace of the calling thread. -ENODEV: no such interface.
int AskKernel(const std::string& interface, void* command);

// What a driver does not tell is empty; virtual ones tell little.
struct Facts {
  std::string driver, version;  // "virtio_net", "1.0.0"; that of the kernel for many drivers
  uint32_t channels = 0;        // that receive; 0: not told
  uint32_t max_channels = 0;    // that it could have
  // Receive side scaling: the queue that each value of the hash leads to.
  std::vector<uint32_t> indirection{};
  // Whether the ports of UDP are in that hash.
  std::optional<bool> udp4_ports{}, udp6_ports{};
};

Facts Read(const std::string& interface, const Ethtool& ask = AskKernel);

}  // namespace evenkeel::nic

#endif  // EVENKEEL_CONTROL_NIC_NIC_H_
