// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <optional>

#include "control/cli/command.h"
#include "control/cli/status_report.h"

namespace evenkeel::cli {
namespace {

class Status final : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_flag("-w,--watch", watch_, "Print it again and again, with packets per second");
    app.add_option("--interval", interval_s_, "Seconds between two of --watch, default 1")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.1, 3600.0).description(""));
    app.add_option("-n,--count", count_, "End --watch after so many")
        ->type_name("COUNT")
        ->check(CLI::Range(1u, 1u << 30).description(""));
  }

  ExitCode Run(Session& session) override {
    std::optional<StatusSample> before;
    const std::chrono::milliseconds interval(static_cast<int64_t>(interval_s_ * 1000));
    for (uint32_t i = 1;; ++i) {
      absl::StatusOr<engine::Status> status = session.daemon().GetStatus();
      if (!status.ok()) return session.Fail(status.status());
      StatusSample now{*std::move(status), session.env.now_unix_ns()};
      Print(session, now, before);
      if (!watch_ || i == count_ || !session.env.sleep(interval)) return ExitCode::kDone;
      before = std::move(now);
    }
  }

 private:
  void Print(Session& session, const StatusSample& now,
             const std::optional<StatusSample>& before) const {
    if (session.json()) {
      watch_ ? session.PrintJsonLine(json::ToJson(now.status))
             : session.PrintJson(json::ToJson(now.status));
      return;
    }
    Printer out = session.Out();
    if (watch_ && session.env.out_is_terminal) {
      out.ClearScreen();
    } else if (before) {
      out.End();
    }
    PrintStatus(out, now, before);
    session.env.out->flush();
  }

  bool watch_ = false;
  double interval_s_ = 1;
  uint32_t count_ = 0;
};

}  // namespace

std::unique_ptr<Command> MakeStatus() { return std::make_unique<Status>(); }

}  // namespace evenkeel::cli
