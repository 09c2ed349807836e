// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/cgroup_memory.h"

#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bpf/abi/limits.h"

namespace evenkeel::daemon {
namespace {

using Level = engine::Finding::Level;
namespace fs = std::filesystem;

// What version 1 says where there is no limit, less than a page.
constexpr uint64_t kNoLimit = uint64_t{1} << 60;
// Per prefix of a source rule, as docs/performance.md measures it: in the kernel and the daemon.
constexpr uint64_t kPrefixBytes = 540;
// Of slots and lines in the daemon: the candidate, and what is read back.
constexpr uint64_t kCopies = 2;
constexpr uint64_t kSpare = 32u << 20;

struct Files {
  const char* limit;
  const char* used;
  const char* cache;  // the line of memory.stat that can be taken back
};
constexpr Files kVersion2 = {"memory.max", "memory.current", "inactive_file"};
constexpr Files kVersion1 = {"memory.limit_in_bytes", "memory.usage_in_bytes",
                             "total_inactive_file"};

std::optional<uint64_t> ReadNumber(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  uint64_t value = 0;
  if (!(file >> word) || !absl::SimpleAtoi(word, &value)) return std::nullopt;  // "max"
  return value;
}

uint64_t ReadCache(const fs::path& path, std::string_view name) {
  std::ifstream file(path);
  std::string word;
  uint64_t value = 0;
  while (file >> word >> value) {
    if (word == name) return value;
  }
  return 0;
}

// Of the group and of those above it, up to the root of the hierarchy.
std::optional<MemoryLimit> Tightest(const fs::path& top, const std::string& group,
                                    const Files& files) {
  std::optional<MemoryLimit> tightest;
  // A group outside of this process's view of the hierarchy has no directory in it.
  fs::path inside = absl::StrContains(group, "..") ? fs::path("/") : fs::path(group);
  while (true) {
    const fs::path dir = top / inside.relative_path();
    const auto limit = ReadNumber(dir / files.limit);
    const auto used = ReadNumber(dir / files.used);
    if (limit && used && *limit < kNoLimit) {
      const uint64_t cache = ReadCache(dir / "memory.stat", files.cache);
      const MemoryLimit found{.group = dir.lexically_normal().string(),
                              .limit = *limit,
                              .used = *used > cache ? *used - cache : 0};
      if (!tightest || found.left() < tightest->left()) tightest = found;
    }
    if (!inside.has_relative_path()) return tightest;
    inside = inside.parent_path();
  }
}

uint64_t Mib(uint64_t bytes) { return bytes >> 20; }

}  // namespace

std::optional<MemoryLimit> ReadMemoryLimit(const std::string& root) {
  const fs::path groups = fs::path(root) / "sys/fs/cgroup";
  std::ifstream file(fs::path(root) / "proc/self/cgroup");
  std::optional<MemoryLimit> tightest;
  for (std::string line; std::getline(file, line);) {
    // "0::/system.slice/evenkeeld.service", "9:memory:/system.slice"
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    std::optional<MemoryLimit> found;
    if (fields[1].empty()) {
      found = Tightest(groups, fields[2], kVersion2);
    } else {
      const std::vector<std::string> controllers = absl::StrSplit(fields[1], ',');
      for (const std::string& controller : controllers) {
        if (controller == "memory") found = Tightest(groups / "memory", fields[2], kVersion1);
      }
    }
    if (found && (!tightest || found->left() < tightest->left())) tightest = found;
  }
  return tightest;
}

uint64_t StagingBytes(const model::Config& config) {
  uint64_t bytes = 0;
  for (const model::Pool& pool : config.pools) {
    const uint64_t slots = pool.table_size * sizeof(uint32_t);
    const uint64_t lines = pool.backends.size() * EK_LINE_SIZE;
    bytes += (slots + lines) * (1 + kCopies);
  }
  for (const model::SourceRules& rules : config.source_rules) {
    bytes += (rules.deny.size() + rules.allow.size()) * kPrefixBytes;
  }
  return bytes;
}

engine::Finding CheckMemoryLimit(const std::optional<MemoryLimit>& limit, uint64_t staging) {
  if (!limit) {
    return {Level::kOk, "memory-limit", "", "the daemon's control groups set none", ""};
  }
  const std::string found =
      absl::StrCat(Mib(limit->left()), " MiB left of ", Mib(limit->limit),
                   " MiB; an update of all that is configured takes up to ", Mib(staging) + 1);
  if (limit->left() >= 2 * staging + kSpare) {
    return {Level::kOk, "memory-limit", limit->group, absl::StrCat(found, " MiB"), ""};
  }
  return {limit->left() < staging ? Level::kFail : Level::kWarn, "memory-limit", limit->group,
          absl::StrCat(found, " MiB"),
          absl::StrCat("raise it by ", Mib(2 * staging + kSpare - limit->left()) + 1,
                       " MiB: MemoryMax= of the unit, or the container's limit")};
}

}  // namespace evenkeel::daemon
