// SPDX-License-Identifier: Apache-2.0
//
// The synthetic packets of a staged generation.
#include <netinet/in.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "control/maglev/maglev.h"
#include "control/publish/probe.h"
#include "control/publish/staging.h"

namespace evenkeel::publish {
namespace {

// Packets in all, shared by the changed pools; one takes some 3 us.
constexpr uint32_t kBudget = 1500;
constexpr uint32_t kMostPerPool = 300;
constexpr uint32_t kLeastPerPool = 2;

std::string NameOf(const dataplane::VipKey& key) {
  return absl::StrCat(key.address.ToString(), " port ", key.port, " protocol ", key.ip_protocol);
}

}  // namespace

// A destination port for a VIP of every port: one that no other VIP of that address has.
uint16_t Staging::AnyPort(const dataplane::VipKey& vip) const {
  dataplane::VipKey key = vip;
  for (key.port = 443; key.port != 0; ++key.port) {
    const auto it = std::lower_bound(
        record_.vips.begin(), record_.vips.end(), key,
        [](const dataplane::VipImage& a, const dataplane::VipKey& b) { return a.key < b; });
    if (it == record_.vips.end() || it->key != key) break;
  }
  return key.port;
}

absl::Status Staging::Probe(const std::array<uint64_t, 2>& key) {
  std::vector<Pool*> changed;
  for (auto& [name, pool] : pools_) {
    if (pool.fresh) changed.push_back(&pool);
  }
  if (changed.empty()) return absl::OkStatus();
  const uint32_t budget =
      std::clamp(kBudget / static_cast<uint32_t>(changed.size()), kLeastPerPool, kMostPerPool);
  for (Pool* pool : changed) {
    if (auto status = ProbePool(*pool, key, budget); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Clients are tried until each VIP of the pool was met and each serving backend was hit once, as
// far as the budget goes. Only the packets that hit something new are run.
absl::Status Staging::ProbePool(Pool& pool, const std::array<uint64_t, 2>& key, uint32_t budget) {
  std::vector<const dataplane::VipImage*> vips;
  for (const dataplane::VipImage& vip : record_.vips) {
    if (vip.table == pool.table->id) vips.push_back(&vip);
  }
  const guard::BuiltTable& built = *pool.built->table;
  std::vector<bool> hit(built.servers.size(), false);
  size_t missing = built.servers.size();
  uint32_t spent = 0;
  const uint32_t attempts =
      static_cast<uint32_t>(vips.size() + 16 * std::min<size_t>(missing, budget));
  for (uint32_t number = 0; number < attempts && spent < budget; ++number) {
    const dataplane::VipImage& vip = *vips[number % vips.size()];
    const Flow flow = ClientFlow(vip.key, number, vip.key.port == 0 ? AnyPort(vip.key) : 0);
    const uint64_t hash = HashFlow(key, flow);
    const uint16_t owner = built.owner[SlotOf(hash, built.size)];
    const bool fresh = owner != maglev::kNoOwner && !hit[owner];
    if (!fresh && number >= vips.size()) continue;
    if (fresh) {
      hit[owner] = true;
      --missing;
    }
    if (auto status = ProbeOnce(pool, vip, flow, hash); !status.ok()) return status;
    ++spent;
    // Of a moving slot that was the previous owner.
    if (EK_SLOT_PREVIOUS(pool.slots[SlotOf(hash, built.size)]) != 0 &&
        vip.key.ip_protocol == IPPROTO_TCP) {
      Flow opening = flow;
      opening.opening = true;
      if (auto status = ProbeOnce(pool, vip, opening, hash); !status.ok()) return status;
      ++spent;
    }
    if (missing == 0 && number + 1 >= vips.size()) break;
  }
  return absl::OkStatus();
}

absl::Status Staging::ProbeOnce(const Pool& pool, const dataplane::VipImage& vip, const Flow& flow,
                                uint64_t hash) {
  const guard::BuiltTable& built = *pool.built->table;
  const uint32_t slot = SlotOf(hash, built.size);
  const uint16_t previous = EK_SLOT_PREVIOUS(pool.slots[slot]);
  const uint16_t owner = built.owner[slot];
  const dataplane::BackendImage* backend = nullptr;
  if (previous != 0 && !flow.opening && !(vip.flags & EK_VIP_STATELESS)) {
    backend = &pool.backends[previous - 1u];
  } else if (owner != maglev::kNoOwner) {
    const auto it = std::find_if(pool.backends.begin(), pool.backends.end(), [&](const auto& b) {
      return b.method != EK_METHOD_NONE && b.address == built.servers[owner];
    });
    if (it != pool.backends.end()) backend = &*it;
  }
  auto result = dataplane_->Probe(record_.index, BuildFrame(flow));
  if (!result.ok()) return result.status();
  const Expectation expected = Predict(flow, hash, backend, dataplane_->encapsulation());
  if (auto status = Compare(expected, *result); !status.ok()) {
    return absl::InternalError(absl::StrCat("synthetic packet for VIP ", NameOf(vip.key), " (pool ",
                                            pool.built->name(), "): ", status.message()));
  }
  ++probes_;
  return absl::OkStatus();
}

}  // namespace evenkeel::publish
