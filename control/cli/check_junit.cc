// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "control/cli/cat.h"
#include "control/cli/check_report.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

// Of attributes and of text alike. What XML 1.0 cannot hold at all, not even as a reference
// (section 2.2), is shown as its code: Clean() does that for control characters, here are the rest.
std::string Escape(std::string_view text) {
  return absl::StrReplaceAll(Clean(text), {{"&", "&amp;"},
                                           {"<", "&lt;"},
                                           {">", "&gt;"},
                                           {"\"", "&quot;"},
                                           {"'", "&apos;"},
                                           {"\xef\xbf\xbe", "\\ufffe"},
                                           {"\xef\xbf\xbf", "\\uffff"}});
}

std::string Attribute(std::string_view name, std::string_view value) {
  return Cat(" ", name, "=\"", Escape(value), "\"");
}

struct Case {
  std::string class_name, name;
  std::string_view element;  // "failure", "error", "system-out"; empty: passed without a word
  std::string type;
  std::vector<std::string> lines;
};

struct Suite {
  std::string name;
  std::vector<Case> cases;

  size_t Count(std::string_view element) const {
    size_t count = 0;
    for (const Case& c : cases) count += c.element == element ? 1 : 0;
    return count;
  }
};

std::string ToXml(const Case& c) {
  std::string out =
      Cat("    <testcase", Attribute("classname", c.class_name), Attribute("name", c.name));
  if (c.element.empty()) return out + "/>\n";
  std::vector<std::string> text;
  for (const std::string& line : c.lines) text.push_back(Escape(line));
  out += Cat(">\n      <", c.element);
  if (c.element != "system-out") {
    out += Cat(Attribute("message", absl::StrJoin(c.lines, "; ")), Attribute("type", c.type));
  }
  return out + Cat(">", absl::StrJoin(text, "\n"), "</", c.element, ">\n    </testcase>\n");
}

std::string Counts(size_t tests, size_t failures, size_t errors) {
  return Cat(" tests=\"", tests, "\" failures=\"", failures, "\" errors=\"", errors, "\"");
}

std::string ToXml(const Suite& suite, const Basis& basis) {
  std::string out =
      Cat("  <testsuite", Attribute("name", suite.name),
          Counts(suite.cases.size(), suite.Count("failure"), suite.Count("error")),
          " skipped=\"0\">\n    <properties>\n      <property", Attribute("name", "judged"),
          Attribute("value", basis.text), "/>\n    </properties>\n");
  for (const Case& c : suite.cases) out += ToXml(c);
  return out + "  </testsuite>\n";
}

// Findings of one rule on one pool, or on the whole state.
class Cases {
 public:
  Cases(const std::string& file, bool fail_on_warn) : file_(file), fail_on_warn_(fail_on_warn) {}

  Case& Of(const std::string& rule, const std::string& name, const std::string& pool) {
    const auto [at, added] = index_.try_emplace({rule, pool}, cases_.size());
    if (added) {
      cases_.push_back(
          {Cat(file_, "/", pool.empty() ? "state" : pool), RuleTitle(rule, name), "", rule, {}});
    }
    return cases_[at->second];
  }

  void Add(const guard::Violation& v) {
    Case& c = Of(v.rule, v.name, v.pool);
    const bool fails = v.severity == guard::Severity::kBlock || fail_on_warn_;
    if (fails) {
      c.element = "failure";
    } else if (c.element.empty()) {
      c.element = "system-out";
    }
    for (std::string& line : FindingLines(v)) c.lines.push_back(std::move(line));
  }

  std::vector<Case> Take() { return std::move(cases_); }

 private:
  const std::string& file_;
  bool fail_on_warn_;
  std::vector<Case> cases_;
  std::map<std::pair<std::string, std::string>, size_t> index_;
};

Suite OfFile(const Judgement& judged, bool fail_on_warn) {
  const std::string& path = judged.file.path;
  if (!judged.file.ok()) {
    Case broken{Cat(path, "/state"), "valid configuration", "error", "config", {}};
    for (const model::Diagnostic& error : judged.file.errors) {
      model::SourceLocation at = Locate(judged.file, error, "");
      if (at.file.empty()) at.file = path;
      broken.lines.push_back(
          Cat(at.ToString(), ": ", error.field, error.field.empty() ? "" : ": ", error.message));
    }
    return {path, {std::move(broken)}};
  }
  Cases cases(path, fail_on_warn);
  for (const guard::RuleResult& r : judged.verdict.results) cases.Of(r.rule, r.name, r.pool);
  for (const guard::Violation& v : judged.verdict.violations) cases.Add(v);
  return {path, cases.Take()};
}

}  // namespace

std::string JunitXml(const CheckReport& report) {
  std::vector<Suite> suites;
  if (!report.failure.ok()) {
    suites.push_back(
        {"evenkeel check",
         {{"evenkeel", "check", "error", "failure", {std::string(report.failure.message())}}}});
  } else {
    for (const Judgement& judged : report.files) {
      suites.push_back(OfFile(judged, report.fail_on_warn));
    }
  }
  size_t tests = 0, failures = 0, errors = 0;
  std::string body;
  for (const Suite& suite : suites) {
    tests += suite.cases.size();
    failures += suite.Count("failure");
    errors += suite.Count("error");
    body += ToXml(suite, report.basis);
  }
  return Cat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites",
             Attribute("name", "evenkeel check"), Counts(tests, failures, errors), ">\n", body,
             "</testsuites>\n");
}

}  // namespace evenkeel::cli
