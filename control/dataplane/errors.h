// SPDX-License-Identifier: Apache-2.0
//
// The one conversion of kernel errors to absl::Status.
#ifndef EVENKEEL_CONTROL_DATAPLANE_ERRORS_H_
#define EVENKEEL_CONTROL_DATAPLANE_ERRORS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace evenkeel::dataplane {

// "`what`: <reason>; <remedy>". `err` is an errno value, either sign. Without a `remedy` the usual
// one of that errno is given, where there is one.
absl::Status KernelError(int err, absl::string_view what, absl::string_view remedy = {});

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_ERRORS_H_
