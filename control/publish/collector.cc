// SPDX-License-Identifier: Apache-2.0
//
// Releases what former generations used, once no packet can still be using it.
#include <spdlog/spdlog.h>

#include "control/publish/publisher_impl.h"

namespace evenkeel::publish {
namespace {

// An update that arrives meanwhile waits no longer than this, or than one grace period.
constexpr std::chrono::milliseconds kSlice{2};
constexpr std::chrono::seconds kRetry{1};
constexpr std::chrono::milliseconds kUnfollowAgain{100};

}  // namespace

absl::Status Publisher::Impl::DropTable(const TableRef& table) {
  const uint32_t id = table->id;
  if (auto status = NoteUsed(table); !status.ok()) return status;
  if (auto status = dataplane->DropTables({&id, 1}); !status.ok()) return status;
  const std::vector<uint32_t> counters = ledger.RemoveTable(table);
  for (const BackendSlot& slot : table->backends) {
    if (slot.method == EK_METHOD_NONE || !ledger.PlacesOf(slot.address).empty()) continue;
    unresolved.erase(slot.address);
    stale_addresses = true;
  }
  moving_tables.erase(id);
  uses.erase(id);
  left_counters.insert(left_counters.end(), counters.begin(), counters.end());
  return absl::OkStatus();
}

void Publisher::Impl::DropVips(GenerationRecord& record) {
  while (!record.vips.empty()) {
    const auto id = ledger.DropVip(record.vips.back().key);
    record.vips.pop_back();
    if (!id) continue;
    const absl::Status cleared = dataplane->ClearVipCounter(*id);
    if (cleared.ok()) {
      ledger.FreeVipCounter(*id);
    } else {
      spdlog::warn("a counter is lost: {}", std::string(cleared.message()));
    }
  }
}

absl::Status Publisher::Impl::DropRules(GenerationRecord& record) {
  while (!record.rules.empty()) {
    const guard::Digest digest = record.rules.back();
    if (ledger.RulesReferences(digest) == 1) {
      const uint32_t id = *ledger.RulesId(digest);
      if (auto status = dataplane->DropRules({&id, 1}); !status.ok()) return status;
    }
    if (const auto freed = ledger.ReleaseRules(digest)) ledger.FreeRules(*freed);
    record.rules.pop_back();
  }
  return absl::OkStatus();
}

// True: all of `record` is released. Goes on where an earlier call ended.
absl::StatusOr<bool> Publisher::Impl::CollectSome(GenerationRecord& record) {
  const auto deadline = std::chrono::steady_clock::now() + kSlice;
  if (index_used[record.index] && !record.index_released) {
    if (auto status = dataplane->DropGeneration(record.index); !status.ok()) return status;
    index_used[record.index] = false;
    record.index_released = true;
    changed.notify_all();
  }
  DropVips(record);
  if (auto status = DropRules(record); !status.ok()) return status;
  while (!record.tables.empty()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    const TableRef table = record.tables.back();
    const auto users = table_users.find(table->id);
    if (users->second == 1) {
      if (auto status = DropTable(table); !status.ok()) return status;
      table_users.erase(users);
    } else {
      --users->second;
    }
    record.tables.pop_back();
  }
  return true;
}

void Publisher::Impl::Collect() {
  std::unique_lock lock(mu);
  while (true) {
    const auto wanted = [&] { return stopping || !retired.empty(); };
    if (stale_addresses) {  // an update was under way when they were to be unfollowed
      changed.wait_for(lock, kUnfollowAgain, wanted);
    } else {
      changed.wait(lock, wanted);
    }
    if (stopping) return;
    // Those that are here now stopped being active before this grace period begins.
    size_t safe = retired.size();
    absl::Status status;
    if (safe > 0) {
      lock.unlock();
      status = dataplane->WaitGracePeriod();
      lock.lock();
    }
    while (status.ok() && safe > 0 && !stopping) {
      auto done = CollectSome(retired.front());
      status = done.status();
      if (done.ok() && *done) {
        retired.pop_front();
        --safe;
        if (retired.empty() && !left_counters.empty()) changed.notify_all();
        changed.notify_all();
      }
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
    }
    if (!status.ok()) {
      spdlog::warn("releasing a former generation failed, trying again: {}",
                   std::string(status.message()));
      changed.wait_for(lock, kRetry, [&] { return stopping; });
    }
    if (stale_addresses) {
      lock.unlock();
      Unfollow();
      lock.lock();
    }
  }
}

// Backends that nothing refers to any more need not be solicited. While an update or a sweep runs
// it is put off.
void Publisher::Impl::Unfollow() {
  std::unique_lock serial(publish_mu, std::try_to_lock);
  if (!serial.owns_lock()) return;
  std::lock_guard lock(mu);
  stale_addresses = false;
  followed = kept;
  for (const model::IpAddress& address : ledger.Addresses()) followed.insert(address);
  if (active && active->fleet) {
    for (const auto& pool : active->fleet->pools) {
      for (const model::Backend& backend : pool->config.backends) {
        if (backend.state != model::AdminState::kDisabled) followed.insert(backend.address);
      }
    }
  }
  if (auto status = resolver->Follow({followed.begin(), followed.end()}); !status.ok()) {
    spdlog::warn("cannot unfollow removed backends: {}", std::string(status.message()));
  }
}

absl::Status Publisher::Impl::KeepFollowing(const std::vector<model::IpAddress>& addresses) {
  std::lock_guard serial(publish_mu);
  kept = {addresses.begin(), addresses.end()};
  const size_t before = followed.size();
  followed.insert(addresses.begin(), addresses.end());
  {
    std::lock_guard lock(mu);
    stale_addresses = true;  // those that are not kept any more, and have no place
    changed.notify_all();
  }
  if (followed.size() == before) return absl::OkStatus();
  return resolver->Follow({followed.begin(), followed.end()});
}

void Publisher::Impl::Settle() {
  std::unique_lock lock(mu);
  changed.wait(lock, [&] { return retired.empty() && left_counters.empty(); });
}

}  // namespace evenkeel::publish
