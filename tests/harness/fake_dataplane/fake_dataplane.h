// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_HARNESS_FAKE_DATAPLANE_FAKE_DATAPLANE_H_
#define EVENKEEL_TESTS_HARNESS_FAKE_DATAPLANE_FAKE_DATAPLANE_H_

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "control/dataplane/dataplane.h"
#include "control/dataplane/lookups.h"
#include "control/publish/probe.h"

namespace evenkeel::testing {

// The kernel's side in memory, with the same refusals. Thread-safe.
class FakeDataPlane final : public dataplane::DataPlane, public dataplane::Lookups {
 public:
  explicit FakeDataPlane(const maglev::HashKey& key, const dataplane::Limits& limits = {});

  // All that a kernel would hold, for comparison.
  std::string Dump() const;
  // Damages the next table staged: its first two slots with different owners are exchanged.
  void CorruptNextTable();
  // The next set of source rules staged loses one.
  void CorruptNextRules();
  void SetVipCounter(uint32_t id, const dataplane::Counter& counter);
  void SetBackendCounter(uint32_t id, const dataplane::Counter& counter);
  // Called at the beginning of each TakeSlots, which so takes as long as `hook` does.
  void OnTakeSlots(std::function<void()> hook);
  // Called at the end of each ReadPins: what it does comes after the pins were read.
  void OnPinsRead(std::function<void()> hook);
  // Generations and tables that were dropped while packets may have used them: active once, and no
  // grace period since.
  uint32_t early_drops() const;
  // Somebody else writes: the slot's owner becomes this one.
  void OverwriteSlot(uint32_t table, uint32_t slot, uint16_t owner);
  // Packets run through the program are dropped, whatever the maps say.
  void BreakProbes(bool broken);
  void SetLimitClock(const dataplane::LimitClock& clock);
  // Time goes on by itself never.
  void Advance(uint32_t units);
  // What bpf/datapath/track.h does with a packet: the address it goes to, nullopt: dropped.
  std::optional<model::IpAddress> Deliver(const publish::Flow& flow, bool closing = false);

  const dataplane::Limits& limits() const override { return limits_; }
  const dataplane::Encapsulation& encapsulation() const override { return encapsulation_; }
  absl::StatusOr<dataplane::Snapshot> ReadActive() override;
  absl::Status StageTables(std::span<const dataplane::StagedTable> tables) override;
  absl::StatusOr<dataplane::TableImage> ReadTable(uint32_t id, uint32_t table_size) override;
  absl::Status DropTables(std::span<const uint32_t> ids) override;
  absl::StatusOr<std::vector<uint32_t>> ListTables() override;
  absl::Status StageRules(uint32_t id, std::span<const guard::SourceRule> rules) override;
  absl::StatusOr<guard::Digest> RulesDigest(uint32_t id) override;
  absl::Status DropRules(std::span<const uint32_t> ids) override;
  absl::StatusOr<std::vector<uint32_t>> ListRules() override;
  absl::StatusOr<std::vector<uint32_t>> TakeSlots(uint32_t id, uint32_t table_size) override;
  absl::Status SetPrevious(uint32_t id, uint32_t table_size,
                           std::span<const dataplane::PreviousOwner> changes) override;
  absl::StatusOr<std::vector<dataplane::Pin>> ReadPins() override;
  absl::Status DropPins(std::span<const dataplane::Pin> pins) override;
  uint32_t Now() override;
  absl::Status StageGeneration(uint32_t generation,
                               const dataplane::GenerationImage& image) override;
  absl::StatusOr<dataplane::GenerationImage> ReadGeneration(uint32_t generation) override;
  absl::Status DropGeneration(uint32_t generation) override;
  absl::StatusOr<dataplane::ProbeResult> Probe(uint32_t generation,
                                               std::span<const uint8_t> packet) override;
  absl::Status Activate(uint32_t generation, const guard::Approval& approval) override;
  absl::Status WaitGracePeriod() override;
  absl::Status SetNextHop(uint32_t table, uint32_t table_size, uint16_t backend_id,
                          const std::optional<dataplane::NextHop>& next_hop) override;
  absl::StatusOr<dataplane::Counters> ReadCounters() override;
  absl::Status ClearVipCounter(uint32_t id) override;
  absl::Status ClearBackendCounter(uint32_t id) override;
  dataplane::Lookups& lookups() override { return *this; }

  // fake_lookups.cc
  absl::StatusOr<dataplane::ActiveGeneration> FindActive() override;
  absl::StatusOr<std::optional<dataplane::VipImage>> FindVip(uint32_t generation,
                                                             const dataplane::VipKey& key) override;
  absl::StatusOr<bool> IsDenied(uint32_t rule_set, const model::IpAddress& source) override;
  absl::StatusOr<dataplane::LimitClock> FindLimits(uint32_t vip_counter,
                                                   const model::IpAddress& source) override;
  absl::StatusOr<uint32_t> FindSlot(uint32_t table, uint32_t table_size, uint32_t slot) override;
  absl::StatusOr<dataplane::BackendImage> FindBackend(uint32_t table, uint32_t table_size,
                                                      uint16_t id) override;
  absl::StatusOr<dataplane::ServerIds> FindServerIds(uint32_t table, uint32_t table_size) override;
  absl::StatusOr<std::optional<dataplane::Pin>> FindPin(uint64_t flow) override;

 private:
  bool IsActive(uint32_t generation) const;
  bool InActiveUse(uint32_t table) const;
  bool Denies(uint32_t set, const model::IpAddress& source) const;
  bool Denies(const dataplane::VipImage& vip, const model::IpAddress& source) const;
  bool Holds(const dataplane::Pin& pin, const dataplane::TableImage& table) const;
  // The same without a trace, for packets that are run to look.
  uint16_t Peek(uint64_t flow, bool opening, uint32_t slot, const dataplane::TableImage& table,
                uint32_t vip_flags) const;
  uint16_t Select(uint64_t flow, bool opening, bool closing, uint32_t& slot,
                  const dataplane::TableImage& table, uint32_t vip_flags);

  const std::array<uint64_t, 2> key_;
  const dataplane::Limits limits_;
  const dataplane::Encapsulation encapsulation_;
  mutable std::mutex mu_;
  bool corrupt_next_ = false;
  std::function<void()> on_take_slots_, on_pins_read_;
  bool corrupt_next_rules_ = false;
  bool break_probes_ = false;
  dataplane::LimitClock limit_clock_;
  uint32_t active_word_ = EK_ACTIVE_NONE;
  std::set<uint32_t> left_generations_, left_tables_;  // since the last grace period
  uint32_t early_drops_ = 0;
  std::map<uint32_t, dataplane::TableImage> tables_;
  std::map<uint32_t, guard::SourceRuleList> rules_;
  std::map<uint32_t, dataplane::GenerationImage> generations_;
  dataplane::Counters counters_;
  uint32_t now_ = 1000;
  std::map<uint64_t, dataplane::Pin> pins_, opening_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_FAKE_DATAPLANE_FAKE_DATAPLANE_H_
