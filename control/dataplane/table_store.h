// SPDX-License-Identifier: Apache-2.0
//
// The lookup tables: inner maps of ek_tables.
//
// Putting an inner map in, or taking it out, costs an RCU grace period of the caller's time (8 ms
// and more), however many are put in together; writing into one that is there costs nothing. So a
// dropped table is zeroed and kept, up to a budget, for the next one of its id, and who has to wait
// for a new table puts in empty ones for those to come.
#ifndef EVENKEEL_CONTROL_DATAPLANE_TABLE_STORE_H_
#define EVENKEEL_CONTROL_DATAPLANE_TABLE_STORE_H_

#include <span>
#include <vector>

#include "control/dataplane/dataplane.h"
#include "control/dataplane/inner_maps.h"
#include "control/dataplane/mapped_memory.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::dataplane {

class TableStore {
 public:
  // `outer` is the fd of ek_tables; it must outlive the store. Every table found counts as in use.
  static absl::StatusOr<TableStore> Open(int outer, uint32_t max_tables,
                                         const Encapsulation& encapsulation);

  absl::Status Stage(std::span<const StagedTable> tables);
  absl::StatusOr<TableImage> Read(uint32_t id, uint32_t table_size) const;
  // Words of a table in use; EK_SLOT_USED is taken off as it is read.
  absl::StatusOr<std::vector<uint32_t>> TakeSlots(uint32_t id, uint32_t table_size) const;
  absl::Status SetPrevious(uint32_t id, uint32_t table_size,
                           std::span<const PreviousOwner> changes) const;
  absl::Status Drop(std::span<const uint32_t> ids);
  std::vector<uint32_t> List() const;

  // All lines of a table that is in use. NotFound.
  absl::StatusOr<MappedMemory<ek_line>> MapLines(uint32_t id) const;

 private:
  struct Entry {
    uint32_t lines = 0;  // 0: no inner map
    bool in_use = false;
  };
  struct Fresh {
    uint32_t id = 0;
    uint32_t lines = 0;
    UniqueFd fd;
  };

  TableStore(InnerMaps inner, uint32_t max_tables, const Encapsulation& encapsulation)
      : inner_(std::move(inner)), encapsulation_(encapsulation), entries_(max_tables) {}

  absl::Status CheckStage(std::span<const StagedTable> tables) const;
  absl::Status Write(const StagedTable& table, std::vector<Fresh>& fresh);
  // Inner maps like the last of `fresh`, for ids that have none.
  std::vector<Fresh> MakeReserve(std::span<const Fresh> fresh) const;
  absl::Status Insert(std::span<const Fresh> fresh, std::span<const Fresh> reserve);
  absl::Status Zero(uint32_t id);
  absl::StatusOr<MappedMemory<ek_line>> MapInner(uint32_t id, uint32_t lines) const;
  bool FitsSpareBudget(uint32_t lines) const;

  InnerMaps inner_;
  Encapsulation encapsulation_;
  std::vector<Entry> entries_;  // by id
  size_t spare_tables_ = 0;
  size_t spare_lines_ = 0;
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_TABLE_STORE_H_
