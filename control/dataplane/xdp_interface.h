// SPDX-License-Identifier: Apache-2.0
//
// An interface of this network namespace and the XDP program on it, if there is one.
#ifndef EVENKEEL_CONTROL_DATAPLANE_XDP_INTERFACE_H_
#define EVENKEEL_CONTROL_DATAPLANE_XDP_INTERFACE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/dataplane/kernel_dataplane.h"

namespace evenkeel::dataplane {

struct Interface {
  std::string name;
  uint32_t index = 0;
};

// NotFound: no such interface here.
absl::StatusOr<Interface> FindInterface(const std::string& name);
absl::StatusOr<std::vector<Interface>> ListInterfaces();

struct AttachedProgram {
  uint32_t id = 0;
  XdpMode mode = XdpMode::kNative;  // or kGeneric
};
absl::StatusOr<std::optional<AttachedProgram>> QueryXdp(const Interface& interface);

absl::string_view NameOf(XdpMode mode);
// Whether an attachment that is there already is what was asked for.
inline bool Suits(XdpMode asked, XdpMode present) {
  return asked == XdpMode::kAuto || asked == present;
}

// AlreadyExists: a program that is not ours and that leaves no place for ours.
absl::Status Occupied(const Interface& interface, uint32_t program, bool shared);

// What the kernel cannot tell why a driver refuses native XDP.
struct LinkFacts {
  std::string driver;  // empty: unknown
  uint32_t mtu = 0;
  bool lro = false;
};
LinkFacts ReadLinkFacts(const std::string& interface);

// "cannot attach to eth0 in native mode (the driver's words): errno; what may be the cause, and how
// to change that".
absl::Status ModeRefused(const std::string& interface, const LinkFacts& facts, XdpMode mode,
                         int err, absl::string_view words);

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_XDP_INTERFACE_H_
