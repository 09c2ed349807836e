// SPDX-License-Identifier: Apache-2.0
//
// States to judge, shared by the guard's tests.
#ifndef EVENKEEL_TESTS_UNIT_GUARD_STATES_H_
#define EVENKEEL_TESTS_UNIT_GUARD_STATES_H_

#include <memory>
#include <string>
#include <vector>

#include "control/guard/guard.h"
#include "control/guard/rule.h"

namespace evenkeel::guard::testing {

maglev::HashKey TestKey();
model::IpAddress Ip(const char* text);

// `name`-1..`name`-n with addresses 10.0.`net`.11 and up, weight 100.
model::Pool MakePool(const std::string& name, size_t n, uint8_t net = 1);
// One VIP "web" on 192.0.2.10:443 with the pool MakePool("web", n).
model::Config WebWith(size_t n);

// A shared pointer, null where the configuration cannot be built (which fails the test).
std::shared_ptr<const BuiltFleet> Built(const model::Config& config,
                                        std::shared_ptr<const BuiltFleet> reuse = nullptr);

// What a daemon would know: it is noon of 2027-01-01, nothing is pending, nothing changed, no VIP
// has traffic, and every backend of `config` can be reached.
inline constexpr int64_t kNow = 1'798'804'800'000'000'000;
Facts LiveFactsFor(const model::Config& config);

// `base` null: the first state.
Judgement JudgeChange(const model::Config* base, const model::Config& candidate,
                      const Facts& facts = {}, const Consent& consent = {});
Detailed JudgeDetailed(const model::Config* base, const model::Config& candidate,
                       const Facts& facts = {}, const Consent& consent = {});

// The worst severity that `rule` gave.
Severity SeverityOf(const Verdict& verdict, std::string_view rule);
// The violations of a rule, blocks first.
std::vector<Violation> ViolationsOf(const Verdict& verdict, std::string_view rule);
// Ids of the rules that block, ascending, each once.
std::vector<std::string> BlockingRules(const Verdict& verdict);

// Applies what `rule` proposes for `candidate`.
model::Config ApplyFixes(const model::Config* base, const model::Config& candidate,
                         std::string_view rule, const Facts& facts = {});

}  // namespace evenkeel::guard::testing

#endif  // EVENKEEL_TESTS_UNIT_GUARD_STATES_H_
