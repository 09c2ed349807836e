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
  if (image.method != EK_METHOD_IPIP4 && image.method != EK_METHOD_GUE4) return outer;
  const uint8_t prefix = encapsulation.source4_prefix;
  const uint32_t host_bits = prefix >= 32 ? 0 : 0xffffffffu >> prefix;
  outer.src_mask = htonl(host_bits);
  outer.src_base = Word4(encapsulation.source4) & ~outer.src_mask;
  outer.csum =
      ek_outer4_csum(outer.dst, image.method == EK_METHOD_GUE4 ? EK_PROTO_UDP : EK_PROTO_IPV4);
  return outer;
}

ek_outer6 EncodeOuter6(const BackendImage& image, const Encapsulation& encapsulation) {
  ek_outer6 outer{};
  std::memcpy(outer.dst, image.address.bytes().data(), sizeof(outer.dst));
  if (image.method == EK_METHOD_L2) outer.src_prefix[0] = 6;
  if (image.method != EK_METHOD_IPIP6 && image.method != EK_METHOD_GUE6) return outer;
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
  if (entry.method != EK_METHOD_L2) {
    return entry.method == EK_METHOD_IPIP4 || entry.method == EK_METHOD_GUE4;
  }
  return entry.outer.v4.reserved[0] == 4;
}

// Bucket by bucket, the first ids in the first entries. False: one has too many.
bool FillBuckets(const ServerIds& ids, std::span<ek_server_ids> buckets) {
  for (const ServerIds::Entry& entry : ids.entries) {
    ek_server_ids& bucket =
        buckets[ek_id_bucket(entry.id, static_cast<uint32_t>(buckets.size() - 1))];
    const auto free = std::find_if(std::begin(bucket.entry), std::end(bucket.entry),
                                   [](const auto& e) { return e.backend == 0; });
    if (free == std::end(bucket.entry)) return false;
    free->id = entry.id;
    free->backend = entry.backend;
  }
  return true;
}

void EncodeServerIds(const TableImage& image, uint32_t size, std::span<ek_line> lines) {
  const uint32_t count = LinesForServerIds(image.server_ids);
  if (count == 0) return;
  ek_table_head& head = lines[EK_BACKEND_LINE(size, 0)].head;
  head.config_id = image.server_ids.config_id;
  head.id_len = image.server_ids.length;
  head.first = LinesNeeded(size, image.backends.size());
  head.mask = count - 1;
  std::vector<ek_server_ids> buckets(count);
  FillBuckets(image.server_ids, buckets);
  for (uint32_t i = 0; i < count; ++i) lines[head.first + i].ids = buckets[i];
}

// What a foreign writer may have left there is not believed.
absl::StatusOr<ServerIds> DecodeBuckets(std::span<const ek_line> lines, const ek_table_head& head) {
  ServerIds ids{.config_id = head.config_id, .length = head.id_len, .entries = {}};
  if (uint64_t{head.first} + head.mask >= lines.size()) {
    return absl::DataLossError("the server ids of the table lie outside of it");
  }
  for (uint32_t i = 0; i <= head.mask; ++i) {
    for (const auto& entry : lines[head.first + i].ids.entry) {
      if (entry.backend == 0) continue;
      ids.entries.push_back({.id = entry.id, .backend = static_cast<uint16_t>(entry.backend)});
    }
  }
  std::sort(ids.entries.begin(), ids.entries.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  return ids;
}

}  // namespace

uint32_t LinesNeeded(uint32_t slots, size_t backends, uint32_t ids) {
  return EK_BACKEND_LINE(slots, static_cast<uint32_t>(backends)) + 1 + ids;
}

uint32_t LinesForServerIds(const ServerIds& ids) {
  if (ids.length == 0) return 0;
  for (uint32_t count = 1;; count *= 2) {
    std::vector<ek_server_ids> buckets(count);
    if (FillBuckets(ids, buckets)) return count;
  }
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
  EncodeServerIds(image, size, lines);
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
  auto ids = DecodeServerIds(lines, table_size);
  if (!ids.ok()) return ids.status();
  image.server_ids = *std::move(ids);
  if (image.server_ids.length != 0) last = lines[EK_BACKEND_LINE(table_size, 0)].head.first;
  while (last > first && lines[last - 1].backend.method == EK_METHOD_NONE) --last;
  image.backends.reserve(last - first);
  for (size_t i = first; i < last; ++i) image.backends.push_back(DecodeBackend(lines[i].backend));
  return image;
}

absl::StatusOr<ServerIds> DecodeServerIds(std::span<const ek_line> lines, uint32_t table_size) {
  const size_t first = EK_BACKEND_LINE(table_size, 1);
  if (lines.size() < first) {
    return absl::OutOfRangeError(absl::StrCat("table has no ", table_size, " slots"));
  }
  const ek_table_head& head = lines[first - 1].head;
  if (head.id_len == 0) return ServerIds{};
  if (head.first < first) return absl::DataLossError("the table's server ids overlap its slots");
  return DecodeBuckets(lines, head);
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

namespace {

// That an address is a VIP's, and who may have an answer from it.
ek_vip PlainMarker(std::span<const VipImage> vips) {
  const uint16_t global = vips.empty() ? uint16_t{0} : vips.front().global_rules;
  return {.table = 0,
          .table_size = 0,
          .counter = 0,
          .flags = EK_VIP_ADDRESS | (global != 0 ? EK_VIP_SOURCE_CHECKS : 0),
          .global_rules = global,
          .rules = 0,
          .source_limit = {},
          .new_flow_limit = {}};
}

}  // namespace

std::map<model::IpAddress, ek_vip> MakeMarkers(std::span<const VipImage> vips) {
  const ek_vip plain = PlainMarker(vips);
  std::map<model::IpAddress, const VipImage*> first;
  std::map<model::IpAddress, ek_vip> markers;
  for (const VipImage& vip : vips) {
    const VipImage*& lowest = first[vip.key.address];
    if (lowest == nullptr || vip.key < lowest->key) lowest = &vip;
  }
  for (const auto& [address, vip] : first) {
    markers[address] = EncodeVip(*vip);
    markers[address].flags |= EK_VIP_ADDRESS;
  }
  for (const VipImage& vip : vips) {
    ek_vip& marker = markers[vip.key.address];
    if (!(vip.flags & EK_VIP_FRAGMENTS) || vip.table != marker.table) marker = plain;
  }
  return markers;
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
