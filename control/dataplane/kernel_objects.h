// SPDX-License-Identifier: Apache-2.0
//
// The programs and maps of one data plane: made and pinned, or opened from their pins.
#ifndef EVENKEEL_CONTROL_DATAPLANE_KERNEL_OBJECTS_H_
#define EVENKEEL_CONTROL_DATAPLANE_KERNEL_OBJECTS_H_

#include <array>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "control/dataplane/kernel_dataplane.h"
#include "control/dataplane/pin_dir.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::dataplane {

enum class MapId : size_t {
  kControl,
  kVips4,
  kVips6,
  kTables,
  kGenInfo,
  kVipStats,
  kBackendStats,
  kVerdicts,
  kPins,
  kOpening,
  kFrags,
  kRules4,
  kRules6,
  kFlowDue,
  kSourceDue,
};
inline constexpr std::array<absl::string_view, 15> kMapNames = {
    "ek_control",   "ek_vips4",    "ek_vips6",    "ek_tables",   "ek_gen_info",
    "ek_vip_stats", "ek_be_stats", "ek_verdicts", "ek_pins",     "ek_opening",
    "ek_frags",     "ek_rules4",   "ek_rules6",   "ek_flow_due", "ek_src_due"};

// The name of its pin.
std::string MapPin(MapId id);

struct KernelObjects {
  std::array<UniqueFd, kMapNames.size()> maps;
  UniqueFd entry;   // ek_balancer
  UniqueFd verify;  // ek_verify
  bool adopted = false;
  bool upgraded = false;  // the pinned programs were of another build and were replaced

  int map(MapId id) const { return maps[static_cast<size_t>(id)].get(); }
};

absl::StatusOr<KernelObjects> OpenKernelObjects(const PinDir& dir, const KernelOptions& options);

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_KERNEL_OBJECTS_H_
