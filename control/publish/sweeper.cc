// SPDX-License-Identifier: Apache-2.0
//
// Closes what changed hands: while slots move, and when backends leave, the pins are read, those of
// dead flows and of backends that are gone are dropped, and slots go back to steady.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "bpf/lib/hash.h"
#include "control/publish/publisher_impl.h"

namespace evenkeel::publish {

// Pins whose flow is no more, or whose backend: it may come back with the same counter, and the
// flow has gone to the owner meanwhile.
std::vector<dataplane::Pin> Publisher::Impl::FindGone(const std::vector<dataplane::Pin>& pins,
                                                      uint32_t now) const {
  absl::flat_hash_set<uint32_t> serving;
  for (const TableRef& table : active ? active->tables : std::vector<TableRef>{}) {
    for (const BackendSlot& slot : table->backends) {
      if (slot.method != EK_METHOD_NONE) serving.insert(slot.counter);
    }
  }
  std::vector<dataplane::Pin> gone;
  for (const dataplane::Pin& pin : pins) {
    if (!IsAlive(pin, now, timeouts) || !serving.contains(pin.counter)) gone.push_back(pin);
  }
  return gone;
}

absl::Status Publisher::Impl::SweepTable(const TableRef& table,
                                         const std::vector<dataplane::Pin>& pins, uint32_t now) {
  auto words = dataplane->TakeSlots(table->id, table->size);
  if (!words.ok()) return words.status();
  absl::flat_hash_set<uint32_t> counters;
  for (const BackendSlot& slot : table->backends) {
    if (slot.method != EK_METHOD_NONE) counters.insert(slot.counter);
  }
  std::vector<bool> away(table->size, false);
  for (const dataplane::Pin& pin : pins) {
    if (!counters.contains(pin.counter)) continue;
    const uint32_t slot = ek_hash_slot(pin.flow, table->size);
    if (pin.backend != EK_SLOT_OWNER((*words)[slot])) away[slot] = true;
  }
  // The slots of a table of another size are others: begin anew.
  auto it = trackers.find(table->pool);
  if (it == trackers.end() || it->second.table_size() != table->size) {
    it = trackers.insert_or_assign(table->pool, Tracker(table->size)).first;
  }
  const Tracker::Sweep sweep = it->second.Next(*words, away, now, timeouts);
  if (sweep.moving == 0) {
    trackers.erase(it);
    moving_tables.erase(table->id);
    return absl::OkStatus();
  }
  const std::chrono::nanoseconds age(uint64_t{now - sweep.oldest_since} << EK_SEEN_SHIFT);
  tracking.pools.push_back({.pool = table->pool,
                            .moving = sweep.moving,
                            .age = std::chrono::duration_cast<std::chrono::seconds>(age)});
  return dataplane->SetPrevious(table->id, table->size, sweep.changes);
}

absl::Status Publisher::Impl::NoteUsed(const TableRef& table) {
  const auto it = trackers.find(table->pool);
  if (!moving_tables.contains(table->id) || it == trackers.end() ||
      it->second.table_size() != table->size) {
    return absl::OkStatus();
  }
  auto words = dataplane->TakeSlots(table->id, table->size);
  if (!words.ok()) return words.status();
  it->second.NoteUsed(*words, dataplane->Now());
  return absl::OkStatus();
}

// No pin names them any more.
void Publisher::Impl::FreeLeft(const std::vector<uint32_t>& counters) {
  for (const uint32_t counter : counters) {
    const absl::Status cleared = dataplane->ClearBackendCounter(counter);
    if (cleared.ok()) {
      ledger.FreeBackendCounters({counter});
    } else {  // the id is not handed out again: its next owner would inherit the count
      spdlog::warn("a counter is lost: {}", std::string(cleared.message()));
    }
    std::erase(left_counters, counter);
  }
  changed.notify_all();
}

absl::Status Publisher::Impl::Sweep() {
  std::vector<uint32_t> left;
  {
    std::lock_guard lock(mu);
    left = left_counters;
  }
  // The pins are read without a lock: there may be a million.
  auto pins = dataplane->ReadPins();
  if (!pins.ok()) return pins.status();
  const uint32_t now = dataplane->Now();
  std::vector<dataplane::Pin> gone;
  {
    std::lock_guard lock(mu);
    gone = FindGone(*pins, now);
  }
  if (auto status = dataplane->DropPins(gone); !status.ok()) return status;

  std::lock_guard lock(mu);
  FreeLeft(left);
  tracking = {.pools = {}, .pinned = pins->size() - gone.size()};
  if (!active) return absl::OkStatus();
  absl::Status status;
  absl::flat_hash_set<std::string> moving;
  // Former generations, as far as they stand: packets used them after the last sweep. A table that
  // is released meanwhile is looked at then.
  for (const TableRef& table : previous ? previous->tables : std::vector<TableRef>{}) {
    status.Update(NoteUsed(table));
  }
  for (const GenerationRecord& record : retired) {
    for (const TableRef& table : record.tables) status.Update(NoteUsed(table));
  }
  for (const TableRef& table : active->tables) {
    if (!moving_tables.contains(table->id)) continue;
    moving.insert(table->pool);
    status.Update(SweepTable(table, *pins, now));
  }
  absl::erase_if(trackers, [&](const auto& tracker) { return !moving.contains(tracker.first); });
  if (trackers.empty()) moving_tables.clear();  // what is left of it is a former generation's
  std::sort(tracking.pools.begin(), tracking.pools.end(),
            [](const auto& a, const auto& b) { return a.pool < b.pool; });
  return status;
}

void Publisher::Impl::SweepNowAndThen() {
  std::unique_lock lock(mu);
  while (true) {
    changed.wait(lock,
                 [&] { return stopping || !moving_tables.empty() || !left_counters.empty(); });
    // Soon where counters wait to be handed out again, else now and then.
    changed.wait_for(lock, sweeping,
                     [&] { return stopping || (retired.empty() && !left_counters.empty()); });
    if (stopping) return;
    lock.unlock();
    absl::Status status;
    {
      std::lock_guard sweep(sweep_mu);
      status = Sweep();
    }
    lock.lock();
    if (status.ok()) continue;
    spdlog::warn("sweeping the pinned flows failed, trying again: {}",
                 std::string(status.message()));
    changed.wait_for(lock, std::chrono::seconds(1), [&] { return stopping; });
    if (stopping) return;
  }
}

}  // namespace evenkeel::publish
