// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/inner_maps.h"

#include <bpf/bpf.h>
#include <sys/utsname.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <thread>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "control/dataplane/errors.h"

namespace evenkeel::dataplane {
namespace {

constexpr size_t kThreads = 64;
constexpr int kNotTried = 1;

// Before Linux 6.8 each element of a batch waits by itself, and so does each element that is read.
bool EveryElementWaits() {
  static const bool waits = [] {
    utsname name{};
    int major = 0, minor = 0;
    if (uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &major, &minor) != 2) return false;
    return major < 6 || (major == 6 && minor < 8);
  }();
  return waits;
}

// Callers that wait at the same time share a grace period.
void ForEach(size_t count, absl::FunctionRef<void(size_t)> call) {
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) call(i);
  };
  std::vector<std::jthread> others;
  const size_t threads = EveryElementWaits() ? std::min(count, kThreads) : 1;
  try {
    while (others.size() + 1 < threads) others.emplace_back(work);
  } catch (const std::system_error&) {
    // Fewer threads do it as well, later.
  }
  work();
}

bool BatchUnsupported(int err) {
  constexpr int kKernelNotSupported = 524;  // the kernel's internal ENOTSUPP
  return err == -kKernelNotSupported || err == -EOPNOTSUPP || err == -EINVAL;
}

// One result for each element: 0, -errno or kNotTried.
std::vector<int> InsertAll(int outer, std::span<const uint32_t> indices, std::span<const int> fds) {
  std::vector<int> results(indices.size(), kNotTried);
  if (!EveryElementWaits()) {
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    uint32_t done = static_cast<uint32_t>(indices.size());
    const int err = bpf_map_update_batch(outer, indices.data(), fds.data(), &done, &options);
    if (err == 0 || !BatchUnsupported(err)) {
      done = std::min(done, static_cast<uint32_t>(indices.size()));
      std::fill_n(results.begin(), done, 0);
      if (err != 0 && done < results.size()) results[done] = err;
      if (err != 0 && done == results.size()) results.back() = err;
      return results;
    }
  }
  ForEach(indices.size(), [&](size_t i) {
    results[i] = bpf_map_update_elem(outer, &indices[i], &fds[i], BPF_ANY);
  });
  return results;
}

}  // namespace

absl::StatusOr<InnerMaps> InnerMaps::Open(int outer, uint32_t size, std::string name) {
  InnerMaps maps(outer, size, std::move(name));
  if (auto status = maps.Find(); !status.ok()) return status;
  return maps;
}

absl::Status InnerMaps::Find() {
  std::atomic<int> failed = 0;
  ForEach(map_ids_.size(), [&](size_t i) {
    const auto index = static_cast<uint32_t>(i);
    const int err = bpf_map_lookup_elem(outer_, &index, &map_ids_[i]);
    if (err != 0) map_ids_[i] = 0;
    if (err != 0 && err != -ENOENT) failed = err;
  });
  if (failed == 0) return absl::OkStatus();
  return KernelError(failed, absl::StrCat("cannot read the maps in ", name_));
}

absl::StatusOr<UniqueFd> InnerMaps::Get(uint32_t index) const {
  if (index >= map_ids_.size() || map_ids_[index] == 0) {
    return absl::NotFoundError(absl::StrCat("no map ", index, " in ", name_));
  }
  UniqueFd fd(bpf_map_get_fd_by_id(map_ids_[index]));
  if (fd.valid()) return fd;
  return KernelError(fd.get(), absl::StrCat("cannot open map ", index, " in ", name_));
}

absl::Status InnerMaps::Confirm(uint32_t index) const {
  if (index >= map_ids_.size() || map_ids_[index] == 0) {
    return absl::NotFoundError(absl::StrCat("no map ", index, " in ", name_));
  }
  if (EveryElementWaits()) return absl::OkStatus();
  uint32_t id = 0;
  const int err = bpf_map_lookup_elem(outer_, &index, &id);
  if (err == 0 && id == map_ids_[index]) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("map ", index, " in ", name_, " was exchanged"));
}

absl::Status InnerMaps::Remember(uint32_t index, int fd) {
  bpf_map_info info{};
  uint32_t size = sizeof(info);
  if (const int err = bpf_obj_get_info_by_fd(fd, &info, &size); err != 0) {
    return KernelError(err, absl::StrCat("cannot inspect map ", index, " in ", name_));
  }
  map_ids_[index] = info.id;
  return absl::OkStatus();
}

absl::Status InnerMaps::Insert(std::span<const uint32_t> indices, std::span<const int> fds) {
  if (indices.empty()) return absl::OkStatus();
  const std::vector<int> results = InsertAll(outer_, indices, fds);
  absl::Status status;
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i] == 0) {
      const absl::Status remembered = Remember(indices[i], fds[i]);
      if (status.ok()) status = remembered;
    } else if (results[i] < 0 && status.ok()) {
      status = KernelError(results[i],
                           absl::StrCat("cannot put ", indices.size(), " maps into ", name_));
    }
  }
  if (status.ok()) return status;
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i] != 0) continue;
    if (auto undone = Delete(indices[i]); !undone.ok()) status = undone;
  }
  return status;
}

absl::Status InnerMaps::Delete(uint32_t index) {
  const int err = bpf_map_delete_elem(outer_, &index);
  if (err != 0 && err != -ENOENT) {
    return KernelError(err, absl::StrCat("cannot take map ", index, " out of ", name_));
  }
  map_ids_[index] = 0;
  return absl::OkStatus();
}

}  // namespace evenkeel::dataplane
