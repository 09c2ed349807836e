// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/fake_dataplane/fake_resolver.h"

#include <thread>

namespace evenkeel::testing {

absl::Status FakeResolver::Follow(const std::vector<model::IpAddress>& addresses) {
  std::lock_guard lock(mu_);
  followed_ = {addresses.begin(), addresses.end()};
  return absl::OkStatus();
}

neighbor::Resolution FakeResolver::Get(const model::IpAddress& address) const {
  std::lock_guard lock(mu_);
  neighbor::Resolution resolution;
  resolution.address = address;
  if (!followed_.contains(address)) {
    resolution.problem = "not followed";
    return resolution;
  }
  if (const auto it = problems_.find(address); it != problems_.end()) {
    resolution.problem = it->second;
    return resolution;
  }
  if (const auto it = gateways_.find(address); it != gateways_.end()) {
    resolution.gateway = it->second;
  }
  const auto& bytes = address.bytes();
  const size_t end = address.is_ipv4() ? 4 : 16;
  dataplane::NextHop hop;
  hop.ifindex = ifindex_;
  hop.mtu = 1500;
  hop.dmac = {0x02, 0xbb, bytes[end - 4], bytes[end - 3], bytes[end - 2], bytes[end - 1]};
  hop.smac = {0x02, 0xaa, 0, 0, 0, 1};
  resolution.next_hop = hop;
  resolution.interface = "eth0";
  return resolution;
}

void FakeResolver::WaitResolved(std::chrono::milliseconds timeout) {
  std::this_thread::sleep_for(timeout);
}

void FakeResolver::SetUnreachable(const model::IpAddress& address, std::string problem) {
  std::lock_guard lock(mu_);
  problems_[address] = std::move(problem);
}

void FakeResolver::SetReachable(const model::IpAddress& address) {
  std::lock_guard lock(mu_);
  problems_.erase(address);
}

void FakeResolver::SetGateway(const model::IpAddress& address, const model::IpAddress& gateway) {
  std::lock_guard lock(mu_);
  gateways_[address] = gateway;
}

std::set<model::IpAddress> FakeResolver::followed() const {
  std::lock_guard lock(mu_);
  return followed_;
}

}  // namespace evenkeel::testing
