// SPDX-License-Identifier: Apache-2.0
#include "control/guard/rules_markdown.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/guard/guard.h"
#include "control/model/text.h"

namespace evenkeel::guard {
namespace {

using model::Av;

constexpr char kHead[] = R"(# Rules

<!-- From the rule table (control/guard/rules.cc); a test compares the two. -->

The guard judges every change on the tables as they would be published, reports everything that is
wrong at once, and refuses what blocks. `evenkeel rules ID` shows one rule.

)";

constexpr char kTail[] = R"(## What turns a refusal into a warning

- **The drain of one host.** One server of a pool stops serving (`state: draining`, `disabled` or
  `weight: 0`, its entry still listed), everything else serves as before, and at least two other
  servers do: LB001, LB003, LB004, LB005 and LB006 warn. Removing the entry is not a drain. To take one of
  two hosts out, declare `policy.single_backend: {reason, owner}` in the same update: all traffic on
  one server is then somebody's recorded decision.
- **A better state.** What was bad in the running state, under its own policy, and is less so in the
  new one warns, except for LB002. Mending what LB001 or LB003 found bad also lets LB006 pass with a warning.
- **Nothing touched.** What was bad and runs on with the same table under the same policy warns, so
  that one bad pool does not hold up the others.
- **An emergency does not wait.** A change that is no more than the drain of one host, or than the
  mending of pools that LB001 or LB003 find bad, is not held up by LB014, LB016 and LB018.
- **The first state** has nothing to compare with: rules over a change and over time do not apply,
  and LB010 only warns.
- **A rollback** to an earlier accepted state: no rules over a change or over time, and what the
  others would block warns. Refused are a table that is not what the weights ask for (LB002), and a
  pool with VIPs none of whose serving backends can be reached (LB010).
- **An exception of the pool**, `policy.exceptions: [{rule, reason, owner}]`, and **an override** of
  the request, which names its rules, a reason and when it expires. LB002, LB008 and LB009 have
  neither; LB015, LB016 and LB018 have overrides only. Neither excuses a policy that loosens.

A rule that fails to complete, or lacks what it must know, refuses and says so. Without a daemon the
rules that need one (LB010, LB014, LB015, LB016, LB018) pass and say that they were not judged. Policy
is set for the host, for all pools and for one pool; the strictest value of each limit is in force. A
value that would loosen a limit is refused and names the field.
)";

void AppendRow(const RuleInfo& rule, std::string& out) {
  absl::StrAppend(&out, "| [", Av(rule.id), "](#", Av(rule.name), ") | ", Av(rule.name), " | ",
                  Av(rule.summary), " |\n");
}

void AppendSection(const RuleInfo& rule, std::string& out) {
  absl::StrAppend(&out, "<a id=\"", Av(rule.name), "\"></a>\n\n## ", Av(rule.id), " ",
                  Av(rule.name), "\n\n", Av(rule.summary), "\n\n**Default.** ");
  absl::StrAppend(&out, Av(rule.default_text), "\n\n", Av(rule.explanation),
                  "\n\n- Refused: ", Av(rule.example_refused),
                  "\n- Passes: ", Av(rule.example_passing), "\n\n");
}

}  // namespace

std::string RulesMarkdown() {
  std::string out = kHead;
  absl::StrAppend(&out, "| id | name | |\n|---|---|---|\n");
  for (const RuleInfo& rule : Rules()) AppendRow(rule, out);
  absl::StrAppend(&out, "\n");
  for (const RuleInfo& rule : Rules()) AppendSection(rule, out);
  return out + kTail;
}

}  // namespace evenkeel::guard
