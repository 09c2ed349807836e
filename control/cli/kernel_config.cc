// SPDX-License-Identifier: Apache-2.0
#include "control/cli/kernel_config.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "control/cli/cat.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

using engine::Finding;
using Level = Finding::Level;

// Real ones have some 200 KiB.
constexpr size_t kMaxText = 4u << 20;
constexpr char kProcConfig[] = "proc/config.gz";

struct Need {
  const char* option;
  const char* what_for;
  // Where it shows that the kernel has it; null: it does not show.
  const char* shown_by;
  bool shown_by_daemon;  // its programs would not have been loaded
  bool vital;            // nothing works without it
};

// The option must be set, or the feature is not there.
constexpr Need kNeeds[] = {
    {"BPF_SYSCALL", "everything", "proc/sys/kernel/unprivileged_bpf_disabled", true, true},
    {"BPF_JIT", "speed, and tracing", "proc/sys/net/core/bpf_jit_enable", false, true},
    {"DEBUG_INFO_BTF", "loading the programs", "sys/kernel/btf/vmlinux", false, true},
    {"BPF_EVENTS", "samples of live traffic, in plan and for alarms", nullptr, false, false},
    {"LWTUNNEL_BPF", "health checks and doctor's probes through VIPs", nullptr, false, false},
    {"IP_MULTIPLE_TABLES", "probes through IPv4 VIPs", nullptr, false, false},
    {"IPV6_MULTIPLE_TABLES", "probes through IPv6 VIPs", nullptr, false, false},
    {"PACKET", "the passive signal of health checks", "proc/net/packet", false, false},
};

// Plain text is read as it is.
std::optional<std::string> ReadText(const HostFacts& facts, const std::string& path) {
  const std::string full = facts.Path(path);
  struct Closer {
    void operator()(gzFile_s* file) const { gzclose(file); }
  };
  const std::unique_ptr<gzFile_s, Closer> file(gzopen(full.c_str(), "rb"));
  if (!file) return std::nullopt;
  std::string text;
  std::array<char, 64 * 1024> chunk{};
  int got = 0;
  while (text.size() < kMaxText &&
         (got = gzread(file.get(), chunk.data(), static_cast<unsigned>(chunk.size()))) > 0) {
    text.append(chunk.data(), static_cast<size_t>(got));
  }
  if (got < 0 || text.empty()) return std::nullopt;
  return text;
}

bool IsMissing(const Need& need, const KernelConfig& config, const HostFacts& facts, bool runs) {
  if (const auto found = config.options.find(need.option);
      found != config.options.end() && (found->second == "y" || found->second == "m")) {
    return false;
  }
  if (need.shown_by_daemon && runs) return false;
  return need.shown_by == nullptr || !facts.Exists(need.shown_by);
}

std::string Named(const Need& need) {
  return Cat("CONFIG_", need.option, " (", need.what_for, ")");
}

}  // namespace

std::optional<KernelConfig> ReadKernelConfig(const HostFacts& facts) {
  const std::string release = facts.Read("proc/sys/kernel/osrelease").value_or("");
  std::vector<std::string> paths = {kProcConfig};
  if (!release.empty()) paths.push_back(Cat("boot/config-", release));
  for (const std::string& path : paths) {
    const auto text = ReadText(facts, path);
    if (!text) continue;
    KernelConfig config{.path = Cat("/", path), .options = {}};
    constexpr std::string_view kPrefix = "CONFIG_";
    for (const std::string_view line : Split(*text, '\n')) {
      const size_t equals = line.find('=');
      if (!line.starts_with(kPrefix) || equals == std::string_view::npos) continue;
      config.options.emplace(line.substr(kPrefix.size(), equals - kPrefix.size()),
                             line.substr(equals + 1));
    }
    if (!config.options.empty()) return config;
  }
  return std::nullopt;
}

Finding CheckKernelConfig(const HostFacts& facts, bool runs) {
  const std::optional<KernelConfig> config = ReadKernelConfig(facts);
  if (!config) {
    return {Level::kOk, "kernel-config", "",
            "cannot be told: neither /proc/config.gz nor /boot/config-RELEASE can be read. "
            "The other checks go by what works",
            ""};
  }
  std::string missing;
  bool vital = false;
  for (const Need& need : kNeeds) {
    if (!IsMissing(need, *config, facts, runs)) continue;
    missing += Cat(missing.empty() ? "" : ", ", Named(need));
    vital = vital || need.vital;
  }
  if (missing.empty()) {
    return {Level::kOk, "kernel-config", config->path, "has all that is used", ""};
  }
  return {vital ? Level::kFail : Level::kWarn, "kernel-config", config->path,
          Cat("lacks ", missing), "boot a kernel with them; Debian 12's own is one"};
}

}  // namespace evenkeel::cli
