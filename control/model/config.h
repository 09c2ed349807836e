// SPDX-License-Identifier: Apache-2.0
//
// The desired state: what an operator writes, as plain values. Names, defaults and units are those
// of docs/configuration.md; the schema is `evenkeel.v1.Config`.
#ifndef EVENKEEL_CONTROL_MODEL_CONFIG_H_
#define EVENKEEL_CONTROL_MODEL_CONFIG_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/model/ip_address.h"
#include "control/model/prefix.h"

namespace evenkeel::model {

// QUIC is UDP on the wire; `kQuic` only differs in what opens a flow.
enum class Protocol { kTcp, kUdp, kQuic };
enum class Forwarding { kIpip, kL2, kGue };
enum class AdminState { kEnabled, kDraining, kDisabled };
enum class SourceAction { kAllow, kDeny };
// What a backend's capacity is stated in, per second; kNone: in a unit that is not measured here.
enum class CapacityUnit { kNone, kPackets, kBits, kNewFlows };

// What stays on its backend: connections (TCP, QUIC), plain UDP flows too, or all that comes from
// one source.
enum class Affinity { kConnection, kFlow, kSource };
// What a VIP's packets are spread by.
enum class SpreadBy { kConnection, kDestinationPort };
// Later fragments whose first one has not been seen.
enum class OutOfOrder { kDrop, kForward };

inline constexpr uint32_t kDefaultTableSize = 65537;
inline constexpr int64_t kDefaultWeight = 100;
inline constexpr uint32_t kMaxRate = 10'000'000;       // of a RateLimit, and its largest burst
inline constexpr size_t kMaxRuleSets = 120;            // in a configuration
inline constexpr size_t kMaxSourcePrefixes = 1000000;  // in all sets together

// At most `rate` a second, and `burst` at once after a pause.
struct RateLimit {
  uint32_t rate = 0;
  uint32_t burst = 0;

  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

// Off where absent. Both hold over all CPUs of a host.
struct VipLimits {
  std::optional<RateLimit> new_flows{};   // of all sources; TCP, QUIC
  std::optional<RateLimit> per_source{};  // packets of one address, in IPv6 of one /64

  friend bool operator==(const VipLimits&, const VipLimits&) = default;
};

struct Vip {
  std::string name;
  IpAddress address;
  uint16_t port = 0;  // host byte order; 0 = every port
  Protocol protocol = Protocol::kTcp;
  std::string pool;
  std::string source_rules{};  // name of a set; empty: none of its own
  VipLimits limits{};
  SpreadBy spread_by = SpreadBy::kConnection;  // kDestinationPort wins over the pool's affinity
  bool tracking = true;  // false: connections follow their slot when it changes hands

  friend bool operator==(const Vip&, const Vip&) = default;
};

struct Backend {
  std::string name;
  IpAddress address;
  // As written. The guard judges it (LB007: 1..1000, 0 = drain), so that a bad weight is refused
  // with all other violations and not one by one by the parser.
  int64_t weight = kDefaultWeight;
  std::optional<double> capacity;  // any unit, the same within a pool; > 0
  std::string zone;
  std::string rack;
  std::map<std::string, std::string> labels;
  AdminState state = AdminState::kEnabled;
  std::string server_id;  // hexadecimal, of pool.quic->server_id_length bytes; empty: none

  // True where the backend may own slots: enabled and weight above 0.
  bool serving() const { return state == AdminState::kEnabled && weight > 0; }

  friend bool operator==(const Backend&, const Backend&) = default;
};

// HTTP status codes, both ends included.
struct StatusRange {
  uint16_t first = 0;
  uint16_t last = 0;

  friend bool operator==(const StatusRange&, const StatusRange&) = default;
};

struct ProbeTls {
  // The certificate is valid now, signed by one of `ca` and for `server_name`; else anyone's will
  // do.
  bool verify = false;
  std::string ca{};           // PEM, certificates alone, at most kMaxCaBytes; needed by `verify`
  std::string server_name{};  // also in the hello; empty: the check's host, else the address

  friend bool operator==(const ProbeTls&, const ProbeTls&) = default;
};

inline constexpr size_t kMaxCaBytes = 32u << 10;  // read for each connection
inline constexpr size_t kMaxProbeText = 1024;     // bytes of body, service, send and expect

// What the network says of a backend's packets. A round of `interval` is a failure in which at
// least so many came back in ICMP "destination unreachable", or had no next hop.
struct PassiveSignal {
  double min_share = 0.05;  // of the packets forwarded to it: above 0, up to 1
  uint32_t min_count = 3;   // 1 to 1,000,000

