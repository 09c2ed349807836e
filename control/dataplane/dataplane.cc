// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/dataplane.h"

#include "absl/strings/str_cat.h"

namespace evenkeel::dataplane {

uint32_t MakeActiveWord(uint32_t generation, std::span<const VipImage> vips) {
  uint32_t word = generation & EK_ACTIVE_GENERATION_MASK;
  for (const VipImage& vip : vips) {
    const bool v4 = vip.key.address.is_ipv4();
    word |= v4 ? EK_ACTIVE_HAS_VIPS4 : EK_ACTIVE_HAS_VIPS6;
    if (vip.key.port == 0) word |= v4 ? EK_ACTIVE_HAS_ANY_PORT4 : EK_ACTIVE_HAS_ANY_PORT6;
  }
  return word;
}

absl::Status CheckImage(const TableImage& image) {
  const size_t size = image.slots.size();
  if (size < EK_MIN_TABLE_SIZE || size > EK_MAX_TABLE_SIZE) {
    return absl::InvalidArgumentError(absl::StrCat("table of ", size, " slots: must have ",
                                                   EK_MIN_TABLE_SIZE, " to ", EK_MAX_TABLE_SIZE));
  }
  if (image.backends.size() > EK_MAX_POOL_BACKENDS) {
    return absl::InvalidArgumentError(absl::StrCat("table with ", image.backends.size(),
                                                   " backends: at most ", EK_MAX_POOL_BACKENDS));
  }
  auto known = [&](uint16_t id) {
    return id == 0 ||
           (id <= image.backends.size() && image.backends[id - 1].method != EK_METHOD_NONE);
  };
  for (size_t i = 0; i < size; ++i) {
    const uint32_t slot = image.slots[i];
    if (!known(EK_SLOT_OWNER(slot)) || !known(EK_SLOT_PREVIOUS(slot))) {
      return absl::InvalidArgumentError(
          absl::StrCat("slot ", i, " names a backend that the table does not have"));
    }
  }
  for (const ServerIds::Entry& entry : image.server_ids.entries) {
    if (entry.backend == 0 || !known(entry.backend)) {
      return absl::InvalidArgumentError(
          absl::StrCat("server id ", entry.id, " names a backend that the table does not have"));
    }
  }
  return absl::OkStatus();
}

std::array<uint64_t, 2> HashKeyWords(const maglev::HashKey& key) {
  std::array<uint64_t, 2> words{};
  for (size_t i = 0; i < key.size(); ++i) words[i / 8] |= uint64_t{key[i]} << (i % 8 * 8);
  return words;
}

}  // namespace evenkeel::dataplane
