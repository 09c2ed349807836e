// SPDX-License-Identifier: Apache-2.0
//
// The program that takes health probes to one backend each in the way of forwarded packets
// (bpf/probe.bpf.c), and the paths that it knows. The route that leads packets through it is made
// elsewhere (control/neighbor/marked_route.h).
#ifndef EVENKEEL_CONTROL_DATAPLANE_PROBE_PATHS_H_
#define EVENKEEL_CONTROL_DATAPLANE_PROBE_PATHS_H_

#include <array>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bpf/abi/probe.h"
#include "control/dataplane/dataplane.h"

struct ek_probe;  // libbpf's skeleton

namespace evenkeel::dataplane {

// Packets by enum ek_probe_verdict, summed over CPUs.
using ProbeCounts = std::array<uint64_t, EK_PROBE_VERDICT_COUNT>;

// Used by one thread at a time. Program and paths live as long as this object or a route has them.
class ProbePaths {
 public:
  // Outer headers are made by `encapsulation`, as the balancer's are.
  static absl::StatusOr<std::unique_ptr<ProbePaths>> Load(const Encapsulation& encapsulation);
  ~ProbePaths();

  // Adds path `id`, 1..EK_MAX_PROBE_PATHS, or replaces it: each packet takes the one or the other.
  absl::Status Set(uint16_t id, const BackendImage& backend);
  absl::Status Remove(uint16_t id);  // OK where it is gone already
  absl::StatusOr<ProbeCounts> Read() const;

  int program_fd() const;

 private:
  struct Closer {
    void operator()(ek_probe* skeleton) const;
  };
  using Skeleton = std::unique_ptr<ek_probe, Closer>;
  ProbePaths(Skeleton skeleton, const Encapsulation& encapsulation);

  Skeleton skeleton_;
  const Encapsulation encapsulation_;
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_PROBE_PATHS_H_
