// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/status.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "control/rpc/verdict_convert.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace evenkeel::rpc {
namespace {

using OutcomeKind = engine::Outcome::Kind;

constexpr char kDomain[] = "evenkeel";
constexpr char kRefused[] = "REFUSED";
constexpr char kStale[] = "STALE_ETAG";
constexpr char kInvalid[] = "INVALID";
constexpr char kFailed[] = "FAILED";
constexpr char kError[] = "ERROR";
constexpr char kTruncated[] = "TRUNCATED";
constexpr char kConfigPrefix[] = "change.config.";
constexpr char kChangePrefix[] = "change.";

// The message travels in a header of its own.
constexpr size_t kMaxTextBytes = 1024;

std::string Cut(const std::string& text) {
  if (text.size() <= kMaxTextBytes) return text;
  size_t end = kMaxTextBytes;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;  // whole characters
  return absl::StrCat(text.substr(0, end), "...");
}

// The engine counts fields from the configuration or the pool, a request from its own top.
std::string RequestField(const std::string& field) {
  if (field.starts_with("vips") || field.starts_with("pools")) {
    return absl::StrCat(kConfigPrefix, field);
  }
  if (field == "pool" || field.starts_with("pool.") || field.starts_with("edit")) {
    return absl::StrCat(kChangePrefix, field);
  }
  return field;
}

std::string EngineField(const std::string& field) {
  for (const std::string prefix : {kConfigPrefix, kChangePrefix}) {
    if (field.starts_with(prefix)) return field.substr(prefix.size());
  }
  return field;
}

google::rpc::ErrorInfo Info(const char* reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain(kDomain);
  return info;
}

class Builder {
 public:
  Builder(grpc::StatusCode code, const std::string& message) {
    status_.set_code(code);
    status_.set_message(Cut(message));
  }
  Builder& Add(const google::protobuf::Message& detail) {
    status_.add_details()->PackFrom(detail);
    return *this;
  }
  size_t bytes() const { return status_.ByteSizeLong(); }
  grpc::Status Build() const {
    return {static_cast<grpc::StatusCode>(status_.code()), status_.message(),
            status_.SerializeAsString()};
  }

