// SPDX-License-Identifier: Apache-2.0
#include "control/health/states.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/model/text.h"

namespace evenkeel::health {
namespace {

using model::Av;

constexpr Edge kEdges[] = {
    {Health::kUnknown, Health::kUp, "rise probes succeeded"},
    {Health::kUnknown, Health::kDown, "fall probes failed, or out before a restart"},
    {Health::kUnknown, Health::kWaiting, "joined a pool with start down"},
    {Health::kWaiting, Health::kUp, "rise probes succeeded"},
    {Health::kUp, Health::kDown, "fall probes failed"},
    {Health::kDown, Health::kUp, "rise probes succeeded, the hold is over"},
    {Health::kDown, Health::kRecovering, "rise probes succeeded, the hold is not over"},
    {Health::kRecovering, Health::kUp, "the hold is over"},
    {Health::kRecovering, Health::kDown, "a probe failed"},
};

}  // namespace

std::string_view ToString(Health health) {
  switch (health) {
    case Health::kUnknown:
      return "unknown";
    case Health::kWaiting:
      return "waiting";
    case Health::kUp:
      return "up";
    case Health::kDown:
      return "down";
    case Health::kRecovering:
      return "recovering";
  }
  return "invalid";
}

std::span<const Edge> Edges() { return kEdges; }

bool IsEdge(Health from, Health to) {
  return std::any_of(std::begin(kEdges), std::end(kEdges),
                     [&](const Edge& edge) { return edge.from == from && edge.to == to; });
}

std::string StateDiagram() {
  std::string out = "stateDiagram-v2\n  [*] --> unknown\n";
  for (const Edge& edge : kEdges) {
    absl::StrAppend(&out, "  ", Av(ToString(edge.from)), " --> ", Av(ToString(edge.to)), ": ",
                    Av(edge.when), "\n");
  }
  return out;
}

}  // namespace evenkeel::health
