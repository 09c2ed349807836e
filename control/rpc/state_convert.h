// SPDX-License-Identifier: Apache-2.0
//
// Outcomes, applied states, revisions, status and events to messages and back. A message from the
// daemon that does not convert is Internal: client and daemon are of different versions.
#ifndef EVENKEEL_CONTROL_RPC_STATE_CONVERT_H_
#define EVENKEEL_CONTROL_RPC_STATE_CONVERT_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "control/engine/engine.h"
#include "evenkeel/v1/control.pb.h"

namespace evenkeel::rpc {

// `with_config`: also the configuration, where `applied` has one.
v1::AppliedState ToProto(const engine::Applied& applied, bool with_config);
absl::StatusOr<engine::Applied> FromProto(const v1::AppliedState& applied);

v1::RevisionInfo ToProto(const history::Revision& revision);
history::Revision FromProto(const v1::RevisionInfo& info);

v1::HealthChange ToProto(const history::HealthChange& change);
history::HealthChange FromProto(const v1::HealthChange& change);

v1::StatusResponse ToProto(const engine::Status& status);
absl::StatusOr<engine::Status> FromProto(const v1::StatusResponse& status);

v1::DiagnoseResponse ToProto(const std::vector<engine::Finding>& findings);
std::vector<engine::Finding> FromProto(const v1::DiagnoseResponse& response);

v1::WatchResponse ToProto(const engine::Event& event);
// Nothing for a kind that is no event: the first message of a stream, or one of a newer daemon.
std::optional<engine::Event> FromProto(const v1::WatchResponse& message);

v1::ApplyResponse ToApplyResponse(const engine::Outcome& outcome);
absl::StatusOr<engine::Outcome> FromProto(const v1::ApplyResponse& response);
absl::StatusOr<engine::Outcome> FromProto(const v1::ConfirmResponse& response);
v1::PlanResponse ToPlanResponse(const engine::Outcome& outcome);
absl::StatusOr<engine::Outcome> FromProto(const v1::PlanResponse& response);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_STATE_CONVERT_H_
