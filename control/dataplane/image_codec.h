// SPDX-License-Identifier: Apache-2.0
//
// Plain values to the bytes of bpf/abi/maps.h and back. Pure.
#ifndef EVENKEEL_CONTROL_DATAPLANE_IMAGE_CODEC_H_
#define EVENKEEL_CONTROL_DATAPLANE_IMAGE_CODEC_H_

#include <map>
#include <span>

#include "control/dataplane/dataplane.h"

namespace evenkeel::dataplane {

// Lines that a table of `slots` with `backends` needs; `ids`: LinesForServerIds.
uint32_t LinesNeeded(uint32_t slots, size_t backends, uint32_t ids = 0);
// A power of two: so many that no line gets more server ids than it holds. 0: there are none.
uint32_t LinesForServerIds(const ServerIds& ids);

ek_backend EncodeBackend(const BackendImage& image, const Encapsulation& encapsulation);
BackendImage DecodeBackend(const ek_backend& entry);

ek_nexthop EncodeNextHop(const NextHop& hop);

// `lines` has at least LinesNeeded() elements; those beyond are zeroed.
void EncodeTable(const TableImage& image, const Encapsulation& encapsulation,
                 std::span<ek_line> lines);
// OutOfRange: `lines` cannot hold `table_size` slots.
absl::StatusOr<TableImage> DecodeTable(std::span<const ek_line> lines, uint32_t table_size);
// Of such a table. Without any, length is 0.
absl::StatusOr<ServerIds> DecodeServerIds(std::span<const ek_line> lines, uint32_t table_size);

ek_vip_key4 EncodeKey4(const VipKey& key);
ek_vip_key6 EncodeKey6(const VipKey& key);
ek_prefix4 EncodePrefix4(const model::Prefix& prefix);
ek_prefix6 EncodePrefix6(const model::Prefix& prefix);
model::Prefix DecodePrefix(const ek_prefix4& key);
model::Prefix DecodePrefix(const ek_prefix6& key);
VipKey DecodeKey(const ek_vip_key4& key);
VipKey DecodeKey(const ek_vip_key6& key);
ek_vip EncodeVip(const VipImage& image);
VipImage DecodeVip(const VipKey& key, const ek_vip& value);
// The entry {address, 0, 0} of each VIP's address. Where all VIPs of an address have one table and
// forward fragments without ports, it is the VIP for those: the first of them, by key.
std::map<model::IpAddress, ek_vip> MakeMarkers(std::span<const VipImage> vips);

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_IMAGE_CODEC_H_
