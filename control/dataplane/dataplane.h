// SPDX-License-Identifier: Apache-2.0
//
// The kernel side as plain values. DataPlane is what the publisher drives; KernelDataPlane
// (kernel_dataplane.h) is the real one and the only code that knows libbpf.
//
// Thread-safety: one writer (the publisher) at a time; ReadCounters, SetNextHop and ActiveWord may
// be called from any thread.
#ifndef EVENKEEL_CONTROL_DATAPLANE_DATAPLANE_H_
#define EVENKEEL_CONTROL_DATAPLANE_DATAPLANE_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bpf/abi/maps.h"
#include "bpf/abi/verdict.h"
#include "control/guard/guard.h"
#include "control/maglev/maglev.h"
#include "control/model/ip_address.h"

namespace evenkeel::dataplane {

using MacAddress = std::array<uint8_t, 6>;

// How a backend is reached at this moment.
struct NextHop {
  uint32_t ifindex = 0;
  MacAddress dmac{};
  MacAddress smac{};
  uint16_t mtu = 0;  // bytes of the outer IP packet

  friend bool operator==(const NextHop&, const NextHop&) = default;
};

struct VipKey {
  model::IpAddress address;
  uint16_t port = 0;        // host byte order
  uint8_t ip_protocol = 0;  // IPPROTO_*; 0 only in address markers

  friend bool operator==(const VipKey&, const VipKey&) = default;
  friend std::strong_ordering operator<=>(const VipKey&, const VipKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const VipKey& key) {
    return H::combine(std::move(h), key.address, key.port, key.ip_protocol);
  }
};

struct VipImage {
  VipKey key;
  uint32_t table = 0;  // table id
  uint32_t table_size = 0;
  uint32_t counter = 0;  // VIP counter id
  uint32_t flags = 0;    // EK_VIP_STATELESS and on; EK_VIP_ADDRESS is the data plane's
  // With any of these, EK_VIP_SOURCE_CHECKS is set. Sets of source rules, 0: none.
  uint16_t global_rules = 0;  // the same in every VIP of a generation
  uint16_t rules = 0;
  guard::Limit source_limit{}, new_flow_limit{};

  bool has_source_checks() const {
    return global_rules != 0 || rules != 0 || source_limit != guard::Limit{} ||
           new_flow_limit != guard::Limit{};
  }

  friend bool operator==(const VipImage&, const VipImage&) = default;
};

struct BackendImage {
  model::IpAddress address;
  uint8_t method = EK_METHOD_NONE;  // enum ek_method; NONE: the id is unused
  uint32_t counter = 0;             // backend counter id
  std::optional<NextHop> next_hop;  // empty: unresolved

  friend bool operator==(const BackendImage&, const BackendImage&) = default;
};

// QUIC connection ids that name a server.
struct ServerIds {
  struct Entry {
    uint64_t id = 0;
    uint16_t backend = 0;  // pool-local id

    friend bool operator==(const Entry&, const Entry&) = default;
  };
  uint8_t config_id = 0;
  uint8_t length = 0;          // bytes of a server id; 0: connection ids name none
  std::vector<Entry> entries;  // by id

  friend bool operator==(const ServerIds&, const ServerIds&) = default;
};

struct TableImage {
  std::vector<uint32_t> slots;         // EK_SLOT words with pool-local ids
  std::vector<BackendImage> backends;  // element i has pool-local id i + 1
  ServerIds server_ids{};

  friend bool operator==(const TableImage&, const TableImage&) = default;
};

struct StagedTable {
  uint32_t id = 0;
  TableImage image;
};

struct GenerationImage {
  std::vector<VipImage> vips;  // services only; address markers are derived from them
  // Staging fills in abi_version and active_word.
  ek_gen_info info{};
};

// What the kernel holds and forwards with.
struct Snapshot {
  uint32_t active_word = EK_ACTIVE_NONE;
  bool published = false;  // false: nothing active
  uint32_t generation = 0;
  GenerationImage image;
};

// One packet run through the program against the staged generation. Counts nothing.
struct ProbeResult {
  uint32_t verdict = 0;         // enum xdp_action
  std::vector<uint8_t> packet;  // as it would leave
};

struct Counter {
  uint64_t packets = 0;
  uint64_t bytes = 0;
  uint64_t new_flows = 0;
  uint64_t drops = 0;
};

struct Counters {  // summed over CPUs; index = counter id, verdict by enum ek_verdict
  std::vector<Counter> vips;
  std::vector<Counter> backends;
  std::array<uint64_t, EK_VERDICT_COUNT> verdicts{};
};

struct Limits {
  uint32_t max_tables = EK_DEFAULT_MAX_TABLES;
  uint32_t max_vips = EK_DEFAULT_MAX_VIPS;          // VIP counter ids
  uint32_t max_backends = EK_DEFAULT_MAX_BACKENDS;  // backend counter ids
  uint32_t max_pins = EK_DEFAULT_MAX_PINS;          // flows pinned while slots move
};

// Where the outer headers' source addresses come from: the flow's hash fills the host bits, so that
// backends spread the packets over their receive queues.
struct Encapsulation {
  model::IpAddress source4 = model::IpAddress::FromIpv4({172, 16, 0, 0});
  uint8_t source4_prefix = 16;                                    // 8..32
  model::IpAddress source6 = model::IpAddress::FromIpv6({0x01});  // 100::/64 (RFC 6666)
  uint16_t gue_port = EK_DEFAULT_GUE_PORT;  // UDP destination port of GUE, host byte order
};

struct PreviousOwner {
  uint32_t slot = 0;
  uint16_t previous = 0;  // 0: the slot becomes steady
};

struct Pin {
  uint64_t flow = 0;     // hash; its low half leads to the slot
  uint32_t counter = 0;  // of the backend
  uint32_t seen = 0;     // last packet, EK_SEEN_SHIFT units of CLOCK_MONOTONIC_COARSE
  uint16_t backend = 0;  // pool-local id
  bool closing = false;
  bool opening = false;  // only its first packet was seen
  bool met = false;      // not as the first of the flow

