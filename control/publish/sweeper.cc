// SPDX-License-Identifier: Apache-2.0
//
// Closes what changed hands: while slots move, and when backends leave, the pins are read, those of
// dead flows and of backends that are gone are dropped, and slots go back to steady.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "bpf/lib/hash.h"
#include "control/publish/publisher_impl.h"

namespace evenkeel::publish {
namespace {

// A sweep is followed by a pause this many times as long, so that many pins and many moving tables
// take a bounded share of the processor.
constexpr int kRest = 9;

// Flows that are to be let go are so in as many sweeps.
constexpr size_t kParts = 20;

}  // namespace

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
                                         const std::vector<dataplane::Pin>& pins, uint32_t read,
                                         TrackingReport& report) {
  auto words = dataplane->TakeSlots(table->id, table->size);
  if (!words.ok()) return words.status();
  const uint32_t now = dataplane->Now();
  absl::flat_hash_set<uint32_t> counters;
  for (const BackendSlot& slot : table->backends) {
    if (slot.method != EK_METHOD_NONE) counters.insert(slot.counter);
  }
  std::vector<bool> away(table->size, false);
  for (const dataplane::Pin& pin : pins) {
    if (!counters.contains(pin.counter)) continue;
    const uint32_t slot = ek_hash_slot(pin.flow, table->size);
    if (pin.backend == EK_SLOT_OWNER((*words)[slot])) continue;
    away[slot] = true;
    // Its slot was closed over it: the flow goes to the owner, and shall also when the slot moves
    // again.
    if (EK_SLOT_PREVIOUS((*words)[slot]) == 0) stale.push_back(pin);
  }
  // The slots of a table of another size are others: begin anew.
  auto it = trackers.find(table->pool);
  if (it == trackers.end() || it->second.table_size() != table->size) {
    it = trackers.insert_or_assign(table->pool, Tracker(table->size)).first;
  }
  Tracker::Sweep sweep = it->second.Next(*words, away, {.read = read, .now = now}, timeouts);
  if (sweep.moving == 0) {
    trackers.erase(it);
    moving_tables.erase(table->id);
    letting_go.erase(table->pool);
    uses.erase(table->id);
    return absl::OkStatus();
  }
  NoteUses(table, *words, pins, read, it->second);
  if (const auto going = letting_go.find(table->pool); going != letting_go.end()) {
    if (going->second == 0) going->second = sweep.moving / kParts + 1;
    LetSomeGo(*words, going->second, sweep);
  }
  moving_tables[table->id] = sweep.moving;
  const std::chrono::nanoseconds age(uint64_t{now - sweep.oldest_since} << EK_SEEN_SHIFT);
  report.pools.push_back({.pool = table->pool,
                          .moving = sweep.moving,
                          .age = std::chrono::duration_cast<std::chrono::seconds>(age)});
  return dataplane->SetPrevious(table->id, table->size, sweep.changes);
}

void Publisher::Impl::LetSomeGo(const std::vector<uint32_t>& words, size_t most,
                                Tracker::Sweep& sweep) {
  absl::flat_hash_set<uint32_t> closing;
  for (const dataplane::PreviousOwner& change : sweep.changes) closing.insert(change.slot);
  for (uint32_t slot = 0; slot < words.size() && most > 0; ++slot) {
    if (EK_SLOT_PREVIOUS(words[slot]) == 0 || closing.contains(slot)) continue;
    sweep.changes.push_back({.slot = slot, .previous = 0});
    --most;
  }
}

Tracker* Publisher::Impl::TrackerOf(const TableRef& table) {
  const auto it = trackers.find(table->pool);
  const bool known = moving_tables.contains(table->id) && it != trackers.end() &&
                     it->second.table_size() == table->size;
  return known ? &it->second : nullptr;
}

absl::Status Publisher::Impl::NoteUsed(const TableRef& table) {
  Tracker* const tracker = TrackerOf(table);
  if (tracker == nullptr) return absl::OkStatus();
  auto words = dataplane->TakeSlots(table->id, table->size);
  if (!words.ok()) return words.status();
  tracker->NoteUsed(*words, dataplane->Now());
  return absl::OkStatus();
}

void Publisher::Impl::NoteReplaced(const GenerationRecord& next) {
  if (!active || trackers.empty()) return;
  absl::flat_hash_map<std::string_view, uint32_t> ids;
  for (const TableRef& table : next.tables) ids[table->pool] = table->id;
  for (const TableRef& table : active->tables) {
    const auto it = ids.find(table->pool);
    if (it == ids.end()) {
      trackers.erase(table->pool);  // a pool of that name that comes later is another one
      continue;
    }
    Tracker* const tracker = it->second == table->id ? nullptr : TrackerOf(table);
    if (tracker == nullptr) continue;
    auto words = dataplane->TakeSlots(table->id, table->size);
    if (words.ok()) {
      tracker->NoteReplaced(*words, dataplane->Now());
    } else {  // what is not known counts as in use: the slots begin anew
      trackers.erase(table->pool);
    }
  }
}

