// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/prog_runner/capture_twin.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

// After the ABI: the skeletons' read-only data is of its types.
#include "bpf/balancer.skel.h"
#include "bpf/capture.skel.h"
#include "tests/harness/packet/oracle.h"

namespace evenkeel::testing {
namespace {

void Check(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "capture twin: %s: %s\n", what, std::strerror(errno));
  std::abort();
}

int Keep(void* context, void* data, size_t size) {
  Captured captured;
  Check(size >= sizeof(captured.note), "a record has its head");
  std::memcpy(&captured.note, data, sizeof(captured.note));
  const auto* bytes = static_cast<const uint8_t*>(data) + sizeof(captured.note);
  const size_t in = captured.note.head_in;
  const size_t out = captured.note.head_out;
  Check(size == sizeof(captured.note) + in + out, "a record is as long as it says");
  captured.in.assign(bytes, bytes + in);
  captured.out.assign(bytes + in, bytes + in + out);
  static_cast<std::vector<Captured>*>(context)->push_back(std::move(captured));
  return 0;
}

void Clear(const bpf_map* map) {
  uint32_t key = 0;
  while (bpf_map_get_next_key(bpf_map__fd(map), nullptr, &key) == 0) {
    Check(bpf_map_delete_elem(bpf_map__fd(map), &key) == 0, "emptying a map");
  }
}

}  // namespace

bool CaptureIsUnderTest() {
  const char* program = std::getenv("EVENKEEL_TEST_PROGRAM");
  if (program == nullptr) return false;
  Check(std::string_view(program) == "capture",
        "EVENKEEL_TEST_PROGRAM is \"capture\", if anything");
  return true;
}

void CaptureTwin::Closer::operator()(ek_capture* skeleton) const { ek_capture__destroy(skeleton); }
void CaptureTwin::Closer::operator()(ring_buffer* ring) const { ring_buffer__free(ring); }

CaptureTwin::CaptureTwin(const ek_balancer& original) : skeleton_(ek_capture__open()) {
  Check(skeleton_ != nullptr, "opening the program");
  skeleton_->rodata->ek_config = original.rodata->ek_config;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, original.obj) {
    if (bpf_map__is_internal(map)) continue;
    bpf_map* twin = bpf_object__find_map_by_name(skeleton_->obj, bpf_map__name(map));
    if (twin == nullptr) continue;  // user space's alone
    Check(bpf_map__reuse_fd(twin, bpf_map__fd(map)) == 0, "reusing a map");
  }
  Check(ek_capture__load(skeleton_.get()) == 0, "loading the program");
  void* memory = mmap(nullptr, sizeof(ek_capture_control), PROT_READ | PROT_WRITE, MAP_SHARED,
                      bpf_map__fd(skeleton_->maps.ek_cap_control), 0);
  Check(memory != MAP_FAILED, "mapping the control");
  control_ = static_cast<ek_capture_control*>(memory);
  ring_.reset(ring_buffer__new(bpf_map__fd(skeleton_->maps.ek_cap_ring), Keep, &taken_, nullptr));
  Check(ring_ != nullptr, "opening the ring");
  Reset();
}

CaptureTwin::~CaptureTwin() {
  if (control_ != nullptr) munmap(control_, sizeof(*control_));
}

int CaptureTwin::program_fd() const { return bpf_program__fd(skeleton_->progs.ek_balancer); }

void CaptureTwin::Reset() {
  *control_ = {};
  control_->snaplen = EK_CAPTURE_MAX_SNAP;
  control_->alive_until_ns = ~uint64_t{0};
  Clear(skeleton_->maps.ek_cap_vips);
  Clear(skeleton_->maps.ek_cap_backends);
  Clear(skeleton_->maps.ek_cap_counts);
  const std::vector<ek_capture_count> zero(static_cast<size_t>(libbpf_num_possible_cpus()));
  const uint32_t ingress = kIngressIfindex;
  Check(bpf_map_update_elem(bpf_map__fd(skeleton_->maps.ek_cap_counts), &ingress, zero.data(),
                            BPF_ANY) == 0,
        "making a counter");
  Take();
}

void CaptureTwin::AskForVip(uint32_t counter) {
  const uint32_t yes = 1;
  Check(bpf_map_update_elem(bpf_map__fd(skeleton_->maps.ek_cap_vips), &counter, &yes, BPF_ANY) == 0,
        "asking for a VIP");
  control_->flags |= EK_CAPTURE_ONLY_VIPS;
}

void CaptureTwin::AskForBackend(uint32_t counter) {
  const uint32_t yes = 1;
  Check(bpf_map_update_elem(bpf_map__fd(skeleton_->maps.ek_cap_backends), &counter, &yes,
                            BPF_ANY) == 0,
        "asking for a backend");
  control_->flags |= EK_CAPTURE_ONLY_BACKENDS;
}

std::vector<Captured> CaptureTwin::Take() {
  Check(ring_buffer__consume(ring_.get()) >= 0, "reading the ring");
  return std::exchange(taken_, {});
}

ek_capture_count CaptureTwin::Count(uint32_t ingress) const {
  std::vector<ek_capture_count> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  Check(bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.ek_cap_counts), &ingress, per_cpu.data()) ==
            0,
        "reading a counter");
  ek_capture_count total{};
  for (const ek_capture_count& cpu : per_cpu) {
    total.matched += cpu.matched;
    total.over_rate += cpu.over_rate;
    total.no_room += cpu.no_room;
  }
  return total;
}

}  // namespace evenkeel::testing
