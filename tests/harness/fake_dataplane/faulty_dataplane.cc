// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/fake_dataplane/faulty_dataplane.h"

#include "absl/strings/str_cat.h"

namespace evenkeel::testing {

void FaultyDataPlane::FailCall(int nth, When when) {
  std::lock_guard lock(mu_);
  thread_ = std::this_thread::get_id();
  remaining_ = nth;
  when_ = when;
  failed_call_.clear();
}

void FaultyDataPlane::Disarm() {
  std::lock_guard lock(mu_);
  remaining_ = 0;
}

bool FaultyDataPlane::fired() const {
  std::lock_guard lock(mu_);
  return !failed_call_.empty();
}

std::string FaultyDataPlane::failed_call() const {
  std::lock_guard lock(mu_);
  return failed_call_;
}

template <typename Call>
auto FaultyDataPlane::Do(const char* name, Call call) -> decltype(call()) {
  bool fail = false;
  When when = When::kBefore;
  {
    std::lock_guard lock(mu_);
    if (remaining_ > 0 && std::this_thread::get_id() == thread_ && --remaining_ == 0) {
      fail = true;
      when = when_;
      failed_call_ = name;
    }
  }
  if (!fail) return call();
  if (when == When::kAfter) (void)call();
  return absl::InternalError(absl::StrCat("injected failure of ", name));
}

absl::StatusOr<dataplane::Snapshot> FaultyDataPlane::ReadActive() {
  return Do("ReadActive", [&] { return real_->ReadActive(); });
}
absl::Status FaultyDataPlane::StageTables(std::span<const dataplane::StagedTable> tables) {
  return Do("StageTables", [&] { return real_->StageTables(tables); });
}
absl::StatusOr<dataplane::TableImage> FaultyDataPlane::ReadTable(uint32_t id, uint32_t size) {
  return Do("ReadTable", [&] { return real_->ReadTable(id, size); });
}
absl::StatusOr<std::vector<uint32_t>> FaultyDataPlane::ListTables() {
  return Do("ListTables", [&] { return real_->ListTables(); });
}
absl::Status FaultyDataPlane::StageRules(uint32_t id, std::span<const guard::SourceRule> rules) {
  return Do("StageRules", [&] { return real_->StageRules(id, rules); });
}
absl::StatusOr<guard::Digest> FaultyDataPlane::RulesDigest(uint32_t id) {
  return Do("RulesDigest", [&] { return real_->RulesDigest(id); });
}
absl::Status FaultyDataPlane::StageGeneration(uint32_t generation,
                                              const dataplane::GenerationImage& image) {
  return Do("StageGeneration", [&] { return real_->StageGeneration(generation, image); });
}
absl::StatusOr<dataplane::GenerationImage> FaultyDataPlane::ReadGeneration(uint32_t generation) {
  return Do("ReadGeneration", [&] { return real_->ReadGeneration(generation); });
}
absl::StatusOr<dataplane::ProbeResult> FaultyDataPlane::Probe(uint32_t generation,
                                                              std::span<const uint8_t> packet) {
  return Do("Probe", [&] { return real_->Probe(generation, packet); });
}
absl::Status FaultyDataPlane::Activate(uint32_t generation, const guard::Approval& approval) {
  return Do("Activate", [&] { return real_->Activate(generation, approval); });
}
absl::Status FaultyDataPlane::WaitGracePeriod() {
  return Do("WaitGracePeriod", [&] { return real_->WaitGracePeriod(); });
}
absl::StatusOr<dataplane::Counters> FaultyDataPlane::ReadCounters() {
  return Do("ReadCounters", [&] { return real_->ReadCounters(); });
}
absl::Status FaultyDataPlane::SetNextHop(uint32_t table, uint32_t table_size, uint16_t backend_id,
                                         const std::optional<dataplane::NextHop>& next_hop) {
  return Do("SetNextHop",
            [&] { return real_->SetNextHop(table, table_size, backend_id, next_hop); });
}

// What undoes is not made to fail: a test of "nothing changed" needs it.
absl::Status FaultyDataPlane::DropTables(std::span<const uint32_t> ids) {
  return real_->DropTables(ids);
}
absl::Status FaultyDataPlane::DropGeneration(uint32_t generation) {
  return real_->DropGeneration(generation);
}
absl::Status FaultyDataPlane::ClearVipCounter(uint32_t id) { return real_->ClearVipCounter(id); }
absl::Status FaultyDataPlane::ClearBackendCounter(uint32_t id) {
  return real_->ClearBackendCounter(id);
}

}  // namespace evenkeel::testing
