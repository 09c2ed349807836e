// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DATAPLANE_INNER_MAPS_H_
#define EVENKEEL_CONTROL_DATAPLANE_INNER_MAPS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::dataplane {

// The elements of a map of maps, which this process alone changes. What is in it is read once and
// remembered: before Linux 6.8 each reading of an element waits for an RCU grace period, too.
class InnerMaps {
 public:
  InnerMaps() = default;

  // `outer` has `size` elements and must outlive this object. Its name is for errors.
  static absl::StatusOr<InnerMaps> Open(int outer, uint32_t size, std::string name);

  bool Has(uint32_t index) const { return index < map_ids_.size() && map_ids_[index] != 0; }
  // NotFound where there is none.
  absl::StatusOr<UniqueFd> Get(uint32_t index) const;

  // That the kernel has the map at `index` that is remembered. Where asking would wait for a grace
  // period, it is taken for granted.
  absl::Status Confirm(uint32_t index) const;

  // Puts `fds` in at `indices`, all or none, in about the time of one grace period. There were no
  // maps, or they may be lost on an error.
  absl::Status Insert(std::span<const uint32_t> indices, std::span<const int> fds);

  // OK where there is none.
  absl::Status Delete(uint32_t index);

  const std::string& name() const { return name_; }

 private:
  InnerMaps(int outer, uint32_t size, std::string name)
      : outer_(outer), name_(std::move(name)), map_ids_(size) {}

  absl::Status Find();
  absl::Status Remember(uint32_t index, int fd);

  int outer_ = -1;
  std::string name_;
  std::vector<uint32_t> map_ids_;  // by index; 0: none
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_INNER_MAPS_H_
