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
enum class Forwarding { kIpip, kL2 };
enum class AdminState { kEnabled, kDraining, kDisabled };
enum class SourceAction { kAllow, kDeny };

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
  std::optional<RateLimit> new_flows{};   // of all sources; TCP
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

  // True where the backend may own slots: enabled and weight above 0.
  bool serving() const { return state == AdminState::kEnabled && weight > 0; }

  friend bool operator==(const Backend&, const Backend&) = default;
};

struct HealthCheck {
  enum class Type { kTcp, kHttp, kHttps };
  Type type = Type::kTcp;
  uint16_t port = 0;  // 0 = the VIP's port
  std::string path = "/";
  std::chrono::milliseconds interval{2000};
  std::chrono::milliseconds timeout{1000};
  uint32_t rise = 2;
  uint32_t fall = 3;

  friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
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

// Per-pool policy: absent = the blueprint's default; a value may only tighten the default unless
// the field's comment says otherwise (the guard refuses a loosening, naming the field).
struct Policy {
  std::optional<uint32_t> min_serving_backends;  // LB003, >= 2
  std::optional<SingleBackend> single_backend;   // LB003 exception
  std::optional<double> max_share_factor;        // LB001, multiple of the intended share, (1, 2]
  std::optional<double> max_share;               // LB001, fraction of the pool, (0, 0.8]
  std::optional<double> max_removed_fraction;    // LB005, (0, 0.25]
  std::optional<double> max_remapped_fraction;   // LB006, (0, 0.30]
  std::optional<double> max_weight_ratio;        // LB007, [1, 20]

  friend bool operator==(const Policy&, const Policy&) = default;
};

struct Pool {
  std::string name;
  Forwarding forwarding = Forwarding::kIpip;
  uint32_t table_size = kDefaultTableSize;  // prime, 251..655373 (checked by Validate)
  std::vector<Backend> backends;
  std::optional<HealthCheck> health_check;
  Policy policy;

  const Backend* FindBackend(std::string_view name) const;

  friend bool operator==(const Pool&, const Pool&) = default;
};

struct Config {
  std::vector<Vip> vips;
  std::vector<Pool> pools;
  std::vector<SourceRules> source_rules;
  std::string global_source_rules;  // name of the set that comes first for every VIP; empty: none

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
std::string_view ToString(SourceAction action);
std::optional<Protocol> ParseProtocol(std::string_view text);
std::optional<Forwarding> ParseForwarding(std::string_view text);
std::optional<AdminState> ParseAdminState(std::string_view text);
std::optional<HealthCheck::Type> ParseHealthCheckType(std::string_view text);
std::optional<SourceAction> ParseSourceAction(std::string_view text);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_CONFIG_H_
