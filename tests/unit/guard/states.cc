// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/guard/states.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace evenkeel::guard::testing {

maglev::HashKey TestKey() { return {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}; }

model::IpAddress Ip(const char* text) { return model::IpAddress::Parse(text).value(); }

model::Pool MakePool(const std::string& name, size_t n, uint8_t net) {
  model::Pool pool;
  pool.name = name;
  for (size_t i = 0; i < n; ++i) {
    model::Backend backend;
    backend.name = name + "-" + std::to_string(i + 1);
    const size_t host = i + 11;
    backend.address = model::IpAddress::FromIpv4({10, static_cast<uint8_t>(host / 62'500),
                                                  static_cast<uint8_t>(net + host / 250 % 250),
                                                  static_cast<uint8_t>(host % 250)});
    pool.backends.push_back(backend);
  }
  return pool;
}

model::Config WebWith(size_t n) {
  model::Config config;
  config.pools.push_back(MakePool("web", n));
  config.vips.push_back({"web", Ip("192.0.2.10"), 443, model::Protocol::kTcp, "web"});
  return config;
}

std::shared_ptr<const BuiltFleet> Built(const model::Config& config,
                                        std::shared_ptr<const BuiltFleet> reuse) {
  auto built = BuildFleet(config, TestKey(), reuse.get());
  if (built.ok()) return *built;
  ADD_FAILURE() << built.status();
  return nullptr;
}

Facts LiveFactsFor(const model::Config& config) {
  Facts facts;
  facts.live.emplace();
  facts.live->now_unix_ns = kNow;
  for (const model::Pool& pool : config.pools) {
    for (const model::Backend& b : pool.backends) (*facts.live->reach)[b.address] = {};
  }
  return facts;
}

Judgement JudgeChange(const model::Config* base, const model::Config& candidate, const Facts& facts,
                      const Consent& consent) {
  const auto before = base == nullptr ? nullptr : Built(*base);
  return Judge(Built(candidate, before), before, facts, consent);
}

Detailed JudgeDetailed(const model::Config* base, const model::Config& candidate,
                       const Facts& facts, const Consent& consent) {
  const auto before = base == nullptr ? nullptr : Built(*base);
  const auto built = Built(candidate, before);
  return RunRulesDetailed(RuleTable(), {*built, before.get(), facts, consent});
}

Severity SeverityOf(const Verdict& verdict, std::string_view rule) {
  Severity worst = Severity::kPass;
  for (const Violation& v : verdict.violations) {
    if (v.rule == rule) worst = std::max(worst, v.severity);
  }
  return worst;
}

std::vector<Violation> ViolationsOf(const Verdict& verdict, std::string_view rule) {
  std::vector<Violation> violations;
  for (const Violation& v : verdict.violations) {
    if (v.rule == rule) violations.push_back(v);
  }
  return violations;
}

std::vector<std::string> BlockingRules(const Verdict& verdict) {
  std::set<std::string> rules;
  for (const Violation& v : verdict.violations) {
    if (v.severity == Severity::kBlock) rules.insert(v.rule);
  }
  return {rules.begin(), rules.end()};
}

model::Config ApplyFixes(const model::Config* base, const model::Config& candidate,
                         std::string_view rule, const Facts& facts) {
  model::Config fixed = candidate;
  for (const Finding& finding : JudgeDetailed(base, candidate, facts).findings) {
    if (finding.violation.rule == rule && finding.violation.severity == Severity::kBlock) {
      ApplyEdits(finding.edits, base, fixed);
    }
  }
  return fixed;
}

}  // namespace evenkeel::guard::testing
