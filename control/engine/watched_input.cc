// SPDX-License-Identifier: Apache-2.0
#include "control/engine/watched_input.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace evenkeel::engine {
namespace {

using Names = absl::flat_hash_set<std::string>;

// "" or that too many of `before` are gone.
std::string TooFew(size_t before, size_t gone, const std::string& what) {
  const size_t most = std::max<size_t>(1, static_cast<size_t>(kMaxAbsent * before));
  if (gone <= most) return "";
  return absl::StrCat("it lacks ", gone, " of the ", before, " ", what, " in force, and at most ",
                      most, " may be absent at once");
}

template <typename Range, typename NameOf>
Names NamesOf(const Range& range, NameOf name_of) {
  Names names;
  for (const auto& element : range) names.insert(name_of(element));
  return names;
}

size_t CountGone(const Names& before, const Names& after) {
  return static_cast<size_t>(std::count_if(
      before.begin(), before.end(), [&](const auto& name) { return !after.contains(name); }));
}

std::string NameOf(const model::Vip& vip) { return vip.name; }
std::string NameOf(const model::Pool& pool) { return pool.name; }
std::string NameOf(const model::Backend& backend) { return backend.name; }

constexpr auto kName = [](const auto& element) { return NameOf(element); };

std::string ShrunkenPool(const model::Pool& before, const model::Pool& after) {
  const Names names = NamesOf(before.backends, kName);
  return TooFew(names.size(), CountGone(names, NamesOf(after.backends, kName)),
                absl::StrCat("backends of pool ", before.name));
}

std::string ShrunkenPools(const model::Config& config, const guard::BuiltFleet& running) {
  const Names before = NamesOf(running.pools, [](const auto& pool) { return pool->name(); });
  std::string fault =
      TooFew(before.size(), CountGone(before, NamesOf(config.pools, kName)), "pools");
  for (const model::Pool& pool : config.pools) {
    const guard::BuiltPool* built = running.FindPool(pool.name);
    if (fault.empty() && built != nullptr) fault = ShrunkenPool(built->config, pool);
  }
  return fault;
}

// Lists of a million prefixes: their numbers tell enough.
std::string ShrunkenList(size_t before, size_t after, const std::string& what) {
  return TooFew(before, before > after ? before - after : 0, what);
}

std::string ShrunkenRules(const model::Config& config, const guard::BuiltFleet& running) {
  std::string fault;
  for (const auto& built : running.source_rules) {
    const auto found =
        std::find_if(config.source_rules.begin(), config.source_rules.end(),
                     [&](const model::SourceRules& rules) { return rules.name == built->name(); });
    if (found == config.source_rules.end()) continue;
    if (fault.empty()) {
      fault = ShrunkenList(built->config.deny.size(), found->deny.size(),
                           absl::StrCat("prefixes that source rules ", built->name(), " deny"));
    }
    if (fault.empty()) {
      fault = ShrunkenList(built->config.allow.size(), found->allow.size(),
                           absl::StrCat("prefixes that source rules ", built->name(), " allow"));
    }
  }
  return fault;
}

std::string Shrunken(const model::Config& config, const guard::BuiltFleet& running) {
  const Names vips = NamesOf(running.vips, kName);
  std::string fault = TooFew(vips.size(), CountGone(vips, NamesOf(config.vips, kName)), "VIPs");
  if (fault.empty()) fault = ShrunkenPools(config, running);
  if (fault.empty()) fault = ShrunkenRules(config, running);
  return fault;
}

std::string Unparsable(const std::string& path, const std::vector<model::Diagnostic>& all) {
  return absl::StrCat("it cannot be used: ", all[0].ToString(),
                      all.size() > 1 ? absl::StrCat(" (and ", all.size() - 1, " more)") : "",
                      "; evenkeel check --offline ", path, " shows all that is wrong");
}

}  // namespace

std::string FindFault(const std::string& path, const Reading& reading,
                      const guard::BuiltFleet& running) {
  if (!reading.problem.empty()) return reading.problem;
  if (!reading.parsed.ok()) return Unparsable(path, reading.parsed.diagnostics);
  if (reading.cut_off) {
    return "its last line has no end, so it may be cut off; write the file whole, with a newline "
           "at its end, and rename it into place";
  }
  const std::string meant =
      absl::StrCat("; if that is meant: evenkeel apply -f ", path, " --reason TEXT");
  const model::Config& config = reading.parsed.config;
  if (config.vips.empty() && config.pools.empty()) {
    return absl::StrCat("it has no VIP and no pool", meant);
  }
  const std::string fault = Shrunken(config, running);
  return fault.empty() ? "" : absl::StrCat(fault, meant);
}

}  // namespace evenkeel::engine
