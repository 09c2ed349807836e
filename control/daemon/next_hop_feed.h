// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_NEXT_HOP_FEED_H_
#define EVENKEEL_CONTROL_DAEMON_NEXT_HOP_FEED_H_

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "control/neighbor/neighbor.h"

namespace evenkeel::daemon {

// Carries changed next hops from the resolver's thread to those who write them into the kernel, so
// that the resolver never waits for a running publish. Of several changes of one backend only the
// newest is handed on.
class NextHopFeed {
 public:
  using Consumer = std::function<void(const neighbor::Resolution&)>;

  ~NextHopFeed() { Stop(); }
  void Push(const neighbor::Resolution& resolution);
  // What was pushed before is handed on first. Call once.
  void Start(Consumer consumer);
  // Drops what is left; when it returns, the consumer is not running and never runs again. Pushes
  // are still allowed.
  void Stop();

 private:
  void Run();

  std::mutex mutex_;  // guards all below but the thread
  std::condition_variable changed_;
  std::map<model::IpAddress, neighbor::Resolution> waiting_;
  bool ending_ = false;
  Consumer consumer_;
  std::thread thread_;
};

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_NEXT_HOP_FEED_H_