 private:
  google::rpc::Status status_;
};

google::rpc::PreconditionFailure::Violation Describe(const guard::Violation& violation) {
  google::rpc::PreconditionFailure::Violation out;
  out.set_type(violation.rule);
  out.set_subject(violation.subject);
  out.set_description(absl::StrCat(violation.message, " Observed: ", violation.observed,
                                   ". Limit: ", violation.limit, ". Fix: ", violation.fix, "."));
  return out;
}

// As many of the verdict's violations as fit.
google::rpc::PreconditionFailure DescribeAll(const guard::Verdict& verdict, size_t limit) {
  constexpr size_t kRoomForCount = 160;
  google::rpc::PreconditionFailure failure;
  size_t used = 0;
  size_t left_out = 0;
  for (const guard::Violation& violation : verdict.violations) {
    auto described = Describe(violation);
    used += described.ByteSizeLong() + 4;
    if (used + kRoomForCount > limit && failure.violations_size() > 0) {
      ++left_out;
      continue;
    }
    *failure.add_violations() = std::move(described);
  }
  if (left_out > 0) {
    auto* count = failure.add_violations();
    count->set_type(kTruncated);
    count->set_description(absl::StrCat(left_out, " more violations; Plan returns all of them"));
  }
  return failure;
}

grpc::Status Refused(const engine::Outcome& outcome, size_t detail_bytes) {
  size_t blocks = 0;
  for (const guard::Violation& violation : outcome.verdict.violations) {
    if (violation.severity == guard::Severity::kBlock) ++blocks;
  }
  const std::string first =
      outcome.verdict.violations.empty() ? "" : outcome.verdict.violations[0].message;
  google::rpc::ErrorInfo info = Info(kRefused);
  (*info.mutable_metadata())["etag"] = outcome.applied.etag;
  (*info.mutable_metadata())["revision"] = absl::StrCat(outcome.applied.revision);
  Builder builder(grpc::StatusCode::FAILED_PRECONDITION,
                  absl::StrCat("refused by ", blocks, " rule violation", blocks == 1 ? "" : "s",
                               ", nothing changed: ", first));
  builder.Add(info);
  const v1::Verdict verdict = ToProto(outcome.verdict);
  const size_t room = detail_bytes > builder.bytes() ? detail_bytes - builder.bytes() : 0;
  const auto failure = DescribeAll(outcome.verdict, room);
  constexpr size_t kAnyOverhead = 64;
  builder.Add(failure);
  if (builder.bytes() + verdict.ByteSizeLong() + kAnyOverhead <= detail_bytes) builder.Add(verdict);
  return builder.Build();
}

grpc::Status Stale(const engine::Outcome& outcome) {
  google::rpc::ErrorInfo info = Info(kStale);
  (*info.mutable_metadata())["etag"] = outcome.applied.etag;
  (*info.mutable_metadata())["revision"] = absl::StrCat(outcome.applied.revision);
  (*info.mutable_metadata())["author"] = outcome.applied.author;
  if (outcome.rolled_back) (*info.mutable_metadata())["rolled_back"] = "true";
  if (outcome.applied.revision != 0) {
    (*info.mutable_metadata())["digest"] = outcome.applied.digest.ToHex();
  }
  return Builder(grpc::StatusCode::ABORTED, std::string(outcome.status.message()))
      .Add(info)
      .Build();
}

grpc::Status Invalid(const engine::Outcome& outcome, size_t detail_bytes) {
  google::rpc::BadRequest bad;
  size_t used = 0;
  size_t left_out = 0;
  for (const model::Diagnostic& diagnostic : outcome.diagnostics) {
    used += diagnostic.field.size() + diagnostic.message.size() + 32;
    if (used > detail_bytes && bad.field_violations_size() > 0) {
      ++left_out;
      continue;
    }
    auto* violation = bad.add_field_violations();
    violation->set_field(RequestField(diagnostic.field));
    violation->set_description(diagnostic.message);
  }
  std::string message = "invalid request";
  if (!outcome.diagnostics.empty()) {
    absl::StrAppend(&message, ": ", RequestField(outcome.diagnostics[0].field), " ",
                    outcome.diagnostics[0].message);
  }
  if (left_out > 0) absl::StrAppend(&message, " (", left_out, " more problems left out)");
  return Builder(grpc::StatusCode::INVALID_ARGUMENT, message).Add(Info(kInvalid)).Add(bad).Build();
}

// Whatever the cause, to the caller it is one thing: not done, nothing changed, try again later.
grpc::Status Failed(const engine::Outcome& outcome) {
  google::rpc::ErrorInfo info = Info(kFailed);
  (*info.mutable_metadata())["cause"] = absl::StrCat(static_cast<int>(outcome.status.code()));
  return Builder(grpc::StatusCode::UNAVAILABLE, std::string(outcome.status.message()))
      .Add(info)
      .Build();
}

struct Details {
  bool parsed = false;
  google::rpc::ErrorInfo info;
  google::rpc::PreconditionFailure precondition;
  google::rpc::BadRequest bad_request;
  std::optional<v1::Verdict> verdict;

