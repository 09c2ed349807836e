// SPDX-License-Identifier: Apache-2.0
#include "control/cli/drain_wait.h"

#include <optional>
#include <string>

#include "control/cli/cat.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = engine::DrainProgress::State;

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr milliseconds kRetry{500};
// A daemon that restarts goes on with the drain; it is worth waiting for.
constexpr int64_t kPatienceNs = 60 * kNsPerSecond;
// Between two lines where there is no terminal.
constexpr int64_t kLineEveryNs = 10 * kNsPerSecond;

const char* Word(State state) {
  switch (state) {
    case State::kServing:
      return "serving";
    case State::kQuiet:
      return "quiet";
    case State::kSafe:
      return "safe";
    case State::kElsewhere:
      return "elsewhere";
    case State::kDraining:
      break;
  }
  return "draining";
}

const char* Word(model::AdminState state) {
  switch (state) {
    case model::AdminState::kDraining:
      return "draining";
    case model::AdminState::kDisabled:
      return "disabled";
    case model::AdminState::kEnabled:
      break;
  }
  return "enabled";
}

nlohmann::ordered_json ToJson(const engine::DrainPlace& place) {
  nlohmann::ordered_json json = {{"pool", place.pool},
                                 {"backend", place.backend},
                                 {"state", Word(place.state)},
                                 {"serving", place.serving},
                                 {"known", place.known},
                                 {"slots", place.slots},
                                 {"held_slots", place.held_slots},
                                 {"used_slots", place.used_slots},
                                 {"pinned_flows", place.pinned_flows},
                                 {"tracked", place.tracked},
                                 {"by_id", place.by_id},
                                 {"packets", place.packets},
                                 {"packets_per_s", place.packets_per_s},
                                 {"idle_s", nullptr}};
  if (place.idle) json["idle_s"] = static_cast<double>(place.idle->count()) / 1000;
  return json;
}

// `outcome`: how the wait ended; null while it goes on.
nlohmann::ordered_json ToJson(const engine::DrainProgress& progress, const char* outcome) {
  nlohmann::ordered_json places = nlohmann::ordered_json::array();
  for (const engine::DrainPlace& place : progress.places) places.push_back(ToJson(place));
  nlohmann::ordered_json json = {
      {"schema", "evenkeel.drain/v1"},   {"time", Rfc3339(progress.unix_ns)},
      {"state", Word(progress.state)},   {"outcome", nullptr},
      {"safe_to_stop", progress.safe()}, {"address", progress.address.ToString()},
      {"text", progress.text},           {"places", places}};
  if (outcome != nullptr) json["outcome"] = outcome;
  return json;
}

class Wait {
 public:
  Wait(Session& session, const engine::DrainQuery& query, seconds timeout)
      : session_(session), query_(query), timeout_(timeout), start_ns_(session.env.now_unix_ns()) {}

  ExitCode Run() {
    while (true) {
      const absl::Status status = session_.daemon().WatchDrain(
          query_, [&](const engine::DrainProgress* progress) { return Note(progress); });
      const int64_t now = session_.env.now_unix_ns();
      if (end_ == End::kNone && last_ && last_->last()) return Report();
      // A stream that ends without a last word is as good as one that breaks.
      const bool patient =
          (status.ok() || absl::IsUnavailable(status)) && last_ && now < heard_ns_ + kPatienceNs;
      if (end_ == End::kNone && !patient) {
        Clear();
        const ExitCode code = session_.Fail(
            status.ok() ? absl::UnavailableError("the daemon ends the wait without a reason")
                        : status);
        if (last_) session_.Err().Line(StaysDrained());
        return code;
      }
      if (end_ == End::kNone) {
        Show("the daemon does not answer; packets go on, and so does the drain", State::kDraining);
        if (!session_.env.sleep(kRetry)) end_ = End::kStopped;
      }
      if (end_ == End::kNone && IsOver()) end_ = End::kTimeout;
      if (end_ != End::kNone) return GiveUp();
    }
  }

 private:
  enum class End { kNone, kTimeout, kStopped };

