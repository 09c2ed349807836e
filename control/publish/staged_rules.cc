// SPDX-License-Identifier: Apache-2.0
#include "control/publish/staged_rules.h"

#include <spdlog/spdlog.h>

#include "absl/strings/str_cat.h"

namespace evenkeel::publish {

StagedRules::~StagedRules() { Undo(); }

absl::Status StagedRules::Acquire(const guard::BuiltFleet& fleet) {
  std::lock_guard lock(*ledger_mu_);
  for (const model::Vip& vip : fleet.vips) {
    const guard::SourceAccess access = fleet.AccessOf(vip);
    for (const guard::BuiltRules* rules : {access.global, access.own}) {
      if (rules == nullptr || sets_.contains(rules->digest)) continue;
      const bool fresh = !ledger_->RulesId(rules->digest).has_value();
      auto id = ledger_->AcquireRules(rules->digest);
      if (!id.ok()) return id.status();
      sets_[rules->digest] = {.rules = rules, .id = *id, .fresh = fresh};
    }
  }
  return absl::OkStatus();
}

absl::Status StagedRules::Stage(const guard::BuiltFleet& fleet) {
  if (auto status = Acquire(fleet); !status.ok()) return status;
  for (const auto& [approved, set] : sets_) {
    const std::string name = absl::StrCat("source rules ", set.rules->name(), ": ");
    if (set.fresh) {
      const auto status = dataplane_->StageRules(set.id, set.rules->rules);
      if (!status.ok()) return absl::Status(status.code(), absl::StrCat(name, status.message()));
    }
    const auto read = dataplane_->RulesDigest(set.id);
    if (!read.ok()) {
      return absl::Status(read.status().code(), absl::StrCat(name, read.status().message()));
    }
    if (*read == approved) continue;
    return absl::DataLossError(absl::StrCat(name, "the set read back has digest ", read->ToShort(),
                                            ", approved was ", approved.ToShort()));
  }
  return absl::OkStatus();
}

uint16_t StagedRules::IdOf(const guard::BuiltRules* rules) const {
  return rules == nullptr ? uint16_t{0} : static_cast<uint16_t>(sets_.at(rules->digest).id);
}

absl::StatusOr<guard::Digest> StagedRules::DigestOf(uint16_t id) const {
  if (id == 0) return guard::Digest{};
  for (const auto& [digest, set] : sets_) {
    if (set.id == id) return digest;
  }
  return absl::NotFoundError(absl::StrCat("no source rules ", id, " were staged"));
}

std::vector<guard::Digest> StagedRules::Commit() {
  std::vector<guard::Digest> digests;
  for (const auto& [digest, set] : sets_) digests.push_back(digest);
  sets_.clear();
  return digests;
}

void StagedRules::Undo() {
  std::lock_guard lock(*ledger_mu_);
  for (const auto& [digest, set] : sets_) {
    absl::Status dropped;
    const uint32_t id = set.id;
    if (set.fresh) dropped = dataplane_->DropRules({&id, 1});
    const auto freed = ledger_->ReleaseRules(digest);
    // What the kernel could not drop keeps its id: it must not be handed out.
    if (freed && dropped.ok()) ledger_->FreeRules(*freed);
    if (!dropped.ok()) {
      spdlog::error("publishing was not undone in full: {}", std::string(dropped.message()));
    }
  }
  sets_.clear();
}

}  // namespace evenkeel::publish
