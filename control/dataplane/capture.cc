// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/capture.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "bpf/abi/maps.h"

namespace evenkeel::dataplane {
namespace {

std::optional<uint32_t> Known(uint32_t id) {
  return id == EK_CAPTURE_NONE ? std::nullopt : std::optional(id);
}

}  // namespace

std::optional<CapturedPacket> ParseCaptured(const void* data, size_t size,
                                            int64_t monotonic_to_unix_ns) {
  ek_captured note{};
  if (size < sizeof(note)) return std::nullopt;
  std::memcpy(&note, data, sizeof(note));
  const size_t bytes = size - sizeof(note);
  if (note.head_in > bytes || note.head_out > bytes - note.head_in) return std::nullopt;
  if (note.verdict >= EK_VERDICT_COUNT) return std::nullopt;
  const auto* head = static_cast<const uint8_t*>(data) + sizeof(note);
  return CapturedPacket{
      .unix_ns = static_cast<int64_t>(note.time_ns) + monotonic_to_unix_ns,
      .verdict = static_cast<ek_verdict>(note.verdict),
      .generation = note.active & EK_ACTIVE_GENERATION_MASK,
      .published = note.active != EK_ACTIVE_NONE,
      .vip = Known(note.vip),
      .backend = Known(note.backend),
      .slot = Known(note.slot),
      .ingress = note.ingress,
      .egress = note.egress,
      .length_in = note.length_in,
      .length_out = note.length_out,
      .in = {head, head + note.head_in},
      .out = {head + note.head_in, head + note.head_in + note.head_out},
  };
}

absl::Status CheckCaptureOptions(const CaptureOptions& options) {
  if (options.snaplen == 0 || options.snaplen > EK_CAPTURE_MAX_SNAP) {
    return absl::InvalidArgumentError(
        absl::StrCat("snaplen: 1 to ", EK_CAPTURE_MAX_SNAP, " bytes, not ", options.snaplen));
  }
  if (options.rate == 0 || options.rate > kMaxCaptureRate) {
    return absl::InvalidArgumentError(
        absl::StrCat("rate: 1 to ", kMaxCaptureRate, " packets per second, not ", options.rate));
  }
  return absl::OkStatus();
}

}  // namespace evenkeel::dataplane
