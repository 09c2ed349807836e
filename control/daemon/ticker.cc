// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/ticker.h"

#include <utility>

namespace evenkeel::daemon {

void Ticker::Start(std::chrono::milliseconds interval, std::function<void()> work) {
  thread_ = std::thread([this, interval, work = std::move(work)] {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, interval, [&] { return ending_; })) {
      lock.unlock();
      work();
      lock.lock();
    }
  });
}

void Ticker::Stop() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace evenkeel::daemon
