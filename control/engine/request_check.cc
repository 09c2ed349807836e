// SPDX-License-Identifier: Apache-2.0
#include "control/engine/request_check.h"

#include "absl/strings/str_cat.h"

namespace evenkeel::engine {
namespace {

model::Diagnostic Problem(std::string field, std::string message) {
  return {.location = {}, .field = std::move(field), .message = std::move(message)};
}

// Length of the sequence that `lead` opens, 0 if it opens none (RFC 3629).
int SequenceLength(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

// The first continuation byte excludes overlong forms, surrogates and what is above U+10FFFF.
bool SecondByteFits(uint8_t lead, uint8_t second) {
  const uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high;
}

void CheckReason(const std::string& reason, std::vector<model::Diagnostic>* problems) {
  if (reason.size() > kMaxReasonBytes) {
    problems->push_back(Problem("reason", absl::StrCat("is ", reason.size(), " bytes, at most ",
                                                       kMaxReasonBytes, " are kept; shorten it")));
  }
  if (!IsValidUtf8(reason)) {
    problems->push_back(Problem("reason", "is not UTF-8; send the text as UTF-8"));
  }
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<uint8_t>(text[at]);
    const int length = SequenceLength(lead);
    if (length == 0 || text.size() - at < static_cast<size_t>(length)) return false;
    for (int i = 1; i < length; ++i) {
      const auto byte = static_cast<uint8_t>(text[at + static_cast<size_t>(i)]);
      if ((byte & 0xc0) != 0x80) return false;
      if (i == 1 && !SecondByteFits(lead, byte)) return false;
    }
    at += static_cast<size_t>(length);
  }
  return true;
}

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
