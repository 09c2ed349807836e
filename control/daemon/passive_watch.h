// SPDX-License-Identifier: Apache-2.0
//
// The passive signal: what ICMP errors and missing next hops say of servers, in rounds.
#ifndef EVENKEEL_CONTROL_DAEMON_PASSIVE_WATCH_H_
#define EVENKEEL_CONTROL_DAEMON_PASSIVE_WATCH_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/dataplane/dataplane.h"
#include "control/dataplane/unique_fd.h"
#include "control/guard/fleet.h"
#include "control/health/passive.h"
#include "control/health/rounds.h"
#include "control/neighbor/neighbor.h"
#include "control/publish/publisher.h"
#include "control/traffic/route.h"

namespace evenkeel::daemon {

// Used by one thread, in the network namespace of the one that makes it.
class PassiveWatch {
 public:
  struct Options {
    dataplane::Encapsulation encapsulation;
    std::array<uint64_t, 2> hash_key{};  // as of dataplane::HashKeyWords
    std::function<absl::StatusOr<publish::CounterReport>()> counters;
    std::function<neighbor::Resolution(const model::IpAddress&)> resolve;
  };
  struct Said {
    health::Rounds::Server server;
    health::ProbeResult result;
  };

  explicit PassiveWatch(Options options) : options_(std::move(options)) {}

  // Watches the servers of pools with a passive signal among `witnesses`, and goes on with the
  // rounds of those that stay. `fleet`: what `config` was built to.
  void Configure(std::shared_ptr<const guard::BuiltFleet> fleet, const model::Config& config,
                 const health::Rounds::Witnesses& witnesses, int64_t now_ns);

  // What the rounds that are over by now say. Often: errors wait in the socket's buffer.
  std::vector<Said> Step(int64_t now_ns);

  // Why errors are not seen; empty: they are, or nobody asks for them.
  const std::string& problem() const { return problem_; }

 private:
  struct Server {
    std::optional<uint64_t> counter, before;  // last read, and at the end of the last round
    health::PassiveRound round;
  };
  struct Pool {
    model::PassiveSignal signal;
    int64_t length_ns = 0;
    int64_t ends_ns = 0;
    std::map<model::IpAddress, Server> servers;
  };

  void OpenSocket();
  void Receive();
  void Take(std::span<const uint8_t> packet);
  void ReadCounters();

  const Options options_;
  dataplane::UniqueFd socket_;
  std::string problem_;
  std::shared_ptr<const guard::BuiltFleet> fleet_;  // router_ refers to it
  std::optional<traffic::Router> router_;
  std::map<std::string, Pool> pools_;
};

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_PASSIVE_WATCH_H_
