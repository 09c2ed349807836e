// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/probe_paths.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bpf/probe.skel.h"
#include "control/dataplane/errors.h"
#include "control/dataplane/image_codec.h"
#include "control/dataplane/libbpf_log.h"

namespace evenkeel::dataplane {

void ProbePaths::Closer::operator()(ek_probe* skeleton) const { ek_probe__destroy(skeleton); }

ProbePaths::ProbePaths(Skeleton skeleton, const Encapsulation& encapsulation)
    : skeleton_(std::move(skeleton)), encapsulation_(encapsulation) {}

ProbePaths::~ProbePaths() = default;

absl::StatusOr<std::unique_ptr<ProbePaths>> ProbePaths::Load(const Encapsulation& encapsulation) {
  LibbpfLog log;
  Skeleton skeleton(ek_probe__open());
  if (!skeleton) return KernelError(errno, "cannot open the built-in program for probes");
  skeleton->rodata->ek_gue_port = htons(encapsulation.gue_port);
  if (const int err = ek_probe__load(skeleton.get()); err != 0) {
    return KernelError(err, absl::StrCat("cannot load the program for probes (", log.Tail(), ")"));
  }
  return std::unique_ptr<ProbePaths>(new ProbePaths(std::move(skeleton), encapsulation));
}

absl::Status ProbePaths::Set(uint16_t id, const BackendImage& backend) {
  const uint32_t key = id;
  const ek_backend entry = EncodeBackend(backend, encapsulation_);
  const int map = bpf_map__fd(skeleton_->maps.ek_probe_paths);
  if (const int err = bpf_map_update_elem(map, &key, &entry, BPF_ANY); err != 0) {
    return KernelError(err,
                       absl::StrCat("cannot set the probe path to ", backend.address.ToString()));
  }
  return absl::OkStatus();
}

absl::Status ProbePaths::Remove(uint16_t id) {
  const uint32_t key = id;
  const int err = bpf_map_delete_elem(bpf_map__fd(skeleton_->maps.ek_probe_paths), &key);
  if (err == 0 || err == -ENOENT) return absl::OkStatus();
  return KernelError(err, absl::StrCat("cannot remove probe path ", id));
}

absl::StatusOr<ProbeCounts> ProbePaths::Read() const {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return KernelError(cpus, "cannot read the number of CPUs");
  ProbeCounts counts{};
  std::vector<uint64_t> values(static_cast<size_t>(cpus));
  const int map = bpf_map__fd(skeleton_->maps.ek_probe_stats);
  for (uint32_t verdict = 0; verdict < counts.size(); ++verdict) {
    if (const int err = bpf_map_lookup_elem(map, &verdict, values.data()); err != 0) {
      return KernelError(err, "cannot read the counters of probes");
    }
    for (const uint64_t value : values) counts[verdict] += value;
  }
  return counts;
}

int ProbePaths::program_fd() const { return bpf_program__fd(skeleton_->progs.ek_probe); }

}  // namespace evenkeel::dataplane
