// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/flow_pins.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "control/dataplane/errors.h"

namespace evenkeel::dataplane {
namespace {

constexpr uint32_t kFirstBatch = 4096;
constexpr uint32_t kLargestBatch = 1u << 20;

absl::string_view NameOf(MapId map) { return kMapNames[static_cast<size_t>(map)]; }

Pin FromKernel(uint64_t flow, const ek_pin& pin, bool opening) {
  return {.flow = flow,
          .counter = pin.counter,
          .seen = pin.seen,
          .backend = pin.backend,
          .closing = (pin.flags & EK_PIN_CLOSING) != 0,
          .opening = opening,
          .met = (pin.flags & EK_PIN_MET) != 0};
}

// A hash map is read bucket by bucket; one bucket must fit the batch (ENOSPC asks for a larger
// one).
absl::Status ReadMap(const KernelObjects& objects, MapId map, std::vector<Pin>& pins) {
  std::vector<uint64_t> flows(kFirstBatch);
  std::vector<ek_pin> values(kFirstBatch);
  uint32_t position = 0;
  for (bool first = true;;) {
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    auto count = static_cast<uint32_t>(flows.size());
    uint32_t next = position;
    const int err = bpf_map_lookup_batch(objects.map(map), first ? nullptr : &position, &next,
                                         flows.data(), values.data(), &count, &options);
    if (err == -ENOSPC && flows.size() < kLargestBatch) {
      flows.resize(flows.size() * 2);
      values.resize(flows.size());
      continue;
    }
    if (err != 0 && err != -ENOENT) {
      return KernelError(err, absl::StrCat("cannot read ", NameOf(map)));
    }
    for (uint32_t i = 0; i < count; ++i) {
      pins.push_back(FromKernel(flows[i], values[i], map == MapId::kOpening));
    }
    if (err == -ENOENT) return absl::OkStatus();  // that was the last bucket
    position = next;
    first = false;
  }
}

}  // namespace

absl::StatusOr<std::vector<Pin>> ReadAllPins(const KernelObjects& objects) {
  std::vector<Pin> pins;
  // In this order: one that is promoted meanwhile is read twice rather than not at all.
  for (const MapId map : {MapId::kOpening, MapId::kPins}) {
    if (auto status = ReadMap(objects, map, pins); !status.ok()) return status;
  }
  return pins;
}

absl::StatusOr<std::optional<Pin>> FindPin(const KernelObjects& objects, uint64_t flow) {
  // Again in the first: one that is promoted meanwhile is in either, and never in none of the
  // three.
  for (const MapId map : {MapId::kPins, MapId::kOpening, MapId::kPins}) {
    ek_pin pin{};
    const int err = bpf_map_lookup_elem(objects.map(map), &flow, &pin);
    if (err == 0) return FromKernel(flow, pin, map == MapId::kOpening);
    if (err != -ENOENT) return KernelError(err, absl::StrCat("cannot read ", NameOf(map)));
  }
  return std::nullopt;
}

absl::Status DeletePins(const KernelObjects& objects, std::span<const Pin> pins) {
  for (const Pin& pin : pins) {
    const MapId map = pin.opening ? MapId::kOpening : MapId::kPins;
    ek_pin now{};
    const int found = bpf_map_lookup_elem(objects.map(map), &pin.flow, &now);
    if (found == -ENOENT || (found == 0 && FromKernel(pin.flow, now, pin.opening) != pin)) continue;
    if (found != 0) return KernelError(found, absl::StrCat("cannot read ", NameOf(map)));
    const int err = bpf_map_delete_elem(objects.map(map), &pin.flow);
    if (err != 0 && err != -ENOENT) {
      return KernelError(err, absl::StrCat("cannot delete from ", NameOf(map)));
    }
  }
  return absl::OkStatus();
}

uint32_t PinClock() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const uint64_t ns =
      static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
  return static_cast<uint32_t>(ns >> EK_SEEN_SHIFT);
}

}  // namespace evenkeel::dataplane
