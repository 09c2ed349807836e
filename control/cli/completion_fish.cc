// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "control/cli/cat.h"
#include "control/cli/completion.h"

namespace evenkeel::cli {
namespace {

std::string Quote(const std::string& text) {
  return Cat("'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string Value(const ValueHint& hint) {
  if (hint.file) return " -r -F";
  if (hint.words.empty()) return " -x";
  return Cat(" -x -a ", Quote(absl::StrJoin(hint.words, " ")));
}

void AppendOptions(const SubcommandSpec& command, const std::string& condition, std::string& out) {
  for (const OptionSpec& option : command.options) {
    out += Cat("complete -c evenkeel -n ", Quote(condition));
    if (!option.short_name.empty()) out += Cat(" -s ", option.short_name);
    if (!option.long_name.empty()) out += Cat(" -l ", option.long_name);
    if (option.takes_value) out += Cat(Value(option.value));
    out += Cat(" -d ", Quote(option.description), "\n");
  }
}

}  // namespace

std::string FishCompletion(const CompletionSpec& spec) {
  std::string out = "# fish completion for evenkeel\ncomplete -c evenkeel -f\n";
  AppendOptions(spec.root, "__fish_use_subcommand", out);
  for (const SubcommandSpec& command : spec.commands) {
    out += Cat("complete -c evenkeel -n __fish_use_subcommand -a ", command.name, " -d ",
               Quote(command.description), "\n");
    const std::string condition = Cat("__fish_seen_subcommand_from ", command.name);
    AppendOptions(command, condition, out);
    if (command.positional.file) {
      out += Cat("complete -c evenkeel -n ", Quote(condition), " -F\n");
    } else if (!command.positional.words.empty()) {
      out += Cat("complete -c evenkeel -n ", Quote(condition), " -a ",
                 Quote(absl::StrJoin(command.positional.words, " ")), "\n");
    }
  }
  return out;
}

}  // namespace evenkeel::cli
