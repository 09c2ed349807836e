// SPDX-License-Identifier: Apache-2.0
//
// Health checks, and how they ask.
#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "control/rpc/convert_parts.h"
#include "control/rpc/enum_convert.h"

namespace evenkeel::rpc {
namespace {

using std::chrono::milliseconds;

// Only what is not the default.
void ProbeToProto(const model::HealthCheck& check, v1::HealthCheck* out) {
  out->set_host(check.host);
  if (check.method != model::HealthCheck::Method::kGet) out->set_method(ToProto(check.method));
  for (const model::StatusRange& range : check.status) {
    v1::StatusRange* to = out->add_status();
    to->set_first(range.first);
    to->set_last(range.last);
  }
  out->set_body(check.body);
  if (check.tls) {
    v1::ProbeTls* tls = out->mutable_tls();
    tls->set_verify(check.tls->verify);
    tls->set_ca(check.tls->ca);
    tls->set_server_name(check.tls->server_name);
  }
  out->set_service(check.service);
  out->set_send(check.send);
  out->set_expect(check.expect);
  out->set_expect_start(check.expect_start);
}

model::StatusRange RangeFromProto(const v1::StatusRange& range) {
  // Out of range stays out of range, and is found with everything else that is.
  const auto code = [](uint32_t value) {
    return static_cast<uint16_t>(std::min<uint32_t>(value, std::numeric_limits<uint16_t>::max()));
  };
  return {.first = code(range.first()), .last = code(range.last() ? range.last() : range.first())};
}

void ProbeFromProto(const v1::HealthCheck& check, const std::string& path, model::HealthCheck* out,
                    Problems* problems) {
  out->host = check.host();
  out->method = FromProto(check.method(), absl::StrCat(path, ".method"), problems);
  for (const v1::StatusRange& range : check.status()) {
    out->status.push_back(RangeFromProto(range));
  }
  out->body = check.body();
  if (check.has_tls()) {
    out->tls = model::ProbeTls{.verify = check.tls().verify(),
                               .ca = check.tls().ca(),
                               .server_name = check.tls().server_name()};
  }
  out->service = check.service();
  out->send = check.send();
  out->expect = check.expect();
  out->expect_start = check.expect_start();
}

}  // namespace

void SetDuration(milliseconds value, google::protobuf::Duration* duration) {
  duration->set_seconds(value.count() / 1000);
  duration->set_nanos(static_cast<int32_t>(value.count() % 1000) * 1'000'000);
}

milliseconds DurationFromProto(const google::protobuf::Duration& duration, const std::string& path,
                               Problems* problems) {
  constexpr int64_t kMaxSeconds = 315'576'000'000;  // of google.protobuf.Duration
  constexpr int32_t kNanosPerMilli = 1'000'000;
  if (duration.seconds() < 0 || duration.nanos() < 0 || duration.seconds() > kMaxSeconds ||
      duration.nanos() >= 1000 * kNanosPerMilli) {
    AddProblem(problems, path,
               "is not a duration of 0 or more; write seconds >= 0, nanos 0..999999999");
    return {};
  }
  if (duration.nanos() % kNanosPerMilli != 0) {
    AddProblem(problems, path, "is finer than a millisecond; write whole milliseconds");
    return {};
  }
  return milliseconds(duration.seconds() * 1000 + duration.nanos() / kNanosPerMilli);
}

void HealthCheckToProto(const model::HealthCheck& check, v1::HealthCheck* out) {
  out->set_type(ToProto(check.type));
  out->set_port(check.port);
  out->set_path(check.path);
  SetDuration(check.interval, out->mutable_interval());
  SetDuration(check.timeout, out->mutable_timeout());
  out->set_rise(check.rise);
  out->set_fall(check.fall);
  const model::HealthCheck plain;
  if (check.start != plain.start) out->set_start(ToProto(check.start));
  if (check.panic != plain.panic) out->set_panic(ToProto(check.panic));
  if (check.through != plain.through) out->set_through(ToProto(check.through));
  if (check.passive) {
    out->mutable_passive()->set_min_share(check.passive->min_share);
    out->mutable_passive()->set_min_count(check.passive->min_count);
  }
  ProbeToProto(check, out);
}

model::HealthCheck HealthCheckFromProto(const v1::HealthCheck& check, const std::string& path,
                                        Problems* problems) {
  model::HealthCheck result;
  result.type = FromProto(check.type(), absl::StrCat(path, ".type"), problems);
  result.port = PortFromProto(check.port(), absl::StrCat(path, ".port"), problems);
  if (!check.path().empty()) result.path = check.path();
  if (check.has_interval()) {
    result.interval =
        DurationFromProto(check.interval(), absl::StrCat(path, ".interval"), problems);
  }
  if (check.has_timeout()) {
    result.timeout = DurationFromProto(check.timeout(), absl::StrCat(path, ".timeout"), problems);
  }
  if (check.has_rise()) result.rise = check.rise();
  if (check.has_fall()) result.fall = check.fall();
  result.start = FromProto(check.start(), absl::StrCat(path, ".start"), problems);
  result.panic = FromProto(check.panic(), absl::StrCat(path, ".panic"), problems);
  result.through = FromProto(check.through(), absl::StrCat(path, ".through"), problems);
  if (check.has_passive()) {
    model::PassiveSignal& passive = result.passive.emplace();
    if (check.passive().has_min_share()) passive.min_share = check.passive().min_share();
    if (check.passive().has_min_count()) passive.min_count = check.passive().min_count();
  }
  ProbeFromProto(check, path, &result, problems);
  return result;
}

}  // namespace evenkeel::rpc
