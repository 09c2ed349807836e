// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_HARNESS_FAKE_DATAPLANE_FAULTY_DATAPLANE_H_
#define EVENKEEL_TESTS_HARNESS_FAKE_DATAPLANE_FAULTY_DATAPLANE_H_

#include <mutex>
#include <string>
#include <thread>

#include "control/dataplane/dataplane.h"

namespace evenkeel::testing {

// Passes every call on, but fails one of those that the arming thread makes. Calls of other
// threads (the publisher's collector) are not counted.
class FaultyDataPlane final : public dataplane::DataPlane {
 public:
  enum class When { kBefore, kAfter };  // the call had no effect; it had, and was reported failed

  explicit FaultyDataPlane(dataplane::DataPlane* real) : real_(real) {}

  // The nth call from now on (from 1). Calls that undo (Drop, Clear) never fail and do not count.
  void FailCall(int nth, When when);
  void Disarm();
  bool fired() const;
  std::string failed_call() const;

  const dataplane::Limits& limits() const override { return real_->limits(); }
  const dataplane::Encapsulation& encapsulation() const override { return real_->encapsulation(); }
  absl::StatusOr<dataplane::Snapshot> ReadActive() override;
  absl::Status StageTables(std::span<const dataplane::StagedTable> tables) override;
  absl::StatusOr<dataplane::TableImage> ReadTable(uint32_t id, uint32_t table_size) override;
  absl::Status DropTables(std::span<const uint32_t> ids) override;
  absl::StatusOr<std::vector<uint32_t>> ListTables() override;
  absl::Status StageRules(uint32_t id, std::span<const guard::SourceRule> rules) override;
  absl::StatusOr<guard::Digest> RulesDigest(uint32_t id) override;
  absl::Status DropRules(std::span<const uint32_t> ids) override { return real_->DropRules(ids); }
  absl::StatusOr<std::vector<uint32_t>> ListRules() override { return real_->ListRules(); }
  absl::Status StageGeneration(uint32_t generation,
                               const dataplane::GenerationImage& image) override;
  absl::StatusOr<dataplane::GenerationImage> ReadGeneration(uint32_t generation) override;
  absl::Status DropGeneration(uint32_t generation) override;
  absl::StatusOr<std::vector<uint32_t>> TakeSlots(uint32_t id, uint32_t size) override {
    return real_->TakeSlots(id, size);
  }
  absl::Status SetPrevious(uint32_t id, uint32_t size,
                           std::span<const dataplane::PreviousOwner> changes) override {
    return real_->SetPrevious(id, size, changes);
  }
  absl::StatusOr<std::vector<dataplane::Pin>> ReadPins() override { return real_->ReadPins(); }
  absl::Status DropPins(std::span<const dataplane::Pin> pins) override {
    return real_->DropPins(pins);
  }
  uint32_t Now() override { return real_->Now(); }
  absl::StatusOr<dataplane::ProbeResult> Probe(uint32_t generation,
                                               std::span<const uint8_t> packet) override;
  absl::Status Activate(uint32_t generation, const guard::Approval& approval) override;
  absl::Status WaitGracePeriod() override;
  absl::Status SetNextHop(uint32_t table, uint32_t table_size, uint16_t backend_id,
                          const std::optional<dataplane::NextHop>& next_hop) override;
  absl::StatusOr<dataplane::Counters> ReadCounters() override;
  absl::Status ClearVipCounter(uint32_t id) override;
  absl::Status ClearBackendCounter(uint32_t id) override;
  dataplane::Lookups& lookups() override { return real_->lookups(); }

 private:
  template <typename Call>
  auto Do(const char* name, Call call) -> decltype(call());

  dataplane::DataPlane* const real_;
  mutable std::mutex mu_;
  std::thread::id thread_;
  int remaining_ = 0;  // 0: not armed
  When when_ = When::kBefore;
  std::string failed_call_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_FAKE_DATAPLANE_FAULTY_DATAPLANE_H_
