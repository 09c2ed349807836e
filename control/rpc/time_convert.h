// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_TIME_CONVERT_H_
#define EVENKEEL_CONTROL_RPC_TIME_CONVERT_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace evenkeel::rpc {

// Nanoseconds since 1970; an absent time is 0.
inline void SetTime(int64_t unix_ns, google::protobuf::Timestamp* time) {
  constexpr int64_t kNanosPerSecond = 1'000'000'000;
  time->set_seconds(unix_ns / kNanosPerSecond);
  time->set_nanos(static_cast<int32_t>(unix_ns % kNanosPerSecond));
}

inline int64_t ReadTime(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1'000'000'000 + time.nanos();
}

inline void SetDuration(std::chrono::milliseconds time, google::protobuf::Duration* duration) {
  duration->set_seconds(time.count() / 1000);
  duration->set_nanos(static_cast<int32_t>(time.count() % 1000 * 1'000'000));
}

// Whole milliseconds, at most `most`.
inline std::chrono::milliseconds ReadDuration(const google::protobuf::Duration& duration,
                                              std::chrono::milliseconds most) {
  if (duration.seconds() > most.count() / 1000) return most;
  const std::chrono::milliseconds time(duration.seconds() * 1000 + duration.nanos() / 1'000'000);
  return std::min(time, most);
}

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_TIME_CONVERT_H_
