// SPDX-License-Identifier: Apache-2.0
#include "control/guard/edit.h"

#include <algorithm>

namespace evenkeel::guard {
namespace {

template <typename T>
T* FindByName(std::vector<T>& items, const std::string& name) {
  auto it = std::find_if(items.begin(), items.end(), [&](const T& t) { return t.name == name; });
  return it == items.end() ? nullptr : &*it;
}

template <typename T>
void PutBack(const T* kept, std::vector<T>& items) {
  if (kept == nullptr) return;
  if (T* present = FindByName(items, kept->name)) {
    *present = *kept;
  } else {
    items.push_back(*kept);
  }
}

void ClearPolicy(const std::string& field, model::Policy& policy) {
  if (field == "min_serving_backends") policy.min_serving_backends.reset();
  if (field == "max_share_factor") policy.max_share_factor.reset();
  if (field == "max_share") policy.max_share.reset();
  if (field == "max_removed_fraction") policy.max_removed_fraction.reset();
  if (field == "max_remapped_fraction") policy.max_remapped_fraction.reset();
  if (field == "max_weight_ratio") policy.max_weight_ratio.reset();
}

void Enable(model::Backend& backend, const model::Pool* base) {
  const model::Backend* before = base == nullptr ? nullptr : base->FindBackend(backend.name);
  backend.state = model::AdminState::kEnabled;
  if (backend.weight <= 0) {
    backend.weight =
        before != nullptr && before->weight > 0 ? before->weight : model::kDefaultWeight;
  }
}

}  // namespace

void ApplyEdit(const Edit& edit, const model::Pool* base, model::Pool& pool) {
  model::Backend* backend = FindByName(pool.backends, edit.name);
  switch (edit.kind) {
    case Edit::Kind::kKeep:
      if (base != nullptr) PutBack(base->FindBackend(edit.name), pool.backends);
      return;
    case Edit::Kind::kEnable:
      if (backend != nullptr) Enable(*backend, base);
      return;
    case Edit::Kind::kSetWeight:
      if (backend != nullptr) backend->weight = edit.value;
      return;
    case Edit::Kind::kRemove:
      std::erase_if(pool.backends, [&](const model::Backend& b) { return b.name == edit.name; });
      return;
    case Edit::Kind::kSetTableSize:
      pool.table_size = static_cast<uint32_t>(edit.value);
      return;
    case Edit::Kind::kClearPolicy:
      ClearPolicy(edit.name, pool.policy);
      return;
    case Edit::Kind::kKeepPool:
      if (base != nullptr) pool = *base;
      return;
    case Edit::Kind::kKeepVip:
      return;  // not of a pool
  }
}

void ApplyEdits(std::span<const Edit> edits, const model::Config* base, model::Config& config) {
  for (const Edit& edit : edits) {
    if (edit.kind == Edit::Kind::kClearPolicy && edit.pool.empty()) {
      ClearPolicy(edit.name, config.policy);
      continue;
    }
    if (edit.kind == Edit::Kind::kKeepVip) {
      if (base != nullptr) PutBack(base->FindVip(edit.name), config.vips);
      continue;
    }
    const model::Pool* base_pool = base == nullptr ? nullptr : base->FindPool(edit.pool);
    if (model::Pool* pool = FindByName(config.pools, edit.pool)) {
      ApplyEdit(edit, base_pool, *pool);
    } else if (edit.kind == Edit::Kind::kKeepPool) {
      PutBack(base_pool, config.pools);
    }
  }
}

}  // namespace evenkeel::guard
