// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_FINDING_H_
#define EVENKEEL_CONTROL_ENGINE_FINDING_H_

#include <string>

namespace evenkeel::engine {

// One thing that was looked at, and how it is.
struct Finding {
  enum class Level { kOk, kWarn, kFail };  // fail: something does not work, or will not
  Level level = Level::kOk;
  std::string check;    // "history"; findings of one check have one name
  std::string subject;  // which file, interface, backend; may be empty
  std::string detail;   // what was found
  std::string remedy;   // what to do; empty where it is ok
};

// What is looked at beyond that which always is.
struct DiagnoseOptions {
  // Ask servers through their VIPs, which takes a few seconds: do they take the encapsulation off?
  bool probe = false;
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_FINDING_H_
