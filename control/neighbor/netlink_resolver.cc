// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "control/neighbor/neighbor.h"
#include "control/neighbor/watcher.h"

namespace evenkeel::neighbor {

struct NetlinkResolver::Impl {
  Impl(NetlinkSession session, Listener listener)
      : watcher(std::move(session), std::move(listener)) {}
  Watcher watcher;
};

NetlinkResolver::NetlinkResolver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NetlinkResolver::~NetlinkResolver() = default;

absl::StatusOr<std::unique_ptr<NetlinkResolver>> NetlinkResolver::Create(Listener listener) {
  auto session = NetlinkSession::Open();
  if (!session.ok()) return session.status();
  auto impl = std::make_unique<Impl>(*std::move(session), std::move(listener));
  if (auto status = impl->watcher.Start(); !status.ok()) return status;
  return std::unique_ptr<NetlinkResolver>(new NetlinkResolver(std::move(impl)));
}

absl::Status NetlinkResolver::Follow(const std::vector<model::IpAddress>& addresses) {
  return impl_->watcher.Follow(addresses);
}

Resolution NetlinkResolver::Get(const model::IpAddress& address) const {
  return impl_->watcher.Get(address);
}

void NetlinkResolver::WaitResolved(std::chrono::milliseconds timeout) {
  impl_->watcher.WaitResolved(timeout);
}

absl::StatusOr<std::vector<Resolution>> NetlinkResolver::LookUpNow(
    const std::vector<model::IpAddress>& addresses) {
  auto session = NetlinkSession::Open();
  if (!session.ok()) return session.status();
  const auto host = session->ReadHost();
  if (!host.ok()) return host.status();
  std::vector<Resolution> found;
  for (const model::IpAddress& address : addresses) {
    const auto route = session->LookUp(address);
    if (!route.ok()) return route.status();
    found.push_back(Evaluate(address, *route, *host, nullptr).resolution);
  }
  return found;
}

absl::StatusOr<std::vector<model::IpAddress>> NetlinkResolver::OwnAddresses() {
  auto session = NetlinkSession::Open();
  if (!session.ok()) return session.status();
  auto addresses = session->ReadAddresses();
  if (!addresses.ok()) return addresses.status();
  std::erase_if(*addresses, [](const model::IpAddress& a) { return a.IsLoopback(); });
  std::sort(addresses->begin(), addresses->end());
  return addresses;
}

}  // namespace evenkeel::neighbor
