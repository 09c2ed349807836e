// SPDX-License-Identifier: Apache-2.0
//
// docs.github.com: "Workflow commands for GitHub Actions"; what is escaped, and that it is not to
// be undone elsewhere, is of the runner's own toolkit.
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "control/cli/cat.h"
#include "control/cli/check_report.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

std::string EscapeMessage(const std::string& text) {
  return absl::StrReplaceAll(text, {{"%", "%25"}, {"\r", "%0D"}, {"\n", "%0A"}});
}

std::string EscapeProperty(const std::string& text) {
  return absl::StrReplaceAll(EscapeMessage(Clean(text)), {{":", "%3A"}, {",", "%2C"}});
}

// `at` without a file: of no place. `message` may have several lines.
std::string Command(std::string_view kind, const model::SourceLocation& at,
                    const std::string& title, const std::string& message) {
  std::vector<std::string> properties;
  if (!at.file.empty()) properties.push_back(Cat("file=", EscapeProperty(at.file)));
  if (at.line > 0) properties.push_back(Cat("line=", at.line));
  if (at.line > 0 && at.column > 0) properties.push_back(Cat("col=", at.column));
  properties.push_back(Cat("title=", EscapeProperty(title)));
  return Cat("::", kind, " ", absl::StrJoin(properties, ","), "::", EscapeMessage(message), "\n");
}

model::SourceLocation In(const ConfigFile& file, model::SourceLocation at) {
  if (at.file.empty()) at.file = file.path;
  return at;
}

std::string OfFile(const Judgement& judged) {
  const ConfigFile& file = judged.file;
  std::string out;
  for (const model::Diagnostic& error : file.errors) {
    out += Command("error", In(file, Locate(file, error, "")), "not a valid configuration",
                   Clean(Cat(error.field, error.field.empty() ? "" : ": ", error.message)));
  }
  for (const guard::Violation& v : judged.verdict.violations) {
    out += Command(v.severity == guard::Severity::kBlock ? "error" : "warning",
                   In(file, Locate(file, v)), RuleTitle(v.rule, v.name),
                   absl::StrJoin(FindingLines(v), "\n"));
  }
  return out;
}

}  // namespace

std::string GithubCommands(const CheckReport& report) {
  if (!report.failure.ok()) {
    return Command("error", {}, "evenkeel check", Clean(std::string(report.failure.message())));
  }
  std::string out = Command("notice", {}, "evenkeel check", Clean(report.basis.text));
  for (const Judgement& judged : report.files) out += OfFile(judged);
  return out;
}

}  // namespace evenkeel::cli
