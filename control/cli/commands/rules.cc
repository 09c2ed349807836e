// SPDX-License-Identifier: Apache-2.0
#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/text.h"
#include "control/guard/guard.h"

namespace evenkeel::cli {
namespace {

using nlohmann::ordered_json;

ordered_json RuleJson(const guard::RuleInfo& rule) {
  return {{"id", std::string(rule.id)},
          {"name", std::string(rule.name)},
          {"summary", std::string(rule.summary)},
          {"default", std::string(rule.default_text)},
          {"explanation", std::string(rule.explanation)},
          {"example_refused", std::string(rule.example_refused)},
          {"example_passing", std::string(rule.example_passing)}};
}

// Texts may have lines of their own: examples are fragments of a configuration.
void PrintBlock(Printer& out, std::string_view title, std::string_view text, bool wrap) {
  if (text.empty()) return;
  out.End().Line(title, Style::kBold);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (wrap) {
      out.Hanging(2, {""}, line, 0);
    } else {
      out.Put("  ").Line(line);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void PrintRule(Printer& out, const guard::RuleInfo& rule) {
  out.Put(rule.id, Style::kBold).Put(" ").Put(rule.name, Style::kBold);
  out.Line("").Hanging(0, {""}, rule.summary, 0);
  PrintBlock(out, "Default", rule.default_text, true);
  PrintBlock(out, "Why, and what to do", rule.explanation, true);
  PrintBlock(out, "Refused", rule.example_refused, false);
  PrintBlock(out, "Passes", rule.example_passing, false);
}

void PrintList(Printer& out) {
  std::vector<std::vector<Cell>> rows;
  for (const guard::RuleInfo& rule : guard::Rules()) {
    rows.push_back({{std::string(rule.id), Style::kBold},
                    {std::string(rule.name)},
                    {std::string(rule.summary)}});
  }
  out.Table(0, rows);
  out.End().Line("evenkeel rules RULE explains one.", Style::kDim);
}

class Rules final : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("rule", rule_, "Id or name, as LB001 or backend-share")->type_name(kRuleType);
  }

  ExitCode Run(Session& session) override {
    std::vector<const guard::RuleInfo*> chosen;
    if (!rule_.empty()) {
      const guard::RuleInfo* rule = guard::FindRule(rule_);
      if (rule == nullptr) return FailUnknown(session);
      chosen.push_back(rule);
    } else {
      for (const guard::RuleInfo& rule : guard::Rules()) chosen.push_back(&rule);
    }
    if (session.json()) {
      ordered_json list = ordered_json::array();
      for (const guard::RuleInfo* rule : chosen) list.push_back(RuleJson(*rule));
      session.PrintJson({{"schema", "evenkeel.rules/v1"}, {"rules", list}});
      return ExitCode::kDone;
    }
    Printer out = session.Out();
    if (rule_.empty()) {
      PrintList(out);
    } else {
      PrintRule(out, *chosen.front());
    }
    return ExitCode::kDone;
  }

 private:
  ExitCode FailUnknown(Session& session) const {
    std::vector<std::string> known;
    for (const guard::RuleInfo& rule : guard::Rules()) {
      known.emplace_back(rule.id);
      known.emplace_back(rule.name);
    }
    const std::string nearest = Nearest(rule_, known);
    return session.FailUsage(Cat("there is no rule \"", rule_, "\"",
                                 nearest.empty() ? "; evenkeel rules lists them"
                                                 : Cat(" (did you mean \"", nearest, "\"?)")));
  }

  std::string rule_;
};

}  // namespace

std::unique_ptr<Command> MakeRules() { return std::make_unique<Rules>(); }

}  // namespace evenkeel::cli
