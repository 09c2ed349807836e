// SPDX-License-Identifier: Apache-2.0
#include "control/engine/request_check.h"

#include "absl/strings/str_cat.h"
#include "control/model/utf8.h"

namespace evenkeel::engine {
namespace {

model::Diagnostic Problem(std::string field, std::string message) {
  return {.location = {}, .field = std::move(field), .message = std::move(message)};
}

void CheckText(const std::string& field, const std::string& text, size_t most,
               std::vector<model::Diagnostic>* problems) {
  if (text.size() > most) {
    problems->push_back(Problem(field, absl::StrCat("is ", text.size(), " bytes, at most ", most,
                                                    " are kept; shorten it")));
  }
  if (model::FindInvalidUtf8(text).has_value()) {
    problems->push_back(Problem(field, "is not UTF-8; send the text as UTF-8"));
  }
}

void CheckReason(const std::string& reason, std::vector<model::Diagnostic>* problems) {
  if (reason.empty()) {
    problems->push_back(
        Problem("reason", "is missing; say in a few words why, it is kept with the revision"));
  }
}

void CheckOverrides(const Request& request, std::vector<model::Diagnostic>* problems) {
  const Consent& consent = request.consent;
  if (consent.overrides.empty()) return;
  if (consent.overrides.size() > kMaxOverrides) {
    problems->push_back(
        Problem("overrides", absl::StrCat("names ", consent.overrides.size(), " rules, at most ",
                                          kMaxOverrides, " are taken")));
  }
  if (consent.expires < kMinOverride || consent.expires > kMaxOverride) {
    problems->push_back(Problem("override_expires", absl::StrCat("is ", consent.expires.count(),
                                                                 " s; an override ends "
                                                                 "after ",
                                                                 kMinOverride.count(), " s to ",
                                                                 kMaxOverride.count(), " s")));
  }
}

void CheckWindow(const Window& window, std::vector<model::Diagnostic>* problems) {
  if (window.length == std::chrono::seconds(0)) {
    if (window.auto_confirm) {
      problems->push_back(Problem("auto_confirm", "needs confirm_within; say for how long"));
    }
    return;
  }
  if (window.length < kMinWindow || window.length > kMaxWindow) {
    problems->push_back(Problem(
        "confirm_within", absl::StrCat("is ", window.length.count(), " s; from ",
                                       kMinWindow.count(), " s to ", kMaxWindow.count(), " s")));
  }
}

}  // namespace

std::vector<model::Diagnostic> CheckPlan(const Request& request) {
  std::vector<model::Diagnostic> problems;
  const engine::Change& change = request.change;
  const int parts = change.config.has_value() + change.pool.has_value() + change.edit.has_value();
  if (parts != 1) {
    problems.push_back(Problem(
        "change", parts == 0 ? "is empty; send config (the whole state), pool or edit"
                             : "has more than one of config, pool and edit; send one of them"));
  }
  CheckText("reason", request.reason, kMaxReasonBytes, &problems);
  CheckText("ticket", request.ticket, kMaxTicketBytes, &problems);
  CheckOverrides(request, &problems);
  return problems;
}

std::vector<model::Diagnostic> CheckApply(const Request& request) {
  std::vector<model::Diagnostic> problems = CheckPlan(request);
  if (request.etag.empty() && !request.change.edit.has_value()) {
    problems.push_back(
        Problem("etag",
                "is missing; pass the etag that Get or Plan returned with the state that "
                "this change was made against"));
  }
  CheckReason(request.reason, &problems);
  CheckWindow(request.window, &problems);
  return problems;
}

std::vector<model::Diagnostic> CheckSettlement(const Settlement& settlement) {
  std::vector<model::Diagnostic> problems;
  CheckText("reason", settlement.reason, kMaxReasonBytes, &problems);
  return problems;
}

std::vector<model::Diagnostic> CheckRollback(const Rollback& rollback) {
  std::vector<model::Diagnostic> problems;
  CheckText("reason", rollback.reason, kMaxReasonBytes, &problems);
  CheckText("ticket", rollback.ticket, kMaxTicketBytes, &problems);
  CheckReason(rollback.reason, &problems);
  if (rollback.last_good && rollback.target != 0) {
    problems.push_back(Problem("revision", "is given beside last_good; send one of them"));
  }
  return problems;
}

std::vector<model::Diagnostic> CheckWithdrawal(const WithdrawalRequest& request, bool withdraw) {
  std::vector<model::Diagnostic> problems;
  if (request.all == !request.vips.empty()) {
    problems.push_back(Problem("vips", request.all ? "is given beside all; send one of them"
                                                   : "is empty; name VIPs, or send all"));
  }
  CheckText("reason", request.reason, kMaxReasonBytes, &problems);
  if (withdraw && request.reason.empty()) {
    problems.push_back(Problem("reason", "is missing; say in a few words why, status shows it"));
  }
  return problems;
}

}  // namespace evenkeel::engine
