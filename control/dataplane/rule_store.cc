// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/rule_store.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "bpf/abi/maps.h"
#include "control/dataplane/errors.h"
#include "control/dataplane/image_codec.h"

namespace evenkeel::dataplane {
namespace {

constexpr size_t kBatch = 65536;

std::string Name(uint32_t id) { return absl::StrCat("source rules ", id); }

model::Family FamilyOf(const ek_prefix4&) { return model::Family::kIpv4; }
model::Family FamilyOf(const ek_prefix6&) { return model::Family::kIpv6; }
void Encode(const model::Prefix& prefix, ek_prefix4& key) { key = EncodePrefix4(prefix); }
void Encode(const model::Prefix& prefix, ek_prefix6& key) { key = EncodePrefix6(prefix); }

template <typename Key>
struct Entries {
  std::vector<Key> keys;
  std::vector<uint32_t> actions;
};

template <typename Key>
absl::Status Put(int fd, const Entries<Key>& entries, uint32_t id) {
  LIBBPF_OPTS(bpf_map_batch_opts, options);
  uint32_t count = static_cast<uint32_t>(entries.keys.size());
  const int err =
      bpf_map_update_batch(fd, entries.keys.data(), entries.actions.data(), &count, &options);
  return err == 0 ? absl::OkStatus() : KernelError(err, absl::StrCat("cannot fill ", Name(id)));
}

// A filled and frozen trie that is not put in yet.
template <typename Key>
absl::StatusOr<UniqueFd> MakeTrie(uint32_t id, std::span<const guard::SourceRule> rules) {
  const auto is_mine = [](const guard::SourceRule& rule) {
    return rule.prefix.address.family() == FamilyOf(Key{});
  };
  const auto count =
      std::max<size_t>(static_cast<size_t>(std::count_if(rules.begin(), rules.end(), is_mine)), 1);
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
  UniqueFd fd(bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "ek_rules", sizeof(Key), sizeof(uint32_t),
                             static_cast<uint32_t>(count), &options));
  if (!fd.valid()) return KernelError(fd.get(), absl::StrCat("cannot create ", Name(id)));
  Entries<Key> entries;
  for (size_t i = 0; i < rules.size(); ++i) {
    if (is_mine(rules[i])) {
      Encode(rules[i].prefix, entries.keys.emplace_back());
      entries.actions.push_back(rules[i].deny ? EK_SOURCE_DENY : EK_SOURCE_ALLOW);
    }
    const bool last = i + 1 == rules.size();
    if (entries.keys.empty() || (!last && entries.keys.size() < kBatch)) continue;
    if (auto status = Put(fd.get(), entries, id); !status.ok()) return status;
    entries = {};
  }
  if (const int err = bpf_map_freeze(fd.get()); err != 0) {
    return KernelError(err, absl::StrCat("cannot freeze ", Name(id)));
  }
  return fd;
}

template <typename Key>
absl::Status Append(const Entries<Key>& entries, uint32_t count, uint32_t id,
                    guard::SourceRuleList& rules) {
  for (uint32_t i = 0; i < count; ++i) {
    if (entries.actions[i] > EK_SOURCE_DENY) {
      return absl::DataLossError(absl::StrCat(Name(id), " has the action ", entries.actions[i]));
    }
    rules.push_back({DecodePrefix(entries.keys[i]), entries.actions[i] == EK_SOURCE_DENY});
  }
  return absl::OkStatus();
}

template <typename Key>
absl::Status ReadTrie(int fd, uint32_t id, guard::SourceRuleList& rules) {
  // Nothing may change between this reading and whatever is concluded from it. EPERM, EBUSY: it is
  // frozen, to a daemon that may write to maps.
  if (const int err = bpf_map_freeze(fd); err != 0 && err != -EPERM && err != -EBUSY) {
    return KernelError(err, absl::StrCat("cannot freeze ", Name(id)));
  }
  Entries<Key> entries;
  entries.keys.resize(kBatch);
  entries.actions.resize(kBatch);
  Key position{};
  for (bool first = true;; first = false) {
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    uint32_t count = kBatch;
    const int err =
        bpf_map_lookup_batch(fd, first ? nullptr : &position, &position, entries.keys.data(),
                             entries.actions.data(), &count, &options);
    if (err != 0 && err != -ENOENT) {
      return KernelError(err, absl::StrCat("cannot read ", Name(id)));
    }
    if (auto status = Append(entries, count, id, rules); !status.ok()) return status;
    if (err == -ENOENT) return absl::OkStatus();  // that was the last one
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<RuleStore>> RuleStore::Open(int outer4, int outer6) {
  auto rules4 = InnerMaps::Open(outer4, EK_MAX_RULE_SETS, "ek_rules4");
  if (!rules4.ok()) return rules4.status();
  auto rules6 = InnerMaps::Open(outer6, EK_MAX_RULE_SETS, "ek_rules6");
  if (!rules6.ok()) return rules6.status();
  std::unique_ptr<RuleStore> store(new RuleStore(*std::move(rules4), *std::move(rules6)));
  for (uint32_t id = 0; id < EK_MAX_RULE_SETS; ++id) {
    if (store->rules4_.Has(id) || store->rules6_.Has(id)) store->in_use_.insert(id);
  }
  return store;
}

absl::Status RuleStore::Check(uint32_t id) const {
  if (id == 0 || id >= EK_MAX_RULE_SETS) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no ", Name(id), ": ids are 1 to ", EK_MAX_RULE_SETS - 1));
  }
  std::lock_guard lock(mu_);
  if (!in_use_.contains(id)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(Name(id), " are in use"));
}

absl::Status RuleStore::Stage(uint32_t id, std::span<const guard::SourceRule> rules) {
  if (auto status = Check(id); !status.ok()) return status;
  auto trie4 = MakeTrie<ek_prefix4>(id, rules);
  if (!trie4.ok()) return trie4.status();
  auto trie6 = MakeTrie<ek_prefix6>(id, rules);
  if (!trie6.ok()) return trie6.status();
  std::lock_guard lock(mu_);
  const int fd4 = trie4->get(), fd6 = trie6->get();
  if (auto status = rules4_.Insert({&id, 1}, {&fd4, 1}); !status.ok()) return status;
  if (auto status = rules6_.Insert({&id, 1}, {&fd6, 1}); !status.ok()) {
    if (auto undone = rules4_.Delete(id); !undone.ok()) return undone;
    return status;
  }
  in_use_.insert(id);
  return absl::OkStatus();
}

absl::StatusOr<guard::Digest> RuleStore::ReadDigest(uint32_t id) {
  std::unique_lock lock(mu_);
  for (const InnerMaps* maps : {&rules4_, &rules6_}) {
    if (auto status = maps->Confirm(id); !status.ok()) return status;
  }
  if (const auto it = known_.find(id); it != known_.end()) return it->second;
  auto trie4 = rules4_.Get(id);
  if (!trie4.ok()) return trie4.status();
  auto trie6 = rules6_.Get(id);
  if (!trie6.ok()) return trie6.status();
  lock.unlock();
  guard::SourceRuleList rules;
  if (auto status = ReadTrie<ek_prefix4>(trie4->get(), id, rules); !status.ok()) return status;
  if (auto status = ReadTrie<ek_prefix6>(trie6->get(), id, rules); !status.ok()) return status;
  std::sort(rules.begin(), rules.end(),
            [](const auto& a, const auto& b) { return a.prefix < b.prefix; });
  const guard::Digest digest = guard::ComputeRulesDigest(rules);
  lock.lock();
  if (in_use_.contains(id)) known_[id] = digest;
  return digest;
}

absl::StatusOr<bool> RuleStore::Denies(uint32_t id, const model::IpAddress& source) const {
  const bool ipv4 = source.is_ipv4();
  std::unique_lock lock(mu_);
  auto trie = ipv4 ? rules4_.Get(id) : rules6_.Get(id);
  if (!trie.ok()) return trie.status();
  lock.unlock();
  const model::Prefix whole = model::Prefix::Of(source, ipv4 ? 32 : 128);
  const ek_prefix4 key4 = ipv4 ? EncodePrefix4(whole) : ek_prefix4{};
  const ek_prefix6 key6 = ipv4 ? ek_prefix6{} : EncodePrefix6(whole);
  uint32_t action = EK_SOURCE_DENY;
  const int err = bpf_map_lookup_elem(
      trie->get(), ipv4 ? static_cast<const void*>(&key4) : static_cast<const void*>(&key6),
      &action);
  if (err != 0) return KernelError(err, absl::StrCat("cannot read ", Name(id)));
  return action != EK_SOURCE_ALLOW;
}

absl::Status RuleStore::Drop(std::span<const uint32_t> ids) {
  std::lock_guard lock(mu_);
  for (const uint32_t id : ids) {
    if (!active_.contains(id) || id == 0) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(Name(id), " are used by the active generation"));
  }
  for (const uint32_t id : ids) {
    if (!in_use_.contains(id)) continue;
    known_.erase(id);
    if (auto status = rules4_.Delete(id); !status.ok()) return status;
    if (auto status = rules6_.Delete(id); !status.ok()) return status;
    in_use_.erase(id);
  }
  return absl::OkStatus();
}

std::vector<uint32_t> RuleStore::List() const {
  std::lock_guard lock(mu_);
  return {in_use_.begin(), in_use_.end()};
}

void RuleStore::SetActive(std::set<uint32_t> ids) {
  std::lock_guard lock(mu_);
  active_ = std::move(ids);
}

}  // namespace evenkeel::dataplane
