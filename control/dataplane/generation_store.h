// SPDX-License-Identifier: Apache-2.0
//
// The generations: inner maps of ek_vips4 and ek_vips6, and ek_gen_info.
//
// As with tables, an inner map stays where it is when its generation is dropped (emptied), because
// to replace it costs a grace period; and where one has to grow, the others that no packet uses
// grow with it.
#ifndef EVENKEEL_CONTROL_DATAPLANE_GENERATION_STORE_H_
#define EVENKEEL_CONTROL_DATAPLANE_GENERATION_STORE_H_

#include "control/dataplane/dataplane.h"
#include "control/dataplane/inner_maps.h"
#include "control/dataplane/kernel_objects.h"

namespace evenkeel::dataplane {

class GenerationStore {
 public:
  // `objects` must outlive the store.
  GenerationStore(const KernelObjects* objects, uint32_t max_vips)
      : objects_(objects), max_vips_(max_vips) {}

  // Before anything else: finds every generation's inner maps, and makes those that are missing.
  absl::Status Prepare();

  absl::Status Stage(uint32_t generation, const GenerationImage& image);
  absl::StatusOr<GenerationImage> Read(uint32_t generation) const;
  absl::StatusOr<std::optional<VipImage>> FindVip(uint32_t generation, const VipKey& key) const;
  absl::StatusOr<ek_gen_info> ReadInfo(uint32_t generation) const;  // unused: abi_version 0
  absl::Status Drop(uint32_t generation);

 private:
  absl::Status Check(uint32_t generation, const GenerationImage& image) const;
  // Inner maps of `generation` for that many keys.
  absl::Status MakeRoom(uint32_t generation, size_t vips4, size_t vips6);
  absl::Status WriteInfo(uint32_t generation, const ek_gen_info& info);

  const KernelObjects* objects_;
  uint32_t max_vips_;
  InnerMaps vips4_;
  InnerMaps vips6_;
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_GENERATION_STORE_H_