  std::string Get(const std::string& key) const {
    const auto found = info.metadata().find(key);
    return found == info.metadata().end() ? "" : found->second;
  }
};

Details ParseDetails(const grpc::Status& status) {
  Details details;
  google::rpc::Status message;
  if (status.error_details().empty() || !message.ParseFromString(status.error_details())) {
    return details;
  }
  for (const google::protobuf::Any& any : message.details()) {
    v1::Verdict verdict;
    if (any.UnpackTo(&verdict)) details.verdict = std::move(verdict);
    any.UnpackTo(&details.precondition);
    any.UnpackTo(&details.bad_request);
    if (any.UnpackTo(&details.info)) details.parsed = details.info.domain() == kDomain;
  }
  return details;
}

// What the standard details alone tell of a verdict.
guard::Verdict Reconstruct(const google::rpc::PreconditionFailure& failure) {
  guard::Verdict verdict;
  verdict.severity = guard::Severity::kBlock;
  for (const auto& violation : failure.violations()) {
    guard::Violation restored;
    restored.rule = violation.type();
    restored.subject = violation.subject();
    restored.message = violation.description();
    verdict.violations.push_back(std::move(restored));
  }
  return verdict;
}

void ReadApplied(const Details& details, engine::Applied* applied) {
  applied->etag = details.Get("etag");
  applied->author = details.Get("author");
  if (!absl::SimpleAtoi(details.Get("revision"), &applied->revision)) applied->revision = 0;
  if (auto digest = guard::Digest::FromHex(details.Get("digest")); digest.ok()) {
    applied->digest = *digest;
  }
}

absl::Status RestoreFailure(const grpc::Status& status, const Details& details) {
  int cause = 0;
  auto code = static_cast<absl::StatusCode>(status.error_code());
  if (details.info.reason() == kFailed && absl::SimpleAtoi(details.Get("cause"), &cause) &&
      cause > 0 && cause <= static_cast<int>(absl::StatusCode::kUnauthenticated)) {
    code = static_cast<absl::StatusCode>(cause);
  }
  return {code, status.error_message()};
}

}  // namespace

grpc::Status ToGrpc(const engine::Outcome& outcome, size_t detail_bytes) {
  switch (outcome.kind) {
    case OutcomeKind::kRefused:
      return Refused(outcome, detail_bytes);
    case OutcomeKind::kStale:
      return Stale(outcome);
    case OutcomeKind::kInvalid:
      return Invalid(outcome, detail_bytes);
    case OutcomeKind::kFailed:
      return Failed(outcome);
    case OutcomeKind::kApplied:
    case OutcomeKind::kNoChange:
    case OutcomeKind::kValidated:
    case OutcomeKind::kConfirmed:
      return grpc::Status::OK;
  }
  return {grpc::StatusCode::INTERNAL, "an outcome without a meaning"};
}

grpc::Status ToGrpc(const absl::Status& status, const std::string& resource) {
  if (status.ok()) return grpc::Status::OK;
  Builder builder(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
  builder.Add(Info(kError));
  if (absl::IsNotFound(status) && !resource.empty()) {
    google::rpc::ResourceInfo info;
    info.set_resource_type("evenkeel.v1.Revision");
    info.set_resource_name(resource);
    info.set_description(std::string(status.message()));
    builder.Add(info);
  }
  return builder.Build();
}

bool IsFromDaemon(const grpc::Status& status) { return ParseDetails(status).parsed; }

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return RestoreFailure(status, ParseDetails(status));
}

Decoded OutcomeFromGrpc(const grpc::Status& status) {
  const Details details = ParseDetails(status);
  Decoded decoded;
  engine::Outcome& outcome = decoded.outcome;
  ReadApplied(details, &outcome.applied);
  outcome.status = RestoreFailure(status, details);
  const std::string& reason = details.info.reason();
  if (reason == kStale) {
    outcome.kind = OutcomeKind::kStale;
    outcome.rolled_back = details.Get("rolled_back") == "true";
  } else if (reason == kInvalid) {
    outcome.kind = OutcomeKind::kInvalid;
    outcome.status = absl::OkStatus();
    for (const auto& violation : details.bad_request.field_violations()) {
      outcome.diagnostics.push_back({.location = {},
                                     .field = EngineField(violation.field()),
                                     .message = violation.description()});
    }
  } else if (reason == kRefused) {
    outcome.kind = OutcomeKind::kRefused;
    outcome.status = absl::OkStatus();
    outcome.verdict = Reconstruct(details.precondition);
    if (details.verdict.has_value()) {
      if (auto verdict = FromProto(*details.verdict); verdict.ok()) {
        outcome.verdict = *std::move(verdict);
        decoded.has_verdict = true;
      }
    }
  }
  return decoded;
}

}  // namespace evenkeel::rpc
