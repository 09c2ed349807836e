// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_COMMAND_H_
#define EVENKEEL_CONTROL_CLI_COMMAND_H_

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/cli/exit_code.h"
#include "control/cli/session.h"

namespace evenkeel::cli {

// One subcommand: declares its options, then runs with what was parsed into its members.
class Command {
 public:
  virtual ~Command() = default;
  virtual void Declare(CLI::App& app) = 0;
  virtual ExitCode Run(Session& session) = 0;
};

struct CommandSpec {
  std::string_view name;
  std::string_view summary;
  bool speaks_to_daemon;     // has --socket
  std::string_view formats;  // values of --output, "text|json"; empty: has no --output
  std::string_view details;  // below the options in --help: examples, exit codes
  std::unique_ptr<Command> (*make)();
};

// In the order of `evenkeel --help`.
const std::vector<CommandSpec>& Commands();

// Declares an option (or, without dashes, a positional) with a closed set of values. `values` as
// "text|json" is checked, shown in the help and offered by the completion.
CLI::Option* AddChoice(CLI::App& app, const std::string& name, std::string& value,
                       std::string_view values, const std::string& description);

// What the value of an option is, for the completion: the option's type name.
inline constexpr char kFileType[] = "FILE";
inline constexpr char kRuleType[] = "RULE";
inline constexpr char kCommandType[] = "COMMAND";

// Adds every command to `root`, with the options that all have. `session` receives --socket,
// `format` an --output that stands before the command. All three outlive the result.
struct Declared {
  const CommandSpec* spec;
  CLI::App* app;
  std::unique_ptr<Command> command;
  std::string format;
};
std::vector<std::unique_ptr<Declared>> DeclareAll(CLI::App& root, Session& session,
                                                  std::string& format);

// The whole command tree, parsed into nothing: for help and completion.
class CommandTree {
 public:
  CommandTree();
  ~CommandTree();
  const CLI::App& root() const { return root_; }

 private:
  Environment env_;
  Session session_;
  std::string format_;
  CLI::App root_;
  std::vector<std::unique_ptr<Declared>> declared_;
};

std::unique_ptr<Command> MakeAnnounce();
std::unique_ptr<Command> MakeAck();
std::unique_ptr<Command> MakeTop();
std::unique_ptr<Command> MakeApply();
std::unique_ptr<Command> MakeCancel();
std::unique_ptr<Command> MakeCapture();
std::unique_ptr<Command> MakeCheck();
std::unique_ptr<Command> MakeCompletion();
std::unique_ptr<Command> MakeConfirm();
std::unique_ptr<Command> MakeDiff();
std::unique_ptr<Command> MakeDisable();
std::unique_ptr<Command> MakeDrain();
std::unique_ptr<Command> MakeEnable();
std::unique_ptr<Command> MakeExplain();
std::unique_ptr<Command> MakeGet();
std::unique_ptr<Command> MakeHelp();
std::unique_ptr<Command> MakeHistory();
std::unique_ptr<Command> MakePlan();
std::unique_ptr<Command> MakeRollback();
std::unique_ptr<Command> MakeRules();
std::unique_ptr<Command> MakeStatus();
std::unique_ptr<Command> MakeUndrain();
std::unique_ptr<Command> MakeWatch();
std::unique_ptr<Command> MakeDoctor();
std::unique_ptr<Command> MakeWeight();
std::unique_ptr<Command> MakeWithdraw();

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_COMMAND_H_
