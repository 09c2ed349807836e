// SPDX-License-Identifier: Apache-2.0
//
// What becomes of a packet, as the BPF programs have it.
#include <linux/bpf.h>
#include <netinet/in.h>

#include <algorithm>

#include "bpf/lib/quic.h"
#include "control/publish/probe.h"
#include "tests/harness/fake_dataplane/fake_dataplane.h"

namespace evenkeel::testing {
namespace {

using dataplane::GenerationImage;
using dataplane::TableImage;

uint16_t Read16(std::span<const uint8_t> bytes, size_t at) {
  return static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

template <size_t N>
std::array<uint8_t, N> ReadBytes(std::span<const uint8_t> bytes, size_t at) {
  std::array<uint8_t, N> out;
  std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(at), N, out.begin());
  return out;
}

// Frames as publish::BuildFrame makes them.
publish::Flow ParseFrame(std::span<const uint8_t> frame) {
  publish::Flow flow;
  size_t transport = 0;
  if (Read16(frame, 12) == 0x0800) {
    flow.ip_protocol = frame[23];
    flow.source = model::IpAddress::FromIpv4(ReadBytes<4>(frame, 26));
    flow.destination = model::IpAddress::FromIpv4(ReadBytes<4>(frame, 30));
    transport = 34;
  } else {
    flow.ip_protocol = frame[20];
    flow.source = model::IpAddress::FromIpv6(ReadBytes<16>(frame, 22));
    flow.destination = model::IpAddress::FromIpv6(ReadBytes<16>(frame, 38));
    transport = 54;
  }
  flow.source_port = Read16(frame, transport);
  flow.destination_port = Read16(frame, transport + 2);
  flow.opening = flow.ip_protocol == IPPROTO_TCP && (frame[transport + 13] & 0x12) == 0x02;
  if (flow.ip_protocol == IPPROTO_UDP) {
    flow.payload.assign(frame.begin() + static_cast<ptrdiff_t>(transport + 8), frame.end());
  }
  return flow;
}

const dataplane::VipImage* FindVipOf(const GenerationImage& image, const publish::Flow& flow) {
  for (const uint16_t port : {flow.destination_port, uint16_t{0}}) {
    const dataplane::VipKey key{
        .address = flow.destination, .port = port, .ip_protocol = flow.ip_protocol};
    for (const auto& vip : image.vips) {
      if (vip.key == key) return &vip;
    }
  }
  return nullptr;
}

// The backend that the packet's QUIC connection id names; 0: none.
uint16_t NamedServer(const publish::Flow& flow, const dataplane::VipImage& vip,
                     const dataplane::ServerIds& ids) {
  if (!(vip.flags & EK_VIP_QUIC) || ids.length == 0) return 0;
  const uint8_t* const end = flow.payload.data() + flow.payload.size();
  const ek_quic quic = ek_classify_quic(flow.payload.data(), end);
  __u64 server = 0;
  if (!ek_quic_server(&quic, end, ids.config_id, ids.length, &server)) return 0;
  const auto it = std::find_if(ids.entries.begin(), ids.entries.end(),
                               [&](const auto& entry) { return entry.id == server; });
  return it == ids.entries.end() ? 0 : it->backend;
}

bool Opens(const publish::Flow& flow, const dataplane::VipImage& vip) {
  if (!(vip.flags & EK_VIP_QUIC)) return flow.opening;
  const uint8_t* const end = flow.payload.data() + flow.payload.size();
  return ek_classify_quic(flow.payload.data(), end).kind == EK_QUIC_OPENING;
}

}  // namespace

bool FakeDataPlane::Denies(uint32_t set, const model::IpAddress& source) const {
  if (set == 0) return false;
  const guard::SourceRule* best = nullptr;
  for (const guard::SourceRule& rule : rules_.at(set)) {
    if (rule.prefix.address.family() != source.family()) continue;
    if (model::Prefix::Of(source, rule.prefix.length) != rule.prefix) continue;
    if (best == nullptr || rule.prefix.length > best->prefix.length) best = &rule;
  }
  return best == nullptr || best->deny;
}

bool FakeDataPlane::Denies(const dataplane::VipImage& vip, const model::IpAddress& source) const {
  if (!(vip.flags & EK_VIP_SOURCE_CHECKS)) return false;
  return Denies(vip.global_rules, source) || Denies(vip.rules, source);
}

absl::StatusOr<dataplane::ProbeResult> FakeDataPlane::Probe(uint32_t generation,
                                                            std::span<const uint8_t> packet) {
  std::lock_guard lock(mu_);
  const auto it = generations_.find(generation);
  if (it == generations_.end()) return absl::FailedPreconditionError("generation is unused");
  const publish::Flow flow = ParseFrame(packet);
  if (break_probes_) return dataplane::ProbeResult{.verdict = XDP_DROP, .packet = {}};
  const dataplane::VipImage* vip = FindVipOf(it->second, flow);
  if (vip == nullptr) {
    return dataplane::ProbeResult{.verdict = XDP_PASS, .packet = {packet.begin(), packet.end()}};
  }
  const uint64_t hash = publish::HashFlow(key_, flow, vip->flags);
  const TableImage& table = tables_.at(vip->table);
  const uint32_t slot = table.slots[publish::SlotOf(hash, vip->table_size)];
  uint16_t id = Peek(hash, Opens(flow, *vip), slot, table, vip->flags);
  if (const uint16_t named = NamedServer(flow, *vip, table.server_ids); named != 0) id = named;
  const dataplane::BackendImage* backend = id == 0 ? nullptr : &table.backends[id - 1];
  if (Denies(*vip, flow.source)) backend = nullptr;
  const publish::Expectation out =
      publish::Predict(flow, hash, vip->flags, backend, encapsulation_);
  return dataplane::ProbeResult{.verdict = out.forwarded ? XDP_REDIRECT : XDP_DROP,
                                .packet = out.packet};
}

bool FakeDataPlane::Holds(const dataplane::Pin& pin, const TableImage& table) const {
  if (pin.backend == 0 || pin.backend > table.backends.size()) return false;
  const dataplane::BackendImage& backend = table.backends[pin.backend - 1u];
  return backend.method != EK_METHOD_NONE && backend.counter == pin.counter;
}

uint16_t FakeDataPlane::Peek(uint64_t flow, bool opening, uint32_t slot, const TableImage& table,
                             uint32_t vip_flags) const {
  const uint16_t owner = EK_SLOT_OWNER(slot);
  const uint16_t previous = EK_SLOT_PREVIOUS(slot);
  if (previous == 0 || vip_flags & EK_VIP_STATELESS) return owner;
  const auto pinned = pins_.find(flow);
  const auto opened = opening_.find(flow);
  const dataplane::Pin* pin = pinned != pins_.end()      ? &pinned->second
                              : opened != opening_.end() ? &opened->second
                                                         : nullptr;
  const bool holds = pin != nullptr && Holds(*pin, table);
  if (opening) {
    const bool repeats = holds && !pin->closing && now_ - pin->seen < EK_REOPEN_AFTER;
    return repeats ? pin->backend : owner;
  }
  if (holds) return pin->backend;
  return pin != nullptr && !(vip_flags & EK_VIP_PIN_ALL) ? owner : previous;
}

uint16_t FakeDataPlane::Select(uint64_t flow, bool opening, bool closing, uint32_t& slot,
                               const TableImage& table, uint32_t vip_flags) {
  const uint16_t owner = EK_SLOT_OWNER(slot);
  const uint16_t previous = EK_SLOT_PREVIOUS(slot);
  if (previous == 0) return owner;
  const auto pinned = pins_.find(flow);
  const auto opened = opening_.find(flow);
  if (opening) {
    dataplane::Pin* pin = pinned != pins_.end()      ? &pinned->second
                          : opened != opening_.end() ? &opened->second
                                                     : nullptr;
    if (pin != nullptr && !pin->closing && now_ - pin->seen < EK_REOPEN_AFTER &&
        Holds(*pin, table)) {
      pin->seen = now_;
      return pin->backend;
    }
    if (owner == 0) return 0;
    if (pinned != pins_.end()) pins_.erase(pinned);
    opening_[flow] = {.flow = flow,
                      .counter = table.backends[owner - 1u].counter,
                      .seen = now_,
                      .backend = owner,
                      .opening = true};
    return owner;
  }
  if (pinned == pins_.end() && opened == opening_.end()) {
    if (previous != owner && !(vip_flags & EK_VIP_PIN_ALL)) slot |= EK_SLOT_USED;
    if (previous != owner && vip_flags & EK_VIP_PIN_ALL) {
      opening_[flow] = {.flow = flow,
                        .counter = table.backends[previous - 1u].counter,
                        .seen = now_,
                        .backend = previous,
                        .opening = true,
                        .met = true};
    }
    return previous;
  }
  dataplane::Pin pin = pinned != pins_.end() ? pinned->second : opened->second;
  if (!Holds(pin, table)) {
    if (!(vip_flags & EK_VIP_PIN_ALL)) return owner;
    pins_.erase(flow);
    opening_.erase(flow);
    return Select(flow, opening, closing, slot, table, vip_flags);
  }
  pin.opening = false;
  pin.seen = now_;
  pin.closing |= closing;
  pins_[flow] = pin;
  opening_.erase(flow);
  return pin.backend;
}

std::optional<model::IpAddress> FakeDataPlane::Deliver(const publish::Flow& flow, bool closing) {
  std::lock_guard lock(mu_);
  if (active_word_ == EK_ACTIVE_NONE) return std::nullopt;
  const auto& generation = generations_.at(active_word_ & EK_ACTIVE_GENERATION_MASK);
  const dataplane::VipImage* vip = FindVipOf(generation, flow);
  if (vip == nullptr || Denies(*vip, flow.source)) return std::nullopt;
  const uint64_t hash = publish::HashFlow(key_, flow, vip->flags);
  TableImage& table = tables_.at(vip->table);
  uint32_t& slot = table.slots[publish::SlotOf(hash, vip->table_size)];
  const uint16_t id = vip->flags & EK_VIP_STATELESS
                          ? EK_SLOT_OWNER(slot)
                          : Select(hash, flow.opening, closing, slot, table, vip->flags);
  if (id == 0) return std::nullopt;
  return table.backends[id - 1u].address;
}

}  // namespace evenkeel::testing
