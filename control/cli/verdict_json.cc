// SPDX-License-Identifier: Apache-2.0
#include "control/cli/server_changes.h"
#include "control/cli/verdict_report.h"

namespace evenkeel::cli {

using nlohmann::ordered_json;

namespace {

ordered_json WorstFailureJson(const guard::PoolChange& pool) {
  const std::optional<Failure> worst = WorstFailure(pool);
  if (!worst) return nullptr;
  return {{"lost", worst->lost}, {"busiest", worst->busiest}, {"share", worst->share}};
}

}  // namespace

std::string_view VerdictWord(guard::Severity severity) {
  switch (severity) {
    case guard::Severity::kPass:
      return "pass";
    case guard::Severity::kWarn:
      return "warn";
    case guard::Severity::kBlock:
      break;
  }
  return "refuse";
}

std::string_view KindWord(guard::PoolChange::Kind kind) {
  switch (kind) {
    case guard::PoolChange::Kind::kUnchanged:
      return "unchanged";
    case guard::PoolChange::Kind::kAdded:
      return "added";
    case guard::PoolChange::Kind::kRemoved:
      return "removed";
    case guard::PoolChange::Kind::kChanged:
      break;
  }
  return "changed";
}

ordered_json ErrorsJson(const ConfigFile& file, const std::vector<model::Diagnostic>& errors,
                        const std::string& pool) {
  ordered_json list = ordered_json::array();
  for (const model::Diagnostic& error : errors) {
    const model::SourceLocation at = Locate(file, error, pool);
    list.push_back({{"file", file.path},
                    {"line", at.line},
                    {"column", at.column},
                    {"field", error.field},
                    {"message", error.message}});
  }
  return list;
}

ordered_json ViolationsJson(const ConfigFile& file, const guard::Verdict& verdict) {
  ordered_json list = ordered_json::array();
  for (const guard::Violation& v : verdict.violations) {
    const model::SourceLocation at = Locate(file, v);
    list.push_back({{"rule", v.rule},
                    {"name", v.name},
                    {"severity", std::string(guard::ToString(v.severity))},
                    {"pool", v.pool},
                    {"subject", v.subject},
                    {"observed", v.observed},
                    {"limit", v.limit},
                    {"fix", v.fix},
                    {"file", file.path},
                    {"line", at.line},
                    {"column", at.column},
                    {"field", v.field},
                    {"message", v.message}});
  }
  return list;
}

ordered_json RuleResultsJson(const guard::Verdict& verdict) {
  ordered_json list = ordered_json::array();
  for (const guard::RuleResult& r : verdict.results) {
    list.push_back({{"rule", r.rule},
                    {"name", r.name},
                    {"pool", r.pool},
                    {"severity", std::string(guard::ToString(r.severity))},
                    {"observed", r.observed},
                    {"limit", r.limit}});
  }
  return list;
}

ordered_json PoolChangesJson(const guard::Verdict& verdict) {
  ordered_json list = ordered_json::array();
  for (const guard::PoolChange& pool : verdict.pools) {
    ordered_json backends = ordered_json::array();
    for (const guard::BackendChange& b : pool.backends) {
      backends.push_back({{"name", b.name},
                          {"address", b.address.ToString()},
                          {"share_before", b.share_before},
                          {"share_after", b.share_after},
                          {"state", std::string(model::ToString(b.state_after))},
                          {"added", b.added},
                          {"removed", b.removed}});
    }
    list.push_back({{"pool", pool.pool},
                    {"kind", std::string(KindWord(pool.kind))},
                    {"table_size", pool.table_size},
                    {"slots_moved", pool.slots_moved},
                    {"worst_failure", WorstFailureJson(pool)},
                    {"backends", backends}});
  }
  return list;
}

ordered_json VipChangesJson(const guard::Verdict& verdict) {
  ordered_json list = ordered_json::array();
  for (const guard::VipChange& vip : verdict.vips) {
    list.push_back({{"vip", vip.vip}, {"kind", std::string(KindWord(vip.kind))}});
  }
  return list;
}

}  // namespace evenkeel::cli
