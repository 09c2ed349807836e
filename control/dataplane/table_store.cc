// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/table_store.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <set>

#include "absl/strings/str_cat.h"
#include "control/dataplane/errors.h"
#include "control/dataplane/image_codec.h"

namespace evenkeel::dataplane {
namespace {

constexpr char kName[] = "ek_tables";
// Room for a pool to grow without another inner map.
constexpr uint32_t kBackendHeadroom = 64;
constexpr size_t kMaxSpareTables = 64;
constexpr size_t kMaxSpareLines = (64u << 20) / EK_LINE_SIZE;  // 64 MiB
// Put in together with a new table: what a hundred updates a second have in use at once beyond the
// active tables, while former ones wait for their grace period.
constexpr size_t kReserveTables = 8;
constexpr size_t kReserveLines = (8u << 20) / EK_LINE_SIZE;  // 8 MiB

uint32_t LinesToAllocate(const TableImage& image) {
  const size_t rounded = (image.backends.size() / kBackendHeadroom + 1) * kBackendHeadroom;
  return LinesNeeded(static_cast<uint32_t>(image.slots.size()), rounded,
                     LinesForServerIds(image.server_ids));
}

std::atomic_ref<uint32_t> SlotWord(const MappedMemory<ek_line>& lines, uint32_t slot) {
  return std::atomic_ref<uint32_t>(
      lines.get()[slot / EK_SLOTS_PER_LINE].slot[slot % EK_SLOTS_PER_LINE]);
}

std::string Name(uint32_t id) { return absl::StrCat("table ", id); }

absl::Status CheckHolds(uint32_t id, const MappedMemory<ek_line>& lines, uint32_t table_size) {
  if (lines.get().size() >= EK_SLOT_LINES(table_size)) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat(Name(id), " has no ", table_size, " slots"));
}

absl::StatusOr<UniqueFd> CreateInner(uint32_t id, uint32_t lines) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
  UniqueFd fd(bpf_map_create(BPF_MAP_TYPE_ARRAY, "ek_table", sizeof(uint32_t), sizeof(ek_line),
                             lines, &options));
  if (!fd.valid()) return KernelError(fd.get(), absl::StrCat("cannot create ", Name(id)));
  return fd;
}

}  // namespace

absl::StatusOr<TableStore> TableStore::Open(int outer, uint32_t max_tables,
                                            const Encapsulation& encapsulation) {
  auto maps = InnerMaps::Open(outer, max_tables, kName);
  if (!maps.ok()) return maps.status();
  TableStore store(*std::move(maps), max_tables, encapsulation);
  for (uint32_t id = 0; id < max_tables; ++id) {
    auto inner = store.inner_.Get(id);
    if (absl::IsNotFound(inner.status())) continue;
    if (!inner.ok()) return inner.status();
    bpf_map_info info{};
    uint32_t size = sizeof(info);
    if (const int err = bpf_obj_get_info_by_fd(inner->get(), &info, &size); err != 0) {
      return KernelError(err, absl::StrCat("cannot inspect ", Name(id)));
    }
    store.entries_[id] = {.lines = info.max_entries, .in_use = true};
  }
  return store;
}

absl::StatusOr<MappedMemory<ek_line>> TableStore::MapInner(uint32_t id, uint32_t lines) const {
  auto inner = inner_.Get(id);
  if (!inner.ok()) return inner.status();
  return MappedMemory<ek_line>::Map(inner->get(), lines, absl::StrCat("cannot map ", Name(id)));
}

absl::StatusOr<MappedMemory<ek_line>> TableStore::MapLines(uint32_t id) const {
  if (id >= entries_.size() || !entries_[id].in_use) {
    return absl::NotFoundError(absl::StrCat("no ", Name(id)));
  }
  return MapInner(id, entries_[id].lines);
}

