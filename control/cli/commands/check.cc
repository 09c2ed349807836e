// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "control/cli/cat.h"
#include "control/cli/change_options.h"
#include "control/cli/command.h"
#include "control/cli/offline_judge.h"
#include "control/cli/text.h"
#include "control/cli/verdict_report.h"

namespace evenkeel::cli {
namespace {

using nlohmann::ordered_json;

ExitCode ExitOf(const OfflineJudgement& judged, bool fail_on_warn) {
  if (!judged.file.ok()) return ExitCode::kError;
  if (judged.verdict.refused()) return ExitCode::kRefused;
  const bool warned = judged.verdict.severity == guard::Severity::kWarn;
  return warned && fail_on_warn ? ExitCode::kWarnings : ExitCode::kDone;
}

std::string_view Word(const OfflineJudgement& judged) {
  return judged.file.ok() ? VerdictWord(judged.verdict.severity) : "error";
}

// "error" outweighs "refuse", as in the exit code.
std::string_view WorstWord(const std::vector<OfflineJudgement>& all) {
  ExitCode worst = ExitCode::kDone;
  std::string_view word = "pass";
  for (const OfflineJudgement& judged : all) {
    const ExitCode exit = ExitOf(judged, /*fail_on_warn=*/true);
    if (Worse(worst, exit) == worst) continue;
    worst = exit;
    word = Word(judged);
  }
  return word;
}

void Append(ordered_json& list, const ordered_json& more) {
  list.insert(list.end(), more.begin(), more.end());
}

ordered_json Document(const std::vector<OfflineJudgement>& all) {
  ordered_json violations = ordered_json::array(), errors = ordered_json::array(),
               rules = ordered_json::array(), files = ordered_json::array();
  for (const OfflineJudgement& judged : all) {
    Append(errors, ErrorsJson(judged.file, judged.file.errors, ""));
    Append(violations, ViolationsJson(judged.file, judged.verdict));
    files.push_back({{"file", judged.file.path},
                     {"verdict", std::string(Word(judged))},
                     {"rules", RuleResultsJson(judged.verdict)}});
  }
  return {{"schema", kCheckSchema},
          {"verdict", std::string(WorstWord(all))},
          {"violations", violations},
          {"errors", errors},
          {"files", files}};
}

void PrintJudgement(Printer& out, const OfflineJudgement& judged) {
  PrintErrors(out, judged.file, judged.file.errors, "");
  PrintViolations(out, judged.file, judged.verdict);
  out.Put(judged.file.path, Style::kBold);
  if (!judged.file.ok()) {
    out.Put(": ").Line(Cat("not valid, ", Plural(judged.file.errors.size(), "error")), Style::kBad);
    return;
  }
  const model::Config& config = judged.file.config;
  const std::string size =
      Cat(Plural(config.vips.size(), "VIP"), ", ", Plural(config.pools.size(), "pool"));
  switch (judged.verdict.severity) {
    case guard::Severity::kPass:
      out.Put(": ").Put("passes", Style::kGood).Line(Cat(" (", size, ")"));
      return;
    case guard::Severity::kWarn:
      out.Put(": ").Put("passes with warnings", Style::kWarn).Line(Cat(" (", size, ")"));
      return;
    case guard::Severity::kBlock:
      out.Put(": ").Line(Cat("REFUSED by ", RefusingRules(judged.verdict)), Style::kBad);
  }
}

class Check final : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("files", paths_, "Configurations, each judged on its own; - is standard input")
        ->type_name(kFileType)
        ->required();
    app.add_option("--against", against_,
                   "The state that runs: judge also what changes (LB005, LB006)")
        ->type_name(kFileType);
    app.add_option("--hash-key-file", hash_key_file_,
                   "The fleet's hash key, to build the fleet's very tables")
        ->type_name(kFileType);
    AddFailOn(app, fail_on_);
  }

  ExitCode Run(Session& session) override {
    maglev::HashKey key = kOfflineHashKey;
    if (!hash_key_file_.empty()) {
      const absl::StatusOr<maglev::HashKey> read = ReadHashKey(hash_key_file_);
      if (!read.ok()) return session.Fail(read.status());
      key = *read;
    }
    std::optional<OfflineBase> base;
    if (!against_.empty()) {
      base = BuildBase(against_, key);
      if (!base->file.ok()) return FailBase(session, *base);
    }
    std::vector<OfflineJudgement> all;
    for (const std::string& path : paths_) {
      all.push_back(JudgeOffline(path, key, base ? base->fleet : nullptr));
    }
    return Report(session, all);
  }

 private:
  static ExitCode FailBase(Session& session, const OfflineBase& base) {
    if (session.json()) {
      session.PrintJson({{"schema", kCheckSchema},
                         {"verdict", "error"},
                         {"violations", ordered_json::array()},
                         {"errors", ErrorsJson(base.file, base.file.errors, "")},
                         {"files", ordered_json::array()}});
    } else {
      Printer err = session.Err();
      PrintErrors(err, base.file, base.file.errors, "");
    }
    return ExitCode::kError;
  }

  ExitCode Report(Session& session, const std::vector<OfflineJudgement>& all) const {
    ExitCode exit = ExitCode::kDone;
    for (const OfflineJudgement& judged : all) {
      exit = Worse(exit, ExitOf(judged, fail_on_ == "warn"));
    }
    if (session.json()) {
      session.PrintJson(Document(all));
      return exit;
    }
    Printer out = session.Out();
    for (const OfflineJudgement& judged : all) PrintJudgement(out, judged);
    return exit;
  }

  std::vector<std::string> paths_;
  std::string against_, hash_key_file_, fail_on_;
};

}  // namespace

std::unique_ptr<Command> MakeCheck() { return std::make_unique<Check>(); }

}  // namespace evenkeel::cli
