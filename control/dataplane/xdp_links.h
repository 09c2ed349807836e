// SPDX-License-Identifier: Apache-2.0
//
// Attaching alone: one pinned XDP link per interface, `link_<ifindex>`.
#ifndef EVENKEEL_CONTROL_DATAPLANE_XDP_LINKS_H_
#define EVENKEEL_CONTROL_DATAPLANE_XDP_LINKS_H_

#include <optional>
#include <string>
#include <vector>

#include "control/dataplane/pin_dir.h"
#include "control/dataplane/xdp_interface.h"

namespace evenkeel::dataplane {

class XdpLinks {
 public:
  // `dir` must outlive the object; `program` is the fd of the entry program.
  XdpLinks(const PinDir* dir, int program) : dir_(dir), program_(program) {}

  // The pinned link's mode, if there is a live one on that interface.
  absl::StatusOr<std::optional<XdpMode>> Find(const Interface& interface) const;
  // `mode` is kNative or kGeneric. AlreadyExists: another program is attached.
  absl::Status Create(const Interface& interface, XdpMode mode) const;
  absl::Status Remove(const Interface& interface) const;

  // Detaches and unpins the links of all interfaces but these. Links whose interface is gone are
  // unpinned.
  absl::Status RemoveOthers(const std::vector<std::string>& keep) const;
  // Unpins links whose interface is gone.
  absl::Status DropDead() const;
  // Puts `program` under the link in the place of `former`, in one step. FailedPrecondition:
  // something else is there. OK where the interface is gone.
  absl::Status Update(const Interface& interface, int program, int former) const;
  // Puts the entry program under every link that has another one; how many had.
  absl::StatusOr<int> PutBack() const;
  // Detaches and unpins every link.
  static absl::Status RemoveAll(const PinDir& dir);

 private:
  const PinDir* dir_;
  int program_;
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_XDP_LINKS_H_
