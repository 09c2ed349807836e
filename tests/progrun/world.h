// SPDX-License-Identifier: Apache-2.0
//
// The balancer with a small world of pools and VIPs, and what a test says about one frame.
#ifndef EVENKEEL_TESTS_PROGRUN_WORLD_H_
#define EVENKEEL_TESTS_PROGRUN_WORLD_H_

#include <gtest/gtest.h>

#include <optional>

#include "tests/harness/prog_runner/raw_tables.h"

namespace evenkeel::testing {

inline constexpr HashKey kKey = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
inline constexpr uint32_t kTableSize = 251;
inline constexpr uint32_t kEgressIfindex = 77;  // not the ingress: redirected

// Pools by table id.
enum Pool : uint32_t { kPoolIpip4, kPoolIpip6, kPoolL2v4, kPoolL2v6, kPoolSpare };

// VIPs by counter id.
enum VipId : uint32_t {
  kVipTcp4,      // 192.0.2.10:443 -> ipip4
  kVipUdp4,      // 192.0.2.10:53 -> ipip4
  kVip4in6,      // 192.0.2.20:443 -> ipip6
  kVipL2v4,      // 192.0.2.30:443 -> l2
  kVipAnyPort4,  // 192.0.2.40:0 -> ipip4
  kVipExact4,    // 192.0.2.40:443 -> ipip6
  kVipTcp6,      // 2001:db8::10:443 -> ipip6
  kVipUdp6,      // 2001:db8::10:53 -> ipip6
  kVipL2v6,      // 2001:db8::30:443 -> l2
  kVipAnyPort6,  // 2001:db8::40:0 -> ipip6
  kVipUdpL2v4,   // 192.0.2.30:53 -> l2
  kVipUdpL2v6,   // 2001:db8::30:53 -> l2
  kVipUdp4in6,   // 192.0.2.20:53 -> ipip6
};

// Table of VIP `id`.
Pool PoolOf(VipId id);
const std::vector<RawVip>& AllVips();

// Four backends; the last one is reached over another interface than packets arrive on.
std::vector<Backend> Backends(Pool pool);

// Slots 0..size-1 given to the backends in turn.
std::vector<uint32_t> RoundRobin(uint32_t size, uint32_t backends);

class World : public ::testing::Test {
 protected:
  void SetUp() override;

  // The backend that the packet's flow belongs to.
  static Backend BackendFor(const std::vector<Backend>& backends, const Packet& packet);

  // Runs the frame and expects: sent to the right backend with the right bytes; the VIP's and the
  // backend's counters moved by this packet; no other counter moved.
  void ExpectForwarded(const Packet& packet, VipId vip);
  void ExpectForwarded(const Packet& packet, const Bytes& frame, VipId vip,
                       const std::vector<Backend>& backends);
  void ExpectForwardedTo(const Backend& backend, const Packet& packet, const Bytes& frame,
                         VipId vip);
  // The same with all that may differ from the packet's own.
  struct Forwarded {
    Backend backend;
    uint64_t hash = 0;      // what the outer header takes from the flow
    bool new_flow = false;  // counted as one
    bool orphan = false;    // counted as a fragment without its first, too
  };
  void ExpectForwardedAs(const Forwarded& as, const Bytes& frame, VipId vip);

  // Runs the frame and expects: passed or dropped as the verdict's name says, its bytes as they
  // were, exactly that verdict counted, and one drop for `dropped_for`.
  void ExpectVerdict(const Bytes& frame, ek_verdict verdict,
                     std::optional<VipId> dropped_for = std::nullopt);

  // Runs the frame and expects: `reply` sent back, exactly that verdict counted, and one drop for
  // `dropped_for`.
  void ExpectReply(const Bytes& frame, const Bytes& reply, ek_verdict verdict,
                   std::optional<VipId> dropped_for = std::nullopt);

  std::optional<RawBalancer> balancer_;

 private:
  void ExpectOutcome(const Bytes& frame, uint32_t action, const Bytes& out, ek_verdict verdict,
                     std::optional<VipId> dropped_for);
  // Where the capture build is what runs: what it noted of the frame, which is in noted_ then.
  void ExpectNoted(const Bytes& frame, const Bytes& out, ek_verdict verdict);

  std::vector<Captured> noted_;
};

// Readable difference of two frames, for failure messages.
std::string Describe(const Bytes& frame);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_PROGRUN_WORLD_H_
