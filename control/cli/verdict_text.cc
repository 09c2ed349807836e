// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "absl/strings/str_join.h"
#include "control/cli/cat.h"
#include "control/cli/text.h"
#include "control/cli/verdict_report.h"

namespace evenkeel::cli {
namespace {

// With more pools than this, a rule that passed everywhere is one line.
constexpr size_t kPoolsListed = 4;

std::string Where(const guard::RuleResult& result) {
  return result.pool.empty() ? "all" : result.pool;
}

std::vector<Cell> Row(const guard::RuleResult& r) {
  std::string text = r.observed;
  if (!r.limit.empty()) text += Cat(text.empty() ? "" : "; ", "limit: ", r.limit);
  return {{std::string(VerdictWord(r.severity)), StyleOf(r.severity)},
          {r.rule},
          {r.name},
          {Where(r)},
          {text, Style::kDim}};
}

}  // namespace

Style StyleOf(guard::Severity severity) {
  switch (severity) {
    case guard::Severity::kPass:
      return Style::kGood;
    case guard::Severity::kWarn:
      return Style::kWarn;
    case guard::Severity::kBlock:
      break;
  }
  return Style::kBad;
}

std::string RefusingRules(const guard::Verdict& verdict) {
  std::vector<std::string> rules;
  for (const guard::Violation& v : verdict.violations) {
    if (v.severity == guard::Severity::kBlock) rules.push_back(v.rule);
  }
  std::sort(rules.begin(), rules.end());
  rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
  return absl::StrJoin(rules, ", ");
}

void PrintErrors(Printer& out, const ConfigFile& file, const std::vector<model::Diagnostic>& errors,
                 const std::string& pool) {
  for (const model::Diagnostic& error : errors) {
    model::SourceLocation at = Locate(file, error, pool);
    if (at.file.empty()) at.file = file.path;
    const std::string field = error.field.empty() ? "" : Cat(error.field, ": ");
    out.Put(at.ToString(), Style::kBold).Line(Cat(": ", field, error.message));
  }
}

void PrintViolations(Printer& out, const ConfigFile& file, const guard::Verdict& verdict) {
  for (const guard::Violation& v : verdict.violations) {
    model::SourceLocation at = Locate(file, v);
    if (at.file.empty()) at.file = file.path;
    const bool blocks = v.severity == guard::Severity::kBlock;
    out.Put(at.ToString(), Style::kBold)
        .Put(": ")
        .Put(blocks ? "refused" : "warning", StyleOf(v.severity))
        .Line(Cat(": ", v.rule, " ", v.name, ": ", v.subject));
    if (!v.observed.empty()) out.Hanging(4, {"observed"}, v.observed, 2);
    if (!v.limit.empty()) out.Hanging(4, {"limit   "}, v.limit, 2);
    if (v.observed.empty() && v.limit.empty()) out.Hanging(4, {"problem "}, v.message, 2);
    if (!v.fix.empty()) out.Hanging(4, {"fix     ", Style::kBold}, v.fix, 2);
  }
}

void PrintRuleResults(Printer& out, const guard::Verdict& verdict) {
  std::map<std::string, std::vector<const guard::RuleResult*>> by_rule;
  for (const guard::RuleResult& r : verdict.results) by_rule[r.rule].push_back(&r);

  std::vector<std::vector<Cell>> rows;
  for (const auto& [rule, results] : by_rule) {
    const auto passed = static_cast<size_t>(std::count_if(
        results.begin(), results.end(),
        [](const guard::RuleResult* r) { return r->severity == guard::Severity::kPass; }));
    for (const guard::RuleResult* r : results) {
      if (r->severity != guard::Severity::kPass || passed <= kPoolsListed) rows.push_back(Row(*r));
    }
    if (passed > kPoolsListed) {
      guard::RuleResult many;
      many.rule = rule;
      many.name = results.front()->name;
      many.pool = Plural(passed, "pool");
      many.limit = results.front()->limit;
      rows.push_back(Row(many));
    }
  }
  out.Table(2, rows);
}

}  // namespace evenkeel::cli
