// SPDX-License-Identifier: Apache-2.0
//
// The sets of source rules: pairs of LPM tries, inner maps of ek_rules4 and ek_rules6.
//
// A set is filled before it is put in, and frozen: the kernel lets nobody change it any more. What
// was read once need not be read again, and a set is replaced by another, never altered.
#ifndef EVENKEEL_CONTROL_DATAPLANE_RULE_STORE_H_
#define EVENKEEL_CONTROL_DATAPLANE_RULE_STORE_H_

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <vector>

#include "control/dataplane/inner_maps.h"
#include "control/guard/source_rules.h"

namespace evenkeel::dataplane {

// Thread-safe. A set of a million prefixes takes about a second to fill or to read; meanwhile calls
// for other sets do not wait.
class RuleStore {
 public:
  // The fds of ek_rules4 and ek_rules6; they must outlive the store. Every set found is in use.
  static absl::StatusOr<std::unique_ptr<RuleStore>> Open(int outer4, int outer6);

  absl::Status Stage(uint32_t id, std::span<const guard::SourceRule> rules);
  absl::StatusOr<guard::Digest> ReadDigest(uint32_t id);
  // What the kernel's trie says. NotFound: no such set.
  absl::StatusOr<bool> Denies(uint32_t id, const model::IpAddress& source) const;
  absl::Status Drop(std::span<const uint32_t> ids);
  std::vector<uint32_t> List() const;
  // Those that must not be dropped.
  void SetActive(std::set<uint32_t> ids);

 private:
  RuleStore(InnerMaps rules4, InnerMaps rules6)
      : rules4_(std::move(rules4)), rules6_(std::move(rules6)) {}

  absl::Status Check(uint32_t id) const;

  mutable std::mutex mu_;  // guards all below
  InnerMaps rules4_, rules6_;
  std::set<uint32_t> in_use_, active_;
  std::map<uint32_t, guard::Digest> known_;  // what was read, by id
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_RULE_STORE_H_
