// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/verdict_convert.h"

#include "absl/strings/str_cat.h"

namespace evenkeel::rpc {
namespace {

using ChangeKind = guard::PoolChange::Kind;

v1::Severity Encode(guard::Severity severity) {
  switch (severity) {
    case guard::Severity::kPass:
      return v1::SEVERITY_PASS;
    case guard::Severity::kWarn:
      return v1::SEVERITY_WARN;
    case guard::Severity::kBlock:
      return v1::SEVERITY_BLOCK;
  }
  return v1::SEVERITY_BLOCK;
}

// What is not understood is taken as the worst.
guard::Severity Decode(v1::Severity severity) {
  switch (severity) {
    case v1::SEVERITY_PASS:
      return guard::Severity::kPass;
    case v1::SEVERITY_WARN:
      return guard::Severity::kWarn;
    default:
      return guard::Severity::kBlock;
  }
}

v1::ChangeKind Encode(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kUnchanged:
      return v1::CHANGE_KIND_UNCHANGED;
    case ChangeKind::kAdded:
      return v1::CHANGE_KIND_ADDED;
    case ChangeKind::kRemoved:
      return v1::CHANGE_KIND_REMOVED;
    case ChangeKind::kChanged:
      return v1::CHANGE_KIND_CHANGED;
  }
  return v1::CHANGE_KIND_UNSPECIFIED;
}

ChangeKind Decode(v1::ChangeKind kind) {
  switch (kind) {
    case v1::CHANGE_KIND_UNCHANGED:
      return ChangeKind::kUnchanged;
    case v1::CHANGE_KIND_ADDED:
      return ChangeKind::kAdded;
    case v1::CHANGE_KIND_REMOVED:
      return ChangeKind::kRemoved;
    default:
      return ChangeKind::kChanged;
  }
}

void Encode(const guard::Violation& violation, v1::Violation* out) {
  out->set_rule(violation.rule);
  out->set_name(violation.name);
  out->set_severity(Encode(violation.severity));
  out->set_pool(violation.pool);
  out->set_subject(violation.subject);
  out->set_field(violation.field);
  out->set_observed(violation.observed);
  out->set_limit(violation.limit);
  out->set_fix(violation.fix);
  out->set_message(violation.message);
}

guard::Violation Decode(const v1::Violation& violation) {
  return {.rule = violation.rule(),
          .name = violation.name(),
          .severity = Decode(violation.severity()),
          .pool = violation.pool(),
          .subject = violation.subject(),
          .field = violation.field(),
          .observed = violation.observed(),
          .limit = violation.limit(),
          .fix = violation.fix(),
          .message = violation.message()};
}

void Encode(const guard::BackendChange& backend, v1::BackendChange* out) {
  out->set_name(backend.name);
  out->set_address(backend.address.ToString());
  out->set_share_before(backend.share_before);
  out->set_share_after(backend.share_after);
  out->set_state_after(ToProto(backend.state_after));
  out->set_added(backend.added);
  out->set_removed(backend.removed);
}

guard::BackendChange Decode(const v1::BackendChange& backend, Problems* problems) {
  return {.name = backend.name(),
          .address = AddressFromProto(backend.address(), "backend.address", problems),
          .share_before = backend.share_before(),
          .share_after = backend.share_after(),
          .state_after = FromProto(backend.state_after(), "backend.state_after", problems),
          .added = backend.added(),
          .removed = backend.removed()};
}

}  // namespace

absl::Status Mismatch(const Problems& problems) {
  if (problems.empty()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the daemon's answer is not understood (",
                                          problems[0].ToString(),
                                          "); use the evenkeel of the daemon's version"));
}

v1::Verdict ToProto(const guard::Verdict& verdict) {
  v1::Verdict out;
  out.set_severity(Encode(verdict.severity));
  for (const guard::Violation& violation : verdict.violations) {
    Encode(violation, out.add_violations());
  }
  for (const guard::RuleResult& result : verdict.results) {
    v1::RuleResult* to = out.add_results();
    to->set_rule(result.rule);
    to->set_name(result.name);
    to->set_pool(result.pool);
    to->set_severity(Encode(result.severity));
    to->set_observed(result.observed);
    to->set_limit(result.limit);
  }
  for (const guard::PoolChange& pool : verdict.pools) {
    v1::PoolChange* to = out.add_pools();
    to->set_pool(pool.pool);
    to->set_kind(Encode(pool.kind));
    to->set_table_size(pool.table_size);
    to->set_slots_moved(pool.slots_moved);
    for (const guard::BackendChange& backend : pool.backends) Encode(backend, to->add_backends());
  }
  for (const guard::VipChange& vip : verdict.vips) {
    v1::VipChange* to = out.add_vips();
    to->set_vip(vip.vip);
    to->set_kind(Encode(vip.kind));
  }
  return out;
}

absl::StatusOr<guard::Verdict> FromProto(const v1::Verdict& verdict) {
  Problems problems;
  guard::Verdict result;
  result.severity = Decode(verdict.severity());
  for (const v1::Violation& violation : verdict.violations()) {
    result.violations.push_back(Decode(violation));
  }
  for (const v1::RuleResult& rule : verdict.results()) {
    result.results.push_back({.rule = rule.rule(),
                              .name = rule.name(),
                              .pool = rule.pool(),
                              .severity = Decode(rule.severity()),
                              .observed = rule.observed(),
                              .limit = rule.limit()});
  }
  for (const v1::PoolChange& pool : verdict.pools()) {
    guard::PoolChange change;
    change.pool = pool.pool();
    change.kind = Decode(pool.kind());
    change.table_size = pool.table_size();
    change.slots_moved = pool.slots_moved();
    for (const v1::BackendChange& backend : pool.backends()) {
      change.backends.push_back(Decode(backend, &problems));
    }
    result.pools.push_back(std::move(change));
  }
  for (const v1::VipChange& vip : verdict.vips()) {
    result.vips.push_back({.vip = vip.vip(), .kind = Decode(vip.kind())});
  }
  if (auto status = Mismatch(problems); !status.ok()) return status;
  return result;
}

}  // namespace evenkeel::rpc
