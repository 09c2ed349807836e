// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/kernel_capture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
// After the ABI: the skeleton's read-only data is of its types.
#include "bpf/capture.skel.h"
#include "control/dataplane/errors.h"
#include "control/dataplane/kernel_features.h"
#include "control/dataplane/libbpf_log.h"
#include "control/dataplane/mapped_memory.h"
#include "control/dataplane/skeleton.h"

namespace evenkeel::dataplane {
namespace {

struct CaptureDeleter {
  void operator()(ek_capture* skeleton) const { ek_capture__destroy(skeleton); }
};
using CaptureSkeleton = std::unique_ptr<ek_capture, CaptureDeleter>;

struct RingDeleter {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};
using Ring = std::unique_ptr<ring_buffer, RingDeleter>;

constexpr uint32_t kYes = 1;
// What may come at once is a tenth of a second's, so that a busy moment is not cut to pieces.
constexpr uint32_t kBurstsPerSecond = 10;

int64_t Now(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

// Makes the map hold exactly these keys. What is in both is there all the time.
absl::Status SetKeys(const bpf_map* map, const std::vector<uint32_t>& keys) {
  const int fd = bpf_map__fd(map);
  const std::set<uint32_t> wanted(keys.begin(), keys.end());
  std::vector<uint32_t> present;
  uint32_t key = 0;
  while (bpf_map_get_next_key(fd, present.empty() ? nullptr : &present.back(), &key) == 0) {
    present.push_back(key);
  }
  for (const uint32_t id : wanted) {
    if (const int err = bpf_map_update_elem(fd, &id, &kYes, BPF_ANY); err != 0) {
      return KernelError(err, absl::StrCat("cannot write map ", bpf_map__name(map)));
    }
  }
  for (const uint32_t id : present) {
    if (!wanted.contains(id)) bpf_map_delete_elem(fd, &id);
  }
  return absl::OkStatus();
}

absl::StatusOr<CaptureSkeleton> Load(const KernelOptions& options, const KernelObjects& objects) {
  CaptureSkeleton skeleton(ek_capture__open());
  if (!skeleton) return KernelError(errno, "cannot open the built-in capture program");
  FillConfig(options, &skeleton->rodata->ek_config);
  if (auto status = ReuseMaps(skeleton->obj, objects); !status.ok()) return status;
  LibbpfLog log;
  if (const int err = ek_capture__load(skeleton.get()); err != 0) {
    return KernelError(
        err, absl::StrCat("the kernel did not load the capture program (", log.Tail(), ")"));
  }
  return skeleton;
}

class KernelCapture final : public Capture {
 public:
  KernelCapture(CaptureSkeleton skeleton, MappedMemory<ek_capture_control> control,
                Attachments* attachments)
      : skeleton_(std::move(skeleton)),
        control_(std::move(control)),
        attachments_(attachments),
        to_unix_ns_(Now(CLOCK_REALTIME) - Now(CLOCK_MONOTONIC)) {}
  ~KernelCapture() override { End().IgnoreError(); }

  absl::Status Start(const CaptureOptions& options);

  void KeepAlive(std::chrono::milliseconds duration) override {
    const int64_t until = Now(CLOCK_MONOTONIC) + std::chrono::nanoseconds(duration).count();
    Alive().store(duration.count() > 0 ? static_cast<uint64_t>(until) : 0,
                  std::memory_order_relaxed);
  }
  absl::Status SetFilter(const CaptureFilter& filter) override;
  size_t Read(size_t most, const std::function<bool(CapturedPacket)>& sink) override;
  absl::StatusOr<std::vector<CaptureCount>> ReadCounts() const override;
  bool IsFull() const override {
    ek_capture_control& control = control_.get()[0];
    return control.max_packets != 0 &&
           std::atomic_ref<__u64>(control.taken).load() >= control.max_packets;
  }
  absl::Status End() override;

 private:
  struct Reading {
    size_t left = 0, got = 0;
    int64_t to_unix_ns = 0;
    const std::function<bool(CapturedPacket)>* sink = nullptr;
  };
  static int Take(void* context, void* data, size_t size);

  std::atomic_ref<__u64> Alive() const {
    return std::atomic_ref<__u64>(control_.get()[0].alive_until_ns);
  }
  absl::Status MakeCounters();

  const CaptureSkeleton skeleton_;
  const MappedMemory<ek_capture_control> control_;
  Attachments* const attachments_;
  const int64_t to_unix_ns_;
  Reading reading_;
  Ring ring_;                          // reads into reading_
  std::vector<Interface> interfaces_;  // that are counted
  std::mutex mutex_;                   // guards below
  bool in_place_ = false;
};

absl::Status KernelCapture::MakeCounters() {
  const std::vector<ek_capture_count> zero(static_cast<size_t>(libbpf_num_possible_cpus()));
  for (const Attachment& attachment : attachments_->list()) {
    const int err = bpf_map_update_elem(bpf_map__fd(skeleton_->maps.ek_cap_counts),
                                        &attachment.ifindex, zero.data(), BPF_ANY);
    if (err != 0) return KernelError(err, "cannot make the capture's counters");
    interfaces_.push_back({attachment.interface, attachment.ifindex});
  }
  return absl::OkStatus();
}

absl::Status KernelCapture::Start(const CaptureOptions& options) {
  ek_capture_control& control = control_.get()[0];
  control.max_packets = options.max_packets;
  control.snaplen = options.snaplen;
  control.rate = {.interval_ns = 1'000'000'000u / options.rate,
                  .burst = std::max(1u, options.rate / kBurstsPerSecond)};
  if (auto status = MakeCounters(); !status.ok()) return status;
  if (auto status = SetFilter(options.filter); !status.ok()) return status;
  ring_.reset(ring_buffer__new(bpf_map__fd(skeleton_->maps.ek_cap_ring), Take, &reading_, nullptr));
  if (!ring_) return KernelError(errno, "cannot read the capture's ring");
  std::lock_guard lock(mutex_);
  auto status = attachments_->PutInPlace(bpf_program__fd(skeleton_->progs.ek_balancer));
  in_place_ = status.ok();
  return status;
}

absl::Status KernelCapture::SetFilter(const CaptureFilter& filter) {
  if (filter.vips) {
    if (auto s = SetKeys(skeleton_->maps.ek_cap_vips, *filter.vips); !s.ok()) return s;
  }
  if (filter.backends) {
    if (auto s = SetKeys(skeleton_->maps.ek_cap_backends, *filter.backends); !s.ok()) return s;
  }
  const uint32_t flags = (filter.vips ? EK_CAPTURE_ONLY_VIPS : 0) |
                         (filter.backends ? EK_CAPTURE_ONLY_BACKENDS : 0) |
                         (filter.only_drops ? EK_CAPTURE_ONLY_DROPS : 0);
  std::atomic_ref<__u32>(control_.get()[0].flags).store(flags, std::memory_order_release);
  return absl::OkStatus();
}

int KernelCapture::Take(void* context, void* data, size_t size) {
  auto& reading = *static_cast<Reading*>(context);
  auto packet = ParseCaptured(data, size, reading.to_unix_ns);
  if (!packet) return 0;
  ++reading.got;
  if (!(*reading.sink)(*std::move(packet))) return -ECANCELED;
  return --reading.left == 0 ? -ECANCELED : 0;
}

size_t KernelCapture::Read(size_t most, const std::function<bool(CapturedPacket)>& sink) {
  reading_ = {.left = most, .to_unix_ns = to_unix_ns_, .sink = &sink};
  ring_buffer__consume(ring_.get());
  return reading_.got;
}

absl::StatusOr<std::vector<CaptureCount>> KernelCapture::ReadCounts() const {
  std::vector<CaptureCount> counts;
  std::vector<ek_capture_count> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  for (const Interface& interface : interfaces_) {
    const int err = bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.ek_cap_counts),
                                        &interface.index, per_cpu.data());
    if (err != 0) return KernelError(err, "cannot read the capture's counters");
    CaptureCount count{.interface = interface.name};
    for (const ek_capture_count& cpu : per_cpu) {
      count.matched += cpu.matched;
      count.over_rate += cpu.over_rate;
      count.no_room += cpu.no_room;
    }
    counts.push_back(std::move(count));
  }
  return counts;
}

absl::Status KernelCapture::End() {
  std::lock_guard lock(mutex_);
  if (!in_place_) return absl::OkStatus();
  KeepAlive(std::chrono::milliseconds(0));
  in_place_ = false;
  return attachments_->PutBack();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Capture>> StartKernelCapture(const KernelOptions& options,
                                                            const KernelObjects& objects,
                                                            Attachments* attachments,
                                                            const CaptureOptions& capture) {
  if (auto status = CheckCaptureOptions(capture); !status.ok()) return status;
  if (auto status = attachments->CheckReplaceable(); !status.ok()) return status;
  auto skeleton = Load(options, objects);
  if (!skeleton.ok()) return skeleton.status();
  auto control = MappedMemory<ek_capture_control>::Map(
      bpf_map__fd((*skeleton)->maps.ek_cap_control), 1, "cannot map ek_cap_control");
  if (!control.ok()) return control.status();
  auto running =
      std::make_unique<KernelCapture>(*std::move(skeleton), *std::move(control), attachments);
  if (auto status = running->Start(capture); !status.ok()) return status;
  return running;
}

}  // namespace evenkeel::dataplane
