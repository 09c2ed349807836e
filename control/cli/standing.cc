// SPDX-License-Identifier: Apache-2.0
#include "control/cli/standing.h"

#include <chrono>
#include <optional>

#include "control/cli/cat.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

constexpr std::chrono::milliseconds kPoll{500};
constexpr uint32_t kRevisionsAsked = 50;
constexpr int64_t kNsPerSecond = 1'000'000'000;
// How long after its end a window may take to be settled, until waiting for it is given up.
constexpr int64_t kPatienceNs = 60 * kNsPerSecond;

int64_t SecondsLeft(int64_t deadline_unix_ns, int64_t now_unix_ns) {
  return deadline_unix_ns > now_unix_ns
             ? (deadline_unix_ns - now_unix_ns + kNsPerSecond - 1) / kNsPerSecond
             : 0;
}

absl::StatusOr<history::Revision> Find(Session& session, uint64_t number) {
  const auto revisions = session.daemon().ListRevisions(kRevisionsAsked);
  if (!revisions.ok()) return revisions.status();
  for (const history::Revision& revision : *revisions) {
    if (revision.number == number) return revision;
  }
  return absl::NotFoundError(Cat("revision ", number, " is not in the history any more"));
}

ExitCode ReportSettled(Session& session, const history::Revision& revision) {
  const bool stays = revision.standing == history::Standing::kConfirmed;
  Printer err = session.Err();
  err.Put(Cat("Revision ", revision.number, stays ? " confirmed" : " rolled back"),
          stays ? Style::kGood : Style::kBad)
      .Line(Cat(revision.settled_by.empty() ? "" : Cat(" by ", revision.settled_by),
                revision.settled_why.empty() ? "" : Cat(": ", revision.settled_why)));
  return stays ? ExitCode::kDone : ExitCode::kRolledBack;
}

}  // namespace

std::string Deadline(int64_t deadline_unix_ns, int64_t now_unix_ns) {
  return Cat(UtcTime(deadline_unix_ns), " (", SecondsLeft(deadline_unix_ns, now_unix_ns),
             " s left)");
}

void PrintAwaited(Printer& out, const engine::Applied& applied, int64_t now_unix_ns) {
  const std::string until = Deadline(applied.deadline_unix_ns, now_unix_ns);
  if (applied.auto_confirm) {
    out.Line(Cat("Watched until ", until, ", then confirmed unless something speaks against it"),
             Style::kWarn);
  } else {
    out.Line(Cat("Awaits its confirmation until ", until, ", then it is rolled back"),
             Style::kWarn);
  }
  out.Line(Cat("  to keep it:      evenkeel confirm ", applied.revision));
  out.Line(Cat("  to take it back: evenkeel cancel ", applied.revision));
}

ExitCode WaitSettled(Session& session, const engine::Applied& applied) {
  const bool live = session.env.err_is_terminal;
  uint64_t awaited = applied.revision;
  while (true) {
    const absl::StatusOr<history::Revision> revision = Find(session, awaited);
    const int64_t now = session.env.now_unix_ns();
    if (revision.ok() && revision->standing == history::Standing::kCarriedOn) {
      awaited = revision->carried_on_by;
      if (live) session.Err().Raw("\r\x1b[K");
      session.Err().Line(Cat("Revision ", revision->number, " is carried on by revision ", awaited,
                             " by ", revision->settled_by, ": ", revision->settled_why));
      continue;
    }
    if (revision.ok() && revision->standing != history::Standing::kAwaiting) {
      if (live) session.Err().Raw("\r\x1b[K");
      return ReportSettled(session, *revision);
    }
    // A daemon that restarts keeps the window; it is worth waiting for.
    if (now > applied.deadline_unix_ns + kPatienceNs) {
      return session.Fail(
          revision.ok() ? absl::DeadlineExceededError(Cat("revision ", awaited,
                                                          " is still awaited after its time; see "
                                                          "evenkeel status"))
                        : revision.status());
    }
    if (live) {
      session.Err().Raw(Cat("\r\x1b[KWaiting, ", SecondsLeft(applied.deadline_unix_ns, now),
                            " s left ", revision.ok() ? "" : "(the daemon does not answer)"));
      session.env.err->flush();
    }
    if (!session.env.sleep(kPoll)) {
      if (live) session.Err().Raw("\r\x1b[K");
      session.Err().Line(
          Cat("Not waiting any more; revision ", awaited, " still awaits its confirmation"));
      return ExitCode::kError;
    }
  }
}

}  // namespace evenkeel::cli
