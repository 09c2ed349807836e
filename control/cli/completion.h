// SPDX-License-Identifier: Apache-2.0
//
// Completion scripts, generated from the declared commands and options so that they cannot lag.
#ifndef EVENKEEL_CONTROL_CLI_COMPLETION_H_
#define EVENKEEL_CONTROL_CLI_COMPLETION_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace evenkeel::cli {

// What a value can be completed to.
struct ValueHint {
  bool file = false;
  std::vector<std::string> words;
};

struct OptionSpec {
  std::string short_name;  // "o", or empty
  std::string long_name;   // "output"; both empty: a positional
  std::string description;
  bool takes_value = false;
  ValueHint value;
};

struct SubcommandSpec {
  std::string name, description;
  std::vector<OptionSpec> options;
  ValueHint positional;
};

struct CompletionSpec {
  SubcommandSpec root;
  std::vector<SubcommandSpec> commands;
};

CompletionSpec Describe(const CLI::App& root);

std::string BashCompletion(const CompletionSpec& spec);
std::string ZshCompletion(const CompletionSpec& spec);
std::string FishCompletion(const CompletionSpec& spec);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_COMPLETION_H_
