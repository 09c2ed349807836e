// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_join.h"
#include "control/cli/cat.h"
#include "control/cli/completion.h"

namespace evenkeel::cli {
namespace {

std::string OptionWords(const SubcommandSpec& command) {
  std::vector<std::string> words;
  for (const OptionSpec& option : command.options) {
    if (!option.short_name.empty()) words.push_back("-" + option.short_name);
    if (!option.long_name.empty()) words.push_back("--" + option.long_name);
  }
  return absl::StrJoin(words, " ");
}

// The command that fills COMPREPLY from `hint`; nothing to offer is ":".
std::string Reply(const ValueHint& hint) {
  if (hint.file) return "_evenkeel_files";
  if (hint.words.empty()) return ":";
  return Cat("_evenkeel_words '", absl::StrJoin(hint.words, " "), "'");
}

// "apply:-f|apply:--file) _evenkeel_files; return ;;" for each option that takes a value.
void AppendValueCases(const SubcommandSpec& command, std::string& out) {
  for (const OptionSpec& option : command.options) {
    if (!option.takes_value) continue;
    std::vector<std::string> patterns;
    if (!option.short_name.empty()) patterns.push_back(command.name + ":-" + option.short_name);
    if (!option.long_name.empty()) patterns.push_back(command.name + ":--" + option.long_name);
    out += Cat("    ", absl::StrJoin(patterns, "|"), ") ", Reply(option.value), "; return ;;\n");
  }
}

constexpr char kHelpers[] = R"(# bash completion for evenkeel
_evenkeel_words() {
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$1" -- "$cur")
}

_evenkeel_files() {
  local file
  compopt -o filenames 2>/dev/null
  while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$cur")
}

)";

}  // namespace

std::string BashCompletion(const CompletionSpec& spec) {
  SubcommandSpec root = spec.root;
  root.name = "";
  std::vector<std::string> names;
  std::string values, options, positionals;
  AppendValueCases(root, values);
  for (const SubcommandSpec& command : spec.commands) {
    names.push_back(command.name);
    AppendValueCases(command, values);
    options += Cat("      ", command.name, ") _evenkeel_words '", OptionWords(command), "' ;;\n");
    positionals += Cat("    ", command.name, ") ", Reply(command.positional), " ;;\n");
  }
  const std::string commands = absl::StrJoin(names, " ");
  const std::string is_command = absl::StrJoin(names, "|");

  return Cat(kHelpers,
             "_evenkeel() {\n"
             "  local cur=${COMP_WORDS[COMP_CWORD]} prev= command= i\n"
             "  COMPREPLY=()\n"
             "  (( COMP_CWORD > 0 )) && prev=${COMP_WORDS[COMP_CWORD-1]}\n"
             "  for (( i = 1; i < COMP_CWORD; i++ )); do\n"
             "    case ${COMP_WORDS[i]} in\n"
             "      ",
             is_command,
             ") command=${COMP_WORDS[i]}; break ;;\n"
             "    esac\n"
             "  done\n"
             "  case $command:$prev in\n",
             values,
             "  esac\n"
             "  if [[ $cur == -* ]]; then\n"
             "    case $command in\n"
             "      '') _evenkeel_words '",
             OptionWords(root), "' ;;\n", options,
             "    esac\n"
             "    return\n"
             "  fi\n"
             "  case $command in\n"
             "    '') _evenkeel_words '",
             commands, "' ;;\n", positionals,
             "  esac\n"
             "}\n"
             "complete -F _evenkeel evenkeel\n");
}

}  // namespace evenkeel::cli
