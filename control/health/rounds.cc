// SPDX-License-Identifier: Apache-2.0
#include "control/health/rounds.h"

namespace evenkeel::health {

void Rounds::Configure(const Witnesses& witnesses) {
  std::erase_if(servers_, [&](const auto& item) {
    const auto found = witnesses.find(item.first);
    return found == witnesses.end() || found->second != item.second.witnesses;
  });
  for (const auto& [server, names] : witnesses) servers_[server].witnesses = names;
}

std::optional<ProbeResult> Rounds::Note(const Server& server, const std::string& witness,
                                        ProbeResult result) {
  const auto found = servers_.find(server);
  if (found == servers_.end() || !found->second.witnesses.contains(witness)) return std::nullopt;
  State& state = found->second;
  if (!result.ok) {
    state.well.clear();
    const bool counts = state.failed.empty() || state.failed.contains(witness);
    if (counts) state.failed.clear();
    state.failed.insert(witness);
    return counts ? std::optional(std::move(result)) : std::nullopt;
  }
  state.well.insert(witness);
  if (state.well.size() < state.witnesses.size()) return std::nullopt;
  state.well.clear();
  state.failed.clear();
  return result;
}

}  // namespace evenkeel::health
