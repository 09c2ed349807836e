// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_CLIENT_H_
#define EVENKEEL_CONTROL_RPC_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "control/engine/engine.h"

namespace evenkeel::rpc {

inline constexpr char kDefaultSocket[] = "/run/evenkeel/evenkeeld.sock";

// The daemon behind the Unix socket at `socket`, as an Engine. Connects at the first call; a daemon
// that is not there or not permitted is Unavailable or PermissionDenied, naming path and remedy.
std::unique_ptr<engine::Engine> Connect(const std::string& socket);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_CLIENT_H_
