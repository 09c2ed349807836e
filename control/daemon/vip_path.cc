// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/vip_path.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace evenkeel::daemon {
namespace {

// Below those of the kernel's own tables, so that ours comes first; nobody else's marks match it.
constexpr uint32_t kRulePriority = 150;
constexpr uint8_t kProtocol = 150;  // as of the routes that are advertised
// What every path carries once it is encapsulated: the least that IPv6 allows.
constexpr uint32_t kMtu = 1280;
constexpr uint32_t kHeadroom = 64;  // a link header, and the longest outer ones

}  // namespace

int ReadRpFilter(const std::string& interface, const std::string& root) {
  int strictest = 0;
  for (const std::string& name : {std::string("all"), interface}) {
    std::ifstream file(absl::StrCat(root, "proc/sys/net/ipv4/conf/", name, "/rp_filter"));
    if (int value = 0; file >> value) strictest = std::max(strictest, value);
  }
  return strictest;
}

absl::StatusOr<std::unique_ptr<VipPath>> VipPath::Open(Options options) {
  auto paths = dataplane::ProbePaths::Load(options.encapsulation);
  if (!paths.ok()) return paths.status();
  auto route = neighbor::MarkedRoute::Open({.mark = EK_PROBE_MARK(options.mark, 0),
                                            .mask = EK_PROBE_MARK_MASK,
                                            .table = options.table,
                                            .priority = kRulePriority,
                                            .mtu = kMtu,
                                            .headroom = kHeadroom,
                                            .protocol = kProtocol});
  if (!route.ok()) return route.status();
  std::unique_ptr<VipPath> path(
      new VipPath(std::move(options), *std::move(paths), *std::move(route)));
  if (auto status = path->Refresh(); !status.ok()) return status;
  return path;
}

VipPath::~VipPath() {
  if (auto status = route_->Remove(); !status.ok()) {
    spdlog::warn("{}", std::string(status.message()));
  }
}

uint16_t VipPath::FreeId() {
  // Not the one that was given back last: a packet may be under way.
  do {
    ++last_id_;
  } while (last_id_ == 0 || used_.contains(last_id_));
  return last_id_;
}

absl::Status VipPath::SetServers(const std::set<Server>& servers) {
  if (servers.size() > EK_MAX_PROBE_PATHS) {
    return absl::ResourceExhaustedError(absl::StrCat("health checks through VIPs have ",
                                                     servers.size(), " servers, at most ",
                                                     EK_MAX_PROBE_PATHS));
  }
  for (auto it = servers_.begin(); it != servers_.end();) {
    if (servers.contains(it->first)) {
      ++it;
      continue;
    }
    if (auto status = paths_->Remove(it->second.id); !status.ok()) return status;
    used_.erase(it->second.id);
    it = servers_.erase(it);
  }
  for (const Server& server : servers) {
    if (servers_.contains(server)) continue;
    Path path{.id = FreeId(), .next_hop = options_.resolve(server.address).next_hop};
    if (auto status = Write(server, path); !status.ok()) return status;
    used_.insert(path.id);
    servers_[server] = path;
  }
  return Refresh();
}

std::optional<uint32_t> VipPath::MarkOf(const std::string& pool,
                                        const model::IpAddress& server) const {
  const auto found = servers_.lower_bound({.pool = pool, .address = server, .method = 0});
  if (found == servers_.end() || found->first.pool != pool || found->first.address != server) {
    return std::nullopt;
  }
  return EK_PROBE_MARK(options_.mark, found->second.id);
}

absl::Status VipPath::Write(const Server& server, Path& path) {
  return paths_->Set(path.id, {.address = server.address,
                               .method = server.method,
                               .counter = 0,
                               .next_hop = path.next_hop});
}

absl::Status VipPath::Refresh() {
  uint32_t ifindex = 0;  // of some interface that is up
  for (auto& [server, path] : servers_) {
    const auto next_hop = options_.resolve(server.address).next_hop;
    if (next_hop && ifindex == 0) ifindex = next_hop->ifindex;
    if (next_hop == path.next_hop) continue;
    path.next_hop = next_hop;
    if (auto status = Write(server, path); !status.ok()) return status;
  }
  return route_->Ensure(paths_->program_fd(), ifindex);
}

std::string JudgeReturn(const model::IpAddress& vip, const std::string& interface,
                        const ReturnFacts& facts) {
  const std::string shown = vip.ToString();
  if (facts.own) {
    return absl::StrCat(shown, " is an address of this host, which keeps such packets; remove it");
  }
  if (facts.rp_filter == 0 || !vip.is_ipv4()) return "";
  const bool passes = facts.rp_filter == 1 ? facts.way == interface : !facts.way.empty();
  if (passes) return "";
  return absl::StrCat("answers from ", shown, " by ", interface, " are dropped: its rp_filter is ",
                      facts.rp_filter, ", and the way to ", shown,
                      facts.way.empty()
                          ? " is unknown; set net.ipv4.conf."
                          : absl::StrCat(" is by ", facts.way, "; set net.ipv4.conf."),
                      interface, ".rp_filter (and all) to ", facts.way.empty() ? "0" : "2");
}

ReturnFacts ReadReturnFacts(const model::IpAddress& vip, const std::string& interface) {
  ReturnFacts facts;
  if (const auto own = neighbor::NetlinkResolver::OwnAddresses(); own.ok()) {
    facts.own = std::find(own->begin(), own->end(), vip) != own->end();
  }
  if (vip.is_ipv4() && !interface.empty()) {
    facts.rp_filter = ReadRpFilter(interface);
  }
  if (facts.rp_filter != 0) {
    if (const auto way = neighbor::NetlinkResolver::LookUpNow({vip}); way.ok() && !way->empty()) {
      facts.way = way->front().interface;
    }
  }
  return facts;
}

std::string WhyNoAnswer(const model::IpAddress& vip, const std::string& interface) {
  return JudgeReturn(vip, interface, ReadReturnFacts(vip, interface));
}

}  // namespace evenkeel::daemon