  friend bool operator==(const Pin&, const Pin&) = default;
};

class Lookups;  // lookups.h

class DataPlane {
 public:
  virtual ~DataPlane() = default;

  virtual const Limits& limits() const = 0;
  virtual const Encapsulation& encapsulation() const = 0;

  // What is active now, read from the kernel.
  virtual absl::StatusOr<Snapshot> ReadActive() = 0;

  // Tables. All of `tables` are staged or none. FailedPrecondition: an id that holds a table.
  // Images are checked: slots name backends that are there.
  virtual absl::Status StageTables(std::span<const StagedTable> tables) = 0;
  // Backends with method NONE at the end are left out. NotFound: no such table.
  virtual absl::StatusOr<TableImage> ReadTable(uint32_t id, uint32_t table_size) = 0;
  // The tables are zeroed and their ids free; memory may be kept for the next table of that id.
  // FailedPrecondition: the active generation uses one of them. Ids without a table are ignored.
  virtual absl::Status DropTables(std::span<const uint32_t> ids) = 0;
  virtual absl::StatusOr<std::vector<uint32_t>> ListTables() = 0;  // ids in use, ascending

  // Sets of source rules, ids 1..EK_MAX_RULE_SETS-1, immutable once staged. These four may be
  // called beside the writer. FailedPrecondition: an id that holds a set.
  virtual absl::Status StageRules(uint32_t id, std::span<const guard::SourceRule> rules) = 0;
  // guard::ComputeRulesDigest of what the kernel holds. NotFound: no such set.
  virtual absl::StatusOr<guard::Digest> RulesDigest(uint32_t id) = 0;
  // FailedPrecondition: the active generation uses one of them. Ids without a set are ignored.
  virtual absl::Status DropRules(std::span<const uint32_t> ids) = 0;
  virtual absl::StatusOr<std::vector<uint32_t>> ListRules() = 0;  // ids in use, ascending

  // Slots of a table in use. TakeSlots takes EK_SLOT_USED off, as it returns it: the slots that
  // sent to their previous owner since the last call. SetPrevious changes previous owners while
  // packets pass; owners only change with a generation.
  virtual absl::StatusOr<std::vector<uint32_t>> TakeSlots(uint32_t id, uint32_t table_size) = 0;
  virtual absl::Status SetPrevious(uint32_t id, uint32_t table_size,
                                   std::span<const PreviousOwner> changes) = 0;

  // Flows that are pinned. May be called beside the writer, and is not a snapshot: what comes or
  // goes meanwhile may be missing or be there. DropPins leaves alone what is no longer as it was
  // read: a packet renewed it, or opened the flow anew.
  virtual absl::StatusOr<std::vector<Pin>> ReadPins() = 0;
  virtual absl::Status DropPins(std::span<const Pin> pins) = 0;
  // The clock of Pin::seen.
  virtual uint32_t Now() = 0;

  // Generations, 0..EK_MAX_GENERATIONS-1. Staging the active one, or one that holds something, is
  // FailedPrecondition; so is dropping the active one. Generation 0 without a VIP would read as
  // EK_ACTIVE_NONE and is InvalidArgument. Reading an unused one is NotFound.
  virtual absl::Status StageGeneration(uint32_t generation, const GenerationImage& image) = 0;
  virtual absl::StatusOr<GenerationImage> ReadGeneration(uint32_t generation) = 0;  // VIPs by key
  virtual absl::Status DropGeneration(uint32_t generation) = 0;

  // Runs `packet` (Ethernet frame) through the program against `generation`.
  virtual absl::StatusOr<ProbeResult> Probe(uint32_t generation,
                                            std::span<const uint8_t> packet) = 0;

  // The one atomic write. `approval` must be for exactly what `generation` holds: its digest is
  // compared with the digest in the generation's info. No other call changes what packets see.
  virtual absl::Status Activate(uint32_t generation, const guard::Approval& approval) = 0;

  // Returns when no packet can still be using what was active before the last Activate or the
  // former next hop of the last SetNextHop (an RCU grace period).
  virtual absl::Status WaitGracePeriod() = 0;

  // Changes how a published or staged backend of table `table` with slots `table_size` is reached.
  // Atomic per backend for packets.
  virtual absl::Status SetNextHop(uint32_t table, uint32_t table_size, uint16_t backend_id,
                                  const std::optional<NextHop>& next_hop) = 0;

  virtual absl::StatusOr<Counters> ReadCounters() = 0;
  virtual absl::Status ClearVipCounter(uint32_t id) = 0;
  virtual absl::Status ClearBackendCounter(uint32_t id) = 0;

  // Single entries, as a packet finds them.
  virtual Lookups& lookups() = 0;
};

// The word that activates a generation holding these VIPs.
uint32_t MakeActiveWord(uint32_t generation, std::span<const VipImage> vips);

// What every implementation refuses to stage. InvalidArgument names the part.
absl::Status CheckImage(const TableImage& image);

// The fleet's key as the programs and bpf/lib/hash.h take it, the same on hosts of any byte order.
std::array<uint64_t, 2> HashKeyWords(const maglev::HashKey& key);

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_DATAPLANE_H_
