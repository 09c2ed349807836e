// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_JUDGEMENT_H_
#define EVENKEEL_CONTROL_CLI_JUDGEMENT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "control/cli/input.h"
#include "control/engine/engine.h"
#include "control/guard/guard.h"
#include "control/maglev/maglev.h"

namespace evenkeel::cli {

// Shares are exact to one slot with any key, so that a check needs no secret: this one decides
// only which slots a backend owns, and with them how many move (by a few in a thousand).
inline constexpr maglev::HashKey kOfflineHashKey = {'e', 'v', 'e', 'n', 'k', 'e', 'e', 'l',
                                                    '-', 'o', 'f', 'f', 'l', 'i', 'n', 'e'};

// A file and what the guard says of it; the verdict means nothing unless file.ok().
struct Judgement {
  ConfigFile file;
  guard::Verdict verdict;
  uint64_t revision = 0;  // that ran, where a daemon judged
};

struct OfflineBase {
  ConfigFile file;
  std::shared_ptr<const guard::BuiltFleet> fleet;  // null unless file.ok()
};
OfflineBase BuildBase(const std::string& path, const maglev::HashKey& key);

// `base`: the state that runs; null as at the first start, where rules about changes do not apply.
// What only the host knows (its own addresses, routes) is not judged.
Judgement JudgeOffline(const std::string& path, const maglev::HashKey& key,
                       std::shared_ptr<const guard::BuiltFleet> base);

// As a change of what the daemon runs, with all that it knows. An error is of the call: then the
// file is not judged.
absl::StatusOr<Judgement> JudgeByDaemon(engine::Engine& daemon, const std::string& path);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_JUDGEMENT_H_
