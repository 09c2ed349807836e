// SPDX-License-Identifier: Apache-2.0
#include "control/probe/loop.h"

#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace evenkeel::probe {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

uint64_t DataOf(int fd, uint32_t serial) {
  return static_cast<uint64_t>(serial) << 32 | static_cast<uint32_t>(fd);
}

bool AddToEpoll(int epoll, int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = DataOf(fd, 0)}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

// Of the timer and the wake-up: their count is of no interest.
void Drain(int fd) {
  uint64_t count = 0;
  if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN) {
    spdlog::error("prober: read: {}", std::strerror(errno));
  }
}

}  // namespace

Nanos Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::chrono::seconds(now.tv_sec) + Nanos(now.tv_nsec);
}

absl::StatusOr<std::unique_ptr<Loop>> Loop::Create(size_t max_watched) {
  std::unique_ptr<Loop> loop(new Loop);
  loop->epoll_ = dataplane::UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  if (!loop->epoll_.valid()) return absl::ErrnoToStatus(errno, "prober: epoll_create1");
  loop->timer_ = dataplane::UniqueFd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!loop->timer_.valid()) return absl::ErrnoToStatus(errno, "prober: timerfd_create");
  loop->wake_ = dataplane::UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!loop->wake_.valid()) return absl::ErrnoToStatus(errno, "prober: eventfd");
  if (!AddToEpoll(loop->epoll_.get(), loop->timer_.get()) ||
      !AddToEpoll(loop->epoll_.get(), loop->wake_.get())) {
    return absl::ErrnoToStatus(errno, "prober: epoll_ctl");
  }
  loop->events_.resize(max_watched + 2);
  return loop;
}

bool Loop::Watch(int fd, uint32_t events, Handler* handler) {
  Watched& watched = watched_[fd];
  epoll_event event{.events = events, .data = {.u64 = DataOf(fd, watched.serial)}};
  if (watched.serial != 0 && watched.handler == handler &&
      epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0) {
    return true;
  }
  // New, or the number of a descriptor that was closed without Unwatch().
  if (++last_serial_ == 0) ++last_serial_;  // 0 is the timer's and the wake-up's
  watched = {.handler = handler, .serial = last_serial_};
  event.data.u64 = DataOf(fd, watched.serial);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return true;
  watched_.erase(fd);
  return false;
}

void Loop::Unwatch(int fd) {
  if (watched_.erase(fd) == 0) return;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr) != 0) {
    spdlog::error("prober: epoll_ctl: {}", std::strerror(errno));
  }
}

void Loop::SetTimer(std::optional<Nanos> until) {
  if (until == timer_set_) return;
  timer_set_ = until;
  itimerspec spec{};  // zero: off
  if (until) {
    const int64_t nanos = std::max<int64_t>(until->count(), 1);
    spec.it_value = {.tv_sec = nanos / kNanosPerSecond, .tv_nsec = nanos % kNanosPerSecond};
  }
  if (timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) != 0) {
    spdlog::error("prober: timerfd_settime: {}", std::strerror(errno));
  }
}

void Loop::Wait(std::optional<Nanos> until) {
  SetTimer(until);
  const int count =
      epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), /*timeout=*/-1);
  if (count < 0 && errno != EINTR) spdlog::error("prober: epoll_wait: {}", std::strerror(errno));
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<size_t>(i)];
    const int fd = static_cast<int>(static_cast<uint32_t>(event.data.u64));
    const auto serial = static_cast<uint32_t>(event.data.u64 >> 32);
    if (serial == 0) {
      Drain(fd);
      if (fd == timer_.get()) timer_set_.reset();
      continue;
    }
    const auto it = watched_.find(fd);
    if (it == watched_.end() || it->second.serial != serial) continue;
    it->second.handler->OnEvents(fd, event.events);
  }
}

void Loop::Wake() {
  const uint64_t one = 1;
  if (write(wake_.get(), &one, sizeof(one)) < 0 && errno != EAGAIN) {
    spdlog::error("prober: eventfd: {}", std::strerror(errno));
  }
}

}  // namespace evenkeel::probe
