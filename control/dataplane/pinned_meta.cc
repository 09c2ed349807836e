// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/pinned_meta.h"

#include <bpf/bpf.h>
#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/dataplane/errors.h"

namespace evenkeel::dataplane {
namespace {

std::string Hex(const std::array<uint8_t, 16>& bytes) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace

PinnedMeta MetaOf(const KernelOptions& options) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> hash;
  SHA256(options.hash_key.data(), options.hash_key.size(), hash.data());
  PinnedMeta meta{.abi_version = EK_ABI_VERSION,
                  .max_tables = options.limits.max_tables,
                  .max_vips = options.limits.max_vips,
                  .max_backends = options.limits.max_backends,
                  .max_pins = options.limits.max_pins,
                  .gue_port = options.encapsulation.gue_port};
  std::copy_n(hash.begin(), meta.key_fingerprint.size(), meta.key_fingerprint.begin());
  return meta;
}

absl::Status WriteMeta(const PinDir& dir, const PinnedMeta& meta) {
  UniqueFd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "ek_meta", sizeof(uint32_t), sizeof(PinnedMeta),
                              1, nullptr));
  if (!map.valid()) return KernelError(map.get(), "cannot create map ek_meta");
  const uint32_t zero = 0;
  if (const int err = bpf_map_update_elem(map.get(), &zero, &meta, BPF_ANY); err != 0) {
    return KernelError(err, "cannot write map ek_meta");
  }
  return dir.Pin(map.get(), kMetaPin);
}

absl::StatusOr<PinnedMeta> ReadMeta(const PinDir& dir) {
  auto map = dir.Get(kMetaPin);
  if (!map.ok()) return map.status();
  bpf_map_info info{};
  uint32_t size = sizeof(info);
  if (const int err = bpf_obj_get_info_by_fd(map->get(), &info, &size); err != 0) {
    return KernelError(err, absl::StrCat("cannot inspect ", dir.PathOf(kMetaPin)));
  }
  if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != sizeof(PinnedMeta)) {
    return absl::FailedPreconditionError(
        absl::StrCat(dir.PathOf(kMetaPin), " is not of this version of evenkeel; use the version ",
                     "that made it, or remove the data plane (evenkeeld --detach-on-exit)"));
  }
  PinnedMeta meta;
  const uint32_t zero = 0;
  if (const int err = bpf_map_lookup_elem(map->get(), &zero, &meta); err != 0) {
    return KernelError(err, absl::StrCat("cannot read ", dir.PathOf(kMetaPin)));
  }
  return meta;
}

absl::Status CheckMeta(const PinDir& dir, const PinnedMeta& pinned, const PinnedMeta& wanted) {
  std::vector<std::string> differs;
  auto compare = [&](absl::string_view what, const auto& there, const auto& here) {
    if (there != here) differs.push_back(absl::StrCat(what, " ", there, " instead of ", here));
  };
  compare("ABI version", pinned.abi_version, wanted.abi_version);
  compare("max_tables", pinned.max_tables, wanted.max_tables);
  compare("max_vips", pinned.max_vips, wanted.max_vips);
  compare("max_backends", pinned.max_backends, wanted.max_backends);
  compare("max_pins", pinned.max_pins, wanted.max_pins);
  compare("gue_port", pinned.gue_port, wanted.gue_port);
  compare("hash key with fingerprint", Hex(pinned.key_fingerprint), Hex(wanted.key_fingerprint));
  if (differs.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the data plane pinned in ", dir.path(), " was made with ", absl::StrJoin(differs, ", "),
      "; it goes on forwarding. Start with its settings, or remove it first (traffic stops until "
      "the next one is up), or use another pin directory"));
}

}  // namespace evenkeel::dataplane
