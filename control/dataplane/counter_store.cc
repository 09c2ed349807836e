// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/counter_store.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "control/dataplane/errors.h"

namespace evenkeel::dataplane {
namespace {

absl::string_view NameOf(MapId map) { return kMapNames[static_cast<size_t>(map)]; }

size_t Cpus() {
  static const int cpus = libbpf_num_possible_cpus();
  return static_cast<size_t>(std::max(cpus, 1));
}

// All values of a per-CPU array of `size` elements: element after element, CPU after CPU.
template <typename T>
absl::StatusOr<std::vector<T>> ReadPerCpu(int fd, uint32_t size, absl::string_view name) {
  static_assert(sizeof(T) % 8 == 0, "the kernel rounds values up to 8 bytes");
  std::vector<T> values(size * Cpus());
  std::vector<uint32_t> keys(size);
  uint32_t done = 0;
  uint32_t position = 0;
  while (done < size) {
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    uint32_t count = size - done;
    const int err = bpf_map_lookup_batch(fd, done == 0 ? nullptr : &position, &position,
                                         &keys[done], &values[done * Cpus()], &count, &options);
    if (err != 0 && err != -ENOENT) return KernelError(err, absl::StrCat("cannot read ", name));
    done += count;
    if (err == -ENOENT) break;
  }
  if (done != size) {
    return absl::InternalError(absl::StrCat(name, " has ", done, " elements, not ", size));
  }
  return values;
}

absl::StatusOr<std::vector<Counter>> ReadCounterMap(const KernelObjects& objects, MapId map,
                                                    uint32_t size) {
  auto values = ReadPerCpu<ek_counter>(objects.map(map), size, NameOf(map));
  if (!values.ok()) return values.status();
  std::vector<Counter> sums(size);
  for (size_t i = 0; i < values->size(); ++i) {
    const ek_counter& one = (*values)[i];
    Counter& sum = sums[i / Cpus()];
    sum.packets += one.packets;
    sum.bytes += one.bytes;
    sum.new_flows += one.new_flows;
    sum.drops += one.drops;
  }
  return sums;
}

}  // namespace

absl::StatusOr<Counters> ReadAllCounters(const KernelObjects& objects, const Limits& limits) {
  Counters counters;
  auto vips = ReadCounterMap(objects, MapId::kVipStats, limits.max_vips);
  if (!vips.ok()) return vips.status();
  counters.vips = *std::move(vips);
  auto backends = ReadCounterMap(objects, MapId::kBackendStats, limits.max_backends);
  if (!backends.ok()) return backends.status();
  counters.backends = *std::move(backends);
  auto verdicts = ReadPerCpu<uint64_t>(objects.map(MapId::kVerdicts), EK_VERDICT_COUNT,
                                       NameOf(MapId::kVerdicts));
  if (!verdicts.ok()) return verdicts.status();
  for (size_t i = 0; i < verdicts->size(); ++i) counters.verdicts[i / Cpus()] += (*verdicts)[i];
  // Forwarded packets are counted per VIP only (bpf/abi/verdict.h).
  for (const Counter& vip : counters.vips) counters.verdicts[EK_FORWARD] += vip.packets;
  return counters;
}

absl::StatusOr<std::vector<uint64_t>> ReadCpuPackets(const KernelObjects& objects,
                                                     const Limits& limits) {
  auto values = ReadPerCpu<ek_counter>(objects.map(MapId::kVipStats), limits.max_vips,
                                       NameOf(MapId::kVipStats));
  if (!values.ok()) return values.status();
  std::vector<uint64_t> packets(Cpus());
  for (size_t i = 0; i < values->size(); ++i) {
    packets[i % Cpus()] += (*values)[i].packets + (*values)[i].drops;
  }
  return packets;
}

absl::Status ClearCounter(const KernelObjects& objects, MapId map, uint32_t id) {
  const std::vector<ek_counter> zero(Cpus());
  const int err = bpf_map_update_elem(objects.map(map), &id, zero.data(), BPF_ANY);
  if (err == 0) return absl::OkStatus();
  return KernelError(err, absl::StrCat("cannot clear counter ", id, " of ", NameOf(map)));
}

absl::Status ClearFlowLimit(const KernelObjects& objects, uint32_t id) {
  const ek_bucket unused{};
  const int err = bpf_map_update_elem(objects.map(MapId::kFlowDue), &id, &unused, BPF_ANY);
  return err == 0 ? absl::OkStatus() : KernelError(err, absl::StrCat("cannot clear limit ", id));
}

}  // namespace evenkeel::dataplane
