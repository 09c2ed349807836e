// SPDX-License-Identifier: Apache-2.0
//
// What is to be told to a webhook, and when. Pure: times are the caller's, steady, in nanoseconds.
#ifndef EVENKEEL_CONTROL_DAEMON_WEBHOOK_QUEUE_H_
#define EVENKEEL_CONTROL_DAEMON_WEBHOOK_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/detect/alarm.h"

namespace evenkeel::daemon {

// In order: a message waits for the one before it, so that what is over is not told before what was
// wrong. One that cannot be delivered is tried again after 1 s, doubling to a minute, for an hour.
class DeliveryQueue {
 public:
  static constexpr size_t kMost = 1000;
  static constexpr int64_t kFirstWaitNs = 1'000'000'000;
  static constexpr int64_t kLongestWaitNs = 60'000'000'000;
  static constexpr int64_t kGiveUpNs = 3'600'000'000'000;

  // Where there are too many, the oldest gives way.
  void Push(std::string body, int64_t now_ns);
  // What to send now; null: nothing.
  const std::string* Next(int64_t now_ns);
  // Of what Next() gave.
  void Delivered();
  void Failed(int64_t now_ns);

  // When Next() may have something, if nothing is pushed before.
  std::optional<int64_t> next_ns() const;
  size_t waiting() const { return queue_.size(); }
  uint64_t lost() const { return lost_; }

 private:
  struct Message {
    std::string body;
    int64_t pushed_ns = 0;
  };
  std::deque<Message> queue_;
  int64_t at_ns_ = 0;  // not before
  int64_t wait_ns_ = kFirstWaitNs;
  uint64_t lost_ = 0;
};

// Pages that nobody acknowledges are told again, once in every `after`.
class Escalations {
 public:
  explicit Escalations(int64_t after_ns) : after_ns_(after_ns) {}  // 0: never

  // `alarms`: all that are open. `unix_ns`: now.
  std::vector<detect::Alarm> Due(const std::vector<detect::Alarm>& alarms, int64_t unix_ns);

 private:
  const int64_t after_ns_;
  std::map<std::string, int64_t> told_;  // alarm -> unix time of the last
};

// Of the header Evenkeel-Signature: "t=<unix seconds>,v1=<hex>", HMAC-SHA256 (RFC 2104) by the
// secret over "<unix seconds>.<body>": who knows the secret can tell forged and replayed messages.
std::string SignMessage(const std::string& secret, int64_t unix_s, const std::string& body);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_WEBHOOK_QUEUE_H_
