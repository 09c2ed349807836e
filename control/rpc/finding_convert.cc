// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/state_convert.h"

namespace evenkeel::rpc {
namespace {

using Level = engine::Finding::Level;

v1::Finding::Level Encode(Level level) {
  switch (level) {
    case Level::kOk:
      return v1::Finding::OK;
    case Level::kWarn:
      return v1::Finding::WARN;
    case Level::kFail:
      break;
  }
  return v1::Finding::FAIL;
}

// A level of a newer daemon is not taken for a good one.
Level Decode(v1::Finding::Level level) {
  switch (level) {
    case v1::Finding::OK:
      return Level::kOk;
    case v1::Finding::FAIL:
      return Level::kFail;
    default:
      return Level::kWarn;
  }
}

}  // namespace

v1::DiagnoseResponse ToProto(const std::vector<engine::Finding>& findings) {
  v1::DiagnoseResponse response;
  for (const engine::Finding& finding : findings) {
    v1::Finding* to = response.add_findings();
    to->set_level(Encode(finding.level));
    to->set_check(finding.check);
    to->set_subject(finding.subject);
    to->set_detail(finding.detail);
    to->set_remedy(finding.remedy);
  }
  return response;
}

std::vector<engine::Finding> FromProto(const v1::DiagnoseResponse& response) {
  std::vector<engine::Finding> findings;
  for (const v1::Finding& finding : response.findings()) {
    findings.push_back({.level = Decode(finding.level()),
                        .check = finding.check(),
                        .subject = finding.subject(),
                        .detail = finding.detail(),
                        .remedy = finding.remedy()});
  }
  return findings;
}

}  // namespace evenkeel::rpc
