// SPDX-License-Identifier: Apache-2.0
//
// Which ids stand for what: tables, pool-local backend ids, counters. No I/O; see docs/adr/0021.
#ifndef EVENKEEL_CONTROL_PUBLISH_LEDGER_H_
#define EVENKEEL_CONTROL_PUBLISH_LEDGER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "control/dataplane/dataplane.h"
#include "control/guard/fleet.h"
#include "control/publish/shared_ids.h"

namespace evenkeel::publish {

// One entry of a table, by pool-local id.
struct BackendSlot {
  model::IpAddress address;
  uint8_t method = EK_METHOD_NONE;  // NONE: the id is unused in this table
  uint32_t counter = 0;

  friend bool operator==(const BackendSlot&, const BackendSlot&) = default;
};

// A table in the kernel.
struct TableRecord {
  uint32_t id = 0;
  uint32_t size = 0;
  std::string pool;
  guard::Digest digest;  // verified on the bytes read back
  model::Forwarding forwarding = model::Forwarding::kIpip;
  std::vector<BackendSlot> backends;  // element i has pool-local id i + 1
};
using TableRef = std::shared_ptr<const TableRecord>;

// Where an address stands in the kernel.
struct Place {
  uint32_t table = 0;
  uint32_t table_size = 0;
  uint16_t backend_id = 0;
  uint8_t method = EK_METHOD_NONE;
};

uint8_t MethodOf(model::Forwarding forwarding, const model::IpAddress& backend);
size_t OuterLength(uint8_t method);  // bytes that it puts before a packet, behind the link header

class Ledger {
 public:
  explicit Ledger(const dataplane::Limits& limits)
      : tables_(limits.max_tables),
        vip_counters_(limits.max_vips),
        backend_counters_(limits.max_backends),
        rules_(EK_MAX_RULE_SETS) {
    (void)rules_.Adopt(guard::Digest{}, 0);  // 0 is "none": nothing else has it
  }

  // Ids for a new table of `pool` with these backends. A backend keeps the local id that it has in
  // any standing table of the pool; no id of a standing table goes to another backend.
  // ResourceExhausted: no table id, local id or counter id is free.
  absl::StatusOr<TableRef> AddTable(const std::string& pool, uint32_t size,
                                    const guard::Digest& digest, model::Forwarding forwarding,
                                    const std::vector<model::IpAddress>& backends);
  // As found in the kernel. FailedPrecondition: an id is taken by something else.
  absl::StatusOr<TableRef> AdoptTable(TableRecord record);
  // Returns the backend counters that nobody uses any more; they are handed out again after
  // FreeBackendCounters. The table id is free at once.
  std::vector<uint32_t> RemoveTable(const TableRef& table);
  void FreeBackendCounters(const std::vector<uint32_t>& ids);

  // References by generation.
  absl::StatusOr<uint32_t> AcquireVip(const dataplane::VipKey& key);
  absl::Status AdoptVip(const dataplane::VipKey& key, uint32_t counter);
  std::optional<uint32_t> DropVip(const dataplane::VipKey& key);
  void FreeVipCounter(uint32_t id) { vip_counters_.Free(id); }

  // Sets of source rules by digest, references by generation. Released ones are handed out again
  // after FreeRules.
  absl::StatusOr<uint32_t> AcquireRules(const guard::Digest& digest);
  absl::Status AdoptRules(const guard::Digest& digest, uint32_t id);
  std::optional<uint32_t> ReleaseRules(const guard::Digest& digest) { return rules_.Drop(digest); }
  void FreeRules(uint32_t id) { rules_.Free(id); }
  std::optional<uint32_t> RulesId(const guard::Digest& digest) const { return rules_.Find(digest); }
  uint32_t RulesReferences(const guard::Digest& digest) const { return rules_.References(digest); }
  bool RulesUsed(uint32_t id) const { return rules_.used(id); }

  // Standing tables of `pool`, oldest first.
  std::vector<TableRef> TablesOf(const std::string& pool) const;
  const std::vector<Place>& PlacesOf(const model::IpAddress& address) const;
  std::vector<model::IpAddress> Addresses() const;  // with a place
  std::optional<uint32_t> BackendCounter(const std::string& pool,
                                         const model::IpAddress& address) const;
  std::optional<uint32_t> VipCounter(const dataplane::VipKey& key) const;
  bool VipCounterUsed(uint32_t id) const { return vip_counters_.used(id); }
  bool BackendCounterUsed(uint32_t id) const { return backend_counters_.used(id); }
  bool TableUsed(uint32_t id) const { return tables_.used(id); }

 private:
  using PoolBackend = std::pair<std::string, model::IpAddress>;

  absl::StatusOr<std::vector<BackendSlot>> AssignLocalIds(
      const std::string& pool, model::Forwarding forwarding,
      const std::vector<model::IpAddress>& backends) const;
  absl::Status AcquireCounters(TableRecord& record);
  TableRef Enter(TableRecord record);

  IdPool tables_;
  SharedIds<dataplane::VipKey> vip_counters_;
  SharedIds<PoolBackend> backend_counters_;
  SharedIds<guard::Digest> rules_;
  absl::flat_hash_map<std::string, std::vector<TableRef>> by_pool_;
  absl::flat_hash_map<model::IpAddress, std::vector<Place>> places_;
};

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_LEDGER_H_
