// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/generation_store.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>
#include <span>

#include "absl/strings/str_cat.h"
#include "control/dataplane/image_codec.h"
#include "control/dataplane/vip_map.h"

namespace evenkeel::dataplane {
namespace {

using Vips4 = VipMap<ek_vip_key4>;
using Vips6 = VipMap<ek_vip_key6>;

absl::StatusOr<InnerMaps> FindMaps(const KernelObjects& objects, MapId id) {
  const std::string name(kMapNames[static_cast<size_t>(id)]);
  return InnerMaps::Open(objects.map(id), EK_MAX_GENERATIONS, name);
}

// Gives `generations` inner maps for at least `entries` where they have none or smaller ones, all
// at once.
template <typename Vips>
absl::Status Reserve(InnerMaps& maps, std::span<const uint32_t> generations, size_t entries) {
  std::vector<uint32_t> ids;
  std::vector<int> fds;
  std::vector<UniqueFd> owners;
  for (const uint32_t generation : generations) {
    const Vips vips(maps, generation);
    auto capacity = vips.Capacity();
    if (!capacity.ok()) return capacity.status();
    if (*capacity > 0 && *capacity >= entries) continue;
    auto map = vips.Create(static_cast<uint32_t>(entries));
    if (!map.ok()) return map.status();
    ids.push_back(generation);
    fds.push_back(map->get());
    owners.push_back(*std::move(map));
  }
  return maps.Insert(ids, fds);
}

struct Contents {
  VipMap<ek_vip_key4>::Content v4;
  VipMap<ek_vip_key6>::Content v6;

