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

bool Uses(const GenerationRecord& record, const TableRef& table) {
  for (const TableRef& one : record.tables) {
    if (one == table) return true;
  }
  return false;
}

}  // namespace

bool Publisher::Impl::TableStands(const TableRef& table) const {
  if (active && Uses(*active, table)) return true;
  if (previous && Uses(*previous, table)) return true;
  // retired.front() is the one being released.
  for (size_t i = 1; i < retired.size(); ++i) {
    if (Uses(retired[i], table)) return true;
  }
  return false;
}

absl::Status Publisher::Impl::DropTable(const TableRef& table) {
  const uint32_t id = table->id;
  if (auto status = dataplane->DropTables({&id, 1}); !status.ok()) return status;
  const std::vector<uint32_t> counters = ledger.RemoveTable(table);
  for (const BackendSlot& slot : table->backends) {
    if (slot.method == EK_METHOD_NONE || !ledger.PlacesOf(slot.address).empty()) continue;
    unresolved.erase(slot.address);
    stale_addresses = true;
  }
  // An id whose counter cannot be cleared is not handed out again.
  for (const uint32_t counter : counters) {
    if (auto status = dataplane->ClearBackendCounter(counter); !status.ok()) return status;
    ledger.FreeBackendCounters({counter});
  }
  return absl::OkStatus();
}

absl::Status Publisher::Impl::DropVips(GenerationRecord& record) {
  while (!record.vips.empty()) {
    const auto id = ledger.DropVip(record.vips.back().key);
    record.vips.pop_back();
    if (!id) continue;
    if (auto status = dataplane->ClearVipCounter(*id); !status.ok()) return status;
    ledger.FreeVipCounter(*id);
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
  if (auto status = DropVips(record); !status.ok()) return status;
  while (!record.tables.empty()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    const TableRef table = record.tables.back();
    if (!TableStands(table)) {
      if (auto status = DropTable(table); !status.ok()) return status;
    }
    record.tables.pop_back();
  }
  return true;
}

void Publisher::Impl::Collect() {
  std::unique_lock lock(mu);
  while (true) {
    changed.wait(lock, [&] { return stopping || !retired.empty(); });
    if (stopping) return;
    // Those that are here now stopped being active before this grace period begins.
    size_t safe = retired.size();
    lock.unlock();
    absl::Status status = dataplane->WaitGracePeriod();
    lock.lock();
    while (status.ok() && safe > 0 && !stopping) {
      auto done = CollectSome(retired.front());
      status = done.status();
      if (done.ok() && *done) {
        retired.pop_front();
        --safe;
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

// Backends that nothing refers to any more need not be solicited. An update that runs meanwhile
// knows best itself: then the next one does it.
void Publisher::Impl::Unfollow() {
  std::unique_lock serial(publish_mu, std::try_to_lock);
  if (!serial.owns_lock()) return;
  std::lock_guard lock(mu);
  stale_addresses = false;
  followed.clear();
  for (const model::IpAddress& address : ledger.Addresses()) followed.insert(address);
  if (active && active->fleet) {
    for (const model::Pool& pool : active->fleet->config.pools) {
      for (const model::Backend& backend : pool.backends) {
        if (backend.state != model::AdminState::kDisabled) followed.insert(backend.address);
      }
    }
  }
  if (auto status = resolver->Follow({followed.begin(), followed.end()}); !status.ok()) {
    spdlog::warn("cannot unfollow removed backends: {}", std::string(status.message()));
  }
}

void Publisher::Impl::Settle() {
  std::unique_lock lock(mu);
  changed.wait(lock, [&] { return retired.empty(); });
}

}  // namespace evenkeel::publish
