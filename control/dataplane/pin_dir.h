// SPDX-License-Identifier: Apache-2.0
//
// The directory on the bpffs that holds the pins of one data plane:
//
//   balancer, verify   the programs; `balancer` is the one that packets enter
//   map_<name>         the maps of bpf/abi/maps.h
//   link_<ifindex>     one attached interface each
//   meta               what was made, and the sign that it was made completely: pinned last
//
// bpffs reserves names with a dot, so no pin has one.
#ifndef EVENKEEL_CONTROL_DATAPLANE_PIN_DIR_H_
#define EVENKEEL_CONTROL_DATAPLANE_PIN_DIR_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::dataplane {

// Exclusively held by one process at a time (flock on the directory).
class PinDir {
 public:
  // Makes the directory (0700) and mounts the bpffs at /sys/fs/bpf if that is what is missing.
  static absl::StatusOr<PinDir> OpenOrCreate(const std::string& path);
  // NotFound: there is no such directory.
  static absl::StatusOr<PinDir> OpenExisting(const std::string& path);

  const std::string& path() const { return path_; }
  std::string PathOf(absl::string_view name) const;
  bool Has(absl::string_view name) const;
  absl::StatusOr<std::vector<std::string>> List() const;  // sorted

  absl::StatusOr<UniqueFd> Get(absl::string_view name) const;  // NotFound
  absl::Status Pin(int fd, absl::string_view name) const;
  // Replaces the pin, or makes it, in one step.
  absl::Status Replace(int fd, absl::string_view name) const;
  absl::Status Unpin(absl::string_view name) const;  // OK if absent

  // Unpins everything, `meta` first: what is left by a crash half-way is recognised as incomplete.
  absl::Status Clear() const;
  // Clear() and removal of the directory itself.
  absl::Status Remove();

 private:
  PinDir(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;
};

inline constexpr absl::string_view kMetaPin = "meta";
inline constexpr absl::string_view kEntryPin = "balancer";
inline constexpr absl::string_view kVerifyPin = "verify";
inline constexpr absl::string_view kLinkPrefix = "link_";
inline constexpr absl::string_view kMapPrefix = "map_";

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_PIN_DIR_H_
