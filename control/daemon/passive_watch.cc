// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/passive_watch.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "control/traffic/returned.h"

namespace evenkeel::daemon {
namespace {

constexpr int64_t kShortestRoundNs = 1'000'000'000;
// Beyond it errors of one moment are lost: their number counts only up to min_share.
constexpr int kBufferBytes = 1 << 20;
// At a time, so that a flood of errors keeps nobody waiting.
constexpr int kMaxErrors = 2048;
// The longest that RFC 4443 allows; RFC 1812 has 576.
constexpr size_t kMaxError = 1280;

// Lets pass ICMP "destination unreachable" and ICMPv6 types 1 and 4, whole packets, and no options
// or extension headers before them. All other packets of the host end here.
bool FilterErrors(int fd) {
  constexpr uint8_t kUnreachable = 3, kUnreachable6 = 1, kParameter6 = 4;
  constexpr uint32_t kProtocol = SKF_AD_OFF + SKF_AD_PROTOCOL;
  std::array<sock_filter, 14> program{{
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kProtocol),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 5, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMP, 0, 9),
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kUnreachable, 5, 6),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 4),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 40),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kUnreachable6, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kParameter6, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, kMaxError),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0;
}

}  // namespace

// A packet socket: errors come to the outer headers' source addresses, which need not be this
// host's.
void PassiveWatch::OpenSocket() {
  // Not bound to a protocol before the filter is there.
  dataplane::UniqueFd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_ll all{};
  all.sll_family = AF_PACKET;
  all.sll_protocol = htons(ETH_P_ALL);
  if (!fd.valid() || !FilterErrors(fd.get()) ||
      ::setsockopt(fd.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&all), sizeof(all)) != 0) {
    const std::string why = std::strerror(errno);
    if (problem_.empty()) {
      spdlog::error("ICMP errors cannot be seen: {}", why);
    }
    problem_ = absl::StrCat("ICMP errors cannot be seen: ", why,
                            "; health_check.passive needs CAP_NET_RAW");
    return;
  }
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kBufferBytes, sizeof(kBufferBytes));
  problem_.clear();
  socket_ = std::move(fd);
}

void PassiveWatch::Configure(std::shared_ptr<const guard::BuiltFleet> fleet,
                             const model::Config& config,
                             const health::Rounds::Witnesses& witnesses, int64_t now_ns) {
  std::map<std::string, Pool> former = std::exchange(pools_, {});
  std::map<std::string_view, const model::HealthCheck*> listening;
  for (const model::Pool& pool : config.pools) {
    if (pool.health_check && pool.health_check->passive) {
      listening[pool.name] = &*pool.health_check;
    }
  }
  for (const auto& [server, names] : witnesses) {
    const auto& [name, address] = server;
    const auto listened = listening.find(name);
    if (listened == listening.end()) continue;
    const model::HealthCheck& check = *listened->second;
    const auto [it, fresh] = pools_.try_emplace(name);
    Pool& pool = it->second;
    const auto before = former.find(name);
    if (fresh) {
      pool.signal = *check.passive;
      pool.length_ns =
          std::max<int64_t>(kShortestRoundNs, std::chrono::nanoseconds(check.interval).count());
      pool.ends_ns = now_ns + pool.length_ns;
      if (before != former.end()) pool.ends_ns = std::min(pool.ends_ns, before->second.ends_ns);
    }
    Server& known = pool.servers[address];
    if (before == former.end()) continue;
    if (const auto found = before->second.servers.find(address);
        found != before->second.servers.end()) {
      known = found->second;
    }
  }
  router_.reset();
  fleet_ = std::move(fleet);
  if (pools_.empty()) {
    socket_ = {};
    problem_.clear();
    return;
  }
  if (fleet_ != nullptr) router_.emplace(*fleet_, options_.hash_key);
  if (!socket_.valid()) OpenSocket();
}

void PassiveWatch::Receive() {
  if (!socket_.valid()) return;
  std::array<uint8_t, kMaxError> buffer;
  for (int i = 0; i < kMaxErrors; ++i) {
    const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return;
    Take({buffer.data(), static_cast<size_t>(size)});
  }
}

// Counted only where the outer headers are those of that flow: to take a server out with forged
// errors, one has to see its packets.
void PassiveWatch::Take(std::span<const uint8_t> packet) {
  const auto returned = traffic::ParseReturned(packet, options_.encapsulation.gue_port);
  if (!returned || !router_) return;
  const auto hash = router_->Hash(returned->flow);
  if (!hash || !traffic::IsOurs(*returned, *hash, options_.encapsulation)) return;
  for (auto& [name, pool] : pools_) {
    const auto found = pool.servers.find(returned->server);
    if (found == pool.servers.end()) continue;
    health::PassiveRound& round = found->second.round;
    ++round.returned;
    round.last_error = absl::StrCat(returned->what, " from ", returned->from.ToString());
  }
}

void PassiveWatch::ReadCounters() {
  const auto report = options_.counters();
  if (!report.ok()) return;
  for (const publish::BackendCounters& counters : report->backends) {
    const auto pool = pools_.find(counters.pool);
    if (pool == pools_.end()) continue;
    const auto found = pool->second.servers.find(counters.address);
    if (found == pool->second.servers.end()) continue;
    found->second.counter = counters.counter.packets;
  }
}

std::vector<PassiveWatch::Said> PassiveWatch::Step(int64_t now_ns) {
  std::vector<Said> said;
  if (pools_.empty()) return said;
  if (!socket_.valid()) OpenSocket();
  Receive();
  bool read = false;
  for (auto& [name, pool] : pools_) {
    if (now_ns < pool.ends_ns) continue;
    if (!std::exchange(read, true)) ReadCounters();
    pool.ends_ns = now_ns + pool.length_ns;
    for (auto& [address, server] : pool.servers) {
      const neighbor::Resolution resolved = options_.resolve(address);
      if (!resolved.next_hop && !resolved.pending) server.round.no_next_hop = resolved.problem;
      // A counter begins anew where a server has come back.
      if (server.counter && server.before && *server.counter >= *server.before) {
        server.round.forwarded = *server.counter - *server.before;
      }
      server.before = server.counter;
      said.push_back(
          {.server = {name, address}, .result = health::JudgePassive(pool.signal, server.round)});
      server.round = {};
    }
  }
  return said;
}

}  // namespace evenkeel::daemon
