// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/inner_maps.h"

#include <bpf/bpf.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "control/dataplane/errors.h"

namespace evenkeel::dataplane {
namespace {

bool BatchUnsupported(int err) {
  constexpr int kKernelNotSupported = 524;  // the kernel's internal ENOTSUPP
  return err == -kKernelNotSupported || err == -EOPNOTSUPP || err == -EINVAL;
}

}  // namespace

absl::Status InsertInnerMaps(int outer, std::span<const uint32_t> ids, std::span<const int> fds,
                             absl::string_view name) {
  if (ids.empty()) return absl::OkStatus();
  LIBBPF_OPTS(bpf_map_batch_opts, options);
  uint32_t done = static_cast<uint32_t>(ids.size());
  int err = bpf_map_update_batch(outer, ids.data(), fds.data(), &done, &options);
  if (err != 0 && BatchUnsupported(err)) {
    err = 0;
    for (done = 0; done < ids.size(); ++done) {
      err = bpf_map_update_elem(outer, &ids[done], &fds[done], BPF_ANY);
      if (err != 0) break;
    }
  }
  if (err == 0) return absl::OkStatus();
  absl::Status failed =
      KernelError(err, absl::StrCat("cannot put ", ids.size(), " maps into ", name));
  for (uint32_t i = 0; i < done && i < ids.size(); ++i) {
    if (auto undone = DeleteInnerMap(outer, ids[i], name); !undone.ok()) failed = undone;
  }
  return failed;
}

absl::Status DeleteInnerMap(int outer, uint32_t id, absl::string_view name) {
  const int err = bpf_map_delete_elem(outer, &id);
  if (err == 0 || err == -ENOENT) return absl::OkStatus();
  return KernelError(err, absl::StrCat("cannot take map ", id, " out of ", name));
}

}  // namespace evenkeel::dataplane
