// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DATAPLANE_KERNEL_LOOKUPS_H_
#define EVENKEEL_CONTROL_DATAPLANE_KERNEL_LOOKUPS_H_

#include "control/dataplane/generation_store.h"
#include "control/dataplane/kernel_objects.h"
#include "control/dataplane/lookups.h"
#include "control/dataplane/mapped_memory.h"
#include "control/dataplane/rule_store.h"
#include "control/dataplane/table_store.h"

namespace evenkeel::dataplane {

// All pointers must outlive it.
class KernelLookups final : public Lookups {
 public:
  KernelLookups(const KernelObjects* objects, const MappedMemory<ek_control>* control,
                const GenerationStore* generations, const TableStore* tables, RuleStore* rules)
      : objects_(objects),
        control_(control),
        generations_(generations),
        tables_(tables),
        rules_(rules) {}

  absl::StatusOr<ActiveGeneration> FindActive() override;
  absl::StatusOr<std::optional<VipImage>> FindVip(uint32_t generation, const VipKey& key) override;
  absl::StatusOr<bool> IsDenied(uint32_t rule_set, const model::IpAddress& source) override;
  absl::StatusOr<LimitClock> FindLimits(uint32_t vip_counter,
                                        const model::IpAddress& source) override;
  absl::StatusOr<uint32_t> FindSlot(uint32_t table, uint32_t table_size, uint32_t slot) override;
  absl::StatusOr<BackendImage> FindBackend(uint32_t table, uint32_t table_size,
                                           uint16_t id) override;
  absl::StatusOr<ServerIds> FindServerIds(uint32_t table, uint32_t table_size) override;
  absl::StatusOr<std::optional<Pin>> FindPin(uint64_t flow) override;

 private:
  const KernelObjects* const objects_;
  const MappedMemory<ek_control>* const control_;
  const GenerationStore* const generations_;
  const TableStore* const tables_;
  RuleStore* const rules_;
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_KERNEL_LOOKUPS_H_
