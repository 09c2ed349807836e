// SPDX-License-Identifier: Apache-2.0
#include "control/cli/alarm_report.h"

#include <string>

#include "control/cli/cat.h"
#include "control/cli/text.h"
#include "control/engine/alarm_text.h"

namespace evenkeel::cli {
namespace {

Cell Label(std::string_view text, size_t columns, Style style) {
  const size_t pad = columns > text.size() ? columns - text.size() : 0;
  return {Cat(text, std::string(pad, ' ')), style};
}

Style StyleOf(detect::Severity severity) {
  return severity == detect::Severity::kPage ? Style::kBad : Style::kWarn;
}

}  // namespace

void PrintAlarms(Printer& out, size_t columns, const std::vector<detect::Alarm>& alarms,
                 int64_t now_unix_ns) {
  for (const detect::Alarm& alarm : alarms) {
    const bool page = alarm.severity == detect::Severity::kPage;
    out.Hanging(0, Label(page ? "ALARM" : "Ticket", columns, StyleOf(alarm.severity)),
                Cat(alarm.pool.empty() ? "" : Cat("pool ", alarm.pool, ": "), alarm.text));
    const Cell rest = Label("", columns, Style::kPlain);
    out.Hanging(
        0, rest,
        Cat("since ", UtcTime(alarm.since_unix_ns), " (", Ago(alarm.since_unix_ns, now_unix_ns),
            "), with revision ", alarm.revision, ", ", alarm.id,
            alarm.insufficient ? "; too little traffic now to say whether it goes on" : ""));
    for (const detect::Change& change : alarm.changes) {
      out.Hanging(0, rest, Cat("changed: ", engine::ChangeLine(change)));
    }
    for (const detect::HealthChange& change : alarm.health) {
      out.Hanging(0, rest, Cat("health: ", engine::HealthLine(change)));
    }
    if (!alarm.undo.empty()) {
      out.Put(rest.text, rest.style).Put(" undo: ").Line(alarm.undo, Style::kBold);
    }
    if (alarm.acknowledged) {
      out.Hanging(0, rest,
                  Cat("acknowledged by ", alarm.acknowledged->who, ", ",
                      Ago(alarm.acknowledged->unix_ns, now_unix_ns)));
    }
  }
}

void PrintDistribution(Printer& out, const engine::PoolStatus& pool) {
  if (!pool.distribution) return;
  const detect::PoolReport& report = *pool.distribution;
  const Style style = report.verdict == detect::Verdict::kMatches  ? Style::kGood
                      : report.verdict == detect::Verdict::kBroken ? Style::kBad
                                                                   : Style::kDim;
  out.Hanging(2, {"Traffic:", style}, report.text);
}

}  // namespace evenkeel::cli