  void Add(const VipKey& key, const ek_vip& value) {
    if (key.address.is_ipv4()) {
      v4.keys.push_back(EncodeKey4(key));
      v4.values.push_back(value);
    } else {
      v6.keys.push_back(EncodeKey6(key));
      v6.values.push_back(value);
    }
  }
};

Contents Encode(const GenerationImage& image) {
  Contents contents;
  for (const VipImage& vip : image.vips) contents.Add(vip.key, EncodeVip(vip));
  for (const auto& [address, marker] : MakeMarkers(image.vips)) {
    contents.Add({.address = address}, marker);
  }
  return contents;
}

template <typename Content>
void Decode(const Content& content, std::vector<VipImage>& vips, std::vector<VipImage>& markers) {
  for (size_t i = 0; i < content.keys.size(); ++i) {
    auto& list = content.values[i].flags & EK_VIP_ADDRESS ? markers : vips;
    list.push_back(DecodeVip(DecodeKey(content.keys[i]), content.values[i]));
  }
}

absl::Status CheckMarkers(std::span<const VipImage> vips, std::span<const VipImage> markers) {
  const auto wanted = MakeMarkers(vips);
  for (const VipImage& marker : markers) {
    const auto it = wanted.find(marker.key.address);
    if (it != wanted.end() && DecodeVip(marker.key, it->second) == marker) continue;
    return absl::DataLossError(absl::StrCat("address ", marker.key.address.ToString(),
                                            " has another entry than its VIPs give it"));
  }
  return absl::OkStatus();
}

bool HasNoSuchRules(const VipImage& vip, uint16_t global_rules) {
  return vip.global_rules >= EK_MAX_RULE_SETS || vip.rules >= EK_MAX_RULE_SETS ||
         vip.global_rules != global_rules ||
         vip.has_source_checks() != !!(vip.flags & EK_VIP_SOURCE_CHECKS);
}

}  // namespace

absl::Status GenerationStore::Prepare() {
  std::array<uint32_t, EK_MAX_GENERATIONS> all;
  std::iota(all.begin(), all.end(), 0u);
  auto maps4 = FindMaps(*objects_, MapId::kVips4);
  if (!maps4.ok()) return maps4.status();
  auto maps6 = FindMaps(*objects_, MapId::kVips6);
  if (!maps6.ok()) return maps6.status();
  vips4_ = *std::move(maps4);
  vips6_ = *std::move(maps6);
  if (auto s = Reserve<Vips4>(vips4_, all, 0); !s.ok()) return s;
  return Reserve<Vips6>(vips6_, all, 0);
}

absl::Status GenerationStore::MakeRoom(uint32_t generation, size_t vips4, size_t vips6) {
  auto capacity4 = Vips4(vips4_, generation).Capacity();
  if (!capacity4.ok()) return capacity4.status();
  auto capacity6 = Vips6(vips6_, generation).Capacity();
  if (!capacity6.ok()) return capacity6.status();
  if (*capacity4 >= vips4 && *capacity6 >= vips6) return absl::OkStatus();
  std::vector<uint32_t> unused;
  for (uint32_t other = 0; other < EK_MAX_GENERATIONS; ++other) {
    auto info = ReadInfo(other);
    if (!info.ok()) return info.status();
    if (info->abi_version == 0) unused.push_back(other);
  }
  if (auto s = Reserve<Vips4>(vips4_, unused, vips4); !s.ok()) return s;
  return Reserve<Vips6>(vips6_, unused, vips6);
}

absl::Status GenerationStore::Check(uint32_t generation, const GenerationImage& image) const {
  if (generation >= EK_MAX_GENERATIONS) {
    return absl::InvalidArgumentError(absl::StrCat("no generation ", generation));
  }
  if (generation == 0 && image.vips.empty()) {
    return absl::InvalidArgumentError("generation 0 without a VIP would mean \"none\"");
  }
  std::set<VipKey> keys;
  for (const VipImage& vip : image.vips) {
    if (vip.key.ip_protocol == 0 || !keys.insert(vip.key).second) {
      return absl::InvalidArgumentError(absl::StrCat("VIP ", vip.key.address.ToString(), " port ",
                                                     vip.key.port,
                                                     ": without protocol, or listed twice"));
    }
    if (HasNoSuchRules(vip, image.vips.front().global_rules)) {
      return absl::InvalidArgumentError(absl::StrCat("VIP ", vip.key.address.ToString(), " port ",
                                                     vip.key.port, ": no such source rules"));
    }
    if (vip.counter >= max_vips_) {
      return absl::ResourceExhaustedError(absl::StrCat("VIP counter ", vip.counter,
                                                       ": the data plane was made for ", max_vips_,
                                                       " VIPs; raise max_vips and create it anew"));
    }
  }
  auto info = ReadInfo(generation);
  if (!info.ok()) return info.status();
  if (info->abi_version != 0) {
    return absl::FailedPreconditionError(absl::StrCat("generation ", generation, " is in use"));
  }
  return absl::OkStatus();
}

absl::Status GenerationStore::Stage(uint32_t generation, const GenerationImage& image) {
  if (auto s = Check(generation, image); !s.ok()) return s;
  const Contents contents = Encode(image);
  Vips4 vips4(vips4_, generation);
  Vips6 vips6(vips6_, generation);
  auto fill = [&]() -> absl::Status {
    // What a daemon that was killed while it staged may have left.
    if (auto s = vips4.Clear(); !s.ok()) return s;
    if (auto s = vips6.Clear(); !s.ok()) return s;
    if (auto s = MakeRoom(generation, contents.v4.keys.size(), contents.v6.keys.size()); !s.ok()) {
      return s;
    }
    if (auto s = vips4.Insert(contents.v4); !s.ok()) return s;
    if (auto s = vips6.Insert(contents.v6); !s.ok()) return s;
    ek_gen_info info = image.info;
    info.abi_version = EK_ABI_VERSION;
    info.active_word = MakeActiveWord(generation, image.vips);
    return WriteInfo(generation, info);
  };
  absl::Status status = fill();
  if (!status.ok()) {
    if (auto undone = Drop(generation); !undone.ok()) return undone;
  }
  return status;
}

absl::StatusOr<GenerationImage> GenerationStore::Read(uint32_t generation) const {
  auto info = ReadInfo(generation);
  if (!info.ok()) return info.status();
  if (info->abi_version == 0) {
    return absl::NotFoundError(absl::StrCat("generation ", generation, " is unused"));
  }
  GenerationImage image;
  image.info = *info;
  auto vips4 = Vips4(vips4_, generation).Read();
  if (!vips4.ok()) return vips4.status();
  auto vips6 = Vips6(vips6_, generation).Read();
  if (!vips6.ok()) return vips6.status();
  std::vector<VipImage> markers;
  Decode(*vips4, image.vips, markers);
  Decode(*vips6, image.vips, markers);
  if (auto status = CheckMarkers(image.vips, markers); !status.ok()) return status;
  std::sort(image.vips.begin(), image.vips.end(),
            [](const VipImage& a, const VipImage& b) { return a.key < b.key; });
  return image;
}

absl::StatusOr<std::optional<VipImage>> GenerationStore::FindVip(uint32_t generation,
                                                                 const VipKey& key) const {
  auto found = key.address.is_ipv4() ? Vips4(vips4_, generation).Find(EncodeKey4(key))
                                     : Vips6(vips6_, generation).Find(EncodeKey6(key));
  if (!found.ok()) return found.status();
  if (!found->has_value()) return std::nullopt;
  return DecodeVip(key, **found);
}

absl::StatusOr<ek_gen_info> GenerationStore::ReadInfo(uint32_t generation) const {
  ek_gen_info info{};
  const int err = bpf_map_lookup_elem(objects_->map(MapId::kGenInfo), &generation, &info);
  if (err != 0)
    return KernelError(err, absl::StrCat("cannot read info of generation ", generation));
  return info;
}

absl::Status GenerationStore::WriteInfo(uint32_t generation, const ek_gen_info& info) {
  const int err = bpf_map_update_elem(objects_->map(MapId::kGenInfo), &generation, &info, BPF_ANY);
  if (err == 0) return absl::OkStatus();
  return KernelError(err, absl::StrCat("cannot write info of generation ", generation));
}

absl::Status GenerationStore::Drop(uint32_t generation) {
  if (auto s = WriteInfo(generation, ek_gen_info{}); !s.ok()) return s;
  if (auto s = Vips4(vips4_, generation).Clear(); !s.ok()) return s;
  return Vips6(vips6_, generation).Clear();
}

}  // namespace evenkeel::dataplane
