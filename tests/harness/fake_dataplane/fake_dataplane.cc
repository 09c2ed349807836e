// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/fake_dataplane/fake_dataplane.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace evenkeel::testing {
namespace {

using dataplane::GenerationImage;
using dataplane::TableImage;

absl::Status InUse(absl::string_view what, uint32_t id) {
  return absl::FailedPreconditionError(absl::StrCat(what, " ", id, " is in use"));
}

}  // namespace

FakeDataPlane::FakeDataPlane(const maglev::HashKey& key, const dataplane::Limits& limits)
    : key_(dataplane::HashKeyWords(key)), limits_(limits) {
  counters_.vips.resize(limits.max_vips);
  counters_.backends.resize(limits.max_backends);
}

std::string FakeDataPlane::Dump() const {
  std::lock_guard lock(mu_);
  std::string out = absl::StrCat("active ", active_word_, "\n");
  for (const auto& [id, table] : tables_) {
    absl::StrAppend(&out, "table ", id, ":");
    for (const uint32_t slot : table.slots) absl::StrAppend(&out, " ", slot);
    for (const auto& b : table.backends) {
      absl::StrAppend(
          &out, "\n  ", b.address.ToString(), " ", b.method, " ", b.counter, " ",
          b.next_hop ? absl::StrCat(b.next_hop->ifindex, "/", b.next_hop->dmac[5]) : "-");
    }
    absl::StrAppend(&out, "\n");
  }
  for (const auto& [id, rules] : rules_) {
    absl::StrAppend(&out, "rules ", id, ":");
    for (const auto& rule : rules) {
      absl::StrAppend(&out, rule.deny ? " -" : " +", rule.prefix.ToString());
    }
    absl::StrAppend(&out, "\n");
  }
  for (const auto& [index, image] : generations_) {
    absl::StrAppend(&out, "generation ", index, " revision ", image.info.revision, " ",
                    image.info.published_unix_ns);
    for (const auto& vip : image.vips) {
      absl::StrAppend(&out, "\n  ", vip.key.address.ToString(), " ", vip.key.port, " ",
                      vip.key.ip_protocol, " ", vip.table, " ", vip.counter, " ", vip.global_rules,
                      " ", vip.rules);
    }
    absl::StrAppend(&out, "\n");
  }
  auto add = [&](absl::string_view name, const std::vector<dataplane::Counter>& counters) {
    for (size_t i = 0; i < counters.size(); ++i) {
      if (counters[i].packets) absl::StrAppend(&out, name, i, "=", counters[i].packets, "\n");
    }
  };
  add("vip ", counters_.vips);
  add("backend ", counters_.backends);
  return out;
}

void FakeDataPlane::CorruptNextTable() {
  std::lock_guard lock(mu_);
  corrupt_next_ = true;
}

void FakeDataPlane::CorruptNextRules() {
  std::lock_guard lock(mu_);
  corrupt_next_rules_ = true;
}

absl::Status FakeDataPlane::StageRules(uint32_t id, std::span<const guard::SourceRule> rules) {
  std::lock_guard lock(mu_);
  if (id == 0 || id >= EK_MAX_RULE_SETS) return absl::ResourceExhaustedError("rules id");
  if (rules_.contains(id)) return InUse("rules", id);
  rules_[id].assign(rules.begin(), rules.end());
  if (std::exchange(corrupt_next_rules_, false)) rules_[id].pop_back();
  return absl::OkStatus();
}

absl::StatusOr<guard::Digest> FakeDataPlane::RulesDigest(uint32_t id) {
  std::lock_guard lock(mu_);
  const auto it = rules_.find(id);
  if (it == rules_.end()) return absl::NotFoundError(absl::StrCat("no rules ", id));
  return guard::ComputeRulesDigest(it->second);
}

