// SPDX-License-Identifier: Apache-2.0
//
// Desired against applied: stage, read back, verify, swap, or leave everything as it was.
// Owns ids: tables, generations, counters and the pool-local backend ids.
#ifndef EVENKEEL_CONTROL_PUBLISH_PUBLISHER_H_
#define EVENKEEL_CONTROL_PUBLISH_PUBLISHER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/dataplane/dataplane.h"
#include "control/guard/guard.h"
#include "control/maglev/maglev.h"
#include "control/neighbor/neighbor.h"
#include "control/publish/explain.h"
#include "control/publish/tracker.h"

namespace evenkeel::publish {

struct PublishResult {
  uint32_t generation = 0;
  uint32_t tables_staged = 0;  // the other pools kept theirs
  uint32_t probes = 0;         // synthetic packets that gave the expected bytes
  std::chrono::microseconds stage{0}, verify{0}, swap{0};
  std::vector<neighbor::Resolution> unreachable;  // backends published without a next hop
};

// What the kernel had when the daemon started.
struct AdoptReport {
  enum class State { kEmpty, kMatches, kDiffers } state = State::kEmpty;
  uint64_t revision = 0;                       // as noted in the kernel
  std::optional<guard::Digest> kernel_digest;  // of the tables as read back
  std::string message;                         // one sentence for the log and for status
};

struct KernelState {
  guard::Digest digest;   // of the tables as read back
  uint64_t revision = 0;  // as noted in the kernel
};

struct BackendCounters {
  std::string pool, backend;
  model::IpAddress address;
  dataplane::Counter counter;
};
struct VipCounters {
  std::string vip;
  dataplane::Counter counter;
};
struct CounterReport {
  std::vector<VipCounters> vips;
  std::vector<BackendCounters> backends;
  std::vector<std::pair<std::string, uint64_t>> verdicts;  // by name of bpf/abi/verdict.h, all
  uint32_t generation = 0;                                 // that packets see; 0: none
};

// What the ids stand for that the data plane notes of a packet (counters and generations): of all
// that stands in the kernel, with the names that are in force.
struct CounterNames {
  struct Vip {
    std::string name, pool;
  };
  struct Backend {
    std::string pool, name;
    model::IpAddress address;
  };
  std::map<uint32_t, Vip> vips{};
  std::map<uint32_t, Backend> backends{};
  std::map<uint32_t, uint64_t> revisions{};  // by generation
};

// The table of one pool, as it stands in the kernel.
struct PoolReadback {
  guard::Digest approved, found;
  uint32_t table_size = 0;
  std::vector<std::pair<model::IpAddress, uint32_t>> slots;  // by owner, ascending by address
};

// Slots that change hands, and the flows that stay where they are meanwhile.
struct TrackingReport {
  struct Pool {
    std::string pool;
    uint32_t moving = 0;          // slots with a previous owner
    std::chrono::seconds age{0};  // since the first was found to move, as of the last sweep
  };
  std::vector<Pool> pools;  // those with moving slots, by name
  uint64_t pinned = 0;      // flows
};

// What still leads to a server, in one pool of what packets see.
struct ServerUse {
  std::string pool;
  bool entry = false;  // without one no packet goes there: disabled, out, a pool without a VIP
  bool known = true;   // false: no sweep has looked since the table was published
  uint32_t slots = 0;  // that it owns
  // As of the last sweep, of slots that it does not own any more.
  uint32_t held_slots = 0;  // flows that were there before go on to it
  uint32_t used_slots = 0;  // of these, through which it got packets since they changed hands
  uint64_t pinned = 0;      // live flows that are pinned to it
  bool tracked = true;      // false: every VIP of the pool sends all packets to the slot's owner
  bool by_id = false;       // QUIC connection ids name it, whatever the slots say
};

// Thread-safe.
class Publisher {
 public:
  // `dataplane` and `resolver` must outlive the publisher. `flow_key` is the data plane's hash key,
  // which predicts the slot of each synthetic packet. `sweeping`: how often the slots that move are
  // looked at.
  Publisher(dataplane::DataPlane* dataplane, neighbor::Resolver* resolver,
            const maglev::HashKey& flow_key, const FlowTimeouts& timeouts = {},
            std::chrono::milliseconds sweeping = std::chrono::seconds(1));
  ~Publisher();

  // Reads the kernel and compares it with `intent` (may be null: nothing was ever applied). Takes
  // over the ids that are in use, drops what no generation refers to. Call once, first.
  absl::StatusOr<AdoptReport> Adopt(std::shared_ptr<const guard::BuiltFleet> intent);

  // Makes the approved state the active one. On an error before the swap the kernel's bytes are as
  // they were. Aborted: approval.base() is not what runs.
  absl::StatusOr<PublishResult> Publish(const guard::Approval& approval, uint64_t revision);

  // At start, when the kernel is empty or differs from the persisted state: like Publish, but the
  // base is not compared.
  absl::StatusOr<PublishResult> Restore(const guard::Approval& approval, uint64_t revision);

  // A changed next hop, from the resolver's listener.
  absl::Status UpdateNextHop(const neighbor::Resolution& resolution);

  // These addresses are followed whether they are in a table or not, in place of those of the last
  // call: servers that health has taken out come back with a next hop that is known.
  absl::Status KeepFollowing(const std::vector<model::IpAddress>& addresses);

  // What the kernel forwards with at this moment, read back in full. NotFound: nothing is
  // published. May be called before Adopt: the daemon settles a revision left pending by it.
  absl::StatusOr<KernelState> ReadKernelState();

  // The same of one pool, which holds up nobody for longer than its table takes to be copied.
  // NotFound: no packet gets to it. DataLoss: its bytes are no table.
  absl::StatusOr<PoolReadback> ReadPool(const std::string& pool);

  std::shared_ptr<const guard::BuiltFleet> applied() const;  // null: nothing published or adopted
  absl::StatusOr<CounterReport> ReadCounters();
  CounterNames Names() const;

  // What becomes of packets of these flows, at most kMaxExplained, all of one generation: each is
  // run through the program. Changes nothing.
  absl::StatusOr<ExplainResult> Explain(const std::vector<Flow>& flows);

  // Former generations are released in the background, after a grace period. Returns when all but
  // the one before the active (kept for a quick undo) are.
  void Settle();

  // From now on flows that are held away from the owners of their slots are let go, a twentieth of
  // the slots that move with every sweep, until none of these pools' slots moves or another state
  // is published.
  void LetGo(const std::vector<std::string>& pools);

  // As of the last sweep.
  TrackingReport Tracking() const;
  // In every pool that has a backend at this address.
  std::vector<ServerUse> UsesOf(const model::IpAddress& server) const;
  std::chrono::seconds flow_idle_timeout() const;  // without packets for it, a flow is no more
  // One sweep, now.
  absl::Status SweepOnce();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_PUBLISHER_H_
