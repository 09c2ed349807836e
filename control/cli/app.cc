// SPDX-License-Identifier: Apache-2.0
#include "control/cli/app.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/strings/match.h"
#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

Format ParseFormat(std::string_view text) {
  static constexpr std::pair<std::string_view, Format> kFormats[] = {{"json", Format::kJson},
                                                                     {"yaml", Format::kYaml},
                                                                     {"sarif", Format::kSarif},
                                                                     {"junit", Format::kJunit},
                                                                     {"github", Format::kGithub}};
  for (const auto& [name, format] : kFormats) {
    if (text == name) return format;
  }
  return Format::kText;
}

// What can follow where parsing stopped: options of `app` with their dashes, or commands.
std::vector<std::string> Expected(const CLI::App& app, bool option) {
  std::vector<std::string> names;
  if (!option) {
    for (const CommandSpec& spec : Commands()) names.emplace_back(spec.name);
    return names;
  }
  for (const CLI::Option* o : app.get_options()) {
    for (const std::string& name : o->get_lnames()) names.push_back(Cat("--", name));
  }
  return names;
}

class Parser {
 public:
  explicit Parser(Session& session)
      : session_(session), declared_(DeclareAll(root_, session, format_)) {}

  // The command to run, or null where `exit` says how the program ends already.
  Declared* Parse(std::vector<std::string> args, ExitCode& exit) {
    try {
      std::reverse(args.begin(), args.end());  // as CLI11 wants it
      root_.parse(args);
    } catch (const CLI::Success& e) {  // --help, --version
      Active();
      root_.exit(e, *session_.env.out, *session_.env.err);
      exit = ExitCode::kDone;
      return nullptr;
    } catch (const CLI::ParseError& e) {
      exit = Explain(e);
      return nullptr;
    }
    return CheckFormat(exit);
  }

 private:
  Declared* Active() {
    for (const auto& declared : declared_) {
      if (declared->app->parsed()) return declared.get();
    }
    return nullptr;
  }

  // --output may stand before the command too, where every format is accepted.
  Declared* CheckFormat(ExitCode& exit) {
    Declared* active = Active();
    const std::string& format = active->format.empty() ? format_ : active->format;
    if (!format.empty() &&
        !absl::StrContains(Cat("|", active->spec->formats, "|"), Cat("|", format, "|"))) {
      exit = session_.FailUsage(
          active->spec->formats.empty()
              ? Cat(active->spec->name, " has no option --output")
              : Cat("--output: \"", format, "\" is none of ", active->spec->formats));
      return nullptr;
    }
    session_.format = ParseFormat(format);
    return active;
  }

  ExitCode Explain(const CLI::ParseError& e) {
    const Declared* active = Active();
    std::string message = e.what();
    const CLI::App& app = active != nullptr ? *active->app : root_;
    const std::vector<std::string> extras = active != nullptr && !active->app->remaining().empty()
                                                ? active->app->remaining()
                                                : root_.remaining();
    if (!extras.empty()) {
      const std::string& word = extras.front();
      const bool option = word.starts_with("-");
      const bool command = !option && active == nullptr;
      message = Cat(option    ? "unknown option "
                    : command ? "unknown command "
                              : "unexpected argument ",
                    word);
      const std::string nearest =
          option || command ? Nearest(word, Expected(app, option)) : std::string();
      if (!nearest.empty()) message += Cat(" (did you mean ", nearest, "?)");
    }
    message +=
        Cat("; see evenkeel ", active != nullptr ? Cat(active->spec->name, " --help") : "--help");
    return session_.FailUsage(message);
  }

  Session& session_;
  std::string format_;
  CLI::App root_;
  std::vector<std::unique_ptr<Declared>> declared_;
};

}  // namespace

int Run(const std::vector<std::string>& args, Environment& env) {
  Session session(env);
  Parser parser(session);
  ExitCode exit = ExitCode::kDone;
  if (Declared* declared = parser.Parse(args, exit); declared != nullptr) {
    exit = declared->command->Run(session);
  }
  env.out->flush();
  if (!env.out->good()) {
    session.Err().Line("evenkeel: cannot write the output; is the disk full?");
    exit = ExitCode::kError;
  }
  return static_cast<int>(exit);
}

}  // namespace evenkeel::cli
