// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DATAPLANE_KERNEL_CAPTURE_H_
#define EVENKEEL_CONTROL_DATAPLANE_KERNEL_CAPTURE_H_

#include <memory>

#include "control/dataplane/attachments.h"
#include "control/dataplane/capture.h"
#include "control/dataplane/kernel_objects.h"

namespace evenkeel::dataplane {

// Loads the capture build over the maps of `objects` and puts it in the balancer's place on every
// interface that that is attached to. Copies nothing before KeepAlive. All must outlive the result.
// FailedPrecondition: attached to nothing, or shared; nothing has changed then.
absl::StatusOr<std::unique_ptr<Capture>> StartKernelCapture(const KernelOptions& options,
                                                            const KernelObjects& objects,
                                                            Attachments* attachments,
                                                            const CaptureOptions& capture);

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_KERNEL_CAPTURE_H_
