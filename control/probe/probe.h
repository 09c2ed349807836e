// SPDX-License-Identifier: Apache-2.0
//
// Health probes: asks every target again and again whether it answers, from one thread that never
// waits for any of them. What follows from the answers (rise, fall) is not decided here.
#ifndef EVENKEEL_CONTROL_PROBE_PROBE_H_
#define EVENKEEL_CONTROL_PROBE_PROBE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/model/config.h"
#include "control/model/ip_address.h"

namespace evenkeel::probe {

// A probe that takes the way of forwarded packets.
struct Via {
  model::IpAddress vip;  // its destination
  uint32_t mark = 0;     // SO_MARK: by it, the kernel takes the packets to the target

  friend bool operator==(const Via&, const Via&) = default;
};

struct Target {
  std::string pool;
  model::IpAddress address;  // the server
  uint16_t port = 0;         // host byte order; check.port is not looked at. 0 for ICMP alone
  model::HealthCheck check;
  std::optional<Via> via{};

  // Where the probe's packets are for.
  const model::IpAddress& destination() const { return via ? via->vip : address; }

  friend bool operator==(const Target&, const Target&) = default;
};

struct Result {
  bool healthy = false;
  // True where this host could not ask (no descriptor, memory or local port left; a local firewall
  // forbids it). Says nothing about the target, and must not take it out: it hits all at once.
  bool own_fault = false;
  // Why it is not healthy, in plain words: "connection refused", "no answer within 1s", "HTTP
  // status 503", "body has more than 64 KiB". Printable ASCII, at most 200 bytes.
  std::string cause;
  std::chrono::nanoseconds took{};  // from the probe's start
  bool refused = false;             // there is somebody, who says that nobody listens
};

// Called on the prober's thread, for one probe at a time; must not block. It may call SetTargets,
// but must not destroy the prober.
using Sink = std::function<void(const Target&, const Result&)>;

struct Options {
  // A probe holds one at most. What does not fit waits its turn and is then late, never dropped.
  // While several pools have targets, none has more than it leaves free, and they take turns.
  size_t max_open_sockets = 512;
  size_t max_body_bytes = 64 * 1024;    // a longer body is not healthy
  size_t max_header_bytes = 64 * 1024;  // all header lines of an answer together
  // With a longer interval, a new target is probed once within this time, and then in its rhythm.
  std::chrono::nanoseconds first_within = std::chrono::seconds{5};
};

// Since Start().
struct Stats {
  uint64_t started = 0;
  uint64_t ended = 0;    // with a result or because the target was removed
  uint64_t late = 0;     // of started: waited for a socket, or began a tenth of an interval late
  uint64_t skipped = 0;  // rounds whose predecessor still ran, or that came while the host slept
  uint64_t waiting = 0;  // now: for a socket
  uint64_t open_sockets = 0;  // now
};

// TCP: healthy once connected; the connection is then reset, so that none lingers in TIME_WAIT.
// HTTP, HTTPS: one GET or HEAD on a connection of its own; healthy is a complete answer with a
// status and a body as the check says. Redirects are not followed. gRPC: one call of
// grpc.health.v1.Health/Check on a connection of its own; healthy is SERVING. Certificates are
// verified where the check says so, proxies of the environment not used. UDP: one datagram, and an
// answer as the check says. ICMP: one echo request, and its reply. No probe goes on after
// check.timeout. With `via`, all of this is asked of the VIP; a cause then begins with "through VIP
// 192.0.2.10: ". All in the network namespace of the thread that calls Start().
//
// A target is probed at phase + n * interval of CLOCK_MONOTONIC, give or take 5 %, however long a
// probe takes. The phase is a hash of its pool, address and port: probes are spread over the
// interval. While one runs, no other one of that target begins.
class Prober {
 public:
  static absl::StatusOr<std::unique_ptr<Prober>> Start(Options options, Sink sink);
  ~Prober();  // ends all probes without a result, closes their sockets and joins the thread

  // Replaces the set. Targets that stay, unchanged, go on in their rhythm; one that is listed twice
  // is probed once. Once it returns, removed ones give no result: it waits for a call of the sink
  // that is running, so hold no lock that the sink takes. InvalidArgument, and nothing changed, if
  // a target has port 0, or a check that model::Validate would refuse. Any thread.
  absl::Status SetTargets(const std::vector<Target>& targets);

  Stats stats() const;  // any thread

 private:
  class Impl;
  explicit Prober(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_PROBE_H_
