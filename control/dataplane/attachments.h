// SPDX-License-Identifier: Apache-2.0
//
// Where the balancer is attached: alone (xdp_links.h) or beside others (shared_xdp.h).
#ifndef EVENKEEL_CONTROL_DATAPLANE_ATTACHMENTS_H_
#define EVENKEEL_CONTROL_DATAPLANE_ATTACHMENTS_H_

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "control/dataplane/kernel_objects.h"
#include "control/dataplane/shared_xdp.h"
#include "control/dataplane/unique_fd.h"
#include "control/dataplane/xdp_links.h"

namespace evenkeel::dataplane {

class Attachments {
 public:
  // All must outlive the object.
  Attachments(const PinDir* dir, const KernelOptions* options, const KernelObjects* objects)
      : entry_(objects->entry.get()), links_(dir, entry_), shared_(options, objects) {}

  absl::StatusOr<Attachment> Attach(const std::string& interface, const AttachOptions& options);
  absl::Status DetachOthers(const std::vector<std::string>& keep);
  // Once after the objects were opened: unpins links of interfaces that are gone, and gives
  // dispatchers that call a program of another build this one's. Links get the balancer.
  absl::Status Refresh();
  // Links that had another program than the balancer at Refresh, as after a daemon that was killed
  // during a capture.
  int put_back() const { return put_back_; }
  static absl::Status DetachAll(const PinDir& dir);

  const std::vector<Attachment>& list() const { return list_; }
  // Those that packets of the list's interfaces enter, each once: libxdp has a copy for each
  // interface that is shared.
  absl::StatusOr<std::vector<UniqueFd>> Programs() const;

  // Another build of the balancer, which takes its place on all of list() and leaves it again, with
  // no packet missed. FailedPrecondition: attached to nothing; shared; already replaced; somebody
  // else's program is there. Where an interface refuses, all are as before. Thread-safe.
  absl::Status CheckReplaceable() const;
  absl::Status PutInPlace(int program);
  absl::Status PutBack();

 private:
  // What is there of ours, and beside it. Never both.
  struct Former {
    std::optional<XdpMode> link;
    std::optional<Dispatcher> dispatcher;

    bool Shares() const { return dispatcher.has_value() && !dispatcher->ours.empty(); }
    bool HasOthers() const { return dispatcher.has_value() && !dispatcher->others.empty(); }
  };
  absl::StatusOr<Former> Look(const Interface& interface) const;
  // Refusals that must come before anything is taken away.
  absl::Status CheckPossible(const Interface& interface, const AttachOptions& options,
                             const Former& former) const;
  absl::StatusOr<Attachment> Adopt(const Interface& interface, const AttachOptions& options,
                                   const Former& former) const;
  absl::StatusOr<Attachment> Replace(const Interface& interface, const AttachOptions& options,
                                     const Former& former) const;
  absl::StatusOr<Attachment> AttachNew(const Interface& interface,
                                       const AttachOptions& options) const;
  absl::Status Create(const Interface& interface, XdpMode mode, const AttachOptions& options) const;
  absl::Status Release(const Interface& interface, const Former& former) const;
  absl::Status Restore(const Interface& interface, const Former& former) const;

  // With mutex_ held. On an error the links that were changed have `former` again.
  absl::Status Update(int program, int former) const;

  const int entry_;
  XdpLinks links_;
  SharedXdp shared_;
  std::vector<Attachment> list_;
  int put_back_ = 0;
  mutable std::mutex mutex_;  // guards below
  UniqueFd in_place_;         // of the balancer, on exclusive links; not valid: itself
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_ATTACHMENTS_H_
