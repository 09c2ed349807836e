// SPDX-License-Identifier: Apache-2.0
//
// One generation's VIPs of one family: a HASH map inside ek_vips4 or ek_vips6. Key is ek_vip_key4
// or ek_vip_key6.
#ifndef EVENKEEL_CONTROL_DATAPLANE_VIP_MAP_H_
#define EVENKEEL_CONTROL_DATAPLANE_VIP_MAP_H_

#include <bpf/bpf.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bpf/abi/maps.h"
#include "control/dataplane/errors.h"
#include "control/dataplane/inner_maps.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::dataplane {

template <typename Key>
class VipMap {
 public:
  struct Content {
    std::vector<Key> keys;
    std::vector<ek_vip> values;
  };

  // `maps` are those in ek_vips4 or ek_vips6 and outlive this object.
  VipMap(const InnerMaps& maps, uint32_t generation) : maps_(maps), generation_(generation) {}

  // How many VIPs the inner map takes; 0 where there is none.
  absl::StatusOr<uint32_t> Capacity() const {
    auto inner = Open();
    if (absl::IsNotFound(inner.status())) return 0;
    if (!inner.ok()) return inner.status();
    return Capacity(*inner);
  }

  // An inner map that is not put in yet.
  absl::StatusOr<UniqueFd> Create(uint32_t entries) const {
    const uint32_t size = std::bit_ceil(std::max(entries, kMinEntries));
    UniqueFd fresh(
        bpf_map_create(BPF_MAP_TYPE_HASH, "ek_vips", sizeof(Key), sizeof(ek_vip), size, nullptr));
    if (!fresh.valid()) return Error(fresh.get(), "cannot create");
    return fresh;
  }

  absl::Status Insert(const Content& content) {
    if (content.keys.empty()) return absl::OkStatus();
    auto inner = Open();
    if (!inner.ok()) return inner.status();
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    uint32_t count = static_cast<uint32_t>(content.keys.size());
    const int err = bpf_map_update_batch(inner->get(), content.keys.data(), content.values.data(),
                                         &count, &options);
    return err == 0 ? absl::OkStatus() : Error(err, "cannot fill");
  }

  // Empty where there is no inner map.
  absl::StatusOr<Content> Read() const {
    auto inner = Open();
    if (absl::IsNotFound(inner.status())) return Content{};
    if (!inner.ok()) return inner.status();
    auto capacity = Capacity(*inner);
    if (!capacity.ok()) return capacity.status();
    Content content;
    content.keys.resize(*capacity);
    content.values.resize(*capacity);
    uint32_t done = 0;
    uint32_t position = 0;
    for (bool first = true; done < *capacity; first = false) {
      LIBBPF_OPTS(bpf_map_batch_opts, options);
      uint32_t count = *capacity - done;
      const int err =
          bpf_map_lookup_batch(inner->get(), first ? nullptr : &position, &position,
                               &content.keys[done], &content.values[done], &count, &options);
      if (err != 0 && err != -ENOENT) return Error(err, "cannot read");
      done += count;
      if (err == -ENOENT) break;  // that was the last bucket
    }
    content.keys.resize(done);
    content.values.resize(done);
    return content;
  }

  absl::StatusOr<std::optional<ek_vip>> Find(const Key& key) const {
    auto inner = Open();
    if (absl::IsNotFound(inner.status())) return std::nullopt;
    if (!inner.ok()) return inner.status();
    ek_vip value{};
    const int err = bpf_map_lookup_elem(inner->get(), &key, &value);
    if (err == -ENOENT) return std::nullopt;
    if (err != 0) return Error(err, "cannot read");
    return value;
  }

  absl::Status Clear() {
    auto content = Read();
    if (!content.ok()) return content.status();
    if (content->keys.empty()) return absl::OkStatus();
    auto inner = Open();
    if (!inner.ok()) return inner.status();
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    uint32_t count = static_cast<uint32_t>(content->keys.size());
    const int err = bpf_map_delete_batch(inner->get(), content->keys.data(), &count, &options);
    return err == 0 ? absl::OkStatus() : Error(err, "cannot empty");
  }

 private:
  static constexpr uint32_t kMinEntries = 64;

  absl::StatusOr<UniqueFd> Open() const { return maps_.Get(generation_); }

  absl::StatusOr<uint32_t> Capacity(const UniqueFd& inner) const {
    bpf_map_info info{};
    uint32_t size = sizeof(info);
    const int err = bpf_obj_get_info_by_fd(inner.get(), &info, &size);
    if (err != 0) return Error(err, "cannot inspect");
    return info.max_entries;
  }

  absl::Status Error(int err, absl::string_view what) const {
    return KernelError(err, absl::StrCat(what, " generation ", generation_, " of ", maps_.name()));
  }

  const InnerMaps& maps_;
  uint32_t generation_;
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_VIP_MAP_H_
