// SPDX-License-Identifier: Apache-2.0
//
// Attaching beside other XDP programs, through libxdp's dispatcher.
#ifndef EVENKEEL_CONTROL_DATAPLANE_SHARED_XDP_H_
#define EVENKEEL_CONTROL_DATAPLANE_SHARED_XDP_H_

#include <optional>

#include "control/dataplane/dispatcher.h"
#include "control/dataplane/kernel_objects.h"

namespace evenkeel::dataplane {

class SharedXdp {
 public:
  // Both must outlive the object.
  SharedXdp(const KernelOptions* options, const KernelObjects* objects)
      : options_(options), objects_(objects) {}

  absl::StatusOr<std::optional<Dispatcher>> Find(const Interface& interface) const;
  absl::StatusOr<std::vector<SharedInterface>> List() const;

  // Whether this kernel can put the balancer into a dispatcher. Attaches nothing.
  absl::Status CheckKernel() const;
  // Adds a program over our maps; libxdp replaces the dispatcher by one that calls it too, in one
  // step. `mode` is kNative or kGeneric, and that of the dispatcher where there is one.
  absl::Status Join(const Interface& interface, XdpMode mode, uint32_t priority) const;
  // Makes ours on `interface` one program of this build, with this priority or else the present
  // one: the new one is added before the old ones go, so that no packet is missed. Does nothing
  // where it is so already. There must be one of ours.
  absl::Status Renew(const Interface& interface, const Dispatcher& dispatcher,
                     std::optional<uint32_t> priority) const;

 private:
  const KernelOptions* options_;
  const KernelObjects* objects_;
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_SHARED_XDP_H_
