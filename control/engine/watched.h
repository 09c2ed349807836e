// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_WATCHED_H_
#define EVENKEEL_CONTROL_ENGINE_WATCHED_H_

#include <cstdint>
#include <string>

namespace evenkeel::engine {

// How the file that the daemon watches stands to the state in force.
struct Watched {
  enum class State {
    kFollowing,  // what it says is in force
    kWaiting,    // what it says is not possible just now, by a rule about time; tried again
    kHeld,       // it is not applied, and somebody has to look
  };
  State state = State::kWaiting;
  std::string path;
  std::string detail;         // unless following: why, and what to do
  int64_t since_unix_ns = 0;  // in this state
  uint64_t revision = 0;      // the last one that was what the file said; 0: none yet
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_WATCHED_H_
