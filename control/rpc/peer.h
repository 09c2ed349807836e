// SPDX-License-Identifier: Apache-2.0
//
// Who calls. gRPC gives a connection that it was handed as a descriptor the peer name "fd:N", and
// closes the descriptor only after the last call on it has ended; so within a call, N is the
// caller's connection and SO_PEERCRED names the process that opened it. The kernel filled that in
// at connect(): nothing the client sends can change it.
#ifndef EVENKEEL_CONTROL_RPC_PEER_H_
#define EVENKEEL_CONTROL_RPC_PEER_H_

#include <string>

namespace evenkeel::rpc {

// "uid 1000 (alice)" for ServerContext::peer(), "uid 1000" if the user has no name, "unknown" where
// the kernel does not say.
std::string DescribePeer(const std::string& peer);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_PEER_H_
