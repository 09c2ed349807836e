// SPDX-License-Identifier: Apache-2.0
//
// The dispatcher that libxdp puts on shared interfaces, and what it calls.
#ifndef EVENKEEL_CONTROL_DATAPLANE_DISPATCHER_H_
#define EVENKEEL_CONTROL_DATAPLANE_DISPATCHER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/dataplane/xdp_interface.h"

namespace evenkeel::dataplane {

// Makes libxdp, in this process, use the dispatcher of bpf/dispatcher.bpf.c in the place of its
// own, which Linux 6.12 and later do not accept for the balancer. It looks for a file: `dir` gets
// it, and LIBXDP_OBJECT_PATH names `dir`, unless the environment has that variable already. Call
// before there are threads that read the environment.
absl::Status InstallDispatcher(const std::string& dir);

struct DispatchedProgram {
  uint32_t id = 0;
  std::string name;
  std::string tag;  // as of ProgramTag
  uint32_t priority = 0;
};

struct Dispatcher {
  XdpMode mode = XdpMode::kNative;      // or kGeneric
  std::vector<DispatchedProgram> ours;  // more than one: a daemon was killed while it replaced one
  std::vector<DispatchedProgram> others;  // in the order of their priorities
};

// What shares `interface`; nothing where there is no dispatcher. A program is ours if it uses the
// map with id `control_map`: that tells instances apart, and needs no record that could be lost.
// FailedPrecondition: there is a dispatcher that cannot be read.
absl::StatusOr<std::optional<Dispatcher>> ReadDispatcher(const Interface& interface,
                                                         uint32_t control_map);

// Takes these programs of ours out, in one step; the others stay.
absl::Status LeaveDispatcher(const Interface& interface, XdpMode mode,
                             const std::vector<DispatchedProgram>& programs);

// Of every interface of this network namespace, those on which a dispatcher calls ours.
struct SharedInterface {
  Interface interface;
  Dispatcher dispatcher;
};
absl::StatusOr<std::vector<SharedInterface>> ListShared(uint32_t control_map);

absl::StatusOr<uint32_t> MapIdOf(int fd);

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_DISPATCHER_H_
