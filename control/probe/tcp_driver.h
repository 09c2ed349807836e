// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_PROBE_TCP_DRIVER_H_
#define EVENKEEL_CONTROL_PROBE_TCP_DRIVER_H_

#include "absl/container/flat_hash_map.h"
#include "control/dataplane/unique_fd.h"
#include "control/probe/driver.h"
#include "control/probe/loop.h"

namespace evenkeel::probe {

// Healthy once the connection is established.
class TcpDriver final : public Driver, private Loop::Handler {
 public:
  TcpDriver(Loop& loop, SocketCount& open_sockets, OnEnd on_end);
  ~TcpDriver() override;

  void Start(TargetId id, const Target& target) override;
  std::string Cancel(TargetId id) override;

 private:
  void OnEvents(int fd, uint32_t events) override;
  void Close(int fd);

  Loop& loop_;
  SocketCount& open_sockets_;
  const OnEnd on_end_;
  absl::flat_hash_map<TargetId, int> fd_of_;
  struct Connecting {
    TargetId id = 0;
    dataplane::UniqueFd fd;
  };
  absl::flat_hash_map<int, Connecting> connecting_;  // by descriptor
};

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_TCP_DRIVER_H_
