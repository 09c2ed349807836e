// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/kernel_lookups.h"

#include <bpf/bpf.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "control/dataplane/errors.h"
#include "control/dataplane/flow_pins.h"
#include "control/dataplane/image_codec.h"

namespace evenkeel::dataplane {
namespace {

uint64_t CoarseNow() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

ek_source_key SourceKey(uint32_t vip, const model::IpAddress& source) {
  ek_source_key key{.vip = vip, .addr = {}};
  std::memcpy(key.addr, source.bytes().data(), source.is_ipv4() ? 4 : 8);
  return key;
}

// 0 where there is no entry. A look by system call leaves the age of LRU entries alone.
template <typename Key, typename Value>
absl::StatusOr<Value> Find(const KernelObjects& objects, MapId map, const Key& key) {
  Value value{};
  const int err = bpf_map_lookup_elem(objects.map(map), &key, &value);
  if (err == 0 || err == -ENOENT) return value;
  return KernelError(err, absl::StrCat("cannot read ", kMapNames[static_cast<size_t>(map)]));
}

}  // namespace

absl::StatusOr<ActiveGeneration> KernelLookups::FindActive() {
  ActiveGeneration active;
  active.word =
      std::atomic_ref<uint32_t>(control_->get()[0].active).load(std::memory_order_acquire);
  if (active.word == EK_ACTIVE_NONE) return active;
  active.generation = active.word & EK_ACTIVE_GENERATION_MASK;
  auto info = generations_->ReadInfo(active.generation);
  if (!info.ok()) return info.status();
  active.info = *info;
  return active;
}

absl::StatusOr<std::optional<VipImage>> KernelLookups::FindVip(uint32_t generation,
                                                               const VipKey& key) {
  return generations_->FindVip(generation, key);
}

absl::StatusOr<bool> KernelLookups::IsDenied(uint32_t rule_set, const model::IpAddress& source) {
  return rules_->Denies(rule_set, source);
}

absl::StatusOr<LimitClock> KernelLookups::FindLimits(uint32_t vip_counter,
                                                     const model::IpAddress& source) {
  auto source_due =
      Find<ek_source_key, uint64_t>(*objects_, MapId::kSourceDue, SourceKey(vip_counter, source));
  if (!source_due.ok()) return source_due.status();
  auto bucket = Find<uint32_t, ek_bucket>(*objects_, MapId::kFlowDue, vip_counter);
  if (!bucket.ok()) return bucket.status();
  return LimitClock{.now = CoarseNow(), .source_due = *source_due, .new_flow_due = bucket->due};
}

absl::StatusOr<uint32_t> KernelLookups::FindSlot(uint32_t table, uint32_t table_size,
                                                 uint32_t slot) {
  auto lines = tables_->MapLines(table);
  if (!lines.ok()) return lines.status();
  if (slot >= table_size || lines->get().size() < EK_SLOT_LINES(table_size)) {
    return absl::OutOfRangeError(absl::StrCat("table ", table, " has no slot ", slot));
  }
  return std::atomic_ref<uint32_t>(
             lines->get()[slot / EK_SLOTS_PER_LINE].slot[slot % EK_SLOTS_PER_LINE])
      .load(std::memory_order_relaxed);
}

absl::StatusOr<BackendImage> KernelLookups::FindBackend(uint32_t table, uint32_t table_size,
                                                        uint16_t id) {
  auto lines = tables_->MapLines(table);
  if (!lines.ok()) return lines.status();
  const size_t line = EK_BACKEND_LINE(table_size, id);
  if (id == 0 || line >= lines->get().size()) return BackendImage{};
  return DecodeBackend(lines->get()[line].backend);
}

absl::StatusOr<ServerIds> KernelLookups::FindServerIds(uint32_t table, uint32_t table_size) {
  auto lines = tables_->MapLines(table);
  if (!lines.ok()) return lines.status();
  return DecodeServerIds(lines->get(), table_size);
}

absl::StatusOr<std::optional<Pin>> KernelLookups::FindPin(uint64_t flow) {
  return dataplane::FindPin(*objects_, flow);
}

}  // namespace evenkeel::dataplane
