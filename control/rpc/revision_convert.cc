// SPDX-License-Identifier: Apache-2.0
//
// Revisions: as they are in force, and as they are recorded.
#include "control/rpc/config_convert.h"

#include <algorithm>

#include "control/rpc/state_convert.h"
#include "control/rpc/time_convert.h"
#include "control/rpc/verdict_convert.h"

namespace evenkeel::rpc {
namespace {

v1::Standing Encode(history::Standing standing) {
  switch (standing) {
    case history::Standing::kConfirmed:
      return v1::STANDING_CONFIRMED;
    case history::Standing::kAwaiting:
      return v1::STANDING_AWAITING;
    case history::Standing::kRolledBack:
      return v1::STANDING_ROLLED_BACK;
    case history::Standing::kCarriedOn:
      return v1::STANDING_CARRIED_ON;
  }
  return v1::STANDING_UNSPECIFIED;
}

// An older daemon says nothing: what it applied is final.
history::Standing Decode(v1::Standing standing) {
  switch (standing) {
    case v1::STANDING_AWAITING:
      return history::Standing::kAwaiting;
    case v1::STANDING_ROLLED_BACK:
      return history::Standing::kRolledBack;
    case v1::STANDING_CARRIED_ON:
      return history::Standing::kCarriedOn;
    default:
      return history::Standing::kConfirmed;
  }
}

v1::RevisionInfo::Outcome Encode(history::Outcome outcome) {
  switch (outcome) {
    case history::Outcome::kPending:
      return v1::RevisionInfo::PENDING;
    case history::Outcome::kApplied:
      return v1::RevisionInfo::APPLIED;
    case history::Outcome::kFailed:
      return v1::RevisionInfo::FAILED;
    case history::Outcome::kRefused:
      return v1::RevisionInfo::REFUSED;
  }
  return v1::RevisionInfo::OUTCOME_UNSPECIFIED;
}

history::Outcome Decode(v1::RevisionInfo::Outcome outcome) {
  switch (outcome) {
    case v1::RevisionInfo::APPLIED:
      return history::Outcome::kApplied;
    case v1::RevisionInfo::FAILED:
      return history::Outcome::kFailed;
    case v1::RevisionInfo::REFUSED:
      return history::Outcome::kRefused;
    default:
      return history::Outcome::kPending;
  }
}

}  // namespace

v1::AppliedState ToProto(const engine::Applied& applied, bool with_config) {
  v1::AppliedState out;
  out.set_revision(applied.revision);
  out.set_etag(applied.etag);
  if (applied.revision != 0) {
    out.set_digest(applied.digest.ToHex());
    SetTime(applied.applied_unix_ns, out.mutable_applied_at());
  }
  if (with_config) *out.mutable_config() = ToProto(applied.config);
  out.set_author(applied.author);
  out.set_reason(applied.reason);
  out.set_ticket(applied.ticket);
  out.set_standing(Encode(applied.standing));
  if (applied.deadline_unix_ns != 0) {
    SetTime(applied.deadline_unix_ns, out.mutable_confirm_by());
  }
  out.set_auto_confirm(applied.auto_confirm);
  out.set_restores(applied.restores);
  return out;
}

absl::StatusOr<engine::Applied> FromProto(const v1::AppliedState& applied) {
  Problems problems;
  engine::Applied result;
  result.revision = applied.revision();
  result.etag = applied.etag();
  if (!applied.digest().empty()) {
    absl::StatusOr<guard::Digest> digest = guard::Digest::FromHex(applied.digest());
    if (!digest.ok()) return absl::InternalError(digest.status().message());
    result.digest = *digest;
  }
  result.config = ConfigFromProto(applied.config(), &problems);
  result.author = applied.author();
  result.reason = applied.reason();
  result.applied_unix_ns = ReadTime(applied.applied_at());
  result.ticket = applied.ticket();
  result.standing = Decode(applied.standing());
  result.deadline_unix_ns = ReadTime(applied.confirm_by());
  result.auto_confirm = applied.auto_confirm();
  result.restores = applied.restores();
  if (auto status = Mismatch(problems); !status.ok()) return status;
  return result;
}

v1::RevisionInfo ToProto(const history::Revision& revision) {
  v1::RevisionInfo out;
  out.set_revision(revision.number);
  out.set_author(revision.author);
  out.set_reason(revision.reason);
  out.set_source(revision.source);
  SetTime(revision.created_unix_ns, out.mutable_created_at());
  out.set_outcome(Encode(revision.outcome));
  out.set_digest(revision.digest);
  out.set_error(revision.error);
  out.set_ticket(revision.ticket);
  out.set_base(revision.base);
  out.set_restores(revision.restores);
  out.set_standing(Encode(revision.standing));
  out.set_auto_confirm(revision.auto_confirm);
  if (revision.deadline_unix_ns != 0) SetTime(revision.deadline_unix_ns, out.mutable_confirm_by());
  if (revision.settled_unix_ns != 0) SetTime(revision.settled_unix_ns, out.mutable_settled_at());
  out.set_settled_by(revision.settled_by);
  out.set_settled_why(revision.settled_why);
  out.set_carried_on_by(revision.carried_on_by);
  if (revision.good_unix_ns != 0) SetTime(revision.good_unix_ns, out.mutable_good_at());
  return out;
}

history::Revision FromProto(const v1::RevisionInfo& info) {
  history::Revision revision;
  revision.number = info.revision();
  revision.author = info.author();
  revision.reason = info.reason();
  revision.source = info.source();
  revision.created_unix_ns = ReadTime(info.created_at());
  revision.outcome = Decode(info.outcome());
  revision.digest = info.digest();
  revision.error = info.error();
  revision.ticket = info.ticket();
  revision.base = info.base();
  revision.restores = info.restores();
  revision.standing = Decode(info.standing());
  revision.auto_confirm = info.auto_confirm();
  revision.deadline_unix_ns = ReadTime(info.confirm_by());
  revision.settled_unix_ns = ReadTime(info.settled_at());
  revision.settled_by = info.settled_by();
  revision.settled_why = info.settled_why();
  revision.carried_on_by = info.carried_on_by();
  revision.good_unix_ns = ReadTime(info.good_at());
  return revision;
}

v1::HealthChange ToProto(const history::HealthChange& change) {
  v1::HealthChange out;
  SetTime(change.unix_ns, out.mutable_time());
  out.set_pool(change.pool);
  out.set_server(change.server);
  out.set_backend(change.backend);
  out.set_permille(change.permille);
  out.set_cause(change.cause);
  return out;
}

history::HealthChange FromProto(const v1::HealthChange& change) {
  return {.unix_ns = ReadTime(change.time()),
          .pool = change.pool(),
          .server = change.server(),
          .backend = change.backend(),
          .permille = static_cast<uint16_t>(std::min(change.permille(), 1000u)),
          .cause = change.cause()};
}

}  // namespace evenkeel::rpc
