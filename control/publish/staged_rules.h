// SPDX-License-Identifier: Apache-2.0
//
// The sets of source rules of one attempt to publish. A set is named by its digest: equal ones, of
// one state or of states in a row, are one set in the kernel.
#ifndef EVENKEEL_CONTROL_PUBLISH_STAGED_RULES_H_
#define EVENKEEL_CONTROL_PUBLISH_STAGED_RULES_H_

#include <mutex>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "control/dataplane/dataplane.h"
#include "control/guard/fleet.h"
#include "control/publish/ledger.h"

namespace evenkeel::publish {

class StagedRules {
 public:
  // `ledger_mu` guards `ledger`; it is not held while the kernel is filled, which takes about a
  // second for a million prefixes. All must outlive the object.
  StagedRules(dataplane::DataPlane* dataplane, Ledger* ledger, std::mutex* ledger_mu)
      : dataplane_(dataplane), ledger_(ledger), ledger_mu_(ledger_mu) {}
  ~StagedRules();  // takes out what was put in and not committed; takes `ledger_mu`
  StagedRules(const StagedRules&) = delete;
  StagedRules& operator=(const StagedRules&) = delete;

  // Stages each set that some VIP has and the kernel has not, reads it back and compares it with
  // what was approved. Without `ledger_mu`.
  absl::Status Stage(const guard::BuiltFleet& fleet);

  // 0 for null: none.
  uint16_t IdOf(const guard::BuiltRules* rules) const;
  // The zero digest for 0. NotFound: not a set of this attempt.
  absl::StatusOr<guard::Digest> DigestOf(uint16_t id) const;

  // From here on the references are the caller's.
  std::vector<guard::Digest> Commit();

 private:
  struct Set {
    const guard::BuiltRules* rules = nullptr;
    uint32_t id = 0;
    bool fresh = false;
  };

  absl::Status Acquire(const guard::BuiltFleet& fleet);
  void Undo();

  dataplane::DataPlane* dataplane_;
  Ledger* ledger_;
  std::mutex* ledger_mu_;
  absl::flat_hash_map<guard::Digest, Set> sets_;
};

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_STAGED_RULES_H_
