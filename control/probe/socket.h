// SPDX-License-Identifier: Apache-2.0
//
// What the drivers need of the kernel's sockets, and its errors in plain words.
#ifndef EVENKEEL_CONTROL_PROBE_SOCKET_H_
#define EVENKEEL_CONTROL_PROBE_SOCKET_H_

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "control/dataplane/unique_fd.h"
#include "control/model/ip_address.h"
#include "control/probe/driver.h"

namespace evenkeel::probe {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// `port` in host byte order.
SocketAddress ToSocketAddress(const model::IpAddress& address, uint16_t port);

// A socket that does not block, to be connected to a target's destination; a TCP socket's close()
// resets the connection. With `via` it is marked, and bound to the address from which this host
// talks to the target, if there is one: answers to it come back by themselves. Invalid, with errno
// set, on failure.
dataplane::UniqueFd OpenTcpSocket(const Target& target);
dataplane::UniqueFd OpenUdpSocket(const Target& target);

// The address from which this host talks to the target (to its destination, where that is of
// another family). Nothing where it has no way to it: then the kernel chooses one.
std::optional<SocketAddress> SourceFor(const Target& target);

// What an error of socket() or of a connection says about the target; 0: healthy.
Outcome OutcomeOfErrno(int error);

// As Result::cause is: printable, and short, whatever a server sent.
std::string PlainText(std::string_view text);

// "1s", "250ms".
std::string DurationText(std::chrono::milliseconds duration);

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_SOCKET_H_
