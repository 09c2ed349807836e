// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_VIP_CONVERT_H_
#define EVENKEEL_CONTROL_RPC_VIP_CONVERT_H_

#include "absl/status/statusor.h"
#include "control/engine/engine.h"
#include "control/rpc/config_convert.h"
#include "evenkeel/v1/control.pb.h"

namespace evenkeel::rpc {

void Encode(const dataplane::Counter& counter, v1::Counter* out);
dataplane::Counter Decode(const v1::Counter& counter);

void Encode(const engine::VipStatus& vip, v1::VipStatus* out);
engine::VipStatus Decode(const v1::VipStatus& vip, Problems* problems);

// `Request`: of Withdraw and of Announce, which have the same fields; `Response` likewise.
template <typename Request>
Request WithdrawalToProto(const engine::WithdrawalRequest& request) {
  Request out;
  for (const std::string& vip : request.vips) out.add_vips(vip);
  out.set_all(request.all);
  out.set_reason(request.reason);
  return out;
}

template <typename Request>
engine::WithdrawalRequest WithdrawalFromProto(const Request& request, std::string author) {
  return {.vips = {request.vips().begin(), request.vips().end()},
          .all = request.all(),
          .reason = request.reason(),
          .author = std::move(author)};
}

template <typename Response>
void ReportToProto(const engine::WithdrawalReport& report, Response* out) {
  for (const engine::VipStatus& vip : report.vips) Encode(vip, out->add_vips());
  out->set_problem(report.problem);
}

template <typename Response>
engine::WithdrawalReport ReportFromProto(const Response& response, Problems* problems) {
  engine::WithdrawalReport report{.vips = {}, .problem = response.problem()};
  for (const v1::VipStatus& vip : response.vips()) report.vips.push_back(Decode(vip, problems));
  return report;
}

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_VIP_CONVERT_H_