  bool IsOver() const {
    return timeout_.count() > 0 &&
           session_.env.now_unix_ns() >= start_ns_ + timeout_.count() * kNsPerSecond;
  }

  bool Note(const engine::DrainProgress* progress) {
    if (progress != nullptr) {
      last_ = *progress;
      heard_ns_ = session_.env.now_unix_ns();
      if (progress->last()) return false;
      if (session_.json()) {
        session_.PrintJsonLine(ToJson(*progress, nullptr));
      } else {
        Show(progress->text, progress->state);
      }
    }
    if (IsOver()) end_ = End::kTimeout;
    if (end_ == End::kNone && !session_.env.sleep(milliseconds(0))) end_ = End::kStopped;
    return end_ == End::kNone;
  }

  // In place on a terminal; elsewhere a line now and then.
  void Show(const std::string& text, State state) {
    if (session_.json()) return;
    const int64_t now = session_.env.now_unix_ns();
    if (session_.env.err_is_terminal) {
      std::string line = Clean(Cat("Draining ", query_.backend, ", ", Left(now), text));
      const size_t room = std::max<size_t>(session_.env.columns, 20) - 1;
      if (line.size() > room) line = Cat(line.substr(0, room - 3), "...");
      session_.Err().Raw(Cat("\r\x1b[K", line));
      session_.env.err->flush();
      return;
    }
    if (shown_ns_ != 0 && now < shown_ns_ + kLineEveryNs && state == shown_) return;
    shown_ns_ = now;
    shown_ = state;
    session_.Err().Line(Cat(UtcTime(now), "  ", query_.backend, ": ", text));
    session_.env.err->flush();
  }

  std::string Left(int64_t now) const {
    if (timeout_.count() == 0) return Cat((now - start_ns_) / kNsPerSecond, " s: ");
    const int64_t left = start_ns_ + timeout_.count() * kNsPerSecond - now;
    return Cat(left > 0 ? (left + kNsPerSecond - 1) / kNsPerSecond : 0, " s left: ");
  }

  void Clear() const {
    if (session_.env.err_is_terminal && !session_.json()) session_.Err().Raw("\r\x1b[K");
  }

  std::string StaysDrained() const {
    return Cat(query_.backend, " stays drained: it gets no new connections. `evenkeel drain ",
               query_.backend, " --wait` waits on, `evenkeel undrain ", query_.backend,
               "` takes it back");
  }

  // What the daemon said last.
  ExitCode Report() {
    Clear();
    if (session_.json()) {
      session_.PrintJsonLine(ToJson(*last_, Word(last_->state)));
    } else {
      const Style style = last_->state == State::kSafe    ? Style::kGood
                          : last_->state == State::kQuiet ? Style::kWarn
                                                          : Style::kBad;
      session_.Out().Put(Cat(query_.backend, ": "), Style::kBold).Line(last_->text, style);
    }
    return last_->safe() ? ExitCode::kDone : ExitCode::kNotSafe;
  }

  ExitCode GiveUp() {
    Clear();
    const bool timeout = end_ == End::kTimeout;
    if (session_.json() && last_) {
      session_.PrintJsonLine(ToJson(*last_, timeout ? "timeout" : "stopped"));
    }
    Printer err = session_.Err();
    err.Put("evenkeel: ", Style::kBad)
        .Line(Cat(timeout ? Cat("not safe to stop after ", timeout_.count(), " s (--timeout)")
                          : "not waiting any more; not known to be safe to stop",
                  last_ ? Cat(": ", last_->text) : ""));
    err.Line(StaysDrained());
    return ExitCode::kNotSafe;
  }

  Session& session_;
  const engine::DrainQuery& query_;
  const seconds timeout_;
  const int64_t start_ns_;
  std::optional<engine::DrainProgress> last_;
  int64_t heard_ns_ = 0;
  int64_t shown_ns_ = 0;
  State shown_ = State::kDraining;
  End end_ = End::kNone;
};

}  // namespace

ExitCode WaitDrained(Session& session, const engine::DrainQuery& query, seconds timeout) {
  return Wait(session, query, timeout).Run();
}

}  // namespace evenkeel::cli
