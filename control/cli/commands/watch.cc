// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <deque>
#include <mutex>

#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

using Kind = engine::Event::Kind;

constexpr std::chrono::milliseconds kPoll{100};
// How often it is made sure that the daemon is still there: a stream that ended is silent.
constexpr int kPollsPerLiveness = 20;
constexpr size_t kMaxQueued = 10000;

const char* Word(Kind kind) {
  switch (kind) {
    case Kind::kApplied:
      return "applied";
    case Kind::kRefused:
      return "refused";
    case Kind::kFailed:
      return "failed";
    case Kind::kUnreachable:
      return "unreachable";
    case Kind::kConfirmed:
      return "confirmed";
    case Kind::kRolledBack:
      return "rolled_back";
    case Kind::kDown:
      return "down";
    case Kind::kUp:
      return "up";
    case Kind::kHeld:
      return "held";
    case Kind::kFollowing:
      return "following";
    case Kind::kNoSpare:
      return "no_spare";
    case Kind::kSpare:
      return "spare";
    case Kind::kWithdrawn:
      return "withdrawn";
    case Kind::kAnnounced:
      return "announced";
    case Kind::kAlarm:
      return "alarm";
    case Kind::kAlarmOver:
      return "alarm_over";
    case Kind::kReachable:
      break;
  }
  return "reachable";
}

Style StyleOf(Kind kind) {
  switch (kind) {
    case Kind::kApplied:
    case Kind::kConfirmed:
    case Kind::kReachable:
    case Kind::kFollowing:
    case Kind::kSpare:
    case Kind::kUp:
      return Style::kGood;
    case Kind::kAnnounced:
    case Kind::kAlarmOver:
      return Style::kGood;
    case Kind::kWithdrawn:
    case Kind::kRolledBack:
      return Style::kWarn;
    default:
      return Style::kBad;
  }
}

// Filled by the stream's thread, emptied by the command's.
class Queue {
 public:
  void Push(const engine::Event& event) {
    const std::lock_guard lock(mutex_);
    if (events_.size() == kMaxQueued) events_.pop_front();
    events_.push_back(event);
  }
  std::deque<engine::Event> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
  }

 private:
  std::mutex mutex_;
  std::deque<engine::Event> events_;
};

void Print(Session& session, const engine::Event& event) {
  if (session.json()) {
    session.PrintJsonLine({{"schema", "evenkeel.event/v1"},
                           {"time", Rfc3339(event.unix_ns)},
                           {"kind", Word(event.kind)},
                           {"revision", event.revision},
                           {"subject", event.subject},
                           {"message", event.message}});
    return;
  }
  Printer out = session.Out();
  out.Put(UtcTime(event.unix_ns)).Put("  ").Put(Word(event.kind), StyleOf(event.kind));
  if (event.revision != 0) out.Put(Cat(" revision ", event.revision));
  if (!event.subject.empty()) out.Put(" ").Put(event.subject, Style::kBold);
  out.Line(event.message.empty() ? "" : Cat(": ", event.message));
  session.env.out->flush();
}

class Watch final : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("-n,--count", count_, "End after so many events")
        ->type_name("COUNT")
        ->check(CLI::Range(1u, 1u << 30).description(""));
  }

  ExitCode Run(Session& session) override {
    engine::Engine& daemon = session.daemon();
    if (const auto reached = daemon.Get(); !reached.ok()) return session.Fail(reached.status());
    Queue queue;
    const uint64_t id = daemon.Subscribe([&queue](const engine::Event& e) { queue.Push(e); });
    const absl::Status ended = Follow(session, queue);
    daemon.Unsubscribe(id);
    return ended.ok() ? ExitCode::kDone : session.Fail(ended);
  }

 private:
  absl::Status Follow(Session& session, Queue& queue) const {
    uint32_t printed = 0;
    for (int polls = 1;; ++polls) {
      for (const engine::Event& event : queue.Take()) {
        Print(session, event);
        if (++printed == count_) return absl::OkStatus();
      }
      if (polls % kPollsPerLiveness == 0) {
        if (const auto alive = session.daemon().Get(); !alive.ok()) return alive.status();
      }
      if (!session.env.sleep(kPoll)) return absl::OkStatus();
    }
  }

  uint32_t count_ = 0;
};

}  // namespace

std::unique_ptr<Command> MakeWatch() { return std::make_unique<Watch>(); }

}  // namespace evenkeel::cli
