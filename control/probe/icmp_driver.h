// SPDX-License-Identifier: Apache-2.0
//
// ICMP echo. All probes of a family share one socket, which is opened with the first of them.
#ifndef EVENKEEL_CONTROL_PROBE_ICMP_DRIVER_H_
#define EVENKEEL_CONTROL_PROBE_ICMP_DRIVER_H_

#include <optional>
#include <random>

#include "absl/container/flat_hash_map.h"
#include "control/probe/driver.h"
#include "control/probe/icmp_socket.h"
#include "control/probe/loop.h"

namespace evenkeel::probe {

class IcmpDriver final : public Driver, private Loop::Handler {
 public:
  IcmpDriver(Loop& loop, OnEnd on_end);
  ~IcmpDriver() override;

  void Start(TargetId id, const Target& target) override;
  std::string Cancel(TargetId id) override;

 private:
  struct Asked {
    TargetId id = 0;
    model::IpAddress address;
    uint64_t nonce = 0;
  };

  absl::Status Open(model::Family family);
  void OnEvents(int fd, uint32_t events) override;
  void Take(const IcmpSocket::Reply& reply);
  uint16_t FreeSequence();

  Loop& loop_;
  const OnEnd on_end_;
  std::optional<IcmpSocket> v4_;
  std::optional<IcmpSocket> v6_;
  std::mt19937_64 random_;
  uint16_t last_sequence_ = 0;
  absl::flat_hash_map<uint16_t, Asked> asked_;  // by sequence
  absl::flat_hash_map<TargetId, uint16_t> sequence_of_;
};

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_ICMP_DRIVER_H_
