// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/skeleton.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
// After the ABI: the skeleton's read-only data is of its types.
#include "bpf/balancer.skel.h"
#include "control/dataplane/errors.h"

namespace evenkeel::dataplane {
namespace {

absl::Status SizeMaps(const Skeleton& skeleton, const Limits& limits) {
  const std::pair<bpf_map*, uint32_t> sizes[] = {
      {skeleton->maps.ek_tables, limits.max_tables},
      {skeleton->maps.ek_vip_stats, limits.max_vips},
      {skeleton->maps.ek_flow_due, limits.max_vips},
      {skeleton->maps.ek_be_stats, limits.max_backends},
      {skeleton->maps.ek_pins, limits.max_pins},
  };
  for (const auto& [map, size] : sizes) {
    if (const int err = bpf_map__set_max_entries(map, size); err != 0) {
      return KernelError(err, absl::StrCat("cannot size map ", bpf_map__name(map), " to ", size));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReuseMaps(bpf_object* object, const KernelObjects& objects) {
  for (size_t i = 0; i < kMapNames.size(); ++i) {
    bpf_map* map = bpf_object__find_map_by_name(object, kMapNames[i].data());
    if (map == nullptr) return absl::InternalError(absl::StrCat("no map ", kMapNames[i]));
    if (const int err = bpf_map__reuse_fd(map, objects.maps[i].get()); err != 0) {
      return KernelError(err, absl::StrCat("cannot reuse pinned map ", kMapNames[i]));
    }
  }
  return absl::OkStatus();
}

void FillConfig(const KernelOptions& options, ek_config* config) {
  const auto key = HashKeyWords(options.hash_key);
  std::copy(key.begin(), key.end(), config->hash_key);
  config->gue_port = htons(options.encapsulation.gue_port);
}

void SkeletonDeleter::operator()(ek_balancer* skeleton) const { ek_balancer__destroy(skeleton); }

absl::StatusOr<Skeleton> OpenSkeleton(const KernelOptions& options, const KernelObjects* existing) {
  Skeleton skeleton(ek_balancer__open());
  if (!skeleton) return KernelError(errno, "cannot open the built-in program");
  FillConfig(options, &skeleton->rodata->ek_config);
  auto prepared =
      existing ? ReuseMaps(skeleton->obj, *existing) : SizeMaps(skeleton, options.limits);
  if (!prepared.ok()) return prepared;
  return skeleton;
}

absl::StatusOr<std::string> ProgramTag(int fd) {
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  if (const int err = bpf_obj_get_info_by_fd(fd, &info, &size); err != 0) {
    return KernelError(err, "cannot inspect a program");
  }
  return std::string(reinterpret_cast<const char*>(info.tag), sizeof(info.tag));
}

}  // namespace evenkeel::dataplane
