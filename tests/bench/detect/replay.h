// SPDX-License-Identifier: Apache-2.0
//
// Recorded arrivals of packets (tests/bench/detect/record-flows), put through tables as the guard
// approves them, by the data plane's hash, and shown to the detector.
#ifndef EVENKEEL_TESTS_BENCH_DETECT_REPLAY_H_
#define EVENKEEL_TESTS_BENCH_DETECT_REPLAY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace evenkeel::detect::simulation {

struct ReplayOptions {
  std::string file;
  size_t pools = 100;  // each hashes the same packets by a key of its own
  int servers = 10;
  double speed = 1;        // packets come so many times as fast
  bool by_source = false;  // affinity to sources
  double times = 1;        // from half of the recording on one server's share, of new flows
  uint64_t seed = 1;
};

struct ReplayResult {
  size_t packets = 0, flows = 0;
  double seconds = 0;         // of the recording, as it was replayed
  double most = 0;            // of a server's share in a pool, over the whole
  size_t pages = 0;           // before the skew
  std::vector<double> found;  // seconds from the skew to its page, of each pool that has one
  std::map<std::string, size_t> tickets;
};

// Throws std::runtime_error where the file cannot be read.
ReplayResult Replay(const ReplayOptions& options);

}  // namespace evenkeel::detect::simulation

#endif  // EVENKEEL_TESTS_BENCH_DETECT_REPLAY_H_
