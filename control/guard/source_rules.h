// SPDX-License-Identifier: Apache-2.0
//
// Source rules as they are published: what the guard judges, what the kernel's tries hold, and what
// a digest is taken of. Pure.
#ifndef EVENKEEL_CONTROL_GUARD_SOURCE_RULES_H_
#define EVENKEEL_CONTROL_GUARD_SOURCE_RULES_H_

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "control/guard/digest.h"
#include "control/model/config.h"

namespace evenkeel::guard {

struct SourceRule {
  model::Prefix prefix;
  bool deny = false;

  friend bool operator==(const SourceRule&, const SourceRule&) = default;
};

// Ascending by prefix, each prefix once, among them that of length 0 of both families: so each
// address has an answer, and a set without lists is one, too.
using SourceRuleList = std::vector<SourceRule>;

SourceRuleList ListOf(const model::SourceRules& config);
Digest ComputeRulesDigest(std::span<const SourceRule> rules);

struct BuiltRules {
  model::SourceRules config;
  SourceRuleList rules;
  Digest digest;

  const std::string& name() const { return config.name; }
  bool Denies(const model::IpAddress& source) const;
};
std::shared_ptr<const BuiltRules> BuildRules(const model::SourceRules& config);

// A rate limit as it is kept: one per `interval_ns`, and a burst; interval 0: none. What a digest
// covers, because a rate cannot be told from it exactly.
struct Limit {
  uint32_t interval_ns = 0;
  uint32_t burst = 0;

  friend bool operator==(const Limit&, const Limit&) = default;
};
Limit ToLimit(const std::optional<model::RateLimit>& limit);

// The sets that judge a VIP's clients, in this order; null: none.
struct SourceAccess {
  const BuiltRules* global = nullptr;
  const BuiltRules* own = nullptr;

  bool Denies(const model::IpAddress& source) const;
  bool any() const { return global != nullptr || own != nullptr; }
  // Whether a set declares that it is meant to keep most sources out.
  bool IsLockdown() const;

  friend bool operator==(const SourceAccess&, const SourceAccess&) = default;
};

// Some source that may have the VIP; nullopt: there is none.
std::optional<model::IpAddress> FindAdmitted(const SourceAccess& access, model::Family family);
// The same for one that may not.
std::optional<model::IpAddress> FindDenied(const SourceAccess& access, model::Family family);

// The part of the address space (IPv6: of 2000::/3, global unicast) that `access` admits, 0..1.
double AdmittedShare(const SourceAccess& access, model::Family family);
// What `before` admits and `after` denies, as a part of what `before` admits; 0 if that is nothing.
double NewlyDeniedShare(const SourceAccess& before, const SourceAccess& after,
                        model::Family family);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_SOURCE_RULES_H_
