// SPDX-License-Identifier: Apache-2.0
//
// The built-in programs, opened and prepared; kernel_objects.h and shared_xdp.h load them.
#ifndef EVENKEEL_CONTROL_DATAPLANE_SKELETON_H_
#define EVENKEEL_CONTROL_DATAPLANE_SKELETON_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "control/dataplane/kernel_objects.h"

struct bpf_object;
struct ek_balancer;

namespace evenkeel::dataplane {

struct SkeletonDeleter {
  void operator()(ek_balancer* skeleton) const;
};
using Skeleton = std::unique_ptr<ek_balancer, SkeletonDeleter>;

// With the hash key of `options`, and with new maps of its limits or, where `existing` is given,
// over that one's. Not yet loaded.
absl::StatusOr<Skeleton> OpenSkeleton(const KernelOptions& options, const KernelObjects* existing);

// For other builds of the balancer: its settings of `options`, and maps that stand already.
void FillConfig(const KernelOptions& options, ek_config* config);
absl::Status ReuseMaps(bpf_object* object, const KernelObjects& objects);

// The kernel's digest of the program's instructions. Programs of one build have the same, whichever
// way they are attached.
absl::StatusOr<std::string> ProgramTag(int fd);

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_SKELETON_H_
