// SPDX-License-Identifier: Apache-2.0
//
// One attempt to publish: everything it puts into the kernel and the ledger it also takes out
// again, unless it is committed.
#ifndef EVENKEEL_CONTROL_PUBLISH_STAGING_H_
#define EVENKEEL_CONTROL_PUBLISH_STAGING_H_

#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "control/dataplane/dataplane.h"
#include "control/guard/guard.h"
#include "control/neighbor/neighbor.h"
#include "control/publish/generation_record.h"
#include "control/publish/ledger.h"
#include "control/publish/staged_rules.h"

namespace evenkeel::publish {

struct Flow;

// Whether `table` has an entry for each backend of `pool` that gets one, by the order of its ids.
// False only says that a closer look is needed.
bool ListsEntriesInOrder(const model::Pool& pool, const TableRecord& table);
// Whether `table` is the pool's: its slots, and an entry for each backend that gets one.
bool SameTable(const TableRecord& table, const guard::BuiltPool& pool);

class Staging {
 public:
  // `active` may be null. `rules` are those of the approved state. All must outlive the object.
  Staging(dataplane::DataPlane* dataplane, const neighbor::Resolver* resolver, Ledger* ledger,
          const StagedRules& rules, const guard::Approval& approval,
          const GenerationRecord* active);
  ~Staging();  // takes out what was put in and not committed
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // Stages a table for each pool that has a VIP and whose slots or backends are not those that
  // `active` has; reads each back and compares it with what was approved.
  absl::Status StageTables();
  // Stages the VIPs as generation `index`, reads them back, compares the whole digest.
  absl::Status StageGeneration(uint32_t index, uint64_t revision);
  // Runs synthetic packets through the program against the staged generation.
  absl::Status Probe(const std::array<uint64_t, 2>& key);
  // From here on the staged objects are the caller's, but for the rules.
  GenerationRecord Commit();
  // Takes everything out. What could not be taken out is in the status.
  absl::Status Undo();

  uint32_t tables_staged() const { return static_cast<uint32_t>(fresh_.size()); }
  uint32_t probes() const { return probes_; }
  // How many slots change hands, of tables staged with such, by id.
  const absl::flat_hash_map<uint32_t, uint32_t>& moving_tables() const { return moving_tables_; }
  // Backends in the staged tables without a next hop.
  const std::vector<model::IpAddress>& unresolved() const { return unresolved_; }

 private:
  struct Pool {
    const guard::BuiltPool* built = nullptr;
    TableRef table;
    TableRef former;  // the one that packets use now; null: none of this size
    bool fresh = false;
    // Kept for the probes: words and next hops as staged, these by pool-local id - 1.
    std::vector<uint32_t> slots;
    std::vector<dataplane::BackendImage> backends;
  };

  absl::Status StageChunk(std::span<Pool*> pools);
  absl::Status VerifyTable(const Pool& pool, const dataplane::TableImage& staged);
  absl::StatusOr<dataplane::TableImage> MakeImage(const Pool& pool) const;
  absl::Status VerifyGeneration();
  absl::Status LoadForProbes(Pool& pool);
  absl::flat_hash_set<uint32_t> TablesWithNewVips() const;
  absl::Status ProbeServerIds(const Pool& pool, const std::array<uint64_t, 2>& key,
                              uint32_t budget);
  absl::Status ProbePool(Pool& pool, const std::array<uint64_t, 2>& key, uint32_t budget);
  absl::Status ProbeSources(const std::array<uint64_t, 2>& key);
  absl::Status ProbeSource(const dataplane::VipImage& vip, const model::IpAddress& source,
                           const std::array<uint64_t, 2>& key);
  std::vector<model::IpAddress> ClientsOf(
      const std::vector<const dataplane::VipImage*>& vips) const;
  bool HasNewRules(const dataplane::VipImage& vip) const;
  absl::Status ProbeOnce(const Pool& pool, const dataplane::VipImage& vip, const Flow& flow,
                         uint64_t hash);
  absl::Status ProbeFor(const Pool& pool, const dataplane::VipImage& vip, const Flow& flow,
                        uint64_t hash, const dataplane::BackendImage* backend);
  uint16_t AnyPort(const dataplane::VipKey& vip) const;

  dataplane::DataPlane* dataplane_;
  const neighbor::Resolver* resolver_;
  Ledger* ledger_;
  const StagedRules& rules_;
  const guard::Approval& approval_;
  const GenerationRecord* active_;

  std::map<std::string, Pool, std::less<>> pools_;  // with a VIP
  std::vector<TableRef> fresh_;                     // in the ledger because of this attempt
  std::vector<uint32_t> in_kernel_;                 // tables put in
  absl::flat_hash_map<uint32_t, uint32_t> moving_tables_;
  std::vector<dataplane::VipKey> vip_references_;
  std::vector<model::IpAddress> unresolved_;
  std::map<dataplane::VipKey, guard::SourceAccess> access_;
  GenerationRecord record_;
  bool generation_staged_ = false;
  bool committed_ = false;
  uint32_t probes_ = 0;
};

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_STAGING_H_