  friend bool operator==(const PassiveSignal&, const PassiveSignal&) = default;
};

struct HealthCheck {
  enum class Type { kTcp, kHttp, kHttps, kGrpc, kUdp, kIcmp };
  enum class Method { kGet, kHead };
  // What a server counts as that joins a pool, until its probes say.
  enum class Start { kUp, kDown };
  // What becomes of the table when too few servers are healthy: it has all of them, or those that
  // it had, or the VIP itself should go.
  enum class Panic { kKeepAll, kHoldLast, kWithdraw };
  // Where probes go: to the backend's own address, or to the pool's VIPs in the way that the
  // clients' packets take, forwarded to that backend.
  enum class Through { kDirect, kVip };
  Type type = Type::kTcp;
  uint16_t port = 0;  // 0 = the VIP's port
  std::string path = "/";
  std::chrono::milliseconds interval{2000};
  std::chrono::milliseconds timeout{1000};
  uint32_t rise = 2;
  uint32_t fall = 3;
  Start start = Start::kUp;
  Panic panic = Panic::kKeepAll;
  // HTTP, HTTPS and gRPC: a name or an address (IPv6 in brackets), also with a port. It goes into
  // the Host header as it is, and is never looked up. Empty: the backend's address.
  std::string host{};
  // HTTP and HTTPS.
  Method method = Method::kGet;
  std::vector<StatusRange> status{};  // empty: 200 to 399
  std::string body{};                 // what the answer's body must contain; empty: anything
  // HTTPS: absent is the default of every field. gRPC: absent is no TLS.
  std::optional<ProbeTls> tls{};
  std::string service{};  // gRPC; empty: the server as a whole
  // UDP; bytes.
  std::string send{};
  std::string expect{};        // what an answer must contain; empty: anything
  std::string expect_start{};  // what it must begin with
  Through through = Through::kDirect;
  std::optional<PassiveSignal> passive{};

  friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};

// How a server that comes (back) into the table gets its share: in equal steps.
struct SlowStart {
  // From its first slots to all of them: 0 (at once), or 1 s to 1 h. Longer where the steps would
  // be too large.
  std::chrono::milliseconds over{30'000};
  // Of the pool's slots, those that move in one step at most: 0.001 to 0.3.
  double max_step_fraction = 0.02;
  bool new_backends = false;  // also those that join the pool, not only those that were down

  friend bool operator==(const SlowStart&, const SlowStart&) = default;
};

// A declared exception to LB003: this pool is meant to have one backend. Both fields are required.
struct SingleBackend {
  std::string reason;
  std::string owner;

  friend bool operator==(const SingleBackend&, const SingleBackend&) = default;
};

// A declared exception to LB019: this set is meant to keep most sources out. Both are required.
struct Lockdown {
  std::string reason;
  std::string owner;

  friend bool operator==(const Lockdown&, const Lockdown&) = default;
};

// Which clients may have a VIP. The longest prefix that a client's address lies in decides, the
// default where there is none. Lists are as written: in any order, a prefix may be there twice.
struct SourceRules {
  std::string name;
  SourceAction fallback = SourceAction::kAllow;  // the key `default`
  std::vector<Prefix> deny;
  std::vector<Prefix> allow;
  std::optional<Lockdown> lockdown;

  friend bool operator==(const SourceRules&, const SourceRules&) = default;
};

// A rule that a pool is meant to break: what it would block is a warning. All are required.
struct RuleException {
  std::string rule;  // "LB004"
  std::string reason;
  std::string owner;

  friend bool operator==(const RuleException&, const RuleException&) = default;
};

// A time in which nothing is changed (LB016), from 1970 to the end of 9999. All are required.
inline constexpr int64_t kMaxUnixSeconds = 253'402'300'799;
struct Freeze {
  int64_t from_unix_s = 0;
  int64_t to_unix_s = 0;  // the first second after it
  std::string reason;

  friend bool operator==(const Freeze&, const Freeze&) = default;
};

// Set for the host (daemon settings), for all pools (Config::policy) and for one pool; the stricter
// wins. Absent = the rule's default; a value may only tighten the default unless the field's
// comment says otherwise (the guard refuses a loosening, naming the field).
struct Policy {
  std::optional<uint32_t> min_serving_backends;  // LB003, >= 2
  std::optional<SingleBackend> single_backend;   // LB003 exception; of a pool only
  std::optional<double> max_share_factor;        // LB001, multiple of the intended share, (1, 2]
  std::optional<double> max_share;               // LB001, fraction of the pool, (0, 0.8]
  std::optional<double> max_removed_fraction;    // LB005, (0, 0.25]
  std::optional<double> max_remapped_fraction;   // LB006, (0, 0.30]
  std::optional<double> max_weight_ratio;        // LB007, [1, 20]
  std::optional<double> peak_load{};             // LB004, in the unit of capacity; of a pool only
  std::vector<RuleException> exceptions{};       // of a pool only
  std::vector<Freeze> freeze{};                  // LB016; those of all levels together

