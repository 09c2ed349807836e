// SPDX-License-Identifier: Apache-2.0
#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/config_diff.h"
#include "control/cli/plan_report.h"
#include "control/cli/stored_state.h"
#include "control/cli/text.h"
#include "control/cli/verdict_report.h"

namespace evenkeel::cli {
namespace {

using nlohmann::ordered_json;

struct Side {
  std::string name;
  model::Config config;
};

absl::StatusOr<Side> LoadSide(Session& session, const std::string& revision) {
  absl::StatusOr<StoredState> state = LoadState(session, revision);
  if (!state.ok()) return state.status();
  return Side{Cat(RevisionName(state->revision), state->failure.empty() ? "" : " (never in force)"),
              std::move(state->config)};
}

class Diff final : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("-f,--file", path_, "Compare with this configuration; - is standard input")
        ->type_name(kFileType);
    app.add_option("revisions", revisions_, "One or two revisions")
        ->type_name("REVISION")
        ->expected(0, 2);
    app.add_flag("--detailed-exitcode", detailed_exitcode_, "Exit with 2 if they differ");
  }

  ExitCode Run(Session& session) override {
    if (path_.empty() && revisions_.empty()) {
      return session.FailUsage("nothing to compare; give --file FILE, or one or two revisions");
    }
    if (!path_.empty() && revisions_.size() > 1) {
      return session.FailUsage("too much to compare: --file with two revisions");
    }
    ConfigFile file;
    if (!path_.empty()) {
      file = ReadConfigFile(path_);
      if (!file.ok()) return FailFile(session, file);
    }
    const absl::StatusOr<Side> from =
        LoadSide(session, revisions_.empty() ? "" : revisions_.front());
    if (!from.ok()) return session.Fail(from.status());
    absl::StatusOr<Side> to = Side{file.path, file.config};
    if (path_.empty()) to = LoadSide(session, revisions_.size() > 1 ? revisions_[1] : "");
    if (!to.ok()) return session.Fail(to.status());
    return Report(session, *from, *to);
  }

 private:
  static ExitCode FailFile(Session& session, const ConfigFile& file) {
    if (session.json()) {
      session.PrintJson(
          {{"schema", "evenkeel.diff/v1"}, {"errors", ErrorsJson(file, file.errors, "")}});
    } else {
      Printer err = session.Err();
      PrintErrors(err, file, file.errors, "");
    }
    return ExitCode::kError;
  }

  ExitCode Report(Session& session, const Side& from, const Side& to) const {
    const std::vector<Difference> differences = DiffConfigs(from.config, to.config);
    if (session.json()) {
      session.PrintJson({{"schema", "evenkeel.diff/v1"},
                         {"from", from.name},
                         {"to", to.name},
                         {"differences", ToJson(differences)}});
    } else {
      Printer out = session.Out();
      if (differences.empty()) {
        out.Line(Cat("No difference between ", from.name, " and ", to.name));
      } else {
        out.Line(Cat("From ", from.name, " to ", to.name, ":"), Style::kBold);
        PrintDifferences(out, 2, differences);
      }
    }
    return detailed_exitcode_ && !differences.empty() ? ExitCode::kChanges : ExitCode::kDone;
  }

  std::string path_;
  std::vector<std::string> revisions_;
  bool detailed_exitcode_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDiff() { return std::make_unique<Diff>(); }

}  // namespace evenkeel::cli
