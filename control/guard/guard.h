// SPDX-License-Identifier: Apache-2.0
//
// The guard judges a built state, never the weights behind it, and is the only maker of Approval,
// the one thing that the publisher and the data plane accept.
#ifndef EVENKEEL_CONTROL_GUARD_GUARD_H_
#define EVENKEEL_CONTROL_GUARD_GUARD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/guard/facts.h"
#include "control/guard/fleet.h"

namespace evenkeel::guard {

enum class Severity { kPass, kWarn, kBlock };
std::string_view ToString(Severity severity);  // "pass", "warn", "block"

// One finding of one rule. Texts are for operators: numbers with their unit.
struct Violation {
  std::string rule;  // "LB001"
  std::string name;  // "backend-share"
  Severity severity = Severity::kBlock;
  std::string pool;      // empty where it concerns a VIP or the whole state
  std::string subject;   // the object: "pools/web/backends/web-3", "vips/web"
  std::string field;     // path in the config: "pools[0].backends[2].weight"
  std::string observed;  // "91.0 % of slots"
  std::string limit;     // "at most 50.0 % with 3 or more serving"
  std::string fix;       // the nearest change that would pass
  std::string message;   // one sentence that joins the above
};

// The verdict of one rule on one pool, also where it passed: "each rule's verdict" in a plan.
struct RuleResult {
  std::string rule;
  std::string name;
  std::string pool;  // empty for rules over the whole state
  Severity severity = Severity::kPass;
  std::string observed;
  std::string limit;
};

struct BackendChange {
  std::string name;
  model::IpAddress address;
  double share_before = 0;  // fraction of the pool's slots, 0..1, on the built tables
  double share_after = 0;
  model::AdminState state_after = model::AdminState::kEnabled;
  bool added = false;
  bool removed = false;
};

struct PoolChange {
  std::string pool;
  enum class Kind { kUnchanged, kAdded, kRemoved, kChanged } kind = Kind::kUnchanged;
  uint32_t table_size = 0;
  uint32_t slots_moved = 0;  // slots whose owner differs; all of them where the size changed
  std::vector<BackendChange> backends;  // by name; none where nothing changes
};

struct VipChange {
  std::string vip;
  PoolChange::Kind kind = PoolChange::Kind::kUnchanged;
};

struct Verdict {
  Severity severity = Severity::kPass;  // the worst of `violations`
  std::vector<Violation> violations;    // all of them, blocks first
  std::vector<RuleResult> results;
  std::vector<PoolChange> pools;
  std::vector<VipChange> vips;

  bool refused() const { return severity == Severity::kBlock; }
  bool no_change() const;
};

class Approval;
struct Judgement;

// `base` is the state that runs now; null on the first bootstrap, where rules over a change (LB005,
// LB006) do not apply. A rule that fails inside refuses with its id and the reason.
Judgement Judge(std::shared_ptr<const BuiltFleet> candidate, std::shared_ptr<const BuiltFleet> base,
                const Facts& facts, const Consent& consent = {});

// The return to a state that was accepted before. Undoing must not wait: rules over a change and
// over time do not apply, and what the others would block is a warning. Refused are only a table
// that is not what the weights ask for (LB002), and a pool with VIPs none of whose serving backends
// can be reached (LB010). `running` (may be null) is what the changes are described against; the
// approval has no base.
Judgement JudgeRollback(std::shared_ptr<const BuiltFleet> candidate,
                        std::shared_ptr<const BuiltFleet> running, const Facts& facts);

// The same configuration with servers out of it, or back, by their health: in `candidate` those
// that are out are disabled. Nobody asked for that, so nothing about the change excuses it. Judged
// is what must hold of every table: that it is what the weights ask for (LB002), that no server has
// too much of a pool (LB001), and that enough serve (LB003); of the pools that differ from
// `running`.
Judgement JudgeHealth(std::shared_ptr<const BuiltFleet> candidate,
                      std::shared_ptr<const BuiltFleet> running, const Facts& facts);

// Proof that the guard approved this very state. Cannot be made, copied onto another state or
// altered elsewhere. Cheap to copy.
class Approval {
 public:
  const BuiltFleet& fleet() const { return *fleet_; }
  std::shared_ptr<const BuiltFleet> shared_fleet() const { return fleet_; }
  // Digest of the approved state: what must be read back from the kernel before the swap.
  const Digest& digest() const { return fleet_->digest; }
  // Digest of the state that the change was judged against; nullopt at bootstrap and rollback. The
  // publisher refuses an approval whose base is not what runs.
  const std::optional<Digest>& base() const { return base_; }

 private:
  friend Judgement Judge(std::shared_ptr<const BuiltFleet>, std::shared_ptr<const BuiltFleet>,
                         const Facts&, const Consent&);
  friend Judgement JudgeRollback(std::shared_ptr<const BuiltFleet>,
                                 std::shared_ptr<const BuiltFleet>, const Facts&);
  friend Judgement JudgeHealth(std::shared_ptr<const BuiltFleet>, std::shared_ptr<const BuiltFleet>,
                               const Facts&);
  Approval(std::shared_ptr<const BuiltFleet> fleet, std::optional<Digest> base)
      : fleet_(std::move(fleet)), base_(base) {}

  std::shared_ptr<const BuiltFleet> fleet_;
  std::optional<Digest> base_;
};

struct Judgement {
  Verdict verdict;
  std::optional<Approval> approval;  // present exactly if not refused
};

// The rule table: id, name, defaults and texts, the one source of `evenkeel rules`.
struct RuleInfo {
  std::string_view id;
  std::string_view name;
  std::string_view summary;          // one line
  std::string_view default_text;     // "block above 2x ..."
  std::string_view explanation;      // why it exists, what to do
  std::string_view example_refused;  // a config fragment or sentence
  std::string_view example_passing;  // the nearest one that passes
};
const std::vector<RuleInfo>& Rules();
const RuleInfo* FindRule(std::string_view id_or_name);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_GUARD_H_
