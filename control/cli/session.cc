// SPDX-License-Identifier: Apache-2.0
#include "control/cli/session.h"

#include "absl/strings/ascii.h"

namespace evenkeel::cli {
namespace {

using nlohmann::ordered_json;

// ASCII only, so that no string of a document can steer the terminal it may land on; bytes that
// are not UTF-8 are replaced and do not throw.
std::string Dump(const ordered_json& document, int indent) {
  return document.dump(indent, ' ', /*ensure_ascii=*/true, ordered_json::error_handler_t::replace);
}

}  // namespace

std::string StatusName(const absl::Status& status) {
  return absl::AsciiStrToLower(absl::StatusCodeToString(status.code()));
}

Printer Session::Out() const {
  return Printer(*env.out, env.out_is_terminal && !env.no_color, env.utf8, env.columns);
}

Printer Session::Err() const {
  return Printer(*env.err, env.err_is_terminal && !env.no_color, env.utf8, env.columns);
}

void Session::PrintJson(const ordered_json& document) const {
  *env.out << Dump(document, 2) << '\n';
}

void Session::PrintJsonLine(const ordered_json& document) const {
  *env.out << Dump(document, -1) << '\n' << std::flush;
}

engine::Engine& Session::daemon() {
  if (daemon_ == nullptr) daemon_ = env.connect(socket);
  return *daemon_;
}

ExitCode Session::Fail(const absl::Status& status) const {
  Err().Put("evenkeel: ", Style::kBad).Line(std::string(status.message()));
  if (json()) {
    PrintJson(
        {{"schema", "evenkeel.error/v1"},
         {"error", {{"code", StatusName(status)}, {"message", std::string(status.message())}}}});
  }
  return ExitCodeOf(status);
}

ExitCode Session::FailUsage(const std::string& message) const {
  return Fail(absl::InvalidArgumentError(message));
}

}  // namespace evenkeel::cli
