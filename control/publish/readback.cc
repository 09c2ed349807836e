// SPDX-License-Identifier: Apache-2.0
#include "control/publish/readback.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "control/maglev/maglev.h"
#include "control/publish/treatment_flags.h"

namespace evenkeel::publish {
namespace {

// Pool-local ids that own a slot, or a status that names the first slot that cannot be.
absl::StatusOr<std::vector<bool>> FindOwners(const dataplane::TableImage& image) {
  std::vector<bool> owns(image.backends.size() + 1, false);
  for (size_t i = 0; i < image.slots.size(); ++i) {
    const uint16_t owner = EK_SLOT_OWNER(image.slots[i]);
    if (owner >= owns.size() ||
        (owner != 0 && image.backends[owner - 1].method == EK_METHOD_NONE)) {
      return absl::DataLossError(
          absl::StrCat("slot ", i, " names backend id ", owner, ", which the table does not have"));
    }
    owns[owner] = true;
  }
  return owns;
}

absl::StatusOr<guard::Digest> RulesDigestOf(dataplane::DataPlane& dataplane, uint32_t id) {
  if (id == 0) return guard::Digest{};
  return dataplane.RulesDigest(id);
}

model::Forwarding ForwardingOf(uint8_t method) {
  switch (method) {
    case EK_METHOD_L2:
      return model::Forwarding::kL2;
    case EK_METHOD_GUE4:
    case EK_METHOD_GUE6:
      return model::Forwarding::kGue;
    default:
      return model::Forwarding::kIpip;
  }
}

absl::Status ReadServerIds(const dataplane::TableImage& image, guard::BuiltTable& table) {
  const dataplane::ServerIds& ids = image.server_ids;
  if (ids.length == 0) return absl::OkStatus();
  table.quic = model::QuicIds{.config_id = ids.config_id, .server_id_length = ids.length};
  for (const dataplane::ServerIds::Entry& entry : ids.entries) {
    if (entry.backend == 0 || entry.backend > image.backends.size() ||
        image.backends[entry.backend - 1u].method == EK_METHOD_NONE) {
      return absl::DataLossError(absl::StrCat("server id ", entry.id, " names backend id ",
                                              entry.backend, ", which the table does not have"));
    }
    table.server_ids.push_back(
        {.id = entry.id, .server = image.backends[entry.backend - 1u].address});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<guard::BuiltTable> TableFromKernel(const dataplane::TableImage& image,
                                                  model::Forwarding otherwise) {
  auto owns = FindOwners(image);
  if (!owns.ok()) return owns.status();
  guard::BuiltTable table;
  table.forwarding = otherwise;
  table.size = static_cast<uint32_t>(image.slots.size());
  std::map<model::IpAddress, uint16_t> by_address;  // address -> local id
  for (size_t id = 1; id < owns->size(); ++id) {
    const dataplane::BackendImage& backend = image.backends[id - 1];
    if (backend.method == EK_METHOD_NONE) continue;
    table.forwarding = ForwardingOf(backend.method);
    if (!(*owns)[id]) continue;
    if (!by_address.emplace(backend.address, static_cast<uint16_t>(id)).second) {
      return absl::DataLossError(
          absl::StrCat("backend ", backend.address.ToString(), " has two entries"));
    }
  }
  std::vector<uint16_t> index_of(owns->size(), maglev::kNoOwner);
  for (const auto& [address, id] : by_address) {
    index_of[id] = static_cast<uint16_t>(table.servers.size());
    table.servers.push_back(address);
  }
  table.owner.reserve(table.size);
  for (const uint32_t slot : image.slots) table.owner.push_back(index_of[EK_SLOT_OWNER(slot)]);
  if (auto status = ReadServerIds(image, table); !status.ok()) return status;
  return table;
}

absl::StatusOr<KernelState> ReadKernel(dataplane::DataPlane& dataplane) {
  auto active = dataplane.ReadActive();
  if (!active.ok()) return active.status();
  if (!active->published) return absl::NotFoundError("the kernel forwards nothing yet");
  std::map<std::pair<uint32_t, uint32_t>, guard::Digest> digests;  // by table id and size
  std::vector<guard::VipBinding> bindings;
  for (const dataplane::VipImage& vip : active->image.vips) {
    const auto key = std::make_pair(vip.table, vip.table_size);
    if (!digests.contains(key)) {
      auto image = dataplane.ReadTable(vip.table, vip.table_size);
      if (!image.ok()) return image.status();
      auto table = TableFromKernel(*image, model::Forwarding::kIpip);
      if (!table.ok()) return table.status();
      digests[key] = table->ComputeDigest();
    }
    const auto global = RulesDigestOf(dataplane, vip.global_rules);
    if (!global.ok()) return global.status();
    const auto own = RulesDigestOf(dataplane, vip.rules);
    if (!own.ok()) return own.status();
    bindings.push_back({.address = vip.key.address,
                        .port = vip.key.port,
                        .ip_protocol = vip.key.ip_protocol,
                        .table = digests[key],
                        .global_rules = *global,
                        .rules = *own,
                        .source_limit = vip.source_limit,
                        .new_flow_limit = vip.new_flow_limit,
                        .treatment = FromFlags(vip.flags, vip.key.ip_protocol)});
  }
  return KernelState{.digest = guard::ComputeFleetDigest(bindings),
                     .revision = active->image.info.revision};
}

}  // namespace evenkeel::publish
