// SPDX-License-Identifier: Apache-2.0
#include "control/engine/state_text.h"

#include <string_view>
#include <utility>
#include <vector>

#include "control/model/yaml.h"

namespace evenkeel::engine {

std::string StateText::Of(const guard::BuiltFleet& fleet) {
  decltype(known_) texts;
  for (const auto& pool : fleet.pools) {
    const auto it = known_.find(pool);
    texts[pool] = it != known_.end() ? std::move(it->second) : model::ToYaml(pool->config);
  }
  known_ = std::move(texts);
  std::vector<std::string_view> pools;
  for (const auto& pool : fleet.pools) pools.push_back(known_[pool]);
  return model::ToYaml(fleet.vips, pools);
}

}  // namespace evenkeel::engine
