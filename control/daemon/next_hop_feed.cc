// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/next_hop_feed.h"

#include <utility>

namespace evenkeel::daemon {

void NextHopFeed::Stop() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void NextHopFeed::Push(const neighbor::Resolution& resolution) {
  std::lock_guard lock(mutex_);
  waiting_[resolution.address] = resolution;
  changed_.notify_all();
}

void NextHopFeed::Start(Consumer consumer) {
  consumer_ = std::move(consumer);
  thread_ = std::thread([this] { Run(); });
}

void NextHopFeed::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
    const neighbor::Resolution resolution = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    lock.unlock();
    consumer_(resolution);
    lock.lock();
  }
}

}  // namespace evenkeel::daemon
