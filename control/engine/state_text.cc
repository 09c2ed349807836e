// SPDX-License-Identifier: Apache-2.0
#include "control/engine/state_text.h"

#include <string_view>
#include <utility>
#include <vector>

#include "control/model/yaml.h"

namespace evenkeel::engine {

namespace {

// Texts of `parts` in their order; `known` holds them from now on, and no others.
template <typename Known, typename Parts>
std::vector<std::string_view> TextsOf(const Parts& parts, Known& known) {
  Known texts;
  for (const auto& part : parts) {
    const auto it = known.find(part);
    texts[part] = it != known.end() ? std::move(it->second) : model::ToYaml(part->config);
  }
  known = std::move(texts);
  std::vector<std::string_view> list;
  for (const auto& part : parts) list.push_back(known[part]);
  return list;
}

}  // namespace

std::string StateText::Of(const guard::BuiltFleet& fleet) {
  return model::ToYaml(fleet.vips, TextsOf(fleet.pools, known_),
                       TextsOf(fleet.source_rules, known_rules_), fleet.global_source_rules,
                       fleet.policy);
}

}  // namespace evenkeel::engine
