// SPDX-License-Identifier: Apache-2.0
#include "control/cli/check_report.h"

#include "control/cli/cat.h"
#include "control/cli/text.h"
#include "control/cli/verdict_report.h"

namespace evenkeel::cli {
namespace {

using nlohmann::ordered_json;

ExitCode ExitOf(const Judgement& judged, bool fail_on_warn) {
  if (!judged.file.ok()) return ExitCode::kError;
  if (judged.verdict.refused()) return ExitCode::kRefused;
  const bool warned = judged.verdict.severity == guard::Severity::kWarn;
  return warned && fail_on_warn ? ExitCode::kWarnings : ExitCode::kDone;
}

std::string_view Word(const Judgement& judged) {
  return judged.file.ok() ? VerdictWord(judged.verdict.severity) : "error";
}

void Append(ordered_json& list, const ordered_json& more) {
  list.insert(list.end(), more.begin(), more.end());
}

std::string Size(const Judgement& judged) {
  const model::Config& config = judged.file.config;
  return Cat(Plural(config.vips.size(), "VIP"), ", ", Plural(config.pools.size(), "pool"),
             judged.revision == 0 ? "" : Cat("; against revision ", judged.revision));
}

void PrintJudgement(Printer& out, const Judgement& judged) {
  PrintErrors(out, judged.file, judged.file.errors, "");
  PrintViolations(out, judged.file, judged.verdict);
  out.Put(judged.file.path, Style::kBold);
  if (!judged.file.ok()) {
    out.Put(": ").Line(Cat("not valid, ", Plural(judged.file.errors.size(), "error")), Style::kBad);
    return;
  }
  switch (judged.verdict.severity) {
    case guard::Severity::kPass:
      out.Put(": ").Put("passes", Style::kGood).Line(Cat(" (", Size(judged), ")"));
      return;
    case guard::Severity::kWarn:
      out.Put(": ").Put("passes with warnings", Style::kWarn).Line(Cat(" (", Size(judged), ")"));
      return;
    case guard::Severity::kBlock:
      out.Put(": ").Line(Cat("REFUSED by ", RefusingRules(judged.verdict)), Style::kBad);
  }
}

}  // namespace

std::string_view ToString(Basis::Kind kind) {
  switch (kind) {
    case Basis::Kind::kOffline:
      return "offline";
    case Basis::Kind::kFile:
      return "file";
    case Basis::Kind::kDaemon:
      break;
  }
  return "daemon";
}

ExitCode CheckExitCode(const CheckReport& report) {
  if (!report.failure.ok()) return ExitCodeOf(report.failure);
  ExitCode exit = ExitCode::kDone;
  for (const Judgement& judged : report.files) {
    exit = Worse(exit, ExitOf(judged, report.fail_on_warn));
  }
  return exit;
}

std::string_view CheckWord(const CheckReport& report) {
  if (!report.failure.ok()) return "error";
  ExitCode worst = ExitCode::kDone;
  std::string_view word = "pass";
  for (const Judgement& judged : report.files) {
    const ExitCode exit = ExitOf(judged, /*fail_on_warn=*/true);
    if (Worse(worst, exit) == worst) continue;
    worst = exit;
    word = Word(judged);
  }
  return word;
}

void PrintCheck(Printer& out, const CheckReport& report) {
  out.Line(report.basis.text, Style::kDim);
  for (const Judgement& judged : report.files) PrintJudgement(out, judged);
}

ordered_json CheckJson(const CheckReport& report) {
  ordered_json violations = ordered_json::array(), errors = ordered_json::array(),
               files = ordered_json::array();
  for (const Judgement& judged : report.files) {
    Append(errors, ErrorsJson(judged.file, judged.file.errors, ""));
    Append(violations, ViolationsJson(judged.file, judged.verdict));
    files.push_back({{"file", judged.file.path},
                     {"verdict", std::string(Word(judged))},
                     {"revision", judged.revision},
                     {"rules", RuleResultsJson(judged.verdict)}});
  }
  return {{"schema", kCheckSchema},
          {"verdict", std::string(CheckWord(report))},
          {"judged", std::string(ToString(report.basis.kind))},
          {"judged_text", report.basis.text},
          {"violations", violations},
          {"errors", errors},
          {"files", files}};
}

std::vector<std::string> FindingLines(const guard::Violation& violation) {
  std::vector<std::string> lines;
  const auto add = [&](std::string_view label, const std::string& text) {
    if (!text.empty()) lines.push_back(Clean(Cat(label, text)));
  };
  add("", violation.subject);
  add("observed: ", violation.observed);
  add("limit: ", violation.limit);
  if (violation.observed.empty() && violation.limit.empty()) add("problem: ", violation.message);
  add("fix: ", violation.fix);
  return lines;
}

std::string RuleTitle(std::string_view rule, std::string_view name) { return Cat(rule, " ", name); }

}  // namespace evenkeel::cli
