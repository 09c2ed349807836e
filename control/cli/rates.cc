// SPDX-License-Identifier: Apache-2.0
#include "control/cli/rates.h"

namespace evenkeel::cli {

Rates::Rates(const StatusSample& now, const std::optional<StatusSample>& before) {
  if (!before || now.unix_ns <= before->unix_ns) return;
  seconds_ = static_cast<double>(now.unix_ns - before->unix_ns) / 1e9;
  for (const engine::VipStatus& vip : before->status.vips) vips_[vip.vip.name] = vip.counter;
  for (const engine::PoolStatus& pool : before->status.pools) {
    for (const engine::BackendStatus& backend : pool.backends) {
      backends_[{pool.name, backend.name}] = backend.counter;
    }
  }
}

Rate Rates::Of(const engine::VipStatus& vip) const {
  const auto found = vips_.find(vip.vip.name);
  return Between(found == vips_.end() ? dataplane::Counter{} : found->second, vip.counter);
}

Rate Rates::Of(const std::string& pool, const engine::BackendStatus& backend) const {
  const auto found = backends_.find({pool, backend.name});
  return Between(found == backends_.end() ? dataplane::Counter{} : found->second, backend.counter);
}

double Rates::Per(uint64_t before, uint64_t now) const {
  return static_cast<double>(now >= before ? now - before : now) / seconds_;
}

Rate Rates::Between(const dataplane::Counter& before, const dataplane::Counter& now) const {
  if (!known()) return {};
  return {.packets = Per(before.packets, now.packets),
          .bytes = Per(before.bytes, now.bytes),
          .flows = Per(before.new_flows, now.new_flows),
          .drops = Per(before.drops, now.drops)};
}

}  // namespace evenkeel::cli
