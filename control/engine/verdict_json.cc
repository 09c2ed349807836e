// SPDX-License-Identifier: Apache-2.0
#include "control/engine/verdict_json.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace evenkeel::engine {
namespace {

using Json = nlohmann::json;
using Kind = guard::PoolChange::Kind;

constexpr size_t kMaxSummarized = 5;

std::string_view VerdictName(guard::Severity severity) {
  switch (severity) {
    case guard::Severity::kPass:
      return "pass";
    case guard::Severity::kWarn:
      return "warn";
    case guard::Severity::kBlock:
      return "refuse";
  }
  return "refuse";
}

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kUnchanged:
      return "unchanged";
    case Kind::kAdded:
      return "added";
    case Kind::kRemoved:
      return "removed";
    case Kind::kChanged:
      return "changed";
  }
  return "unchanged";
}

Json ViolationToJson(const guard::Violation& violation) {
  return {{"rule", violation.rule},
          {"name", violation.name},
          {"severity", guard::ToString(violation.severity)},
          {"pool", violation.pool},
          {"subject", violation.subject},
          {"observed", violation.observed},
          {"limit", violation.limit},
          {"fix", violation.fix},
          {"message", violation.message}};
}

}  // namespace

std::string VerdictToJson(const guard::Verdict& verdict) {
  Json json = {{"schema", "evenkeel.verdict/v1"},
               {"verdict", VerdictName(verdict.severity)},
               {"violations", Json::array()},
               {"pools", Json::array()},
               {"vips", Json::array()}};
  for (const guard::Violation& violation : verdict.violations) {
    json["violations"].push_back(ViolationToJson(violation));
  }
  for (const guard::PoolChange& pool : verdict.pools) {
    if (pool.kind == Kind::kUnchanged) continue;
    json["pools"].push_back({{"pool", pool.pool},
                             {"change", KindName(pool.kind)},
                             {"table_size", pool.table_size},
                             {"slots_moved", pool.slots_moved}});
  }
  for (const guard::VipChange& vip : verdict.vips) {
    if (vip.kind == Kind::kUnchanged) continue;
    json["vips"].push_back({{"vip", vip.vip}, {"change", KindName(vip.kind)}});
  }
  // Names come from configurations that were checked, but a record must not fail on any byte.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string SummarizeRefusal(const guard::Verdict& verdict) {
  std::string text;
  size_t blocks = 0;
  for (const guard::Violation& violation : verdict.violations) {
    if (violation.severity != guard::Severity::kBlock) continue;
    if (++blocks > kMaxSummarized) continue;
    absl::StrAppend(&text, text.empty() ? "" : ", ", violation.rule, " ", violation.name, " (",
                    violation.subject, ")");
  }
  if (blocks > kMaxSummarized) {
    absl::StrAppend(&text, " and ", blocks - kMaxSummarized, " more");
  }
  return text;
}

}  // namespace evenkeel::engine