// Former tables of the pool come first, as far as they stand: packets used them after the last
// sweep. One that is released before is looked at then.
absl::Status Publisher::Impl::SweepPool(const std::string& pool,
                                        const std::vector<dataplane::Pin>& pins, uint32_t read,
                                        TrackingReport& report) {
  const auto current = std::find_if(active->tables.begin(), active->tables.end(),
                                    [&](const TableRef& table) { return table->pool == pool; });
  if (current == active->tables.end() || !moving_tables.contains((*current)->id)) {
    return absl::OkStatus();
  }
  for (const TableRef& table : ledger.TablesOf(pool)) {
    if (table == *current) continue;
    if (auto status = NoteUsed(table); !status.ok()) return status;
  }
  return SweepTable(*current, pins, read, report);
}

std::vector<std::string> Publisher::Impl::MovingPools() const {
  std::vector<std::string> pools;
  if (!active) return pools;
  for (const TableRef& table : active->tables) {
    if (moving_tables.contains(table->id)) pools.push_back(table->pool);
  }
  return pools;
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
    sweep_began_with.clear();
    if (active) sweep_began_with.insert(active->tables.begin(), active->tables.end());
  }
  // The pins are read without a lock: there may be a million. What is decided holds for the moment
  // before: a flow may be renewed while the others are read.
  const uint32_t read = dataplane->Now();
  auto pins = dataplane->ReadPins();
  if (!pins.ok()) return pins.status();
  std::vector<dataplane::Pin> gone;
  {
    std::lock_guard lock(mu);
    gone = FindGone(*pins, read);
  }
  if (auto status = dataplane->DropPins(gone); !status.ok()) return status;

  TrackingReport report{.pools = {}, .pinned = pins->size() - gone.size()};
  absl::Status status;
  std::unique_lock lock(mu);
  FreeLeft(left);
  for (const std::string& pool : MovingPools()) {
    const auto start = std::chrono::steady_clock::now();
    status.Update(SweepPool(pool, *pins, read, report));
    // A table takes about a millisecond, and there may be a thousand: updates and changed next hops
    // go between. Only who sleeps lets them; a mutex just unlocked is the unlocker's again.
    const auto took = std::chrono::steady_clock::now() - start;
    if (changed.wait_for(lock, took, [&] { return stopping; })) return status;
  }
  absl::flat_hash_set<std::string> moving;
  for (std::string& pool : MovingPools()) moving.insert(std::move(pool));
  absl::erase_if(trackers, [&](const auto& tracker) { return !moving.contains(tracker.first); });
  if (moving.empty()) moving_tables.clear();  // what is left of it is a former generation's
  swept = std::move(report);
  // Nothing looks a pin of a steady slot up; so they are as they were read.
  const std::vector<dataplane::Pin> dropped = std::exchange(stale, {});
  lock.unlock();
  status.Update(dataplane->DropPins(dropped));
  return status;
}

// The slots are known from the moment of the swap, or of the adoption; what takes a look at the
// kernel is the last sweep's.
TrackingReport Publisher::Impl::Tracking() const {
  absl::flat_hash_map<std::string_view, std::chrono::seconds> ages;
  for (const TrackingReport::Pool& pool : swept.pools) ages[pool.pool] = pool.age;
  TrackingReport report{.pools = {}, .pinned = swept.pinned};
  for (const TableRef& table : active ? active->tables : std::vector<TableRef>{}) {
    const auto moving = moving_tables.find(table->id);
    if (moving == moving_tables.end()) continue;
    const auto age = ages.find(table->pool);
    report.pools.push_back({.pool = table->pool,
                            .moving = moving->second,
                            .age = age == ages.end() ? std::chrono::seconds(0) : age->second});
  }
  std::sort(report.pools.begin(), report.pools.end(),
            [](const auto& a, const auto& b) { return a.pool < b.pool; });
  return report;
}

void Publisher::Impl::SweepNowAndThen() {
  std::unique_lock lock(mu);
  std::chrono::nanoseconds pause = sweeping;
  while (true) {
    changed.wait(lock,
                 [&] { return stopping || !moving_tables.empty() || !left_counters.empty(); });
    // Soon where counters wait to be handed out again, else now and then.
    changed.wait_for(lock, pause,
                     [&] { return stopping || (retired.empty() && !left_counters.empty()); });
    if (stopping) return;
    lock.unlock();
    const auto start = std::chrono::steady_clock::now();
    absl::Status status;
    {
      std::lock_guard sweep(sweep_mu);
      status = Sweep();
    }
    pause = std::max<std::chrono::nanoseconds>(sweeping,
                                               kRest * (std::chrono::steady_clock::now() - start));
    lock.lock();
    if (status.ok()) continue;
    spdlog::warn("sweeping the pinned flows failed, trying again: {}",
                 std::string(status.message()));
    changed.wait_for(lock, std::chrono::seconds(1), [&] { return stopping; });
    if (stopping) return;
  }
}

}  // namespace evenkeel::publish
