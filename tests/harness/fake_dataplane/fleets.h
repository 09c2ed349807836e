// SPDX-License-Identifier: Apache-2.0
//
// States for tests, approved by the guard as any other.
#ifndef EVENKEEL_TESTS_HARNESS_FAKE_DATAPLANE_FLEETS_H_
#define EVENKEEL_TESTS_HARNESS_FAKE_DATAPLANE_FLEETS_H_

#include <string>
#include <vector>

#include "control/guard/guard.h"
#include "control/maglev/maglev.h"

namespace evenkeel::testing {

inline constexpr maglev::HashKey kTestKey = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

model::IpAddress Ip(const std::string& text);  // aborts on text that is no address

// Backends 10.<pool>.<n / 200>.<n % 200 + 1>, n in `numbers`.
model::Pool MakePool(const std::string& name, uint8_t number, const std::vector<int>& numbers,
                     uint32_t table_size = 1009);
model::Vip MakeVip(const std::string& name, const std::string& address, uint16_t port,
                   const std::string& pool, model::Protocol protocol = model::Protocol::kTcp);

// deny and allow as prefixes' text.
model::SourceRules MakeRules(const std::string& name, const std::vector<std::string>& deny,
                             const std::vector<std::string>& allow = {});

// n pools p0, p1, ... of `backends` each, with one VIP each: 192.0.2.<i>:443/tcp and on.
model::Config MakeConfig(int pools, int backends, uint32_t table_size = 1009);

struct Judged {
  std::shared_ptr<const guard::BuiltFleet> fleet;
  std::optional<guard::Approval> approval;
  std::string refusal;  // the violations, if refused
};

// Builds `config` and has it judged against `base` (null: bootstrap).
Judged Judge(const model::Config& config, std::shared_ptr<const guard::BuiltFleet> base,
             const maglev::HashKey& key = kTestKey);

// A first state of three pools, and an update of two of them, the VIPs and one of two sets of
// source rules; both pass.
struct Update {
  Judged before, after;
};
Update JudgeUpdate();

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_FAKE_DATAPLANE_FLEETS_H_
