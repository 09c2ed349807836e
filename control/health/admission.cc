// SPDX-License-Identifier: Apache-2.0
#include "control/health/admission.h"

#include <algorithm>

namespace evenkeel::health {
namespace {

// Weights are given in parts of this, so that the smallest share of the largest table is exact to
// a slot.
constexpr uint64_t kUnit = 1'000'000'000;

using Wide = unsigned __int128;

bool TakeOut(const PoolAdmission& admission, model::Pool* pool) {
  bool changed = false;
  for (model::Backend& backend : pool->backends) {
    if (!backend.serving() || Admitted(admission, backend.address) != kOut) continue;
    backend.state = model::AdminState::kDisabled;
    changed = true;
  }
  return changed;
}

}  // namespace

uint16_t Admitted(const PoolAdmission& admission, const model::IpAddress& server) {
  const auto found = admission.find(server);
  return found == admission.end() ? kWhole : found->second;
}

uint16_t Admitted(const Admission& admission, const std::string& pool,
                  const model::IpAddress& server) {
  const auto found = admission.find(pool);
  return found == admission.end() ? kWhole : Admitted(found->second, server);
}

void Admit(const std::string& pool, const model::IpAddress& server, uint16_t permille,
           Admission* admission) {
  if (permille < kWhole) {
    (*admission)[pool][server] = permille;
    return;
  }
  const auto found = admission->find(pool);
  if (found == admission->end()) return;
  found->second.erase(server);
  if (found->second.empty()) admission->erase(found);
}

Admission LesserOf(Admission one, const Admission& other) {
  for (const auto& [pool, servers] : other) {
    for (const auto& [server, permille] : servers) {
      Admit(pool, server, std::min(permille, Admitted(one, pool, server)), &one);
    }
  }
  return one;
}

bool ApplyAdmission(const PoolAdmission& admission, model::Pool* pool) {
  bool changed = TakeOut(admission, pool);
  // In thousandths of a weight.
  Wide all = 0, whole = 0, reduced = 0;
  for (const model::Backend& backend : pool->backends) {
    if (!backend.serving()) continue;
    const uint16_t permille = Admitted(admission, backend.address);
    const Wide weight = Wide(static_cast<uint64_t>(backend.weight));
    all += weight * kWhole;
    (permille == kWhole ? whole : reduced) += weight * permille;
  }
  if (reduced == 0 || whole == 0) return changed;
  for (model::Backend& backend : pool->backends) {
    if (!backend.serving()) continue;
    const uint16_t permille = Admitted(admission, backend.address);
    const Wide weight = Wide(static_cast<uint64_t>(backend.weight)) * permille;
    // The rest have among them what the reduced leave.
    const Wide share =
        permille == kWhole ? weight * kUnit / whole * (all - reduced) / all : weight * kUnit / all;
    if (backend.capacity) *backend.capacity *= permille / double{kWhole};
    backend.weight = std::max(int64_t{1}, static_cast<int64_t>(share));
  }
  return true;
}

}  // namespace evenkeel::health
