// SPDX-License-Identifier: Apache-2.0
#include "control/engine/request_check.h"

#include "absl/strings/str_cat.h"
#include "control/model/utf8.h"

namespace evenkeel::engine {
namespace {

model::Diagnostic Problem(std::string field, std::string message) {
  return {.location = {}, .field = std::move(field), .message = std::move(message)};
}

void CheckReason(const std::string& reason, std::vector<model::Diagnostic>* problems) {
  if (reason.size() > kMaxReasonBytes) {
    problems->push_back(Problem("reason", absl::StrCat("is ", reason.size(), " bytes, at most ",
                                                       kMaxReasonBytes, " are kept; shorten it")));
  }
  if (model::FindInvalidUtf8(reason).has_value()) {
    problems->push_back(Problem("reason", "is not UTF-8; send the text as UTF-8"));
  }
}

}  // namespace

std::vector<model::Diagnostic> CheckPlan(const Request& request) {
  std::vector<model::Diagnostic> problems;
  if (request.change.config.has_value() == request.change.pool.has_value()) {
    problems.push_back(Problem("change", request.change.config.has_value()
                                             ? "has both config and pool; send one of them"
                                             : "is empty; send config (the whole state) or pool"));
  }
  CheckReason(request.reason, &problems);
  return problems;
}

std::vector<model::Diagnostic> CheckApply(const Request& request) {
  std::vector<model::Diagnostic> problems = CheckPlan(request);
  if (request.etag.empty()) {
    problems.push_back(
        Problem("etag",
                "is missing; pass the etag that Get or Plan returned with the state that "
                "this change was made against"));
  }
  if (request.reason.empty()) {
    problems.push_back(
        Problem("reason", "is missing; say in a few words why, it is kept with the revision"));
  }
  return problems;
}

}  // namespace evenkeel::engine
