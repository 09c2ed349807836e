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
#include "control/publish/staged_rules.h"
#include "control/publish/staging.h"
#include "control/publish/tracker.h"

namespace evenkeel::publish {

// Two locks, taken in this order. `publish_mu` makes updates serial and is held while waiting for
// the network; `mu` guards the state and is held for milliseconds, so that the resolver's thread
// can report what such a wait is for.
struct Publisher::Impl {
  Impl(dataplane::DataPlane* dataplane_in, neighbor::Resolver* resolver_in,
       const maglev::HashKey& flow_key, const FlowTimeouts& timeouts_in,
       std::chrono::milliseconds sweeping_in);
  ~Impl();

  absl::StatusOr<PublishResult> Publish(const guard::Approval& approval, uint64_t revision,
                                        bool compare_base);
  absl::StatusOr<AdoptReport> Adopt(const std::shared_ptr<const guard::BuiltFleet>& intent);
  absl::Status KeepFollowing(const std::vector<model::IpAddress>& addresses);
  absl::Status UpdateNextHop(const neighbor::Resolution& resolution);
  absl::StatusOr<CounterReport> ReadCounters();
  CounterNames Names() const;
  void Settle();

  // No lock held (explain.cc).
  absl::StatusOr<ExplainResult> Explain(const std::vector<Flow>& flows);
  absl::StatusOr<ExplainResult> ExplainOnce(const std::vector<Flow>& flows);

  // With publish_mu held.
  absl::Status FollowNew(const guard::BuiltFleet& fleet);

  // With mu held.
  absl::StatusOr<PublishResult> Attempt(const guard::Approval& approval, uint64_t revision,
                                        StagedRules& rules, std::unique_lock<std::mutex>& lock);
  absl::Status CheckBase(const guard::Approval& approval) const;
  absl::StatusOr<uint32_t> NextIndex(std::unique_lock<std::mutex>& lock, bool has_vips);
  void Swap(GenerationRecord next);
  std::vector<neighbor::Resolution> Unreachable() const;
  absl::Status ApplyNextHop(const neighbor::Resolution& resolution);
  absl::Status AdoptRules(GenerationRecord& record,
                          absl::flat_hash_map<uint32_t, guard::Digest>& digests);
  absl::StatusOr<AdoptReport> AdoptActive(const dataplane::Snapshot& snapshot,
                                          const std::shared_ptr<const guard::BuiltFleet>& intent);
  absl::Status DropOrphans();
  absl::StatusOr<bool> CollectSome(GenerationRecord& record);
  void DropVips(GenerationRecord& record);
  absl::Status DropRules(GenerationRecord& record);
  absl::Status DropTable(const TableRef& table);

  // The sweeper's (sweeper.cc). With sweep_mu held, and no other lock.
  absl::Status Sweep();
  // With mu held.
  TrackingReport Tracking() const;
  // Of Sweep, with mu held.
  std::vector<dataplane::Pin> FindGone(const std::vector<dataplane::Pin>& pins, uint32_t now) const;
  std::vector<std::string> MovingPools() const;
  // Closes some of the table's moving slots, whatever still uses them.
  static void LetSomeGo(const std::vector<uint32_t>& words, size_t most, Tracker::Sweep& sweep);
  absl::Status SweepPool(const std::string& pool, const std::vector<dataplane::Pin>& pins,
                         uint32_t read, TrackingReport& report);
  absl::Status SweepTable(const TableRef& table, const std::vector<dataplane::Pin>& pins,
                          uint32_t read, TrackingReport& report);
  void FreeLeft(const std::vector<uint32_t>& counters);
  // Of SweepTable: what it found, for UsesOf.
  void NoteUses(const TableRef& table, const std::vector<uint32_t>& words,
                const std::vector<dataplane::Pin>& pins, uint32_t read, const Tracker& tracker);
  std::vector<ServerUse> UsesOf(const model::IpAddress& server) const;
  ServerUse UseOf(const guard::BuiltPool& pool, const model::IpAddress& server) const;
  // Of a table that packets have left: what they used of it.
  absl::Status NoteUsed(const TableRef& table);
  // When `next` takes the place of the active generation: of the tables that it replaces.
  void NoteReplaced(const GenerationRecord& next);
  // The tracker of a table with moving slots, null: there is none yet.
  Tracker* TrackerOf(const TableRef& table);

  void SweepNowAndThen();  // the sweeper's thread
  void Collect();          // the collector's thread
  void Unfollow();         // no lock held

  dataplane::DataPlane* const dataplane;
  neighbor::Resolver* const resolver;
  const std::array<uint64_t, 2> key;
  const FlowTimeouts timeouts;
  const std::chrono::milliseconds sweeping;

  std::mutex publish_mu;
  absl::flat_hash_set<model::IpAddress> followed;  // publish_mu
  absl::flat_hash_set<model::IpAddress> kept;      // of these, at all events; publish_mu

  std::mutex sweep_mu;  // taken before mu: one sweep at a time

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
  // How many slots move, by the table's id; of former generations as they were last seen.
  absl::flat_hash_map<uint32_t, uint32_t> moving_tables;
  absl::flat_hash_map<std::string, Tracker> trackers;  // by pool, of moving_tables
  TrackingReport swept;                                // by the last sweep
  // What the last sweep found in a table with moving slots, for servers that leave (uses.cc).
  struct TableUse {
    std::vector<Tracker::Held> held;                 // by pool-local id
    absl::flat_hash_map<uint32_t, uint64_t> pinned;  // live flows by the backend's counter
    // The table was active before the pins were read, so that none is missing.
    bool complete = false;
  };
  absl::flat_hash_map<uint32_t, TableUse> uses;    // by the table's id
  absl::flat_hash_set<TableRef> sweep_began_with;  // that were active then; ids are used again
  // Pools whose held flows are let go, and how many slots of each with every sweep; 0: not known
  // yet.
  absl::flat_hash_map<std::string, size_t> letting_go;
  std::vector<dataplane::Pin> stale;  // of slots that were; to be dropped
  // Counters that no table has any more; pins may name them until they are swept.
  std::vector<uint32_t> left_counters;
  bool stale_addresses = false;  // some followed address has no place any more
  bool adopted = false;
  bool stopping = false;
  std::thread collector, sweeper;  // last: use all of the above
};

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_PUBLISHER_IMPL_H_
