// SPDX-License-Identifier: Apache-2.0
//
// Single entries, and what a test does to them behind the publisher's back.
#include "absl/strings/str_cat.h"
#include "tests/harness/fake_dataplane/fake_dataplane.h"

namespace evenkeel::testing {

void FakeDataPlane::OverwriteSlot(uint32_t table, uint32_t slot, uint16_t owner) {
  std::lock_guard lock(mu_);
  tables_.at(table).slots.at(slot) = EK_SLOT(owner, 0);
}

void FakeDataPlane::BreakProbes(bool broken) {
  std::lock_guard lock(mu_);
  break_probes_ = broken;
}

void FakeDataPlane::SetLimitClock(const dataplane::LimitClock& clock) {
  std::lock_guard lock(mu_);
  limit_clock_ = clock;
}

absl::StatusOr<dataplane::ActiveGeneration> FakeDataPlane::FindActive() {
  std::lock_guard lock(mu_);
  dataplane::ActiveGeneration active{.word = active_word_};
  if (active_word_ == EK_ACTIVE_NONE) return active;
  active.generation = active_word_ & EK_ACTIVE_GENERATION_MASK;
  active.info = generations_.at(active.generation).info;
  return active;
}

absl::StatusOr<std::optional<dataplane::VipImage>> FakeDataPlane::FindVip(
    uint32_t generation, const dataplane::VipKey& key) {
  std::lock_guard lock(mu_);
  const auto it = generations_.find(generation);
  if (it == generations_.end()) return std::nullopt;
  for (const dataplane::VipImage& vip : it->second.vips) {
    if (vip.key == key) return vip;
  }
  return std::nullopt;
}

absl::StatusOr<bool> FakeDataPlane::IsDenied(uint32_t rule_set, const model::IpAddress& source) {
  std::lock_guard lock(mu_);
  return Denies(rule_set, source);
}

absl::StatusOr<dataplane::LimitClock> FakeDataPlane::FindLimits(uint32_t, const model::IpAddress&) {
  std::lock_guard lock(mu_);
  return limit_clock_;
}

absl::StatusOr<uint32_t> FakeDataPlane::FindSlot(uint32_t table, uint32_t, uint32_t slot) {
  std::lock_guard lock(mu_);
  const auto it = tables_.find(table);
  if (it == tables_.end()) return absl::NotFoundError(absl::StrCat("no table ", table));
  if (slot >= it->second.slots.size()) return absl::OutOfRangeError("no such slot");
  return it->second.slots[slot];
}

absl::StatusOr<dataplane::BackendImage> FakeDataPlane::FindBackend(uint32_t table, uint32_t,
                                                                   uint16_t id) {
  std::lock_guard lock(mu_);
  const auto it = tables_.find(table);
  if (it == tables_.end()) return absl::NotFoundError(absl::StrCat("no table ", table));
  if (id == 0 || id > it->second.backends.size()) return dataplane::BackendImage{};
  return it->second.backends[id - 1u];
}

absl::StatusOr<dataplane::ServerIds> FakeDataPlane::FindServerIds(uint32_t table, uint32_t) {
  std::lock_guard lock(mu_);
  const auto it = tables_.find(table);
  if (it == tables_.end()) return absl::NotFoundError(absl::StrCat("no table ", table));
  return it->second.server_ids;
}

absl::StatusOr<std::optional<dataplane::Pin>> FakeDataPlane::FindPin(uint64_t flow) {
  std::lock_guard lock(mu_);
  if (const auto it = pins_.find(flow); it != pins_.end()) return it->second;
  if (const auto it = opening_.find(flow); it != opening_.end()) return it->second;
  return std::nullopt;
}

}  // namespace evenkeel::testing
