// SPDX-License-Identifier: Apache-2.0
#include "control/engine/edit.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/model/nearest.h"

namespace evenkeel::engine {
namespace {

Edited Wrong(std::string field, std::string message) {
  return {
      .pool = std::nullopt,
      .diagnostics = {{.location = {}, .field = std::move(field), .message = std::move(message)}}};
}

std::string DidYouMean(const std::string& name, const std::vector<std::string>& names) {
  return model::DidYouMean(name, std::vector<std::string_view>(names.begin(), names.end()));
}

std::vector<std::string> PoolsWith(const std::string& backend, const guard::BuiltFleet& fleet) {
  std::vector<std::string> pools;
  for (const auto& pool : fleet.pools) {
    if (pool->config.FindBackend(backend) != nullptr) pools.push_back(pool->name());
  }
  return pools;
}

Edited NoBackend(const Edit& edit, const guard::BuiltFleet& fleet) {
  std::vector<std::string> names;
  for (const auto& pool : fleet.pools) {
    if (!edit.pool.empty() && pool->name() != edit.pool) continue;
    for (const model::Backend& backend : pool->config.backends) names.push_back(backend.name);
  }
  return Wrong(
      "edit.backend",
      absl::StrCat("is \"", edit.backend, "\", which ",
                   edit.pool.empty() ? "no pool" : absl::StrCat("pool ", edit.pool, " not"), " has",
                   DidYouMean(edit.backend, names)));
}

}  // namespace

Edited ApplyEdit(const Edit& edit, const guard::BuiltFleet& fleet) {
  if (edit.state.has_value() == edit.weight.has_value()) {
    return Wrong("edit", "is to set the backend's state or its weight, one of them");
  }
  std::string name = edit.pool;
  if (name.empty()) {
    const std::vector<std::string> pools = PoolsWith(edit.backend, fleet);
    if (pools.empty()) return NoBackend(edit, fleet);
    if (pools.size() > 1) {
      return Wrong("edit.pool", absl::StrCat("is missing: ", edit.backend, " is in the pools ",
                                             absl::StrJoin(pools, ", "), "; name one"));
    }
    name = pools[0];
  }
  const guard::BuiltPool* built = fleet.FindPool(name);
  if (built == nullptr) {
    std::vector<std::string> names;
    for (const auto& pool : fleet.pools) names.push_back(pool->name());
    return Wrong("edit.pool",
                 absl::StrCat("is \"", name, "\", which there is not", DidYouMean(name, names)));
  }
  model::Pool pool = built->config;
  const auto backend = std::find_if(pool.backends.begin(), pool.backends.end(),
                                    [&](const auto& b) { return b.name == edit.backend; });
  if (backend == pool.backends.end()) return NoBackend(edit, fleet);
  if (edit.state) backend->state = *edit.state;
  if (edit.weight) backend->weight = *edit.weight;
  return {.pool = std::move(pool), .diagnostics = {}};
}

}  // namespace evenkeel::engine
