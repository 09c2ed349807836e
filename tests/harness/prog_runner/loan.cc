// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/prog_runner/loan.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "bpf/abi/maps.h"
#include "bpf/balancer.skel.h"

namespace evenkeel::testing {
namespace {

void Check(bool ok, const char* what, const char* object) {
  if (ok) return;
  std::fprintf(stderr, "%s %s: %s\n", what, object, std::strerror(errno));
  std::abort();
}

struct Loaded {
  HashKey key;
  RawLimits limits;
  ek_balancer* skeleton;
  bool lent;
  std::unique_ptr<CaptureTwin> twin{};
};

// All that this process has loaded.
class Shelf {
 public:
  ~Shelf() {
    for (const Loaded& loaded : loaded_) ek_balancer__destroy(loaded.skeleton);
  }
  std::vector<Loaded>& all() { return loaded_; }

 private:
  std::vector<Loaded> loaded_;
};

Shelf& TheShelf() {
  static Shelf shelf;
  return shelf;
}

using Key = std::vector<uint8_t>;

std::vector<Key> KeysOf(const bpf_map* map) {
  std::vector<Key> keys;
  Key key(bpf_map__key_size(map));
  while (bpf_map_get_next_key(bpf_map__fd(map), keys.empty() ? nullptr : keys.back().data(),
                              key.data()) == 0) {
    keys.push_back(key);
  }
  return keys;
}

void ZeroArray(const bpf_map* map) {
  size_t size = bpf_map__value_size(map);
  if (bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY) {
    size = (size + 7) / 8 * 8 * static_cast<size_t>(libbpf_num_possible_cpus());
  }
  const std::vector<uint8_t> zero(size);
  for (uint32_t i = 0; i < bpf_map__max_entries(map); ++i) {
    Check(bpf_map_update_elem(bpf_map__fd(map), &i, zero.data(), BPF_ANY) == 0, "emptying",
          bpf_map__name(map));
  }
}

void DeleteAll(const bpf_map* map) {
  for (const Key& key : KeysOf(map)) {
    Check(bpf_map_delete_elem(bpf_map__fd(map), key.data()) == 0, "emptying", bpf_map__name(map));
  }
}

// One call finds what is there. On kernels before 6.8 each entry of a map of maps that it looks at
// waits for a grace period, so these maps are small here.
void TakeOutMaps(const bpf_map* map) {
  const uint32_t size = bpf_map__max_entries(map);
  std::vector<uint32_t> keys(size);
  std::vector<uint32_t> ids(size);
  uint32_t count = size;
  uint32_t next = 0;
  const int error = bpf_map_lookup_batch(bpf_map__fd(map), nullptr, &next, keys.data(), ids.data(),
                                         &count, nullptr);
  Check(error == 0 || errno == ENOENT, "reading", bpf_map__name(map));
  for (uint32_t i = 0; i < count; ++i) {
    Check(bpf_map_delete_elem(bpf_map__fd(map), &keys[i]) == 0, "emptying", bpf_map__name(map));
  }
}

void Empty(const bpf_map* map) {
  if (bpf_map__is_internal(map)) return;  // the read-only data
  switch (bpf_map__type(map)) {
    case BPF_MAP_TYPE_ARRAY:
    case BPF_MAP_TYPE_PERCPU_ARRAY:
      return ZeroArray(map);
    case BPF_MAP_TYPE_ARRAY_OF_MAPS:
      return TakeOutMaps(map);
    case BPF_MAP_TYPE_HASH:
    case BPF_MAP_TYPE_LRU_HASH:
      return DeleteAll(map);
    default:
      errno = ENOSYS;
      Check(false, "emptying", bpf_map__name(map));
  }
}

ek_balancer* Load(const HashKey& key, const RawLimits& limits) {
  ek_balancer* skeleton = ek_balancer__open();
  Check(skeleton != nullptr, "opening", "the balancer");
  skeleton->rodata->ek_config.hash_key[0] = key[0];
  skeleton->rodata->ek_config.hash_key[1] = key[1];
  skeleton->rodata->ek_config.too_big_rate = limits.too_big_rate;
  skeleton->rodata->ek_config.too_big_burst = limits.too_big_burst;
  bpf_map__set_max_entries(skeleton->maps.ek_tables, limits.tables);
  bpf_map__set_max_entries(skeleton->maps.ek_rules4, limits.rule_sets);
  bpf_map__set_max_entries(skeleton->maps.ek_rules6, limits.rule_sets);
  bpf_map__set_max_entries(skeleton->maps.ek_vip_stats, limits.vips);
  bpf_map__set_max_entries(skeleton->maps.ek_flow_due, limits.vips);
  bpf_map__set_max_entries(skeleton->maps.ek_be_stats, limits.backends);
  Check(ek_balancer__load(skeleton) == 0, "loading", "the balancer");
  return skeleton;
}

Loaded& Find(const ek_balancer& skeleton) {
  std::vector<Loaded>& all = TheShelf().all();
  return *std::find_if(all.begin(), all.end(),
                       [&](const Loaded& loaded) { return loaded.skeleton == &skeleton; });
}

}  // namespace

BalancerLoan BorrowBalancer(const HashKey& key, const RawLimits& limits) {
  std::vector<Loaded>& all = TheShelf().all();
  const auto free = std::find_if(all.begin(), all.end(), [&](const Loaded& loaded) {
    return !loaded.lent && loaded.key == key && loaded.limits == limits;
  });
  if (free != all.end()) {
    free->lent = true;
    return BalancerLoan(free->skeleton);
  }
  all.push_back({.key = key, .limits = limits, .skeleton = Load(key, limits), .lent = true});
  return BalancerLoan(all.back().skeleton);
}

CaptureTwin* TwinOf(const ek_balancer& borrowed) {
  Loaded& loaded = Find(borrowed);
  if (loaded.twin == nullptr) {
    loaded.twin = std::make_unique<CaptureTwin>(borrowed);
  } else {
    loaded.twin->Reset();
  }
  return loaded.twin.get();
}

void GiveBack::operator()(ek_balancer* skeleton) const {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton->obj) Empty(map);
  Find(*skeleton).lent = false;
}

}  // namespace evenkeel::testing
