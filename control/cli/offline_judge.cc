// SPDX-License-Identifier: Apache-2.0
#include "control/cli/offline_judge.h"

#include <utility>

namespace evenkeel::cli {
namespace {

// Builds the file's tables; what prevents it is added to the file's errors.
std::shared_ptr<const guard::BuiltFleet> Build(ConfigFile& file, const maglev::HashKey& key,
                                               const guard::BuiltFleet* reuse) {
  if (!file.ok()) return nullptr;
  absl::StatusOr<std::shared_ptr<const guard::BuiltFleet>> fleet =
      guard::BuildFleet(file.config, key, reuse);
  if (fleet.ok()) return *std::move(fleet);
  file.errors.push_back({.location = {.file = file.path},
                         .field = "",
                         .message = std::string(fleet.status().message())});
  return nullptr;
}

}  // namespace

OfflineBase BuildBase(const std::string& path, const maglev::HashKey& key) {
  OfflineBase base;
  base.file = ReadConfigFile(path);
  base.fleet = Build(base.file, key, nullptr);
  return base;
}

OfflineJudgement JudgeOffline(const std::string& path, const maglev::HashKey& key,
                              std::shared_ptr<const guard::BuiltFleet> base) {
  OfflineJudgement judged;
  judged.file = ReadConfigFile(path);
  std::shared_ptr<const guard::BuiltFleet> candidate = Build(judged.file, key, base.get());
  if (candidate == nullptr) return judged;
  judged.verdict = guard::Judge(std::move(candidate), std::move(base), guard::Facts{}).verdict;
  return judged;
}

}  // namespace evenkeel::cli
