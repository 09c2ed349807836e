// SPDX-License-Identifier: Apache-2.0
//
// What the host says about the interface, and where the link of that interface is pinned.
#ifndef EVENKEEL_CONTROL_DECAP_INTERFACE_H_
#define EVENKEEL_CONTROL_DECAP_INTERFACE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/model/ip_address.h"

namespace evenkeel::decap {

// Index of `interface` in the network namespace of this process.
absl::StatusOr<uint32_t> FindInterface(const std::string& interface);

// Addresses of `interface`, link-local and loopback ones left out.
absl::StatusOr<std::vector<model::IpAddress>> GlobalAddresses(const std::string& interface);

// Makes `pin_dir`. Where its place in /sys/fs/bpf is not on a bpffs yet, mounts one there: a
// process started in another network namespace with a fresh /sys has none.
absl::Status PreparePinDir(const std::string& pin_dir);

// The pin of the link. The name holds the index and the network namespace, for two namespaces may
// share one bpffs and both have an eth0.
absl::StatusOr<std::string> LinkPinPath(const std::string& pin_dir, uint32_t ifindex);

}  // namespace evenkeel::decap

#endif  // EVENKEEL_CONTROL_DECAP_INTERFACE_H_
