// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_TICKER_H_
#define EVENKEEL_CONTROL_DAEMON_TICKER_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace evenkeel::daemon {

// Calls a function again and again, on a thread of its own.
class Ticker {
 public:
  ~Ticker() { Stop(); }
  // Call once. `interval` is what lies between the end of a call and the next.
  void Start(std::chrono::milliseconds interval, std::function<void()> work);
  // When it returns, the function is not running and never runs again.
  void Stop();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;  // mutex_
  std::thread thread_;
};

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_TICKER_H_
