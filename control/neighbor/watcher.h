// SPDX-License-Identifier: Apache-2.0
//
// The thread that keeps the resolutions of the followed addresses true.
#ifndef EVENKEEL_CONTROL_NEIGHBOR_WATCHER_H_
#define EVENKEEL_CONTROL_NEIGHBOR_WATCHER_H_

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "control/dataplane/unique_fd.h"
#include "control/neighbor/evaluate.h"
#include "control/neighbor/netlink_session.h"

namespace evenkeel::neighbor {

class Watcher {
 public:
  Watcher(NetlinkSession session, Listener listener);
  ~Watcher();  // stops the thread

  absl::Status Start();

  absl::Status Follow(const std::vector<model::IpAddress>& addresses);
  Resolution Get(const model::IpAddress& address) const;
  void WaitResolved(std::chrono::milliseconds timeout);

 private:
  using Clock = std::chrono::steady_clock;

  // The watcher's thread only.
  struct Entry {
    Route route;
    bool looked_up = false;
    bool reported = false;  // the listener was told of some resolution
    Resolution last;
  };
  struct Solicitation {
    Clock::time_point next;
    std::chrono::milliseconds backoff{0};  // 0: not failing
  };

  void Run();
  void TakeFollowed();
  void Resync();
  void Apply(const Changes& changes);
  void LookUpAll();
  void LookUp(const model::IpAddress& address, Entry& entry);
  void Update(const model::IpAddress& address, Entry& entry);
  void UpdateBehind(const NeighborKey& neighbor);
  void SolicitDue();
  void SolicitNow(const NeighborKey& neighbor);
  std::chrono::milliseconds UntilNextWork() const;
  void Publish(const Resolution& resolution, bool notify);
  void Wake();

  NetlinkSession session_;
  const Listener listener_;
  dataplane::UniqueFd wake_;

  // The thread's own.
  Host host_;
  std::map<model::IpAddress, Entry> entries_;
  std::map<NeighborKey, std::set<model::IpAddress>> behind_;  // addresses by next hop
  std::map<NeighborKey, Solicitation> solicitations_;
  // Route events come in bursts (a link that goes down, a routing daemon's update): the lookups
  // are made once, soon after the first.
  std::optional<Clock::time_point> look_up_all_at_;

  mutable std::mutex mu_;
  std::condition_variable changed_;
  bool stopping_ = false;              // mu_
  bool follow_changed_ = false;        // mu_
  std::set<model::IpAddress> wanted_;  // mu_
  // What Get() says; no entry: not looked at yet.
  absl::flat_hash_map<model::IpAddress, Resolution> known_;  // mu_
  size_t resolved_ = 0;                                      // of known_, with a next hop; mu_

  std::thread thread_;
};

}  // namespace evenkeel::neighbor

#endif  // EVENKEEL_CONTROL_NEIGHBOR_WATCHER_H_
