// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/storm/traffic.h"

#include <bpf/bpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "absl/strings/str_cat.h"
#include "tests/harness/live_frames/live_frames.h"

#include "bpf/storm.skel.h"  // needs the layouts of storm.h

namespace evenkeel::testing {
namespace {

// Of one call: each takes some time in which nothing is sent, and Stop waits for its end. So many
// that it lasts about as long as this.
constexpr uint32_t kLeastChunk = 1u << 14, kMostChunk = 1u << 20;
constexpr std::chrono::milliseconds kCall{300};

constexpr const char* kFaultNames[STORM_FAULTS] = {"lost",
                                                   "repeated",
                                                   "with wrong bytes",
                                                   "of an old generation",
                                                   "of a future generation",
                                                   "going back in generations",
                                                   "mixed"};

void Require(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::abort();
}

// The array's elements, through a mapping of `map` that lasts as long as the call.
template <typename T, typename Fill>
void FillArray(const bpf_map* map, Fill fill) {
  const size_t count = bpf_map__max_entries(map);
  void* memory =
      mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
  Require(memory != MAP_FAILED, "mapping what the storm's programs know");
  fill(std::span(static_cast<T*>(memory), count));
  munmap(memory, count * sizeof(T));
}

// What the backend decides, and the tail, is compared otherwise.
Bytes MaskOf(bool ipv4) {
  Bytes mask(STORM_FRAME + (ipv4 ? STORM_OUTER4 : STORM_OUTER6), 0xff);
  const size_t address_end = kEthernetLength + (ipv4 ? 20 : 40);
  std::fill_n(mask.begin() + 2, 4, uint8_t{0});  // the next hop's address
  if (ipv4) std::fill_n(mask.begin() + kEthernetLength + 10, 2, uint8_t{0});  // checksum
  std::fill_n(mask.begin() + static_cast<long>(address_end) - (ipv4 ? 2 : 4), ipv4 ? 2 : 4,
              uint8_t{0});
  std::fill_n(mask.end() - sizeof(storm_tail), sizeof(storm_tail), uint8_t{0});
  return mask;
}

void FillPackets(std::span<storm_frame> frames, std::span<storm_expected> expected) {
  for (uint32_t i = 0; i < STORM_PACKETS; ++i) {
    const auto kind = static_cast<storm_kind>(i % STORM_KINDS);
    const Packet packet = StormPacket(kind, i / STORM_KINDS);
    const Bytes frame = Build(packet);
    const Bytes out = ExpectedFrame(frame, StormBackend(kind, 0), StormHash(packet));
    const Bytes mask = MaskOf(packet.is_ipv4());
    std::memcpy(frames[i].word, frame.data(), sizeof(frames[i].word));
    std::memcpy(expected[i].word, out.data(), out.size());
    std::memcpy(expected[i].mask, mask.data(), mask.size());
  }
}

}  // namespace

void StormPrograms::Closer::operator()(ek_storm* skeleton) const { ek_storm__destroy(skeleton); }

StormPrograms::StormPrograms() : skeleton_(ek_storm__open_and_load()) {
  Require(skeleton_ != nullptr, "loading the storm's programs");
  FillArray<storm_frame>(skeleton_->maps.storm_frames, [&](std::span<storm_frame> frames) {
    FillArray<storm_expected>(
        skeleton_->maps.storm_expected,
        [&](std::span<storm_expected> expected) { FillPackets(frames, expected); });
  });
}

StormPrograms::~StormPrograms() = default;

int StormPrograms::sender() const { return bpf_program__fd(skeleton_->progs.storm_send); }
int StormPrograms::checker() const { return bpf_program__fd(skeleton_->progs.storm_check); }

void StormPrograms::SetOwners(uint32_t n, const StormOwners& owners) {
  FillArray<storm_owner>(skeleton_->maps.storm_owners, [&](std::span<storm_owner> all) {
    std::copy(owners.begin(), owners.end(), all.begin() + n % STORM_STATES * STORM_FLOWS);
  });
}

void StormPrograms::SetBegun(uint32_t n) {
  std::atomic_ref(skeleton_->bss->storm.begun).store(n, std::memory_order_release);
}

void StormPrograms::SetPublished(uint32_t n) {
  std::atomic_ref(skeleton_->bss->storm.published).store(n, std::memory_order_release);
}

storm_state StormPrograms::Read() const {
  std::atomic_thread_fence(std::memory_order_acquire);
  storm_state state;
  std::memcpy(&state, &skeleton_->bss->storm, sizeof(state));
  return state;
}

void StormPrograms::Reset() { std::memset(&skeleton_->bss->storm, 0, sizeof(storm_state)); }

std::string DescribeFaults(const storm_state& state) {
  std::string text;
  for (int i = 0; i < STORM_FAULTS; ++i) {
    if (state.faults[i] == 0) continue;
    absl::StrAppend(&text, text.empty() ? "" : ", ", state.faults[i], " ", kFaultNames[i]);
  }
  if (text.empty()) return text;
  return absl::StrCat(text, "; first at packet ", state.first_fault_seq, " to backend ",
                      state.first_fault_number, " after generation ", state.first_fault_generation);
}

StormTraffic::StormTraffic(const Wire* wire, const StormPrograms* programs)
    : wire_(wire), programs_(programs) {}

StormTraffic::~StormTraffic() {
  if (sender_.joinable()) Stop();
}

void StormTraffic::Start() {
  stopping_ = false;
  sender_ = std::thread([this] { Send(); });
}

int StormTraffic::Stop() {
  stopping_ = true;
  sender_.join();
  storm_state state = programs_->Read();
  for (int i = 0; i < 200 && state.next < state.sent; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    state = programs_->Read();
  }
  return error_;
}

// On one CPU, which also runs the balancer and the checker: packets stay in order.
void StormTraffic::Send() {
  const ScopedNetns::Entered entered(wire_->netns());
  error_ = PinThread();
  const Bytes frame(STORM_FRAME);
  uint32_t chunk = kLeastChunk;
  while (!stopping_ && error_ == 0) {
    const auto start = std::chrono::steady_clock::now();
    error_ = SendLiveFrames(programs_->sender(), frame, wire_->near(), chunk);
    const auto took = std::chrono::steady_clock::now() - start;
    if (took < kCall / 2) chunk = std::min(2 * chunk, kMostChunk);
  }
}

}  // namespace evenkeel::testing
