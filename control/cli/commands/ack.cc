// SPDX-License-Identifier: Apache-2.0
#include "control/cli/alarm_report.h"
#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/text.h"
#include "control/engine/alarm_text.h"

namespace evenkeel::cli {
namespace {

class AckCommand : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("id", request_.id, "Of the alarm, as evenkeel status shows it")
        ->type_name("ALARM");
    app.add_flag("--all", all_, "All alarms that are open");
  }

  ExitCode Run(Session& session) override {
    if (all_ == !request_.id.empty()) {
      return session.FailUsage(all_ ? "name an alarm or give --all, not both"
                                    : "name an alarm, or give --all");
    }
    const auto alarms = session.daemon().Acknowledge(request_);
    if (!alarms.ok()) return session.Fail(alarms.status());
    if (session.json()) {
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const detect::Alarm& alarm : *alarms) list.push_back(engine::ToJson(alarm));
      session.PrintJson({{"schema", "evenkeel.ack/v1"}, {"alarms", list}});
      return ExitCode::kDone;
    }
    Printer out = session.Out();
    if (alarms->empty()) out.Line("No alarm is open.");
    for (const detect::Alarm& alarm : *alarms) {
      out.Put("Acknowledged", Style::kGood).Line(Cat(": ", alarm.id));
    }
    return ExitCode::kDone;
  }

 private:
  engine::Acknowledgement request_;
  bool all_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeAck() { return std::make_unique<AckCommand>(); }

}  // namespace evenkeel::cli
