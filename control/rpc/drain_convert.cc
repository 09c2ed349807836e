// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/drain_convert.h"

#include "absl/strings/str_cat.h"
#include "control/rpc/enum_convert.h"
#include "control/rpc/time_convert.h"

namespace evenkeel::rpc {
namespace {

using State = engine::DrainProgress::State;

// No time that a daemon gives is longer.
constexpr std::chrono::hours kLongest{24 * 365};

constexpr std::pair<State, v1::DrainProgress::State> kStates[] = {
    {State::kServing, v1::DrainProgress::SERVING},
    {State::kDraining, v1::DrainProgress::DRAINING},
    {State::kQuiet, v1::DrainProgress::QUIET},
    {State::kSafe, v1::DrainProgress::SAFE},
    {State::kElsewhere, v1::DrainProgress::ELSEWHERE}};

void Encode(const engine::DrainPlace& place, v1::DrainPlace* out) {
  out->set_pool(place.pool);
  out->set_backend(place.backend);
  out->set_state(ToProto(place.state));
  out->set_serving(place.serving);
  out->set_known(place.known);
  out->set_slots(place.slots);
  out->set_held_slots(place.held_slots);
  out->set_used_slots(place.used_slots);
  out->set_pinned_flows(place.pinned_flows);
  out->set_tracked(place.tracked);
  out->set_by_id(place.by_id);
  out->set_packets(place.packets);
  out->set_packets_per_s(place.packets_per_s);
  if (place.idle) SetDuration(*place.idle, out->mutable_idle());
}

engine::DrainPlace Decode(const v1::DrainPlace& place, Problems* problems) {
  engine::DrainPlace out{.pool = place.pool(), .backend = place.backend()};
  out.state = FromProto(place.state(), "state", problems);
  out.serving = place.serving();
  out.known = place.known();
  out.slots = place.slots();
  out.held_slots = place.held_slots();
  out.used_slots = place.used_slots();
  out.pinned_flows = place.pinned_flows();
  out.tracked = place.tracked();
  out.by_id = place.by_id();
  out.packets = place.packets();
  out.packets_per_s = place.packets_per_s();
  if (place.has_idle()) out.idle = ReadDuration(place.idle(), kLongest);
  return out;
}

}  // namespace

v1::DrainRequest ToProto(const engine::DrainQuery& query) {
  v1::DrainRequest request;
  request.set_pool(query.pool);
  request.set_backend(query.backend);
  if (query.quiet.count() != 0) request.mutable_quiet()->set_seconds(query.quiet.count());
  return request;
}

absl::StatusOr<engine::DrainQuery> FromProto(const v1::DrainRequest& request) {
  const std::chrono::seconds quiet(request.quiet().seconds());
  if (request.has_quiet() && (request.quiet().nanos() != 0 || quiet < std::chrono::seconds(1) ||
                              quiet > engine::kMaxQuiet)) {
    return absl::InvalidArgumentError("quiet is to be whole seconds, 1 s to 24 h");
  }
  if (request.backend().empty()) return absl::InvalidArgumentError("backend is missing");
  return engine::DrainQuery{.pool = request.pool(), .backend = request.backend(), .quiet = quiet};
}

v1::DrainProgress ToProto(const engine::DrainProgress& progress) {
  v1::DrainProgress out;
  SetTime(progress.unix_ns, out.mutable_time());
  for (const auto& [state, proto] : kStates) {
    if (state == progress.state) out.set_state(proto);
  }
  out.set_address(progress.address.ToString());
  out.set_text(progress.text);
  out.set_last(progress.last());
  for (const engine::DrainPlace& place : progress.places) Encode(place, out.add_places());
  return out;
}

absl::StatusOr<engine::DrainProgress> FromProto(const v1::DrainProgress& message) {
  engine::DrainProgress out{.unix_ns = ReadTime(message.time()), .text = message.text()};
  bool known = false;
  for (const auto& [state, proto] : kStates) {
    if (proto != message.state()) continue;
    out.state = state;
    known = true;
  }
  Problems problems;
  for (const v1::DrainPlace& place : message.places()) {
    out.places.push_back(Decode(place, &problems));
  }
  const auto address = model::IpAddress::Parse(message.address());
  if (!known || !problems.empty() || !address.ok() || out.places.empty()) {
    return absl::InternalError(
        absl::StrCat("the daemon's answer is not understood: ", message.ShortDebugString(),
                     "; client and daemon are of different versions"));
  }
  out.address = *address;
  return out;
}

}  // namespace evenkeel::rpc
