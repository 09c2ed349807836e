// SPDX-License-Identifier: Apache-2.0
#include "control/cli/completion.h"

#include <algorithm>

#include "control/cli/command.h"
#include "control/cli/text.h"
#include "control/guard/guard.h"

namespace evenkeel::cli {
namespace {

ValueHint HintOf(const std::string& type) {
  ValueHint hint;
  if (type == kFileType) {
    hint.file = true;
  } else if (type == kRuleType) {
    for (const guard::RuleInfo& rule : guard::Rules()) {
      hint.words.emplace_back(rule.id);
      hint.words.emplace_back(rule.name);
    }
  } else if (type == kCommandType) {
    for (const CommandSpec& spec : Commands()) hint.words.emplace_back(spec.name);
  } else if (!std::any_of(type.begin(), type.end(), [](unsigned char c) { return isupper(c); })) {
    for (std::string_view word : Split(type, '|'))
      hint.words.emplace_back(word);  // a closed set: "text|json"
  }
  return hint;
}

SubcommandSpec DescribeOne(const CLI::App& app) {
  SubcommandSpec spec;
  spec.name = app.get_name();
  spec.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    const bool takes_value = option->get_type_size() != 0;
    if (option->get_positional()) {
      spec.positional = HintOf(option->get_type_name());
      continue;
    }
    OptionSpec described;
    if (!option->get_snames().empty()) described.short_name = option->get_snames().front();
    if (!option->get_lnames().empty()) described.long_name = option->get_lnames().front();
    described.description = option->get_description();
    described.takes_value = takes_value;
    if (takes_value) described.value = HintOf(option->get_type_name());
    spec.options.push_back(std::move(described));
  }
  return spec;
}

}  // namespace

CompletionSpec Describe(const CLI::App& root) {
  CompletionSpec spec;
  spec.root = DescribeOne(root);
  for (const CLI::App* app : root.get_subcommands({})) spec.commands.push_back(DescribeOne(*app));
  return spec;
}

}  // namespace evenkeel::cli
