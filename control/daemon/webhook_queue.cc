// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/webhook_queue.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace evenkeel::daemon {

void DeliveryQueue::Push(std::string body, int64_t now_ns) {
  if (queue_.size() == kMost) {
    queue_.pop_front();
    ++lost_;
  }
  queue_.push_back({.body = std::move(body), .pushed_ns = now_ns});
}

const std::string* DeliveryQueue::Next(int64_t now_ns) {
  while (!queue_.empty() && now_ns - queue_.front().pushed_ns > kGiveUpNs) {
    queue_.pop_front();
    ++lost_;
  }
  return queue_.empty() || now_ns < at_ns_ ? nullptr : &queue_.front().body;
}

void DeliveryQueue::Delivered() {
  queue_.pop_front();
  at_ns_ = 0;
  wait_ns_ = kFirstWaitNs;
}

void DeliveryQueue::Failed(int64_t now_ns) {
  at_ns_ = now_ns + wait_ns_;
  wait_ns_ = std::min(2 * wait_ns_, kLongestWaitNs);
}

std::optional<int64_t> DeliveryQueue::next_ns() const {
  return queue_.empty() ? std::nullopt : std::optional(at_ns_);
}

std::vector<detect::Alarm> Escalations::Due(const std::vector<detect::Alarm>& alarms,
                                            int64_t unix_ns) {
  std::vector<detect::Alarm> due;
  std::map<std::string, int64_t> told;
  for (const detect::Alarm& alarm : alarms) {
    if (alarm.severity != detect::Severity::kPage || alarm.acknowledged || after_ns_ == 0) continue;
    const auto known = told_.find(alarm.id);
    // An alarm that was over in between begins anew.
    int64_t last = alarm.page_since_unix_ns;
    if (known != told_.end()) last = std::max(last, known->second);
    if (unix_ns - last >= after_ns_) {
      due.push_back(alarm);
      last = unix_ns;
    }
    told[alarm.id] = last;
  }
  told_ = std::move(told);
  return due;
}

std::string SignMessage(const std::string& secret, int64_t unix_s, const std::string& body) {
  const std::string signed_text = absl::StrCat(unix_s, ".", body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(),
       digest.data(), &size);
  return absl::StrCat(
      "t=", unix_s, ",v1=",
      absl::BytesToHexString(std::string(reinterpret_cast<const char*>(digest.data()), size)));
}

}  // namespace evenkeel::daemon
