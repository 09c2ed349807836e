// SPDX-License-Identifier: Apache-2.0
//
// What a pinned data plane was made as, kept in an ARRAY map of one element.
#ifndef EVENKEEL_CONTROL_DATAPLANE_PINNED_META_H_
#define EVENKEEL_CONTROL_DATAPLANE_PINNED_META_H_

#include "absl/status/statusor.h"
#include "control/dataplane/kernel_dataplane.h"
#include "control/dataplane/pin_dir.h"

namespace evenkeel::dataplane {

struct PinnedMeta {
  uint32_t abi_version = 0;
  uint32_t max_tables = 0;
  uint32_t max_vips = 0;
  uint32_t max_backends = 0;
  uint32_t max_pins = 0;
  uint32_t gue_port = 0;
  // The head of SHA-256 over the hash key: tells keys apart without giving them away.
  std::array<uint8_t, 16> key_fingerprint{};

  friend bool operator==(const PinnedMeta&, const PinnedMeta&) = default;
};

PinnedMeta MetaOf(const KernelOptions& options);

// Makes the map and pins it as kMetaPin.
absl::Status WriteMeta(const PinDir& dir, const PinnedMeta& meta);
absl::StatusOr<PinnedMeta> ReadMeta(const PinDir& dir);

// FailedPrecondition names what differs and how to go on.
absl::Status CheckMeta(const PinDir& dir, const PinnedMeta& pinned, const PinnedMeta& wanted);

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_PINNED_META_H_