absl::Status TableStore::CheckStage(std::span<const StagedTable> tables) const {
  std::set<uint32_t> ids;
  for (const StagedTable& table : tables) {
    if (table.id >= entries_.size()) {
      return absl::ResourceExhaustedError(
          absl::StrCat(Name(table.id), ": the data plane was made for ", entries_.size(),
                       " tables; raise max_tables and create it anew"));
    }
    if (entries_[table.id].in_use || !ids.insert(table.id).second) {
      return absl::FailedPreconditionError(absl::StrCat(Name(table.id), " is in use"));
    }
    if (auto status = CheckImage(table.image); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Into the spare inner map of that id if it fits, else into a new one that is not yet put in.
absl::Status TableStore::Write(const StagedTable& table, std::vector<Fresh>& fresh) {
  Entry& entry = entries_[table.id];
  const uint32_t wanted = LinesToAllocate(table.image);
  const uint32_t needed =
      LinesNeeded(static_cast<uint32_t>(table.image.slots.size()), table.image.backends.size(),
                  LinesForServerIds(table.image.server_ids));
  if (entry.lines >= needed && entry.lines <= 2 * wanted) {
    auto lines = MapInner(table.id, entry.lines);
    if (!lines.ok()) return lines.status();
    EncodeTable(table.image, encapsulation_, lines->get());
    entry.in_use = true;
    --spare_tables_;
    spare_lines_ -= entry.lines;
    return absl::OkStatus();
  }
  auto fd = CreateInner(table.id, wanted);
  if (!fd.ok()) return fd.status();
  auto lines =
      MappedMemory<ek_line>::Map(fd->get(), wanted, absl::StrCat("cannot map ", Name(table.id)));
  if (!lines.ok()) return lines.status();
  EncodeTable(table.image, encapsulation_, lines->get());
  fresh.push_back({.id = table.id, .lines = wanted, .fd = *std::move(fd)});
  return absl::OkStatus();
}

std::vector<TableStore::Fresh> TableStore::MakeReserve(std::span<const Fresh> fresh) const {
  std::vector<Fresh> reserve;
  if (fresh.empty()) return reserve;
  const uint32_t lines = fresh.back().lines;
  const auto taken = [&](uint32_t id) {
    return entries_[id].lines != 0 ||
           std::any_of(fresh.begin(), fresh.end(), [&](const Fresh& f) { return f.id == id; });
  };
  const size_t room_tables = kMaxSpareTables - std::min(kMaxSpareTables, spare_tables_);
  const size_t room_lines = kMaxSpareLines - std::min(kMaxSpareLines, spare_lines_);
  const size_t count =
      std::min({kReserveTables, room_tables, kReserveLines / lines, room_lines / lines});
  for (uint32_t id = 0; id < entries_.size() && reserve.size() < count; ++id) {
    if (taken(id)) continue;
    auto fd = CreateInner(id, lines);
    if (!fd.ok()) break;  // short of memory: the update itself needs none of these
    reserve.push_back({.id = id, .lines = lines, .fd = *std::move(fd)});
  }
  return reserve;
}

absl::Status TableStore::Insert(std::span<const Fresh> fresh, std::span<const Fresh> reserve) {
  std::vector<uint32_t> ids;
  std::vector<int> fds;
  for (const std::span<const Fresh> tables : {fresh, reserve}) {
    for (const Fresh& table : tables) {
      ids.push_back(table.id);
      fds.push_back(table.fd.get());
    }
  }
  return inner_.Insert(ids, fds);
}

absl::Status TableStore::Stage(std::span<const StagedTable> tables) {
  if (auto status = CheckStage(tables); !status.ok()) return status;
  std::vector<Fresh> fresh;
  std::vector<uint32_t> written;
  absl::Status status;
  for (const StagedTable& table : tables) {
    status = Write(table, fresh);
    if (!status.ok()) break;
    if (entries_[table.id].in_use) written.push_back(table.id);
  }
  std::vector<Fresh> reserve;
  if (status.ok()) {
    reserve = MakeReserve(fresh);
    status = Insert(fresh, reserve);
  }
  if (!status.ok()) {
    if (auto undone = Drop(written); !undone.ok()) return undone;
    return status;
  }
  for (const Fresh& table : fresh) {
    Entry& entry = entries_[table.id];
    if (entry.lines != 0) {  // a spare that was too small, or far too large
      --spare_tables_;
      spare_lines_ -= entry.lines;
    }
    entry = {.lines = table.lines, .in_use = true};
  }
  for (const Fresh& table : reserve) {
    entries_[table.id] = {.lines = table.lines, .in_use = false};
    ++spare_tables_;
    spare_lines_ += table.lines;
  }
  return absl::OkStatus();
}

absl::StatusOr<TableImage> TableStore::Read(uint32_t id, uint32_t table_size) const {
  auto lines = MapLines(id);
  if (!lines.ok()) return lines.status();
  return DecodeTable(lines->get(), table_size);
}

// Slot lines are contiguous words.
absl::StatusOr<std::vector<uint32_t>> TableStore::TakeSlots(uint32_t id,
                                                            uint32_t table_size) const {
  auto lines = MapLines(id);
  if (!lines.ok()) return lines.status();
  if (auto status = CheckHolds(id, *lines, table_size); !status.ok()) return status;
  std::vector<uint32_t> words(table_size);
  std::memcpy(words.data(), lines->get().data(), words.size() * sizeof(uint32_t));
  for (uint32_t slot = 0; slot < table_size; ++slot) {
    if (words[slot] & EK_SLOT_USED) {
      words[slot] = SlotWord(*lines, slot).fetch_and(~EK_SLOT_USED);
    }
  }
  return words;
}

absl::Status TableStore::SetPrevious(uint32_t id, uint32_t table_size,
                                     std::span<const PreviousOwner> changes) const {
  auto lines = MapLines(id);
  if (!lines.ok()) return lines.status();
  if (auto status = CheckHolds(id, *lines, table_size); !status.ok()) return status;
  for (const PreviousOwner& change : changes) {
    if (change.slot >= table_size || change.previous > EK_MAX_POOL_BACKENDS) {
      return absl::OutOfRangeError(
          absl::StrCat(Name(id), " has no slot ", change.slot, " or backend ", change.previous));
    }
    auto word = SlotWord(*lines, change.slot);
    // Packets set EK_SLOT_USED meanwhile, and nothing else.
    word.store(EK_SLOT(EK_SLOT_OWNER(word.load()), change.previous));
  }
  return absl::OkStatus();
}

bool TableStore::FitsSpareBudget(uint32_t lines) const {
  return spare_tables_ < kMaxSpareTables && spare_lines_ + lines <= kMaxSpareLines;
}

absl::Status TableStore::Zero(uint32_t id) {
  auto lines = MapInner(id, entries_[id].lines);
  if (!lines.ok()) return lines.status();
  std::memset(static_cast<void*>(lines->get().data()), 0, lines->get().size_bytes());
  return absl::OkStatus();
}

absl::Status TableStore::Drop(std::span<const uint32_t> ids) {
  for (const uint32_t id : ids) {
    if (id >= entries_.size() || !entries_[id].in_use) continue;
    Entry& entry = entries_[id];
    if (FitsSpareBudget(entry.lines)) {
      if (auto status = Zero(id); !status.ok()) return status;
      entry.in_use = false;
      ++spare_tables_;
      spare_lines_ += entry.lines;
      continue;
    }
    if (auto status = inner_.Delete(id); !status.ok()) return status;
    entry = {};
  }
  return absl::OkStatus();
}

std::vector<uint32_t> TableStore::List() const {
  std::vector<uint32_t> ids;
  for (uint32_t id = 0; id < entries_.size(); ++id) {
    if (entries_[id].in_use) ids.push_back(id);
  }
  return ids;
}

}  // namespace evenkeel::dataplane
