// SPDX-License-Identifier: Apache-2.0
//
// What happened to the requests, as numbers; written as one line of JSON.
#ifndef EVENKEEL_TESTS_HARNESS_LOAD_TALLY_H_
#define EVENKEEL_TESTS_HARNESS_LOAD_TALLY_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "http_client.h"

namespace evenkeel::load {

struct Tally {
  uint64_t requests = 0;  // finished, with or without success
  uint64_t failed = 0;
  uint64_t repeated = 0;  // lost before an answer, and sent again on a new connection
  std::chrono::microseconds slowest{0};
  std::map<std::string, uint64_t> backends;
  std::map<std::string, uint64_t> errors;  // also those of repeated requests

  void Add(const Tally& other);
  std::string ToJson(std::string_view kind, std::chrono::duration<double> at) const;
};

// Thread-safe.
class Recorder {
 public:
  void Record(const Answer& answer, bool will_repeat, std::chrono::microseconds took);
  Tally TakeInterval();  // since the last call
  Tally Total() const;

 private:
  mutable std::mutex mutex_;
  Tally total_;
  Tally interval_;
};

}  // namespace evenkeel::load

#endif  // EVENKEEL_TESTS_HARNESS_LOAD_TALLY_H_
