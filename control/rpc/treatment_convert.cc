// SPDX-License-Identifier: Apache-2.0
//
// How a pool's packets are treated.
#include "absl/strings/str_cat.h"
#include "control/rpc/convert_parts.h"
#include "control/rpc/enum_convert.h"

namespace evenkeel::rpc {
namespace {

uint8_t ByteFromProto(uint32_t value, uint32_t largest, const std::string& path,
                      Problems* problems) {
  if (value <= largest) return static_cast<uint8_t>(value);
  AddProblem(problems, path, absl::StrCat("is ", value, "; write at most ", largest));
  return 0;
}

}  // namespace

void TreatmentToProto(const model::Pool& pool, v1::Pool* out) {
  const model::Pool plain;
  if (pool.affinity != plain.affinity) out->set_affinity(ToProto(pool.affinity));
  if (pool.affinity_prefix4 != plain.affinity_prefix4) {
    out->set_affinity_prefix4(pool.affinity_prefix4);
  }
  if (pool.affinity_prefix6 != plain.affinity_prefix6) {
    out->set_affinity_prefix6(pool.affinity_prefix6);
  }
  if (pool.dscp.copy) out->mutable_dscp()->set_copy(true);
  if (pool.dscp.value != 0) out->mutable_dscp()->set_value(pool.dscp.value);
  if (pool.out_of_order_fragments == model::OutOfOrder::kForward) {
    out->set_out_of_order_fragments(v1::OUT_OF_ORDER_FORWARD);
  }
  if (pool.quic) {
    out->mutable_quic()->set_config_id(pool.quic->config_id);
    out->mutable_quic()->set_server_id_length(pool.quic->server_id_length);
  }
}

void TreatmentFromProto(const v1::Pool& pool, const std::string& path, model::Pool* out,
                        Problems* problems) {
  constexpr uint32_t kByte = 255;  // what does not fit; the validator knows the ranges
  const auto field = [&](const char* name) { return absl::StrCat(path, ".", name); };
  out->affinity = FromProto(pool.affinity(), field("affinity"), problems);
  if (pool.affinity_prefix4() != 0) {
    out->affinity_prefix4 =
        ByteFromProto(pool.affinity_prefix4(), kByte, field("affinity_prefix4"), problems);
  }
  if (pool.affinity_prefix6() != 0) {
    out->affinity_prefix6 =
        ByteFromProto(pool.affinity_prefix6(), kByte, field("affinity_prefix6"), problems);
  }
  out->dscp.copy = pool.dscp().copy();
  out->dscp.value = ByteFromProto(pool.dscp().value(), kByte, field("dscp.value"), problems);
  out->out_of_order_fragments =
      FromProto(pool.out_of_order_fragments(), field("out_of_order_fragments"), problems);
  if (!pool.has_quic()) return;
  out->quic.emplace();
  out->quic->config_id =
      ByteFromProto(pool.quic().config_id(), kByte, field("quic.config_id"), problems);
  out->quic->server_id_length = ByteFromProto(pool.quic().server_id_length(), kByte,
                                              field("quic.server_id_length"), problems);
}

}  // namespace evenkeel::rpc
