// SPDX-License-Identifier: Apache-2.0
//
// One datagram, and one that must come back.
#ifndef EVENKEEL_CONTROL_PROBE_UDP_DRIVER_H_
#define EVENKEEL_CONTROL_PROBE_UDP_DRIVER_H_

#include <vector>

#include "absl/container/flat_hash_map.h"
#include "control/probe/driver.h"
#include "control/probe/loop.h"

namespace evenkeel::probe {

class UdpDriver final : public Driver, private Loop::Handler {
 public:
  UdpDriver(Loop& loop, SocketCount& open_sockets, OnEnd on_end);
  ~UdpDriver() override;

  void Start(TargetId id, const Target& target) override;
  std::string Cancel(TargetId id) override;

 private:
  struct Asked {
    TargetId id = 0;
    const model::HealthCheck* check = nullptr;
    dataplane::UniqueFd fd;
  };

  void OnEvents(int fd, uint32_t events) override;
  void Close(int fd);

  Loop& loop_;
  SocketCount& open_sockets_;
  const OnEnd on_end_;
  std::vector<char> buffer_;  // holds any datagram
  absl::flat_hash_map<int, Asked> asked_;
  absl::flat_hash_map<TargetId, int> fd_of_;
};

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_UDP_DRIVER_H_
