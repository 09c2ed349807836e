// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/image_codec.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "bpf/lib/outer.h"

namespace evenkeel::dataplane {
namespace {

__be32 Word4(const model::IpAddress& address) {
  __be32 word;
  std::memcpy(&word, address.bytes().data(), sizeof(word));
  return word;
}

model::IpAddress FromWord4(__be32 word) {
  std::array<uint8_t, 4> bytes;
  std::memcpy(bytes.data(), &word, bytes.size());
  return model::IpAddress::FromIpv4(bytes);
}

model::IpAddress FromWords6(const __be32* words) {
  std::array<uint8_t, 16> bytes;
  std::memcpy(bytes.data(), words, bytes.size());
  return model::IpAddress::FromIpv6(bytes);
}

ek_outer4 EncodeOuter4(const BackendImage& image, const Encapsulation& encapsulation) {
  ek_outer4 outer{};
  outer.dst = Word4(image.address);
  if (image.method == EK_METHOD_L2) outer.reserved[0] = 4;
  if (image.method != EK_METHOD_IPIP4) return outer;
  const uint8_t prefix = encapsulation.source4_prefix;
  const uint32_t host_bits = prefix >= 32 ? 0 : 0xffffffffu >> prefix;
  outer.src_mask = htonl(host_bits);
  outer.src_base = Word4(encapsulation.source4) & ~outer.src_mask;
  outer.csum = ek_outer4_csum(outer.dst);
  return outer;
}

ek_outer6 EncodeOuter6(const BackendImage& image, const Encapsulation& encapsulation) {
  ek_outer6 outer{};
  std::memcpy(outer.dst, image.address.bytes().data(), sizeof(outer.dst));
  if (image.method == EK_METHOD_L2) outer.src_prefix[0] = 6;
  if (image.method != EK_METHOD_IPIP6) return outer;
  std::memcpy(outer.src_prefix, encapsulation.source6.bytes().data(), sizeof(outer.src_prefix));
  return outer;
}

ek_limit EncodeLimit(const guard::Limit& limit) {
  return {.interval_ns = limit.interval_ns, .burst = limit.burst};
}

guard::Limit DecodeLimit(const ek_limit& limit) {
  return {.interval_ns = limit.interval_ns, .burst = limit.burst};
}

bool HoldsIpv4(const ek_backend& entry) {
  if (entry.method != EK_METHOD_L2) return entry.method == EK_METHOD_IPIP4;
  return entry.outer.v4.reserved[0] == 4;
}

}  // namespace

uint32_t LinesNeeded(uint32_t slots, size_t backends) {
  return EK_BACKEND_LINE(slots, static_cast<uint32_t>(backends)) + 1;
}

ek_nexthop EncodeNextHop(const NextHop& hop) {
  ek_nexthop entry{};
  std::copy(hop.dmac.begin(), hop.dmac.end(), entry.dmac);
  std::copy(hop.smac.begin(), hop.smac.end(), entry.smac);
  entry.ifindex = hop.ifindex;
  return entry;
}

ek_backend EncodeBackend(const BackendImage& image, const Encapsulation& encapsulation) {
  ek_backend entry{};
  if (image.method == EK_METHOD_NONE) return entry;
  entry.method = image.method;
  entry.counter = image.counter;
  if (image.address.is_ipv4()) {
    entry.outer.v4 = EncodeOuter4(image, encapsulation);
  } else {
    entry.outer.v6 = EncodeOuter6(image, encapsulation);
  }
  if (image.next_hop) {
    entry.nexthop_sel = 1;
    entry.mtu = image.next_hop->mtu;
    entry.nexthop[0] = EncodeNextHop(*image.next_hop);
  }
  return entry;
}

BackendImage DecodeBackend(const ek_backend& entry) {
  BackendImage image;
  if (entry.method == EK_METHOD_NONE) return image;
  image.method = entry.method;
  image.counter = entry.counter;
  image.address = HoldsIpv4(entry) ? FromWord4(entry.outer.v4.dst) : FromWords6(entry.outer.v6.dst);
  if (entry.nexthop_sel == 1 || entry.nexthop_sel == 2) {
    const ek_nexthop& hop = entry.nexthop[entry.nexthop_sel - 1];
    NextHop next{.ifindex = hop.ifindex, .mtu = entry.mtu};
    std::copy(std::begin(hop.dmac), std::end(hop.dmac), next.dmac.begin());
    std::copy(std::begin(hop.smac), std::end(hop.smac), next.smac.begin());
    image.next_hop = next;
  }
  return image;
}

void EncodeTable(const TableImage& image, const Encapsulation& encapsulation,
                 std::span<ek_line> lines) {
  const uint32_t size = static_cast<uint32_t>(image.slots.size());
  std::memset(static_cast<void*>(lines.data()), 0, lines.size_bytes());
  // Slot lines are contiguous words.
  std::memcpy(static_cast<void*>(lines.data()), image.slots.data(), size * sizeof(uint32_t));
  for (size_t i = 0; i < image.backends.size(); ++i) {
    lines[EK_BACKEND_LINE(size, static_cast<uint32_t>(i + 1))].backend =
        EncodeBackend(image.backends[i], encapsulation);
  }
}

absl::StatusOr<TableImage> DecodeTable(std::span<const ek_line> lines, uint32_t table_size) {
  const size_t first = EK_BACKEND_LINE(table_size, 1);
  if (lines.size() < first) {
    return absl::OutOfRangeError(
        absl::StrCat("table has ", lines.size(), " lines, too few for ", table_size, " slots"));
  }
  TableImage image;
  image.slots.resize(table_size);
  std::memcpy(image.slots.data(), lines.data(), table_size * sizeof(uint32_t));
  size_t last = lines.size();
  while (last > first && lines[last - 1].backend.method == EK_METHOD_NONE) --last;
  image.backends.reserve(last - first);
  for (size_t i = first; i < last; ++i) image.backends.push_back(DecodeBackend(lines[i].backend));
  return image;
}

ek_vip_key4 EncodeKey4(const VipKey& key) {
  return {.addr = Word4(key.address), .port = htons(key.port), .proto = key.ip_protocol, .pad = 0};
}

ek_vip_key6 EncodeKey6(const VipKey& key) {
  ek_vip_key6 out{.addr = {}, .port = htons(key.port), .proto = key.ip_protocol, .pad = 0};
  std::memcpy(out.addr, key.address.bytes().data(), sizeof(out.addr));
  return out;
}

ek_prefix4 EncodePrefix4(const model::Prefix& prefix) {
  return {.len = prefix.length, .addr = Word4(prefix.address)};
}

ek_prefix6 EncodePrefix6(const model::Prefix& prefix) {
  ek_prefix6 key{.len = prefix.length, .addr = {}};
  std::memcpy(key.addr, prefix.address.bytes().data(), sizeof(key.addr));
  return key;
}

model::Prefix DecodePrefix(const ek_prefix4& key) {
  return {FromWord4(key.addr), static_cast<uint8_t>(key.len)};
}

model::Prefix DecodePrefix(const ek_prefix6& key) {
  return {FromWords6(key.addr), static_cast<uint8_t>(key.len)};
}

VipKey DecodeKey(const ek_vip_key4& key) {
  return {.address = FromWord4(key.addr), .port = ntohs(key.port), .ip_protocol = key.proto};
}

VipKey DecodeKey(const ek_vip_key6& key) {
  return {.address = FromWords6(key.addr), .port = ntohs(key.port), .ip_protocol = key.proto};
}

ek_vip EncodeVip(const VipImage& image) {
  return {.table = image.table,
          .table_size = image.table_size,
          .counter = image.counter,
          .flags = image.flags,
          .global_rules = image.global_rules,
          .rules = image.rules,
          .source_limit = EncodeLimit(image.source_limit),
          .new_flow_limit = EncodeLimit(image.new_flow_limit)};
}

VipImage DecodeVip(const VipKey& key, const ek_vip& value) {
  return {.key = key,
          .table = value.table,
          .table_size = value.table_size,
          .counter = value.counter,
          .flags = value.flags,
          .global_rules = value.global_rules,
          .rules = value.rules,
          .source_limit = DecodeLimit(value.source_limit),
          .new_flow_limit = DecodeLimit(value.new_flow_limit)};
}

}  // namespace evenkeel::dataplane
