// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_GUARD_RULES_MARKDOWN_H_
#define EVENKEEL_CONTROL_GUARD_RULES_MARKDOWN_H_

#include <string>

namespace evenkeel::guard {

// The text of docs/rules.md, from the rule table.
std::string RulesMarkdown();

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_RULES_MARKDOWN_H_
