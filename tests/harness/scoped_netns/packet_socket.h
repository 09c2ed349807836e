// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_PACKET_SOCKET_H_
#define EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_PACKET_SOCKET_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "control/dataplane/unique_fd.h"

namespace evenkeel::testing {

// Frames of one interface of the calling thread's namespace. A failure fails the test.
class PacketSocket {
 public:
  explicit PacketSocket(const std::string& interface);

  void Send(std::span<const uint8_t> frame) const;
  // What came in since the last call and XDP let through to the host; not what the host sent.
  std::vector<std::vector<uint8_t>> Receive() const;

 private:
  dataplane::UniqueFd fd_;
};

// A program that returns XDP_PASS and is as different from the balancer as can be.
dataplane::UniqueFd LoadXdpPass();

// Attaches it natively: what a veth needs to take what its peer sends back by XDP.
void AttachXdpPass(const std::string& interface);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_PACKET_SOCKET_H_
