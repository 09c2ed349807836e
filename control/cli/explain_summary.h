// SPDX-License-Identifier: Apache-2.0
//
// What became of the packets of a file: shares as observed in it, against those of the tables.
#ifndef EVENKEEL_CONTROL_CLI_EXPLAIN_SUMMARY_H_
#define EVENKEEL_CONTROL_CLI_EXPLAIN_SUMMARY_H_

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "control/cli/printer.h"
#include "control/engine/explain.h"

namespace evenkeel::cli {

class ExplainSummary {
 public:
  // `count` packets that are all alike.
  void Add(const publish::Explanation& packet, uint64_t count);
  void AddNotUnderstood() { ++not_understood_; }

  bool agrees() const { return differing_ == 0; }
  void Print(Printer& out) const;
  void AddTo(nlohmann::ordered_json* document) const;

 private:
  struct Tally {
    uint64_t packets = 0;
    absl::flat_hash_set<uint64_t> flows{};
  };
  struct Server {
    Tally tally{};
    double share = 0;  // of the pool's slots
  };
  struct Vip {
    std::string endpoint{}, pool{};
    Tally forwarded{};
    std::map<std::string, Server> servers{};  // by name, or address
  };

  uint64_t total_ = 0, not_understood_ = 0, differing_ = 0;
  std::string first_difference_;
  absl::flat_hash_set<uint64_t> flows_;
  std::map<ek_verdict, uint64_t> verdicts_;
  std::map<std::string, Vip> vips_;  // by name, or endpoint
};

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_EXPLAIN_SUMMARY_H_
