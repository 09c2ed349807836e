// SPDX-License-Identifier: Apache-2.0
//
// Inside the guard: what a rule sees and what it answers. A rule is a pure function over counted
// tables; the table of rules (rules.cc) is its only registration.
#ifndef EVENKEEL_CONTROL_GUARD_RULE_H_
#define EVENKEEL_CONTROL_GUARD_RULE_H_

#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "control/guard/edit.h"
#include "control/guard/guard.h"
#include "control/guard/policy.h"

namespace evenkeel::guard {

// A server that may own slots: the enabled backends with one address and weight above 0.
struct Server {
  model::IpAddress address;
  uint64_t weight = 0;  // sum over its names, saturating
  uint32_t slots = 0;   // counted on the built table
  // Indices into the pool's backends, more than one only if LB008.
  absl::InlinedVector<size_t, 1> backends;
};

// One pool of one state.
struct PoolState {
  const model::Pool* pool = nullptr;  // built->config
  size_t index = 0;                   // in the configuration's pools
  const BuiltPool* built = nullptr;
  std::vector<Server> servers;  // serving, ascending by address
  std::vector<size_t> vips;     // that use it, indices into the state's VIPs
  model::Policy policy{};       // in force: the stricter of the levels

  double size() const { return built->table->size; }
  double Share(const Server& server) const { return server.slots / size(); }
  const Server* Find(const model::IpAddress& address) const;
  // The server's names, joined: usually one.
  std::string NameOf(const Server& server) const;
  uint64_t TotalWeight() const;
};

// Makes the view; `slots` are the table's counted slots, in the order of its servers.
PoolState MakePoolState(const BuiltPool& built, size_t index, std::span<const uint32_t> slots);

struct FleetState {
  const BuiltFleet* fleet = nullptr;
  std::vector<PoolState> pools;  // as fleet->pools
  std::unordered_map<std::string_view, size_t> by_name;
  std::set<model::IpAddress> vip_addresses;

  const PoolState* Find(std::string_view name) const;
};

// The running state's slots were counted when it was built and judged.
FleetState MakeRunningState(const BuiltFleet& fleet, const model::Policy& host);
// Every table that the running state (may be null) does not share is counted anew.
FleetState MakeCandidateState(const BuiltFleet& fleet, const model::Policy& host,
                              const FleetState* running);

// What every check sees of the change.
struct Case {
  const FleetState& fleet;
  const FleetState* running;  // null: nothing ran before
  const Facts& facts;
  const Consent& consent;
  bool rollback = false;  // a return to an earlier accepted state
};

// What a pool's rule judges.
struct PoolCase : Case {
  const PoolState& state;
  const PoolState* base;  // the pool of that name in the running state, null if there is none

  const model::Policy& policy() const { return state.policy; }
};

// The traffic of VIPs that run on `before` and would run on `after`.
struct Transition {
  const PoolState* before = nullptr;
  const PoolState* after = nullptr;
  std::vector<const model::Vip*> vips;   // of the candidate
  maglev::HashKey key{};                 // of the candidate's tables
  const model::Vip* respread = nullptr;  // the first VIP whose flows lead to other slots
};

// The VIPs of both states (by address, port and IP protocol), grouped by their pools before and
// after. A pool that no VIP used carried no traffic that a change could move.
std::vector<Transition> FindTransitions(const FleetState& candidate, const FleetState& base);

// What a rule about a pool's traffic judges.
struct TransitionCase : Case {
  const Transition& transition;
};

struct Finding {
  Violation violation;      // rule, name and pool are filled in by the runner
  std::string key;          // what is bad, the same in two states: an address, or "" for the pool
  double badness = 0;       // grows with the harm, whatever the policy; compared with the base's
  std::vector<Edit> edits;  // `violation.fix` as edits; empty where no edit of the config helps
};

// Keys of findings about a policy field start with this: nothing excuses a loosened policy.
inline constexpr char kPolicyKey[] = "policy.";

// One rule's answer for one pool.
struct Report {
  std::string observed;
  std::string limit;
  std::vector<Finding> findings;

  Finding& Add(Severity severity, std::string subject, std::string field);
};

struct Rule {
  RuleInfo info;
  // The checks: of a pool as it would be, of a pool's traffic before and after, and of the whole
  // change. Any of them may be absent. The last two compare with what runs (`running` is there):
  // they are not asked about a first state, nor about a rollback.
  void (*pool)(const PoolCase&, Report&) = nullptr;
  void (*transition)(const TransitionCase&, Report&) = nullptr;
  void (*fleet)(const Case&, Report&) = nullptr;
  std::vector<Range> limits{};  // that policy may tighten
  // A pool that was already worse, or was not touched, only warns. Not where the table is wrong.
  bool forgives_base = true;
  // May be broken by draining one host while two others serve.
  bool allows_drain_of_one = false;
  // Mending what this rule found bad excuses the rules that yield: repair must not wait for LB006.
  bool relieves = false;
  bool yields_to_relief = false;
  // Refuses a rollback too.
  bool binds_rollback = false;
  // Is asked where health takes servers out or back in.
  bool binds_health = false;
  // The time rules: an emergency does not wait for them.
  bool yields_to_emergency = false;
  // May be broken by a pool that says so (policy.exceptions), or by a request (Override).
  bool allows_exception = true;
  bool allows_override = true;

  bool has_check() const { return pool != nullptr || transition != nullptr || fleet != nullptr; }
};

// All rules, by id.
std::span<const Rule> RuleTable();

// What the rules are asked.
struct Question {
  const BuiltFleet& candidate;
  const BuiltFleet* running;  // null: nothing ran before
  const Facts& facts;
  const Consent& consent;
  enum class Kind { kChange, kRollback, kHealth };
  Kind kind = Kind::kChange;
};

// Judges without approving. A rule that throws refuses.
Verdict RunRules(std::span<const Rule> rules, const Question& question);
// As RunRules, with each finding's edits.
struct Detailed {
  Verdict verdict;
  std::vector<Finding> findings;  // as verdict.violations, same order
};
Detailed RunRulesDetailed(std::span<const Rule> rules, const Question& question);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_RULE_H_
