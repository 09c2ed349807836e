// SPDX-License-Identifier: Apache-2.0
//
// Whether servers take the packets that are sent to them for a VIP: each is asked once, through the
// VIP and at its own address, and what the two answers say together is a finding of the doctor.
// Pure, but for AskOnce.
#ifndef EVENKEEL_CONTROL_DAEMON_VIP_PROBE_H_
#define EVENKEEL_CONTROL_DAEMON_VIP_PROBE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/engine/engine.h"
#include "control/model/config.h"
#include "control/probe/probe.h"

namespace evenkeel::daemon {

// One server through one VIP.
struct VipQuestion {
  std::string pool;
  model::Forwarding forwarding = model::Forwarding::kIpip;
  std::string name;  // of the backend
  model::IpAddress server;
  model::IpAddress vip;
  probe::Target target;       // at the server's own address
  bool clients_port = false;  // who refuses there refuses clients
  // Why the pool's own checks through VIPs call it down, if they do.
  std::optional<std::string> down{};
};

struct VipQuestions {
  std::vector<VipQuestion> asked;
  std::vector<std::string> well;          // pool/backend that the pool's own checks say is well
  std::vector<std::string> left_out;      // pool/backend, for there are too many
  std::vector<engine::Finding> findings;  // where nothing can be asked
};

// `fault`: why the answer of a server would not come back from a VIP; empty: it does. At most
// `limit` questions; each pool gets its turn.
VipQuestions PlanVipQuestions(
    const model::Config& config, const engine::Status& status,
    const std::function<std::string(const model::IpAddress& vip, const model::IpAddress& server)>&
        fault,
    size_t limit);

struct VipAnswer {
  enum class Kind { kNone, kYes, kRefused, kOwnFault } kind = Kind::kNone;
  std::string cause;  // unless it is kYes
};

// The answers of `targets`, by index. What has not answered after `timeout` counts as kNone. In the
// network namespace of the caller.
std::vector<VipAnswer> AskOnce(const std::vector<probe::Target>& targets,
                               std::chrono::milliseconds timeout);

// `through` and `direct`: by index of questions.asked.
std::vector<engine::Finding> JudgeVipAnswers(const VipQuestions& questions,
                                             const std::vector<VipAnswer>& through,
                                             const std::vector<VipAnswer>& direct);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_VIP_PROBE_H_
