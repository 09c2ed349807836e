// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "control/cli/cat.h"
#include "control/cli/change_options.h"
#include "control/cli/check_report.h"
#include "control/cli/command.h"
#include "control/cli/judgement.h"

namespace evenkeel::cli {
namespace {

ExitCode Print(Session& session, const CheckReport& report) {
  switch (session.format) {
    case Format::kSarif:
      session.PrintJson(SarifLog(report));
      break;
    case Format::kJunit:
      session.Out().Raw(JunitXml(report));
      break;
    case Format::kGithub:
      session.Out().Raw(GithubCommands(report));
      break;
    case Format::kText:
    case Format::kJson:
    case Format::kYaml:
      if (!report.failure.ok()) break;  // session.Fail() says it all
      if (session.json()) {
        session.PrintJson(CheckJson(report));
      } else {
        Printer out = session.Out();
        PrintCheck(out, report);
      }
  }
  if (!report.failure.ok()) session.Fail(report.failure);
  return CheckExitCode(report);
}

class Check final : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("files", paths_, "Configurations, each judged on its own; - is standard input")
        ->type_name(kFileType)
        ->required();
    app.add_flag("--offline", offline_, "Without the daemon, also where one runs");
    app.add_option("--against", against_,
                   "The state that runs, instead of a daemon's: judge what changes")
        ->type_name(kFileType);
    app.add_option("--hash-key-file", hash_key_file_,
                   "Offline: the fleet's hash key, to build the fleet's very tables")
        ->type_name(kFileType);
    AddFailOn(app, fail_on_);
  }

  ExitCode Run(Session& session) override {
    CheckReport report;
    report.fail_on_warn = fail_on_ == "warn";
    report.basis = ChooseBasis(session);
    report.failure =
        report.basis.kind == Basis::Kind::kDaemon ? AskDaemon(session, report) : JudgeHere(report);
    return Print(session, report);
  }

 private:
  Basis ChooseBasis(const Session& session) const {
    if (!against_.empty()) return {Basis::Kind::kFile, Cat("Judged against ", against_)};
    if (offline_) return {Basis::Kind::kOffline, "Judged offline, as asked"};
    if (!hash_key_file_.empty()) {
      return {Basis::Kind::kOffline, "Judged offline, with the given hash key"};
    }
    if (!session.env.socket_exists(session.socket)) {
      return {Basis::Kind::kOffline,
              Cat("Judged offline: no daemon here (there is no ", session.socket, ")")};
    }
    return {Basis::Kind::kDaemon,
            Cat("Judged against what the daemon runs (", session.socket, ")")};
  }

  absl::Status AskDaemon(Session& session, CheckReport& report) const {
    for (const std::string& path : paths_) {
      absl::StatusOr<Judgement> judged = JudgeByDaemon(session.daemon(), path);
      if (!judged.ok()) {
        return absl::Status(judged.status().code(), Cat(std::string(judged.status().message()),
                                                        "; --offline judges without the daemon"));
      }
      report.files.push_back(*std::move(judged));
    }
    return absl::OkStatus();
  }

  // A base that is not valid is reported as any other file.
  absl::Status JudgeHere(CheckReport& report) const {
    maglev::HashKey key = kOfflineHashKey;
    if (!hash_key_file_.empty()) {
      const absl::StatusOr<maglev::HashKey> read = ReadHashKey(hash_key_file_);
      if (!read.ok()) return read.status();
      key = *read;
    }
    std::optional<OfflineBase> base;
    if (!against_.empty()) {
      base = BuildBase(against_, key);
      if (!base->file.ok()) {
        report.files.push_back({.file = std::move(base->file), .verdict = {}, .revision = 0});
        return absl::OkStatus();
      }
    }
    for (const std::string& path : paths_) {
      report.files.push_back(JudgeOffline(path, key, base ? base->fleet : nullptr));
    }
    return absl::OkStatus();
  }

  std::vector<std::string> paths_;
  std::string against_, hash_key_file_, fail_on_;
  bool offline_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeCheck() { return std::make_unique<Check>(); }

}  // namespace evenkeel::cli
