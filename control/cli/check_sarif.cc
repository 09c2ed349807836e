// SPDX-License-Identifier: Apache-2.0
//
// Static Analysis Results Interchange Format, version 2.1.0 (OASIS); sections are of that document.
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "control/cli/cat.h"
#include "control/cli/check_report.h"
#include "control/cli/version.h"

namespace evenkeel::cli {
namespace {

using nlohmann::ordered_json;

constexpr char kSchemaUri[] = "https://json.schemastore.org/sarif-2.1.0.json";
// What is not a finding of a rule: the file itself is not valid.
constexpr char kConfigRule[] = "config";

// RFC 3986: what a path segment may hold stays, all else is percent-encoded.
std::string EncodePath(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || std::string_view("-._~/").find(c) != std::string_view::npos) {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", byte);
    }
  }
  return out;
}

// 3.4.3: a URI reference. Relative paths stay relative: to where the pipeline has its sources.
std::string UriOf(std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  return Cat(path.starts_with('/') ? "file://" : "", EncodePath(path));
}

// 3.11.5: braces stand for placeholders and are doubled where they are meant.
ordered_json Message(const std::string& text) {
  return {{"text", absl::StrReplaceAll(text, {{"{", "{{"}, {"}", "}}"}})}};
}

ordered_json Text(std::string_view text) { return {{"text", std::string(text)}}; }

ordered_json Help(const guard::RuleInfo& rule) {
  const std::string id(rule.id);
  return {{"text", Cat("Default: ", rule.default_text, "\nRefused: ", rule.example_refused,
                       "\nPasses: ", rule.example_passing, "\nMore: evenkeel rules ", id)},
          {"markdown", Cat("**Default**: ", rule.default_text, "\n\n**Refused**\n\n```\n",
                           rule.example_refused, "\n```\n\n**Passes**\n\n```\n",
                           rule.example_passing, "\n```\n\nMore: `evenkeel rules ", id, "`\n")}};
}

ordered_json Descriptor(const guard::RuleInfo& rule) {
  return {{"id", std::string(rule.id)},
          {"name", std::string(rule.name)},
          {"shortDescription", Text(rule.summary)},
          {"fullDescription", Text(rule.explanation)},
          {"help", Help(rule)},
          {"defaultConfiguration", {{"level", "error"}}}};
}

// Of ids that are no rule's.
ordered_json Descriptor(std::string_view id, std::string_view name, std::string_view about) {
  return {{"id", std::string(id)},
          {"name", std::string(name)},
          {"shortDescription", Text(about)},
          {"fullDescription", Text(about)},
          {"help", Text(about)},
          {"defaultConfiguration", {{"level", "error"}}}};
}

// Every rule of the guard, and what the results name beside them.
class RuleList {
 public:
  RuleList() {
    for (const guard::RuleInfo& rule : guard::Rules()) Add(std::string(rule.id), Descriptor(rule));
    Add(kConfigRule, Descriptor(kConfigRule, "valid-configuration",
                                "The file is a configuration: it can be read, parsed and built."));
  }

  size_t IndexOf(const std::string& id, const std::string& name) {
    if (!index_.contains(id)) {
      Add(id, Descriptor(id, name, "A check that is not in this program's list of rules."));
    }
    return index_.at(id);
  }

  const ordered_json& json() const { return list_; }

 private:
  void Add(const std::string& id, ordered_json descriptor) {
    index_[id] = list_.size();
    list_.push_back(std::move(descriptor));
  }

  ordered_json list_ = ordered_json::array();
  std::map<std::string, size_t> index_;
};

const char* LevelOf(guard::Severity severity) {
  switch (severity) {
    case guard::Severity::kPass:
      return "none";
    case guard::Severity::kWarn:
      return "warning";
    case guard::Severity::kBlock:
      break;
  }
  return "error";
}

// Without a region where the object has no place in the file. `subject` as "pools/web", or empty.
ordered_json Locations(const ConfigFile& file, const model::SourceLocation& at,
                       const std::string& subject) {
  ordered_json physical = {
      {"artifactLocation", {{"uri", UriOf(at.file.empty() ? file.path : at.file)}}}};
  if (at.line > 0) {
    physical["region"]["startLine"] = at.line;
    if (at.column > 0) physical["region"]["startColumn"] = at.column;
  }
  ordered_json location = {{"physicalLocation", std::move(physical)}};
  if (!subject.empty()) {
    location["logicalLocations"] = ordered_json::array({{{"fullyQualifiedName", subject}}});
  }
  return ordered_json::array({std::move(location)});
}

ordered_json Result(RuleList& rules, const ConfigFile& file, const guard::Violation& v) {
  return {{"ruleId", v.rule},
          {"ruleIndex", rules.IndexOf(v.rule, v.name)},
          {"level", LevelOf(v.severity)},
          {"message", Message(v.message)},
          {"locations", Locations(file, Locate(file, v), v.subject)},
          {"properties",
           {{"pool", v.pool},
            {"field", v.field},
            {"observed", v.observed},
            {"limit", v.limit},
            {"fix", v.fix}}}};
}

ordered_json Result(RuleList& rules, const ConfigFile& file, const model::Diagnostic& error) {
  return {{"ruleId", kConfigRule},
          {"ruleIndex", rules.IndexOf(kConfigRule, "")},
          {"level", "error"},
          {"message", Message(Cat(error.field, error.field.empty() ? "" : ": ", error.message))},
          {"locations", Locations(file, Locate(file, error, ""), "")},
          {"properties", {{"field", error.field}}}};
}

// 3.20: the run of the program itself; a refusal is not its failure.
ordered_json Invocation(const CheckReport& report) {
  ordered_json invocation = {{"executionSuccessful", report.failure.ok()},
                             {"exitCode", static_cast<int>(CheckExitCode(report))}};
  if (!report.failure.ok()) {
    invocation["toolExecutionNotifications"] = ordered_json::array(
        {{{"level", "error"}, {"message", Message(std::string(report.failure.message()))}}});
  }
  return invocation;
}

}  // namespace

ordered_json SarifLog(const CheckReport& report) {
  RuleList rules;
  ordered_json artifacts = ordered_json::array(), results = ordered_json::array();
  for (const Judgement& judged : report.files) {
    const ConfigFile& file = judged.file;
    artifacts.push_back({{"location", {{"uri", UriOf(file.path)}}}, {"roles", {"analysisTarget"}}});
    for (const model::Diagnostic& error : file.errors) {
      results.push_back(Result(rules, file, error));
    }
    for (const guard::Violation& v : judged.verdict.violations) {
      results.push_back(Result(rules, file, v));
    }
  }
  ordered_json run = {
      {"tool",
       {{"driver",
         {{"name", "evenkeel"}, {"semanticVersion", kVersion}, {"rules", rules.json()}}}}},
      {"invocations", ordered_json::array({Invocation(report)})},
      {"artifacts", artifacts},
      {"results", results},
      {"properties",
       {{"verdict", std::string(CheckWord(report))},
        {"judged", std::string(ToString(report.basis.kind))},
        {"judgedText", report.basis.text}}}};
  return {{"$schema", kSchemaUri}, {"version", "2.1.0"}, {"runs", ordered_json::array({run})}};
}

}  // namespace evenkeel::cli
