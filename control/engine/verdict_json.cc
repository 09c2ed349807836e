// SPDX-License-Identifier: Apache-2.0
#include "control/engine/verdict_json.h"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace evenkeel::engine {
namespace {

using Json = nlohmann::json;
using Kind = guard::PoolChange::Kind;

constexpr size_t kMaxSummarized = 5;

// Words of the record, both ways.
template <typename Value>
struct Word {
  Value value;
  std::string_view text;
};
constexpr Word<guard::Severity> kVerdicts[] = {{guard::Severity::kPass, "pass"},
                                               {guard::Severity::kWarn, "warn"},
                                               {guard::Severity::kBlock, "refuse"}};
constexpr Word<guard::Severity> kSeverities[] = {{guard::Severity::kPass, "pass"},
                                                 {guard::Severity::kWarn, "warn"},
                                                 {guard::Severity::kBlock, "block"}};
constexpr Word<Kind> kKinds[] = {{Kind::kUnchanged, "unchanged"},
                                 {Kind::kAdded, "added"},
                                 {Kind::kRemoved, "removed"},
                                 {Kind::kChanged, "changed"}};
constexpr Word<model::AdminState> kStates[] = {{model::AdminState::kEnabled, "enabled"},
                                               {model::AdminState::kDraining, "draining"},
                                               {model::AdminState::kDisabled, "disabled"}};

template <typename Value, size_t N>
std::string_view TextOf(const Word<Value> (&words)[N], Value value) {
  for (const Word<Value>& word : words) {
    if (word.value == value) return word.text;
  }
  return words[0].text;
}

template <typename Value, size_t N>
Value ValueOf(const Word<Value> (&words)[N], const Json& text) {
  for (const Word<Value>& word : words) {
    if (text == word.text) return word.value;
  }
  throw std::invalid_argument(absl::StrCat("unknown word ", text.dump()));
}

Json ToJson(const guard::Violation& violation) {
  return {{"rule", violation.rule},
          {"name", violation.name},
          {"severity", TextOf(kSeverities, violation.severity)},
          {"pool", violation.pool},
          {"subject", violation.subject},
          {"field", violation.field},
          {"observed", violation.observed},
          {"limit", violation.limit},
          {"fix", violation.fix},
          {"message", violation.message}};
}

guard::Violation ToViolation(const Json& json) {
  guard::Violation violation;
  violation.rule = json.at("rule");
  violation.name = json.at("name");
  violation.severity = ValueOf(kSeverities, json.at("severity"));
  violation.pool = json.at("pool");
  violation.subject = json.at("subject");
  violation.field = json.value("field", "");
  violation.observed = json.at("observed");
  violation.limit = json.at("limit");
  violation.fix = json.at("fix");
  violation.message = json.at("message");
  return violation;
}

Json ToJson(const guard::BackendChange& backend) {
  Json json = {{"name", backend.name},
               {"address", backend.address.ToString()},
               {"before", backend.share_before},
               {"after", backend.share_after}};
  if (backend.state_after != model::AdminState::kEnabled) {
    json["state"] = TextOf(kStates, backend.state_after);
  }
  if (backend.added) json["added"] = true;
  if (backend.removed) json["removed"] = true;
  return json;
}

guard::BackendChange ToBackend(const Json& json) {
  guard::BackendChange backend;
  backend.name = json.at("name");
  const auto address = model::IpAddress::Parse(json.at("address").get<std::string>());
  if (!address.ok()) throw std::invalid_argument(std::string(address.status().message()));
  backend.address = *address;
  backend.share_before = json.at("before");
  backend.share_after = json.at("after");
  backend.state_after = ValueOf(kStates, json.value("state", "enabled"));
  backend.added = json.value("added", false);
  backend.removed = json.value("removed", false);
  return backend;
}

// `room` is for how many backends; what is taken of it.
Json ToJson(const guard::PoolChange& pool, size_t* room) {
  Json backends = Json::array();
  for (const guard::BackendChange& backend : pool.backends) {
    if (*room == 0) break;
    --*room;
    backends.push_back(ToJson(backend));
  }
  return {{"pool", pool.pool},
          {"change", TextOf(kKinds, pool.kind)},
          {"table_size", pool.table_size},
          {"slots_moved", pool.slots_moved},
          {"backends", backends}};
}

// A record of an earlier release has no shares.
guard::PoolChange ToPool(const Json& json) {
  guard::PoolChange pool;
  pool.pool = json.at("pool");
  pool.kind = ValueOf(kKinds, json.at("change"));
  pool.table_size = json.at("table_size");
  pool.slots_moved = json.at("slots_moved");
  if (!json.contains("backends")) return pool;
  for (const Json& backend : json["backends"]) pool.backends.push_back(ToBackend(backend));
  return pool;
}

guard::Verdict ToVerdict(const Json& json) {
  guard::Verdict verdict;
  verdict.severity = ValueOf(kVerdicts, json.at("verdict"));
  for (const Json& violation : json.at("violations")) {
    verdict.violations.push_back(ToViolation(violation));
  }
  for (const Json& pool : json.at("pools")) verdict.pools.push_back(ToPool(pool));
  for (const Json& vip : json.at("vips")) {
    verdict.vips.push_back({vip.at("vip"), ValueOf(kKinds, vip.at("change"))});
  }
  return verdict;
}

}  // namespace

std::string VerdictToJson(const guard::Verdict& verdict) {
  Json json = {{"schema", "evenkeel.verdict/v1"},
               {"verdict", TextOf(kVerdicts, verdict.severity)},
               {"violations", Json::array()},
               {"pools", Json::array()},
               {"vips", Json::array()}};
  for (const guard::Violation& violation : verdict.violations) {
    if (json["violations"].size() == kMaxRecordedViolations) break;
    json["violations"].push_back(ToJson(violation));
  }
  size_t room = kMaxRecordedBackends;
  for (const guard::PoolChange& pool : verdict.pools) {
    if (pool.kind != Kind::kUnchanged) json["pools"].push_back(ToJson(pool, &room));
  }
  for (const guard::VipChange& vip : verdict.vips) {
    if (vip.kind == Kind::kUnchanged) continue;
    json["vips"].push_back({{"vip", vip.vip}, {"change", TextOf(kKinds, vip.kind)}});
  }
  // Names come from configurations that were checked, but a record must not fail on any byte.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<guard::Verdict> VerdictFromJson(const std::string& json) {
  try {
    return ToVerdict(Json::parse(json));
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("the recorded verdict cannot be read: ", error.what()));
  }
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