  friend bool operator==(const Policy&, const Policy&) = default;
};

// Outer headers' Differentiated Services Code Point (RFC 2474, RFC 2983).
struct Dscp {
  bool copy = false;  // the packet's own, else `value`
  uint8_t value = 0;  // 0..63

  friend bool operator==(const Dscp&, const Dscp&) = default;
};

// Connection ids that name their server (draft-ietf-quic-load-balancers, plaintext).
struct QuicIds {
  uint8_t config_id = 0;         // 0..6, the first three bits of a connection id
  uint8_t server_id_length = 1;  // bytes, 1..8

  friend bool operator==(const QuicIds&, const QuicIds&) = default;
};

inline constexpr uint8_t kMaxDscp = 63;
inline constexpr uint8_t kMaxQuicConfigId = 6;  // 7: not routable
inline constexpr uint8_t kMaxServerIdLength = 8;

struct Pool {
  std::string name;
  Forwarding forwarding = Forwarding::kIpip;
  uint32_t table_size = kDefaultTableSize;  // prime, 251..655373 (checked by Validate)
  std::vector<Backend> backends;
  std::optional<HealthCheck> health_check;
  Policy policy;
  Affinity affinity = Affinity::kConnection;
  uint8_t affinity_prefix4 = 32;   // 1..32, bits of the source that count; Affinity::kSource only
  uint8_t affinity_prefix6 = 128;  // 1..128
  Dscp dscp{};
  OutOfOrder out_of_order_fragments = OutOfOrder::kDrop;  // kForward: Affinity::kSource only
  std::optional<QuicIds> quic;
  SlowStart slow_start{};
  CapacityUnit capacity_unit = CapacityUnit::kNone;

  const Backend* FindBackend(std::string_view name) const;

  friend bool operator==(const Pool&, const Pool&) = default;
};

struct Config {
  std::vector<Vip> vips;
  std::vector<Pool> pools;
  std::vector<SourceRules> source_rules;
  std::string global_source_rules;  // name of the set that comes first for every VIP; empty: none
  Policy policy{};                  // for every pool

  const Pool* FindPool(std::string_view name) const;
  const Vip* FindVip(std::string_view name) const;
  const SourceRules* FindSourceRules(std::string_view name) const;

  friend bool operator==(const Config&, const Config&) = default;
};

// Lower-case names as in the YAML schema ("tcp", "ipip", "draining").
std::string_view ToString(Protocol protocol);
std::string_view ToString(Forwarding forwarding);
std::string_view ToString(AdminState state);
std::string_view ToString(HealthCheck::Type type);
std::string_view ToString(HealthCheck::Method method);
std::string_view ToString(HealthCheck::Start start);
std::string_view ToString(HealthCheck::Through through);
std::string_view ToString(HealthCheck::Panic panic);
std::string_view ToString(SourceAction action);
std::string_view ToString(CapacityUnit unit);  // "none", "packets", "bits", "new_flows"
std::string_view ToString(Affinity affinity);
std::string_view ToString(SpreadBy spread_by);
std::string_view ToString(OutOfOrder out_of_order);
std::string ToString(const StatusRange& range);  // "200-299" or "204"
std::string ToString(const Dscp& dscp);          // "copy" or the number
std::optional<Protocol> ParseProtocol(std::string_view text);
std::optional<Forwarding> ParseForwarding(std::string_view text);
std::optional<AdminState> ParseAdminState(std::string_view text);
std::optional<HealthCheck::Type> ParseHealthCheckType(std::string_view text);
std::optional<HealthCheck::Method> ParseHealthCheckMethod(std::string_view text);
std::optional<HealthCheck::Start> ParseHealthCheckStart(std::string_view text);
std::optional<HealthCheck::Through> ParseHealthCheckThrough(std::string_view text);
std::optional<HealthCheck::Panic> ParseHealthCheckPanic(std::string_view text);
std::optional<SourceAction> ParseSourceAction(std::string_view text);
std::optional<CapacityUnit> ParseCapacityUnit(std::string_view text);  // but "none"
std::optional<Affinity> ParseAffinity(std::string_view text);
std::optional<SpreadBy> ParseSpreadBy(std::string_view text);
std::optional<OutOfOrder> ParseOutOfOrder(std::string_view text);
std::optional<StatusRange> ParseStatusRange(std::string_view text);

std::string TimestampText(int64_t unix_s);  // "2026-12-24T18:00:00Z"

// A server id as a big-endian number; nullopt: not hexadecimal, or not of this many bytes.
std::optional<uint64_t> ParseServerId(std::string_view text, uint8_t length);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_CONFIG_H_
