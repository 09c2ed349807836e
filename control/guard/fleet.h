// SPDX-License-Identifier: Apache-2.0
//
// A desired state together with the tables built from it: what the guard judges, what the publisher
// stages, and what a digest is taken of.
#ifndef EVENKEEL_CONTROL_GUARD_FLEET_H_
#define EVENKEEL_CONTROL_GUARD_FLEET_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/guard/digest.h"
#include "control/guard/source_rules.h"
#include "control/guard/treatment.h"
#include "control/maglev/maglev.h"
#include "control/model/config.h"

namespace evenkeel::guard {

// A pool's table. Owners are indices into `servers`, which lists the serving backends' addresses in
// ascending order; so two balancers, or a table read back from the kernel, compare byte for byte.
struct BuiltTable {
  model::Forwarding forwarding = model::Forwarding::kIpip;
  uint32_t size = 0;
  std::vector<model::IpAddress> servers;
  std::vector<uint16_t> owner;     // maglev::kNoOwner where there is none
  std::vector<uint32_t> intended;  // slots per server that the weights ask for

  // QUIC connection ids that name a server: all that has one and is not disabled, by id.
  struct ServerId {
    uint64_t id = 0;
    model::IpAddress server;

    friend bool operator==(const ServerId&, const ServerId&) = default;
  };
  std::optional<model::QuicIds> quic;
  std::vector<ServerId> server_ids;

  // Slots per server as built (counted, not the quota).
  std::vector<uint32_t> CountSlots() const;
  // Of forwarding, size, servers, owners, and server ids.
  Digest ComputeDigest() const;
};

// What the digest of a whole state covers, per VIP: its key, its table, who may have it, and its
// treatment.
struct VipBinding {
  model::IpAddress address;
  uint16_t port = 0;        // host byte order
  uint8_t ip_protocol = 0;  // IPPROTO_TCP or IPPROTO_UDP
  Digest table;
  Digest global_rules{}, rules{};  // zero: none
  Limit source_limit{}, new_flow_limit{};
  Treatment treatment{};
};
// Independent of the order of `bindings`.
Digest ComputeFleetDigest(std::span<const VipBinding> bindings);

struct BuiltPool {
  model::Pool config;
  std::shared_ptr<const BuiltTable> table;
  Digest digest;
  std::vector<uint32_t> slots;  // table->CountSlots(), counted once

  const std::string& name() const { return config.name; }
};

// Immutable once built. States in a row share the pools that do not differ, as objects: what an
// update costs depends on what it changes.
struct BuiltFleet {
  std::vector<model::Vip> vips;
  std::vector<std::shared_ptr<const BuiltPool>> pools;  // in the order of the configuration
  std::vector<std::shared_ptr<const BuiltRules>> source_rules;
  std::string global_source_rules;
  model::Policy policy;   // for every pool
  maglev::HashKey key{};  // that the tables were built with: the fleet's secret
  Digest digest;          // what the kernel is compared with

  const BuiltPool* FindPool(std::string_view name) const;
  const model::Vip* FindVip(std::string_view name) const;
  const BuiltRules* FindRules(std::string_view name) const;  // null for the empty name
  SourceAccess AccessOf(const model::Vip& vip) const;
  // Whether both were built from equal configurations.
  bool HasConfigOf(const BuiltFleet& other) const;
  model::Config ToConfig() const;
};

// Builds every pool. One that equals its namesake in `reuse` (may be null) is that very object, one
// that would get the same table keeps that table without building it again.
//
// What policy refuses is built all the same, so that the guard can report everything at once: a
// server listed twice is one server with the sum of its weights, and a pool with more servers than
// slots gets a table without owners. Neither is ever approved.
// InvalidArgument: a structurally invalid config (names the field).
absl::StatusOr<std::shared_ptr<const BuiltFleet>> BuildFleet(const model::Config& config,
                                                             const maglev::HashKey& key,
                                                             const BuiltFleet* reuse);

// `fleet` with `pool` instead of its namesake, or with one pool more. Same as BuildFleet of the
// whole; `fleet` was built, and so only `pool` is validated. The pool is shared with its namesake
// in `like`, if given, rather than with the one that it replaces.
absl::StatusOr<std::shared_ptr<const BuiltFleet>> ReplacePool(const BuiltFleet& fleet,
                                                              const model::Pool& pool,
                                                              const BuiltFleet* like = nullptr);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_FLEET_H_
