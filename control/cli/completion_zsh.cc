// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "control/cli/cat.h"
#include "control/cli/completion.h"

namespace evenkeel::cli {
namespace {

// Inside single quotes, in a description of _arguments or _describe.
std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(
      text, {{"'", "'\\''"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}, {"\\", "\\\\"}});
}

std::string Action(const ValueHint& hint) {
  if (hint.file) return ":file:_files";
  if (hint.words.empty()) return ":value:";
  return Cat(":value:(", absl::StrJoin(hint.words, " "), ")");
}

// '(-o --output)'{-o,--output}'[description]:value:(text json)'
std::string Argument(const OptionSpec& option) {
  const std::string text = Cat("'[", Escape(option.description), "]",
                               option.takes_value ? Action(option.value) : "", "'");
  if (option.short_name.empty()) return Cat("--", option.long_name, text);
  if (option.long_name.empty()) return Cat("-", option.short_name, text);
  const std::string s = "-" + option.short_name, l = "--" + option.long_name;
  return Cat("'(", s, " ", l, ")'{", s, ",", l, "}", text);
}

std::vector<std::string> Arguments(const SubcommandSpec& command) {
  std::vector<std::string> lines;
  for (const OptionSpec& option : command.options) lines.push_back(Argument(option));
  return lines;
}

}  // namespace

std::string ZshCompletion(const CompletionSpec& spec) {
  std::string commands, cases;
  for (const SubcommandSpec& command : spec.commands) {
    commands += Cat("        '", command.name, ":", Escape(command.description), "'\n");
    std::vector<std::string> lines = Arguments(command);
    if (command.positional.file || !command.positional.words.empty()) {
      lines.push_back(Cat("'*", Action(command.positional), "'"));
    }
    cases += Cat("        ", command.name, ")\n          _arguments \\\n            ",
                 absl::StrJoin(lines, " \\\n            "), "\n          ;;\n");
  }
  return Cat(
      "#compdef evenkeel\n"
      "_evenkeel() {\n"
      "  local context state state_descr line\n"
      "  typeset -A opt_args\n"
      "  _arguments -C \\\n    ",
      absl::StrJoin(Arguments(spec.root), " \\\n    "),
      " \\\n    '1:command:->command' \\\n    '*::argument:->argument'\n"
      "  case $state in\n"
      "    command)\n"
      "      local -a commands\n"
      "      commands=(\n",
      commands,
      "      )\n"
      "      _describe command commands\n"
      "      ;;\n"
      "    argument)\n"
      "      case $line[1] in\n",
      cases,
      "      esac\n"
      "      ;;\n"
      "  esac\n"
      "}\n"
      "if [ \"$funcstack[1]\" = _evenkeel ]; then\n"
      "  _evenkeel \"$@\"\n"
      "else\n"
      "  compdef _evenkeel evenkeel\n"
      "fi\n");
}

}  // namespace evenkeel::cli
