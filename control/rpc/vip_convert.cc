// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/vip_convert.h"

#include "control/rpc/time_convert.h"

namespace evenkeel::rpc {
namespace {

void Encode(const engine::Advertisement& advertised, v1::Advertisement* out) {
  out->set_routed(advertised.routed);
  out->set_why(advertised.why);
  out->set_withdrawn(advertised.withdrawn);
  out->set_withdrawn_by(advertised.withdrawn_by);
  out->set_reason(advertised.reason);
  if (advertised.since_unix_ns != 0) SetTime(advertised.since_unix_ns, out->mutable_since());
}

engine::Advertisement Decode(const v1::Advertisement& advertised) {
  return {.routed = advertised.routed(),
          .why = advertised.why(),
          .withdrawn = advertised.withdrawn(),
          .withdrawn_by = advertised.withdrawn_by(),
          .reason = advertised.reason(),
          .since_unix_ns = advertised.has_since() ? ReadTime(advertised.since()) : 0};
}

}  // namespace

void Encode(const dataplane::Counter& counter, v1::Counter* out) {
  out->set_packets(counter.packets);
  out->set_bytes(counter.bytes);
  out->set_new_flows(counter.new_flows);
  out->set_drops(counter.drops);
}

dataplane::Counter Decode(const v1::Counter& counter) {
  return {.packets = counter.packets(),
          .bytes = counter.bytes(),
          .new_flows = counter.new_flows(),
          .drops = counter.drops()};
}

void Encode(const engine::VipStatus& vip, v1::VipStatus* out) {
  out->set_name(vip.vip.name);
  out->set_address(vip.vip.address.ToString());
  out->set_port(vip.vip.port);
  out->set_protocol(ToProto(vip.vip.protocol));
  out->set_pool(vip.vip.pool);
  out->set_source_rules(vip.vip.source_rules);
  *out->mutable_limits() = ToProto(vip.vip.limits);
  Encode(vip.counter, out->mutable_counter());
  if (vip.advertised) Encode(*vip.advertised, out->mutable_advertised());
}

engine::VipStatus Decode(const v1::VipStatus& vip, Problems* problems) {
  v1::Vip message;
  message.set_name(vip.name());
  message.set_address(vip.address());
  message.set_port(vip.port());
  message.set_protocol(vip.protocol());
  message.set_pool(vip.pool());
  message.set_source_rules(vip.source_rules());
  *message.mutable_limits() = vip.limits();
  engine::VipStatus result{.vip = VipFromProto(message, "vip", problems),
                           .counter = Decode(vip.counter())};
  if (vip.has_advertised()) result.advertised = Decode(vip.advertised());
  return result;
}

}  // namespace evenkeel::rpc
