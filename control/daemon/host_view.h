// SPDX-License-Identifier: Apache-2.0
//
// What the daemon asks its host, and says of it.
#ifndef EVENKEEL_CONTROL_DAEMON_HOST_VIEW_H_
#define EVENKEEL_CONTROL_DAEMON_HOST_VIEW_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/dataplane/kernel_dataplane.h"
#include "control/engine/engine.h"
#include "control/engine/evaluate.h"
#include "control/guard/facts.h"
#include "control/model/yaml.h"
#include "control/neighbor/neighbor.h"

namespace evenkeel::daemon {

absl::StatusOr<guard::Facts> ReadHostFacts(const model::Policy& policy);

// What the resolver follows it knows; the others are looked up. Who has not answered yet may be
// there: only a definite failure counts.
absl::StatusOr<std::map<model::IpAddress, guard::Reach>> ReadReach(
    const neighbor::Resolver& resolver, const std::vector<model::IpAddress>& addresses);

engine::InterfaceStatus DescribeInterface(const dataplane::Attachment& attached);
void LogAttachment(const dataplane::Attachment& attached);
// As of KernelDataPlane::ended_captures.
void LogEndedCaptures(int interfaces);

// A configuration with the lists beside it.
absl::StatusOr<model::ParseResult> ReadConfig(const std::string& path);
// To standard error.
void PrintRefusal(const std::string& path, const engine::Evaluation& evaluation);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_HOST_VIEW_H_
