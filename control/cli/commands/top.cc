// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <optional>

#include "control/cli/command.h"
#include "control/cli/status_report.h"
#include "control/cli/terminal.h"
#include "control/cli/text.h"
#include "control/cli/top_view.h"

namespace evenkeel::cli {
namespace {

using std::chrono::milliseconds;

// Where there is no terminal, nobody sees what does not fit.
constexpr size_t kAllRows = 1'000'000;
constexpr milliseconds kSlice{100};

class Top final : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("--interval", interval_s_, "Seconds between two readings, default 1")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.2, 3600.0).description(""));
    app.add_option("-n,--count", count_, "End after so many")
        ->type_name("COUNT")
        ->check(CLI::Range(1u, 1u << 30).description(""));
    AddChoice(app, "--sort", sort_, "configured|skew|packets|name",
              "Order of backends, default as configured");
    app.add_option("--filter", state_.filter, "Only what has this in its name or address")
        ->type_name("TEXT");
  }

  ExitCode Run(Session& session) override {
    if (sort_ == "skew") state_.sort = TopSort::kSkew;
    if (sort_ == "packets") state_.sort = TopSort::kPackets;
    if (sort_ == "name") state_.sort = TopSort::kName;
    if (const absl::Status status = Read(session); !status.ok()) return session.Fail(status);
    // Also a terminal that cannot do more than write lines.
    if (!session.env.out_is_terminal || !session.env.in_is_terminal || session.env.is_dumb) {
      return RunPlain(session);
    }
    return RunScreen(session);
  }

 private:
  absl::Status Read(Session& session) {
    absl::StatusOr<engine::Status> status = session.daemon().GetStatus(engine::StatusDepth::kQuick);
    if (!status.ok()) return status.status();
    before_ = std::exchange(now_, StatusSample{*std::move(status), session.env.now_unix_ns()});
    return absl::OkStatus();
  }

  static void Print(Session& session, Printer& out, const std::vector<ScreenLine>& lines) {
    for (size_t i = 0; i < lines.size(); ++i) {
      for (const Cell& cell : lines[i]) out.Put(cell.text, cell.style);
      if (i + 1 < lines.size()) out.End();
    }
    session.env.out->flush();
  }

  milliseconds Interval() const { return milliseconds(static_cast<int64_t>(interval_s_ * 1000)); }

  // One screen after the other, each whole.
  ExitCode RunPlain(Session& session) {
    for (uint32_t i = 1;; ++i) {
      // The first one would have no rates.
      if (!session.env.sleep(Interval())) return ExitCode::kDone;
      if (const absl::Status status = Read(session); !status.ok()) return session.Fail(status);
      if (session.json()) {
        session.PrintJsonLine(json::ToJson(now_->status));
      } else {
        Printer out = session.Out();
        std::vector<ScreenLine> lines =
            RenderTop(*now_, before_, "", out.columns(), kAllRows, out.utf8(), &state_);
        lines.back().clear();  // the keys
        Print(session, out, lines);
        out.End();
      }
      if (i == count_) return ExitCode::kDone;
    }
  }

  void Draw(Session& session) {
    const Terminal::Size size = Terminal::GetSize();
    Printer out = session.Out();
    out.ClearScreen();
    page_ = size.rows > 10 ? size.rows / 2 : 1;
    Print(session, out,
          RenderTop(*now_, before_, problem_, size.columns, size.rows, out.utf8(), &state_));
  }

  ExitCode RunScreen(Session& session) {
    // From here on a signal ends the loop below, which gives the screen back.
    if (!session.env.sleep(milliseconds(0))) return ExitCode::kDone;
    Terminal terminal;
    uint32_t read = 1;
    auto next = std::chrono::steady_clock::now() + Interval();
    Draw(session);
    while (true) {
      // In slices, so that Ctrl-C is noticed.
      const auto key = terminal.ReadKey(std::min(kSlice, Interval()));
      if (key && TakeKey(*key, page_, &state_)) Draw(session);
      if (state_.ending || !session.env.sleep(milliseconds(0))) return ExitCode::kDone;
      if (std::chrono::steady_clock::now() < next) continue;
      next = std::chrono::steady_clock::now() + Interval();
      if (state_.paused) continue;
      // A daemon that restarts is waited for; what is on the screen is said to be old.
      const absl::Status status = Read(session);
      problem_ = status.ok() ? "" : "not up to date: " + std::string(status.message());
      Draw(session);
      if (status.ok() && ++read > count_ && count_ != 0) return ExitCode::kDone;
    }
  }

  double interval_s_ = 1;
  uint32_t count_ = 0;
  std::string sort_ = "configured";
  TopState state_;
  size_t page_ = 1;
  std::string problem_;
  std::optional<StatusSample> now_, before_;
};

}  // namespace

std::unique_ptr<Command> MakeTop() { return std::make_unique<Top>(); }

}  // namespace evenkeel::cli
