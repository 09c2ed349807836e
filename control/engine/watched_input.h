// SPDX-License-Identifier: Apache-2.0
//
// Whether what a machine wrote is meant. A generator that lost its source writes less, or nothing:
// what is absent there was not necessarily removed.
#ifndef EVENKEEL_CONTROL_ENGINE_WATCHED_INPUT_H_
#define EVENKEEL_CONTROL_ENGINE_WATCHED_INPUT_H_

#include <string>

#include "control/guard/fleet.h"
#include "control/model/yaml.h"

namespace evenkeel::engine {

// The watched file as it was read.
struct Reading {
  std::string problem;        // why there is nothing to read; empty: there is
  bool cut_off = false;       // the last line has no end
  model::ParseResult parsed;  // of the text
};

// How much of what there is may be absent at once: one, or this part.
inline constexpr double kMaxAbsent = 0.25;

// What speaks against taking `reading` for what is meant, in one sentence with the remedy; empty:
// nothing. `path` is that of the file, `running` is in force.
std::string FindFault(const std::string& path, const Reading& reading,
                      const guard::BuiltFleet& running);

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_WATCHED_INPUT_H_
