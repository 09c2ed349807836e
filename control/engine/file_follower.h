// SPDX-License-Identifier: Apache-2.0
//
// Applies what a watched file says, by the same way as everybody: planned, judged, recorded. It
// goes on only from a state that it knows, which is what the file said before: what a person did
// since, a drain or a rollback, is never undone by a file that does not know of it.
#ifndef EVENKEEL_CONTROL_ENGINE_FILE_FOLLOWER_H_
#define EVENKEEL_CONTROL_ENGINE_FILE_FOLLOWER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "control/engine/local_engine.h"
#include "control/engine/watched_input.h"

namespace evenkeel::engine {

inline constexpr char kWatchSource[] = "watch";

struct FollowOptions {
  std::string path;
  // How long each change is watched before it counts as confirmed; 0: at once.
  std::chrono::seconds window{0};
  std::function<int64_t()> now_unix_ns;
  std::function<int64_t()> steady_ns;  // never set back
};

// Not thread-safe. After LocalEngine::Start.
class FileFollower {
 public:
  // How long until what was refused is judged again.
  static constexpr std::chrono::seconds kAgain{10};

  // `engine` must outlive it.
  FileFollower(LocalEngine* engine, FollowOptions options);

  // To be called about once a second; `fresh`: the file was read anew. Tells the engine how the
  // file stands.
  void Step(std::optional<Reading> fresh);

 private:
  struct Standing {
    Watched::State state = Watched::State::kHeld;
    std::string detail;
  };
  // Whether anything can have become different since the last look.
  bool IsDue(uint64_t in_force) const;
  Standing Look(const State& state);
  Standing Follow(uint64_t revision);
  bool Knows(const State& state);
  Standing StrangeState(const State& state) const;
  Standing Try(const State& state);
  Standing Judge(const Outcome& outcome);
  Request MakeRequest(const State& state) const;
  void Tell(Standing standing);

  LocalEngine* const engine_;
  const FollowOptions options_;
  std::optional<Reading> reading_;
  bool fresh_ = false;             // not looked at before
  bool refusal_recorded_ = false;  // of this reading
  bool retry_ = false;             // time may help
  int64_t retry_at_ns_ = 0;        // in steady time
  uint64_t seen_ = 0;              // in force at the last look
  uint64_t followed_ = 0;          // the last revision that was what the file said
  std::optional<Watched> told_;
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_FILE_FOLLOWER_H_
