// SPDX-License-Identifier: Apache-2.0
//
// The program's attachments: one pinned XDP link per interface, `link_<ifindex>`.
#ifndef EVENKEEL_CONTROL_DATAPLANE_XDP_LINKS_H_
#define EVENKEEL_CONTROL_DATAPLANE_XDP_LINKS_H_

#include <string>
#include <vector>

#include "control/dataplane/kernel_dataplane.h"
#include "control/dataplane/pin_dir.h"

namespace evenkeel::dataplane {

class XdpLinks {
 public:
  // `dir` must outlive the object; `program` is the fd of the entry program.
  XdpLinks(const PinDir* dir, int program) : dir_(dir), program_(program) {}

  absl::StatusOr<Attachment> Attach(const std::string& interface, XdpMode mode);
  absl::Status DetachOthers(const std::vector<std::string>& keep);
  // Unpins links whose interface is gone.
  absl::Status DropDead();
  // Detaches and unpins every link.
  static absl::Status DetachAll(const PinDir& dir);

  const std::vector<Attachment>& attachments() const { return attachments_; }

 private:
  absl::StatusOr<Attachment> AttachNew(const std::string& interface, uint32_t ifindex,
                                       XdpMode mode);
  absl::Status CreateLink(const std::string& interface, uint32_t ifindex, XdpMode mode);
  // The pinned link's mode, if there is a live one on that interface.
  absl::StatusOr<std::optional<XdpMode>> FindPinned(const std::string& interface, uint32_t ifindex);

  const PinDir* dir_;
  int program_;
  std::vector<Attachment> attachments_;
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_XDP_LINKS_H_
