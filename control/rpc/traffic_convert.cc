// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/traffic_convert.h"

#include "control/rpc/time_convert.h"

namespace evenkeel::rpc {
namespace {

// No time that a daemon gives is longer.
constexpr std::chrono::hours kLongest{24};

void Encode(const traffic::Count& count, v1::TrafficCount* out) {
  out->set_packets(count.packets);
  out->set_flows(count.flows);
}

traffic::Count Decode(const v1::TrafficCount& count) {
  return {.packets = count.packets(), .flows = count.flows()};
}

void Encode(const traffic::PoolTraffic& pool, v1::PoolTraffic* out) {
  out->set_pool(pool.pool);
  if (pool.packets_per_s) out->set_packets_per_s(*pool.packets_per_s);
  if (pool.moved_packets_per_s) out->set_moved_packets_per_s(*pool.moved_packets_per_s);
  Encode(pool.sampled, out->mutable_sampled());
  Encode(pool.moved, out->mutable_moved());
  Encode(pool.staying, out->mutable_staying());
  Encode(pool.cut, out->mutable_cut());
}

traffic::PoolTraffic Decode(const v1::PoolTraffic& pool) {
  traffic::PoolTraffic result;
  result.pool = pool.pool();
  if (pool.has_packets_per_s()) result.packets_per_s = pool.packets_per_s();
  if (pool.has_moved_packets_per_s()) result.moved_packets_per_s = pool.moved_packets_per_s();
  result.sampled = Decode(pool.sampled());
  result.moved = Decode(pool.moved());
  result.staying = Decode(pool.staying());
  result.cut = Decode(pool.cut());
  return result;
}

}  // namespace

v1::LiveTraffic ToProto(const traffic::LiveTraffic& live) {
  v1::LiveTraffic out;
  for (const traffic::PoolTraffic& pool : live.pools) Encode(pool, out.add_pools());
  out.set_not_sampled(live.not_sampled);
  if (live.interval.count() > 0) SetDuration(live.interval, out.mutable_interval());
  if (!live.sample) return out;
  v1::TrafficSample* sample = out.mutable_sample();
  sample->set_one_in(live.sample->one_in);
  sample->set_packets(live.sample->packets);
  sample->set_missed(live.sample->missed);
  SetDuration(live.sample->lasted, sample->mutable_lasted());
  return out;
}

traffic::LiveTraffic FromProto(const v1::LiveTraffic& live) {
  traffic::LiveTraffic result;
  for (const v1::PoolTraffic& pool : live.pools()) result.pools.push_back(Decode(pool));
  result.not_sampled = live.not_sampled();
  result.interval = ReadDuration(live.interval(), kLongest);
  if (!live.has_sample()) return result;
  result.sample = {.one_in = live.sample().one_in(),
                   .packets = live.sample().packets(),
                   .missed = live.sample().missed(),
                   .lasted = ReadDuration(live.sample().lasted(), kLongest)};
  return result;
}

}  // namespace evenkeel::rpc