absl::Status FakeDataPlane::DropRules(std::span<const uint32_t> ids) {
  std::lock_guard lock(mu_);
  for (const uint32_t id : ids) {
    if (active_word_ == EK_ACTIVE_NONE) break;
    for (const auto& vip : generations_.at(active_word_ & EK_ACTIVE_GENERATION_MASK).vips) {
      if (id != 0 && (vip.global_rules == id || vip.rules == id)) return InUse("rules", id);
    }
  }
  for (const uint32_t id : ids) rules_.erase(id);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint32_t>> FakeDataPlane::ListRules() {
  std::lock_guard lock(mu_);
  std::vector<uint32_t> ids;
  for (const auto& [id, rules] : rules_) ids.push_back(id);
  return ids;
}

// The longest prefix by trying all of them.
void FakeDataPlane::SetVipCounter(uint32_t id, const dataplane::Counter& counter) {
  std::lock_guard lock(mu_);
  counters_.vips[id] = counter;
}

void FakeDataPlane::SetBackendCounter(uint32_t id, const dataplane::Counter& counter) {
  std::lock_guard lock(mu_);
  counters_.backends[id] = counter;
}

bool FakeDataPlane::IsActive(uint32_t generation) const {
  return active_word_ != EK_ACTIVE_NONE && (active_word_ & EK_ACTIVE_GENERATION_MASK) == generation;
}

bool FakeDataPlane::InActiveUse(uint32_t table) const {
  if (active_word_ == EK_ACTIVE_NONE) return false;
  const auto& vips = generations_.at(active_word_ & EK_ACTIVE_GENERATION_MASK).vips;
  return std::any_of(vips.begin(), vips.end(), [&](const auto& vip) { return vip.table == table; });
}

absl::StatusOr<dataplane::Snapshot> FakeDataPlane::ReadActive() {
  std::lock_guard lock(mu_);
  dataplane::Snapshot snapshot;
  snapshot.active_word = active_word_;
  snapshot.published = active_word_ != EK_ACTIVE_NONE;
  if (!snapshot.published) return snapshot;
  snapshot.generation = active_word_ & EK_ACTIVE_GENERATION_MASK;
  snapshot.image = generations_.at(snapshot.generation);
  return snapshot;
}

absl::Status FakeDataPlane::StageTables(std::span<const dataplane::StagedTable> tables) {
  std::lock_guard lock(mu_);
  for (const auto& table : tables) {
    if (table.id >= limits_.max_tables) return absl::ResourceExhaustedError("table id");
    if (tables_.contains(table.id)) return InUse("table", table.id);
    if (auto status = dataplane::CheckImage(table.image); !status.ok()) return status;
  }
  for (const auto& table : tables) {
    TableImage& image = tables_[table.id] = table.image;
    if (!std::exchange(corrupt_next_, false)) continue;
    const auto other = std::find_if(image.slots.begin(), image.slots.end(),
                                    [&](uint32_t slot) { return slot != image.slots[0]; });
    std::swap(image.slots[0], *other);
  }
  return absl::OkStatus();
}

absl::StatusOr<TableImage> FakeDataPlane::ReadTable(uint32_t id, uint32_t table_size) {
  std::lock_guard lock(mu_);
  const auto it = tables_.find(id);
  if (it == tables_.end()) return absl::NotFoundError(absl::StrCat("no table ", id));
  if (it->second.slots.size() != table_size) return absl::OutOfRangeError("table size");
  return it->second;
}

absl::Status FakeDataPlane::DropTables(std::span<const uint32_t> ids) {
  std::lock_guard lock(mu_);
  for (const uint32_t id : ids) {
    if (InActiveUse(id)) return InUse("table", id);
  }
  for (const uint32_t id : ids) {
    early_drops_ += left_tables_.count(id);
    tables_.erase(id);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint32_t>> FakeDataPlane::ListTables() {
  std::lock_guard lock(mu_);
  std::vector<uint32_t> ids;
  for (const auto& [id, image] : tables_) ids.push_back(id);
  return ids;
}

absl::Status FakeDataPlane::StageGeneration(uint32_t generation, const GenerationImage& image) {
  std::lock_guard lock(mu_);
  if (generation >= EK_MAX_GENERATIONS || (generation == 0 && image.vips.empty())) {
    return absl::InvalidArgumentError("generation");
  }
  if (generations_.contains(generation)) return InUse("generation", generation);
  GenerationImage& staged = generations_[generation] = image;
  staged.info.abi_version = EK_ABI_VERSION;
  staged.info.active_word = dataplane::MakeActiveWord(generation, image.vips);
  std::sort(staged.vips.begin(), staged.vips.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  return absl::OkStatus();
}

absl::StatusOr<GenerationImage> FakeDataPlane::ReadGeneration(uint32_t generation) {
  std::lock_guard lock(mu_);
  const auto it = generations_.find(generation);
  if (it == generations_.end()) return absl::NotFoundError("generation");
  return it->second;
}

absl::Status FakeDataPlane::DropGeneration(uint32_t generation) {
  std::lock_guard lock(mu_);
  if (IsActive(generation)) return InUse("generation", generation);
  early_drops_ += left_generations_.count(generation);
  generations_.erase(generation);
  return absl::OkStatus();
}

void FakeDataPlane::OnTakeSlots(std::function<void()> hook) {
  std::lock_guard lock(mu_);
  on_take_slots_ = std::move(hook);
}

void FakeDataPlane::OnPinsRead(std::function<void()> hook) {
  std::lock_guard lock(mu_);
  on_pins_read_ = std::move(hook);
}

absl::StatusOr<std::vector<uint32_t>> FakeDataPlane::TakeSlots(uint32_t id, uint32_t table_size) {
  std::function<void()> hook;
  {
    std::lock_guard lock(mu_);
    hook = on_take_slots_;
  }
  if (hook) hook();
  std::lock_guard lock(mu_);
  const auto it = tables_.find(id);
  if (it == tables_.end() || it->second.slots.size() != table_size) {
    return absl::NotFoundError(absl::StrCat("no table ", id));
  }
  const std::vector<uint32_t> words = it->second.slots;
  for (uint32_t& word : it->second.slots) word &= ~EK_SLOT_USED;
  return words;
}

absl::Status FakeDataPlane::SetPrevious(uint32_t id, uint32_t table_size,
                                        std::span<const dataplane::PreviousOwner> changes) {
  std::lock_guard lock(mu_);
  const auto it = tables_.find(id);
  if (it == tables_.end() || it->second.slots.size() != table_size) {
    return absl::NotFoundError(absl::StrCat("no table ", id));
  }
  for (const auto& change : changes) {
    uint32_t& word = it->second.slots.at(change.slot);
    word = EK_SLOT(EK_SLOT_OWNER(word), change.previous);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<dataplane::Pin>> FakeDataPlane::ReadPins() {
  std::vector<dataplane::Pin> pins;
  std::function<void()> hook;
  {
    std::lock_guard lock(mu_);
    for (const auto& [flow, pin] : opening_) pins.push_back(pin);
    for (const auto& [flow, pin] : pins_) pins.push_back(pin);
    hook = on_pins_read_;
  }
  if (hook) hook();
  return pins;
}

absl::Status FakeDataPlane::DropPins(std::span<const dataplane::Pin> pins) {
  std::lock_guard lock(mu_);
  for (const dataplane::Pin& pin : pins) {
    auto& map = pin.opening ? opening_ : pins_;
    const auto it = map.find(pin.flow);
    if (it != map.end() && it->second == pin) map.erase(it);
  }
  return absl::OkStatus();
}

uint32_t FakeDataPlane::Now() {
  std::lock_guard lock(mu_);
  return now_;
}

void FakeDataPlane::Advance(uint32_t units) {
  std::lock_guard lock(mu_);
  now_ += units;
}

absl::Status FakeDataPlane::Activate(uint32_t generation, const guard::Approval& approval) {
  std::lock_guard lock(mu_);
  const auto it = generations_.find(generation);
  if (it == generations_.end() || IsActive(generation)) return InUse("generation", generation);
  const auto& digest = approval.digest().bytes;
  if (!std::equal(digest.begin(), digest.end(), it->second.info.digest)) {
    return absl::FailedPreconditionError("not what was approved");
  }
  if (active_word_ != EK_ACTIVE_NONE) {
    const uint32_t former = active_word_ & EK_ACTIVE_GENERATION_MASK;
    left_generations_.insert(former);
    for (const auto& vip : generations_.at(former).vips) left_tables_.insert(vip.table);
  }
  active_word_ = it->second.info.active_word;
  return absl::OkStatus();
}

absl::Status FakeDataPlane::WaitGracePeriod() {
  std::lock_guard lock(mu_);
  left_generations_.clear();
  left_tables_.clear();
  return absl::OkStatus();
}

uint32_t FakeDataPlane::early_drops() const {
  std::lock_guard lock(mu_);
  return early_drops_;
}

absl::Status FakeDataPlane::SetNextHop(uint32_t table, uint32_t table_size, uint16_t backend_id,
                                       const std::optional<dataplane::NextHop>& next_hop) {
  std::lock_guard lock(mu_);
  const auto it = tables_.find(table);
  if (it == tables_.end() || it->second.slots.size() != table_size || backend_id == 0 ||
      backend_id > it->second.backends.size()) {
    return absl::NotFoundError(absl::StrCat("table ", table, " backend ", backend_id));
  }
  it->second.backends[backend_id - 1u].next_hop = next_hop;
  return absl::OkStatus();
}

absl::StatusOr<dataplane::Counters> FakeDataPlane::ReadCounters() {
  std::lock_guard lock(mu_);
  return counters_;
}

absl::Status FakeDataPlane::ClearVipCounter(uint32_t id) {
  std::lock_guard lock(mu_);
  counters_.vips.at(id) = {};
  return absl::OkStatus();
}

absl::Status FakeDataPlane::ClearBackendCounter(uint32_t id) {
  std::lock_guard lock(mu_);
  counters_.backends.at(id) = {};
  return absl::OkStatus();
}

}  // namespace evenkeel::testing
