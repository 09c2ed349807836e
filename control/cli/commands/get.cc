// SPDX-License-Identifier: Apache-2.0
#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/stored_state.h"
#include "control/cli/text.h"
#include "control/json/config.h"
#include "control/model/yaml.h"

namespace evenkeel::cli {
namespace {

// As comments, so that the output is a file to edit and apply.
std::string Header(const StoredState& state) {
  if (state.revision == 0) return "# Nothing was applied yet.\n";
  std::string header = Cat("# Revision ", state.revision, ", ", UtcTime(state.unix_ns), ", by ",
                           Clean(state.author), "\n# ", Clean(state.reason), "\n");
  if (!state.failure.empty()) header += Cat("# Never in force: ", Clean(state.failure), "\n");
  if (!state.etag.empty()) {
    header += Cat("# To change it only if nobody else did: evenkeel apply --etag ",
                  Clean(state.etag), " ...\n");
  }
  return header;
}

class Get final : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("-r,--revision", revision_, "A past revision; default: the state in force")
        ->type_name("REVISION");
  }

  ExitCode Run(Session& session) override {
    const absl::StatusOr<StoredState> state = LoadState(session, revision_);
    if (!state.ok()) return session.Fail(state.status());
    switch (session.format) {
      case Format::kJson:
        session.PrintJson({{"schema", "evenkeel.get/v1"},
                           {"revision", state->revision},
                           {"etag", state->etag},
                           {"digest", state->digest},
                           {"author", state->author},
                           {"reason", state->reason},
                           {"applied_at", Rfc3339(state->failure.empty() ? state->unix_ns : 0)},
                           {"failure", state->failure},
                           {"config", json::ToJson(state->config)}});
        break;
      case Format::kYaml:
        session.Out().Raw(model::ToYaml(state->config));
        break;
      case Format::kText:
      case Format::kSarif:  // this and those below: of check only
      case Format::kJunit:
      case Format::kGithub:
        PrintText(session, *state);
        break;
    }
    return ExitCode::kDone;
  }

 private:
  // Exact bytes for a file; on a terminal, nothing that it could obey.
  static void PrintText(Session& session, const StoredState& state) {
    const std::string text = Cat(Header(state), model::ToYaml(state.config));
    Printer out = session.Out();
    if (!session.env.out_is_terminal) {
      out.Raw(text);
      return;
    }
    for (std::string_view line : Split(text, '\n')) {
      out.Line(line, line.starts_with('#') ? Style::kDim : Style::kPlain);
    }
  }

  std::string revision_;
};

}  // namespace

std::unique_ptr<Command> MakeGet() { return std::make_unique<Get>(); }

}  // namespace evenkeel::cli
