// SPDX-License-Identifier: Apache-2.0
//
// The way of health probes through VIPs: from a socket's mark, by a rule and a route, to the
// program that encapsulates them for one backend. docs/adr/0047.
#ifndef EVENKEEL_CONTROL_DAEMON_VIP_PATH_H_
#define EVENKEEL_CONTROL_DAEMON_VIP_PATH_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/dataplane/probe_paths.h"
#include "control/neighbor/marked_route.h"
#include "control/neighbor/neighbor.h"

namespace evenkeel::daemon {

// Used by one thread, in the network namespace of the one that opens it.
class VipPath {
 public:
  struct Options {
    uint16_t mark = 0;  // upper half of the marks
    uint32_t table = 0;
    dataplane::Encapsulation encapsulation;
    std::function<neighbor::Resolution(const model::IpAddress&)> resolve;
  };
  // A backend of a pool.
  struct Server {
    std::string pool;
    model::IpAddress address;
    uint8_t method = EK_METHOD_NONE;  // of the pool, for this address

    friend auto operator<=>(const Server&, const Server&) = default;
  };

  static absl::StatusOr<std::unique_ptr<VipPath>> Open(Options options);
  // Removes rule and route, if it can.
  ~VipPath();

  // Paths to these and to nobody else; those that stay keep their marks. ResourceExhausted, and
  // nothing changed: they are too many.
  absl::Status SetServers(const std::set<Server>& servers);
  std::optional<uint32_t> MarkOf(const std::string& pool, const model::IpAddress& server) const;

  // Next hops as the host knows them now, and rule and route, if somebody took them away. To be
  // called again and again.
  absl::Status Refresh();

  absl::StatusOr<dataplane::ProbeCounts> Counts() const { return paths_->Read(); }

 private:
  struct Path {
    uint16_t id = 0;
    std::optional<dataplane::NextHop> next_hop;  // as in the kernel
  };

  VipPath(Options options, std::unique_ptr<dataplane::ProbePaths> paths,
          std::unique_ptr<neighbor::MarkedRoute> route)
      : options_(std::move(options)), paths_(std::move(paths)), route_(std::move(route)) {}
  absl::Status Write(const Server& server, Path& path);
  uint16_t FreeId();

  const Options options_;
  std::unique_ptr<dataplane::ProbePaths> paths_;
  std::unique_ptr<neighbor::MarkedRoute> route_;
  std::map<Server, Path> servers_;
  std::set<uint16_t> used_;
  uint16_t last_id_ = 0;
};

// What the kernel applies to IPv4 packets that come in by `interface`: the larger one of its own
// and that of "all" (ip-sysctl); 0 where neither can be read. `root` ends with a slash.
int ReadRpFilter(const std::string& interface, const std::string& root = "/");

// Why answers from `vip` would not reach this host where a backend is reached by `interface`;
// empty: they do. It looks at the host's addresses, and at rp_filter.
std::string WhyNoAnswer(const model::IpAddress& vip, const std::string& interface);

// What WhyNoAnswer looks at; JudgeReturn is pure.
struct ReturnFacts {
  bool own = false;   // the VIP is an address of this host
  int rp_filter = 0;  // of the interface: 0 none, 1 strict, 2 loose (RFC 3704)
  std::string way{};  // interface of the route to the VIP; empty: there is none
};
ReturnFacts ReadReturnFacts(const model::IpAddress& vip, const std::string& interface);
std::string JudgeReturn(const model::IpAddress& vip, const std::string& interface,
                        const ReturnFacts& facts);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_VIP_PATH_H_
