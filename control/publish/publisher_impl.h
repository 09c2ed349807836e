// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_PUBLISH_PUBLISHER_IMPL_H_
#define EVENKEEL_CONTROL_PUBLISH_PUBLISHER_IMPL_H_

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "control/publish/generation_record.h"
#include "control/publish/publisher.h"
#include "control/publish/staging.h"

namespace evenkeel::publish {

// Two locks, taken in this order. `publish_mu` makes updates serial and is held while waiting for
// the network; `mu` guards the state and is held for milliseconds, so that the resolver's thread
// can report what such a wait is for.
struct Publisher::Impl {
  Impl(dataplane::DataPlane* dataplane_in, neighbor::Resolver* resolver_in,
       const maglev::HashKey& flow_key);
  ~Impl();

  absl::StatusOr<PublishResult> Publish(const guard::Approval& approval, uint64_t revision,
                                        bool compare_base);
  absl::StatusOr<AdoptReport> Adopt(const std::shared_ptr<const guard::BuiltFleet>& intent);
  absl::Status UpdateNextHop(const neighbor::Resolution& resolution);
  absl::StatusOr<CounterReport> ReadCounters();
  void Settle();

  // With publish_mu held.
  absl::Status FollowNew(const guard::BuiltFleet& fleet);

  // With mu held.
  absl::StatusOr<PublishResult> Attempt(const guard::Approval& approval, uint64_t revision,
                                        std::unique_lock<std::mutex>& lock);
  absl::Status CheckBase(const guard::Approval& approval) const;
  absl::StatusOr<uint32_t> NextIndex(std::unique_lock<std::mutex>& lock, bool has_vips);
  void Swap(GenerationRecord next);
  std::vector<neighbor::Resolution> Unreachable() const;
  absl::Status ApplyNextHop(const neighbor::Resolution& resolution);
  absl::StatusOr<AdoptReport> AdoptActive(const dataplane::Snapshot& snapshot,
                                          const std::shared_ptr<const guard::BuiltFleet>& intent);
  absl::Status DropOrphans();
  absl::StatusOr<bool> CollectSome(GenerationRecord& record);
  void DropVips(GenerationRecord& record);
  absl::Status DropTable(const TableRef& table);

  void Collect();   // the collector's thread
  void Unfollow();  // no lock held

  dataplane::DataPlane* const dataplane;
  neighbor::Resolver* const resolver;
  const std::array<uint64_t, 2> key;

  std::mutex publish_mu;
  absl::flat_hash_set<model::IpAddress> followed;  // publish_mu

  mutable std::mutex mu;
  std::condition_variable changed;
  Ledger ledger;
  std::optional<GenerationRecord> active;
  std::optional<GenerationRecord> previous;  // kept for a quick undo
  std::deque<GenerationRecord> retired;      // wait for a grace period; the first is being released
  absl::flat_hash_set<model::IpAddress> unresolved;     // with a place, without a next hop
  absl::flat_hash_map<uint32_t, uint32_t> table_users;  // generations by table id
  std::array<bool, EK_MAX_GENERATIONS> index_used{};
  uint32_t last_index = 0;
  bool stale_addresses = false;  // some followed address has no place any more
  bool adopted = false;
  bool stopping = false;
  std::thread collector;  // last: uses all of the above
};

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_PUBLISHER_IMPL_H_
