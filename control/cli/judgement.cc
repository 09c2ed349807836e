// SPDX-License-Identifier: Apache-2.0
#include "control/cli/judgement.h"

#include <utility>

namespace evenkeel::cli {
namespace {

using Kind = engine::Outcome::Kind;

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

Judgement JudgeOffline(const std::string& path, const maglev::HashKey& key,
                       std::shared_ptr<const guard::BuiltFleet> base) {
  Judgement judged;
  judged.file = ReadConfigFile(path);
  std::shared_ptr<const guard::BuiltFleet> candidate = Build(judged.file, key, base.get());
  if (candidate == nullptr) return judged;
  judged.verdict = guard::Judge(std::move(candidate), std::move(base), guard::Facts{}).verdict;
  return judged;
}

absl::StatusOr<Judgement> JudgeByDaemon(engine::Engine& daemon, const std::string& path) {
  Judgement judged;
  judged.file = ReadConfigFile(path);
  if (!judged.file.ok()) return judged;
  engine::Request request;
  request.change.config = judged.file.config;
  engine::Outcome outcome = daemon.Plan(request);
  judged.revision = outcome.applied.revision;
  switch (outcome.kind) {
    case Kind::kValidated:
    case Kind::kNoChange:
    case Kind::kRefused:
      judged.verdict = std::move(outcome.verdict);
      return judged;
    case Kind::kInvalid:
      judged.file.errors = std::move(outcome.diagnostics);
      return judged;
    case Kind::kApplied:
    case Kind::kConfirmed:
    case Kind::kStale:
    case Kind::kFailed:
      break;
  }
  return outcome.status.ok() ? absl::InternalError("the daemon's answer has no result")
                             : outcome.status;
}

}  // namespace evenkeel::cli
