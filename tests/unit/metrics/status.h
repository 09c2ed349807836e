// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_UNIT_METRICS_STATUS_H_
#define EVENKEEL_TESTS_UNIT_METRICS_STATUS_H_

#include "control/engine/engine.h"

namespace evenkeel::metrics {

inline model::IpAddress Address(const std::string& text) { return *model::IpAddress::Parse(text); }

// A pool "web" of two backends with a VIP, each with counters of its own.
inline engine::Status WebStatus() {
  engine::Status status;
  status.version = "1.2.3";
  status.instance = "edge";
  status.started_unix_ns = 1'500'000'000;
  status.applied.revision = 41;
  status.applied.applied_unix_ns = 2'000'000'000;
  status.last_good = 40;
  status.generation = 7;
  status.digest_matches = true;
  status.pinned_flows = 5;
  engine::InterfaceStatus& interface = status.interfaces.emplace_back();
  interface.name = "eth0";
  interface.mode = "native";
  engine::VipStatus vip;
  vip.vip.name = "web";
  vip.vip.address = Address("192.0.2.10");
  vip.vip.port = 443;
  vip.vip.pool = "web";
  vip.counter = {.packets = 300, .bytes = 4000, .new_flows = 50, .drops = 6};
  status.vips.push_back(vip);
  engine::PoolStatus pool;
  pool.name = "web";
  pool.table_size = 65537;
  pool.moving_slots = 11;
  for (int i = 1; i <= 2; ++i) {
    engine::BackendStatus backend;
    backend.name = "web-" + std::to_string(i);
    backend.address = Address("10.0.0." + std::to_string(i));
    backend.share = 0.5;
    const auto n = static_cast<uint64_t>(i);
    backend.counter = {.packets = 100 * n, .bytes = 1000 * n, .new_flows = 10 * n, .drops = 0};
    pool.backends.push_back(backend);
  }
  status.pools.push_back(pool);
  status.verdicts = {
      {"forward", 0}, {"pass_no_vip", 3}, {"reply_echo", 2}, {"drop_ttl", 4}, {"drop_internal", 0}};
  return status;
}

}  // namespace evenkeel::metrics

#endif  // EVENKEEL_TESTS_UNIT_METRICS_STATUS_H_
