// SPDX-License-Identifier: Apache-2.0
//
// Digests of what was read from the kernel, in the terms that the guard approves in. Pure.
#ifndef EVENKEEL_CONTROL_PUBLISH_READBACK_H_
#define EVENKEEL_CONTROL_PUBLISH_READBACK_H_

#include <vector>

#include "absl/status/statusor.h"
#include "control/dataplane/dataplane.h"
#include "control/guard/fleet.h"
#include "control/publish/publisher.h"

namespace evenkeel::publish {

// The table behind the bytes: who serves is who owns slots. `otherwise` is the forwarding of a
// table without any backend, which does not tell. DataLoss: a slot names a backend that the table
// does not have, or two entries have one address.
absl::StatusOr<guard::BuiltTable> TableFromKernel(const dataplane::TableImage& image,
                                                  model::Forwarding otherwise);

// The active generation, everything read anew. NotFound: nothing is published.
absl::StatusOr<KernelState> ReadKernel(dataplane::DataPlane& dataplane);

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_READBACK_H_
