// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/sampler.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "bpf/abi/sample.h"
#include "bpf/sample.skel.h"
#include "control/dataplane/errors.h"
#include "control/dataplane/libbpf_log.h"

namespace evenkeel::dataplane {
namespace {

using Clock = std::chrono::steady_clock;

// How often the ring is emptied. It holds some 1,900 packets, half a sample.
constexpr std::chrono::milliseconds kLook{5};

struct SkeletonDeleter {
  // Detaches, too.
  void operator()(ek_sample* skeleton) const { ek_sample__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<ek_sample, SkeletonDeleter>;

struct RingDeleter {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};
using Ring = std::unique_ptr<ring_buffer, RingDeleter>;

absl::Status CheckOptions(const SampleOptions& options) {
  if (options.window <= std::chrono::milliseconds(0) || options.window > kMaxSampleWindow) {
    return absl::InvalidArgumentError(
        absl::StrCat("a sample takes 1 to ", kMaxSampleWindow.count(), " ms"));
  }
  if (options.one_in == 0 || options.max_packets == 0 || options.max_packets > kMaxSampledPackets) {
    return absl::InvalidArgumentError(
        absl::StrCat("a sample is of one packet in 1 or more, and of "
                     "1 to ",
                     kMaxSampledPackets, " packets"));
  }
  return absl::OkStatus();
}

absl::Status Untraceable(int err, const std::string& log) {
  utsname name{};
  const std::string kernel =
      uname(&name) == 0 ? absl::StrCat("Linux ", name.release) : "the kernel";
  if (err == -EPERM || err == -EACCES) {
    return KernelError(
        err, absl::StrCat(kernel, " does not permit to trace the balancer (fentry)"),
        "run a kernel that does, Debian 12's 6.1 and 6.12 among them, with CAP_PERFMON");
  }
  return KernelError(err, absl::StrCat(kernel, " cannot trace the balancer (", log, ")"));
}

// `first`: whose maps it shares; null: it has its own.
absl::StatusOr<Skeleton> Load(int program, const SampleOptions& options, const ek_sample* first) {
  Skeleton skeleton(ek_sample__open());
  if (!skeleton) return KernelError(errno, "cannot open the built-in sampler");
  skeleton->rodata->ek_chosen = 0xffffffffu / options.one_in;
  skeleton->rodata->ek_max_samples = options.max_packets;
  LibbpfLog log;
  int err = 0;
  if (first != nullptr) {
    err = bpf_map__reuse_fd(skeleton->maps.ek_sample_ring, bpf_map__fd(first->maps.ek_sample_ring));
    if (err == 0) {
      err = bpf_map__reuse_fd(skeleton->maps.ek_sample_state,
                              bpf_map__fd(first->maps.ek_sample_state));
    }
    if (err != 0) return KernelError(err, "cannot share the sampler's maps");
  }
  err = bpf_program__set_attach_target(skeleton->progs.ek_sample, program, "ek_balancer");
  if (err == 0) err = ek_sample__load(skeleton.get());
  if (err != 0) return Untraceable(err, log.Tail());
  return skeleton;
}

int Keep(void* context, void* data, size_t size) {
  auto& packets = *static_cast<std::vector<SampledPacket>*>(context);
  const auto* sampled = static_cast<const ek_sampled*>(data);
  if (size < sizeof(*sampled) || sampled->head_length > EK_SAMPLE_HEAD) return 0;
  if (sampled->head_length == 0) return 0;  // could not be read
  packets.push_back(
      {.head = {sampled->head, sampled->head + sampled->head_length}, .length = sampled->length});
  return 0;
}

absl::StatusOr<uint64_t> ReadMissed(const ek_sample* skeleton) {
  ek_sample_count state{};
  const uint32_t zero = 0;
  const int err = bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.ek_sample_state), &zero, &state);
  if (err != 0) return KernelError(err, "cannot read the sampler's counters");
  return state.missed;
}

}  // namespace

absl::StatusOr<Sample> TakeSample(std::span<const int> programs, const SampleOptions& options) {
  if (auto status = CheckOptions(options); !status.ok()) return status;
  if (programs.empty()) return absl::InvalidArgumentError("there is no program to sample at");
  std::vector<Skeleton> taps;
  for (const int program : programs) {
    auto tap = Load(program, options, taps.empty() ? nullptr : taps.front().get());
    if (!tap.ok()) return tap.status();
    taps.push_back(*std::move(tap));
  }
  Sample sample;
  // Freed before the packets that it is read into, and before the ring itself.
  const Ring ring(ring_buffer__new(bpf_map__fd(taps.front()->maps.ek_sample_ring), Keep,
                                   &sample.packets, nullptr));
  if (!ring) return KernelError(errno, "cannot read the sampler's ring");
  const auto start = Clock::now();
  for (const Skeleton& tap : taps) {
    LibbpfLog log;
    if (const int err = ek_sample__attach(tap.get()); err != 0) return Untraceable(err, log.Tail());
  }
  const auto end = start + options.window;
  while (Clock::now() < end && sample.packets.size() < options.max_packets) {
    std::this_thread::sleep_for(std::min<Clock::duration>(kLook, end - Clock::now()));
    ring_buffer__consume(ring.get());
  }
  for (const Skeleton& tap : taps) ek_sample__detach(tap.get());
  sample.lasted = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  ring_buffer__consume(ring.get());
  auto missed = ReadMissed(taps.front().get());
  if (!missed.ok()) return missed.status();
  sample.missed = *missed;
  return sample;
}

}  // namespace evenkeel::dataplane
