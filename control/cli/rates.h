// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_RATES_H_
#define EVENKEEL_CONTROL_CLI_RATES_H_

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "control/cli/status_report.h"

namespace evenkeel::cli {

// Per second.
struct Rate {
  double packets = 0, bytes = 0, flows = 0, drops = 0;
};

// What counters grew between two samples, by VIP and by pool and backend. One that began anew
// (another backend took the name), or was not there before, counts from 0.
class Rates {
 public:
  Rates(const StatusSample& now, const std::optional<StatusSample>& before);

  bool known() const { return seconds_ > 0; }  // otherwise every rate is 0
  Rate Of(const engine::VipStatus& vip) const;
  Rate Of(const std::string& pool, const engine::BackendStatus& backend) const;

 private:
  double Per(uint64_t before, uint64_t now) const;
  Rate Between(const dataplane::Counter& before, const dataplane::Counter& now) const;

  double seconds_ = 0;
  std::map<std::string, dataplane::Counter> vips_;
  std::map<std::pair<std::string, std::string>, dataplane::Counter> backends_;
};

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_RATES_H_
