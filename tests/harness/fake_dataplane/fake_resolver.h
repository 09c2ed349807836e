// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_HARNESS_FAKE_DATAPLANE_FAKE_RESOLVER_H_
#define EVENKEEL_TESTS_HARNESS_FAKE_DATAPLANE_FAKE_RESOLVER_H_

#include <map>
#include <mutex>
#include <set>

#include "control/neighbor/neighbor.h"

namespace evenkeel::testing {

// Resolves every followed address at once, to a next hop made of its last bytes, but those set to
// be unreachable. Thread-safe.
class FakeResolver final : public neighbor::Resolver {
 public:
  explicit FakeResolver(uint32_t ifindex = 7) : ifindex_(ifindex) {}

  absl::Status Follow(const std::vector<model::IpAddress>& addresses) override;
  neighbor::Resolution Get(const model::IpAddress& address) const override;
  void WaitResolved(std::chrono::milliseconds timeout) override;

  void SetUnreachable(const model::IpAddress& address, std::string problem);
  void SetReachable(const model::IpAddress& address);
  void SetGateway(const model::IpAddress& address, const model::IpAddress& gateway);
  std::set<model::IpAddress> followed() const;

 private:
  const uint32_t ifindex_;
  mutable std::mutex mu_;
  std::set<model::IpAddress> followed_;
  std::map<model::IpAddress, std::string> problems_;
  std::map<model::IpAddress, model::IpAddress> gateways_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_FAKE_DATAPLANE_FAKE_RESOLVER_H_
