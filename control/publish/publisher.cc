// SPDX-License-Identifier: Apache-2.0
#include "control/publish/publisher.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "bpf/abi/verdict.h"
#include "control/guard/server_weights.h"
#include "control/publish/publisher_impl.h"
#include "control/publish/reach.h"
#include "control/publish/readback.h"

namespace evenkeel::publish {
namespace {

using Clock = std::chrono::steady_clock;

// What an update waits for neighbours that are new: one that answers does so within a few ms.
constexpr std::chrono::milliseconds kResolveWait{300};
constexpr std::chrono::milliseconds kResolveSlice{10};
// What an update waits for the indexes of former generations; a grace period takes 10 to 50 ms.
constexpr std::chrono::seconds kIndexWait{5};

std::chrono::microseconds Since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
}

}  // namespace

Publisher::Impl::Impl(dataplane::DataPlane* dataplane_in, neighbor::Resolver* resolver_in,
                      const maglev::HashKey& flow_key, const FlowTimeouts& timeouts_in,
                      std::chrono::milliseconds sweeping_in)
    : dataplane(dataplane_in),
      resolver(resolver_in),
      key(dataplane::HashKeyWords(flow_key)),
      timeouts(timeouts_in),
      sweeping(sweeping_in),
      ledger(dataplane_in->limits()),
      collector([this] { Collect(); }),
      sweeper([this] { SweepNowAndThen(); }) {}

Publisher::Impl::~Impl() {
  {
    std::lock_guard lock(mu);
    stopping = true;
  }
  changed.notify_all();
  collector.join();
  sweeper.join();
}

absl::Status Publisher::Impl::CheckBase(const guard::Approval& approval) const {
  const std::optional<guard::Digest>& base = approval.base();
  if (!active && !base) return absl::OkStatus();
  if (active && base && active->digest == *base) return absl::OkStatus();
  auto name = [](const std::optional<guard::Digest>& digest) {
    return digest ? digest->ToShort() : std::string("nothing");
  };
  std::optional<guard::Digest> running;
  if (active) running = active->digest;
  return absl::AbortedError(absl::StrCat("the change was judged against ", name(base), ", but ",
                                         name(running), " runs; plan it again"));
}

// Follows addresses that are new and gives their neighbours a moment to answer.
absl::Status Publisher::Impl::FollowNew(const guard::BuiltFleet& fleet) {
  absl::flat_hash_map<std::string, TableRef> standing;
  {
    std::lock_guard lock(mu);
    for (const TableRef& table : active ? active->tables : std::vector<TableRef>{}) {
      standing[table->pool] = table;
    }
  }
  std::vector<model::IpAddress> fresh;
  for (const auto& pool : fleet.pools) {
    const auto it = standing.find(pool->name());
    if (it != standing.end() && ListsEntriesInOrder(pool->config, *it->second)) continue;
    for (const model::Backend& backend : pool->config.backends) {
      if (backend.state == model::AdminState::kDisabled) continue;
      if (followed.insert(backend.address).second) fresh.push_back(backend.address);
    }
  }
  if (fresh.empty()) return absl::OkStatus();
  if (auto status = resolver->Follow({followed.begin(), followed.end()}); !status.ok()) {
    for (const model::IpAddress& address : fresh) followed.erase(address);
    return status;
  }
  const auto deadline = Clock::now() + kResolveWait;
  auto unknown = [&](const model::IpAddress& a) { return !resolver->Get(a).next_hop; };
  while (Clock::now() < deadline && std::any_of(fresh.begin(), fresh.end(), unknown)) {
    resolver->WaitResolved(kResolveSlice);
  }
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> Publisher::Impl::NextIndex(std::unique_lock<std::mutex>& lock,
                                                    bool has_vips) {
  auto find = [&]() -> std::optional<uint32_t> {
    for (uint32_t i = 1; i <= EK_MAX_GENERATIONS; ++i) {
      const uint32_t index = (last_index + i) % EK_MAX_GENERATIONS;
      if (!index_used[index] && (index != 0 || has_vips)) return index;
    }
    return std::nullopt;
  };
  std::optional<uint32_t> index;
  if (!changed.wait_for(lock, kIndexWait, [&] { return (index = find()).has_value(); })) {
    return absl::UnavailableError(
        "every generation of the kernel's maps is still in use by packets; try again");
  }
  return *index;
}

std::vector<neighbor::Resolution> Publisher::Impl::Unreachable() const {
  std::vector<neighbor::Resolution> list;
  for (const model::IpAddress& address : unresolved) {
    for (const Place& place : ledger.PlacesOf(address)) {
      auto resolution = ForMethod(resolver->Get(address), place.method);
      if (resolution.next_hop) continue;
      list.push_back(std::move(resolution));
      break;
    }
  }
  std::sort(list.begin(), list.end(),
            [](const auto& a, const auto& b) { return a.address < b.address; });
  return list;
}

void Publisher::Impl::Swap(GenerationRecord next) {
  letting_go.clear();  // what begins to move now is none of it
  last_index = next.index;
  index_used[next.index] = true;
  for (const TableRef& table : next.tables) ++table_users[table->id];
  if (previous) retired.push_back(*std::move(previous));
  previous.reset();
  if (active) previous = std::move(active);
  active = std::move(next);
  changed.notify_all();
}

absl::StatusOr<PublishResult> Publisher::Impl::Attempt(const guard::Approval& approval,
                                                       uint64_t revision, StagedRules& rules,
                                                       std::unique_lock<std::mutex>& lock) {
  PublishResult result;
  const auto start = Clock::now();
  auto index = NextIndex(lock, !approval.fleet().vips.empty());
  if (!index.ok()) return index.status();
  Staging staging(dataplane, resolver, &ledger, rules, approval, active ? &*active : nullptr);
  if (auto status = staging.StageTables(); !status.ok()) return status;
  if (auto status = staging.StageGeneration(*index, revision); !status.ok()) return status;
  result.stage = Since(start);
  const auto verify = Clock::now();
  if (auto status = staging.Probe(key); !status.ok()) return status;
  result.verify = Since(verify);
  const auto swap = Clock::now();
  if (auto status = dataplane->Activate(*index, approval); !status.ok()) {
    // Only the kernel knows whether the write was made; once made it stands.
    auto now = dataplane->ReadActive();
    if (!now.ok() || !now->published || now->generation != *index) return status;
  }
  result.swap = Since(swap);
  result.generation = *index;
  result.tables_staged = staging.tables_staged();
  result.probes = staging.probes();
  unresolved.insert(staging.unresolved().begin(), staging.unresolved().end());
  moving_tables.insert(staging.moving_tables().begin(), staging.moving_tables().end());
  GenerationRecord next = staging.Commit();
  next.rules = rules.Commit();
  NoteReplaced(next);
  Swap(std::move(next));
  result.unreachable = Unreachable();
  return result;
}

absl::StatusOr<PublishResult> Publisher::Impl::Publish(const guard::Approval& approval,
                                                       uint64_t revision, bool compare_base) {
  std::lock_guard serial(publish_mu);
  {
    std::lock_guard lock(mu);
    if (!adopted) return absl::FailedPreconditionError("publishing before Adopt");
    if (auto s = CheckBase(approval); compare_base && !s.ok()) return s;
  }
  if (auto status = FollowNew(approval.fleet()); !status.ok()) return status;
  StagedRules rules(dataplane, &ledger, &mu);
  if (auto status = rules.Stage(approval.fleet()); !status.ok()) return status;
  std::unique_lock lock(mu);
  auto result = Attempt(approval, revision, rules, lock);
  if (!absl::IsResourceExhausted(result.status()) ||
      (!previous && retired.empty() && left_counters.empty()))
    return result;
  // Ids are scarce: those of former generations are given up first.
  if (previous) retired.push_back(*std::move(previous));
  previous.reset();
  changed.notify_all();
  changed.wait_for(lock, kIndexWait, [&] { return retired.empty() && left_counters.empty(); });
  return Attempt(approval, revision, rules, lock);
}

absl::Status Publisher::Impl::UpdateNextHop(const neighbor::Resolution& resolution) {
  std::lock_guard lock(mu);
  return ApplyNextHop(resolution);
}

absl::Status Publisher::Impl::ApplyNextHop(const neighbor::Resolution& resolution) {
  absl::Status status;
  bool missing = false;
  for (const Place& place : ledger.PlacesOf(resolution.address)) {
    const auto hop = ForMethod(resolution, place.method).next_hop;
    missing |= !hop.has_value();
    status.Update(dataplane->SetNextHop(place.table, place.table_size, place.backend_id, hop));
  }
  if (missing) {
    unresolved.insert(resolution.address);
  } else {
    unresolved.erase(resolution.address);
  }
  return status;
}

absl::StatusOr<CounterReport> Publisher::Impl::ReadCounters() {
  auto counters = dataplane->ReadCounters();
  if (!counters.ok()) return counters.status();
  static constexpr const char* kVerdictNames[] = {
#define EK_NAME(symbol, name, text) name,
      EK_VERDICT_LIST(EK_NAME)
#undef EK_NAME
  };
  CounterReport report;
  for (size_t i = 0; i < EK_VERDICT_COUNT; ++i) {
    report.verdicts.emplace_back(kVerdictNames[i], counters->verdicts[i]);
  }
  std::lock_guard lock(mu);
  if (!active || !active->fleet) return report;
  report.generation = active->index;
  for (const model::Vip& vip : active->fleet->vips) {
    const auto id = ledger.VipCounter(
        {.address = vip.address, .port = vip.port, .ip_protocol = guard::IpProtocol(vip.protocol)});
    report.vips.push_back({vip.name, id ? counters->vips[*id] : dataplane::Counter{}});
  }
  for (const auto& pool : active->fleet->pools) {
    for (const model::Backend& backend : pool->config.backends) {
      const auto id = ledger.BackendCounter(pool->name(), backend.address);
      report.backends.push_back({pool->name(), backend.name, backend.address,
                                 id ? counters->backends[*id] : dataplane::Counter{}});
    }
  }
  return report;
}

// Former generations first, so that what both have gets the names of now.
CounterNames Publisher::Impl::Names() const {
  CounterNames names;
  const auto add = [&](const GenerationRecord& record) {
    if (!record.index_released) names.revisions[record.index] = record.revision;
    if (record.fleet == nullptr) return;
    for (const model::Vip& vip : record.fleet->vips) {
      const auto id = ledger.VipCounter({.address = vip.address,
                                         .port = vip.port,
                                         .ip_protocol = guard::IpProtocol(vip.protocol)});
      if (id) names.vips[*id] = {vip.name, vip.pool};
    }
    for (const auto& pool : record.fleet->pools) {
      for (const model::Backend& backend : pool->config.backends) {
        const auto id = ledger.BackendCounter(pool->name(), backend.address);
        if (id) names.backends[*id] = {pool->name(), backend.name, backend.address};
      }
    }
  };
  std::lock_guard lock(mu);
  for (const GenerationRecord& record : retired) add(record);
  if (previous) add(*previous);
  if (active) add(*active);
  return names;
}

Publisher::Publisher(dataplane::DataPlane* dataplane, neighbor::Resolver* resolver,
                     const maglev::HashKey& flow_key, const FlowTimeouts& timeouts,
                     std::chrono::milliseconds sweeping)
    : impl_(std::make_unique<Impl>(dataplane, resolver, flow_key, timeouts, sweeping)) {}

Publisher::~Publisher() = default;

absl::StatusOr<AdoptReport> Publisher::Adopt(std::shared_ptr<const guard::BuiltFleet> intent) {
  return impl_->Adopt(std::move(intent));
}

absl::StatusOr<PublishResult> Publisher::Publish(const guard::Approval& approval,
                                                 uint64_t revision) {
  return impl_->Publish(approval, revision, /*compare_base=*/true);
}

absl::StatusOr<PublishResult> Publisher::Restore(const guard::Approval& approval,
                                                 uint64_t revision) {
  return impl_->Publish(approval, revision, /*compare_base=*/false);
}

absl::Status Publisher::UpdateNextHop(const neighbor::Resolution& resolution) {
  return impl_->UpdateNextHop(resolution);
}

absl::Status Publisher::KeepFollowing(const std::vector<model::IpAddress>& addresses) {
  return impl_->KeepFollowing(addresses);
}

absl::StatusOr<KernelState> Publisher::ReadKernelState() {
  std::lock_guard lock(impl_->mu);
  return ReadKernel(*impl_->dataplane);
}

absl::StatusOr<PoolReadback> Publisher::ReadPool(const std::string& pool) {
  PoolReadback readback;
  model::Forwarding forwarding{};
  absl::StatusOr<dataplane::TableImage> image = absl::NotFoundError("no packet gets to it");
  {
    std::lock_guard lock(impl_->mu);
    const auto tables = impl_->active ? impl_->active->tables : std::vector<TableRef>{};
    const auto found = std::find_if(tables.begin(), tables.end(),
                                    [&](const TableRef& table) { return table->pool == pool; });
    if (found == tables.end()) return image.status();
    const TableRecord& record = **found;
    readback.approved = record.digest;
    readback.table_size = record.size;
    forwarding = record.forwarding;
    image = impl_->dataplane->ReadTable(record.id, record.size);
  }
  if (!image.ok()) return image.status();
  const auto table = TableFromKernel(*image, forwarding);
  if (!table.ok()) return table.status();
  readback.found = table->ComputeDigest();
  const std::vector<uint32_t> slots = table->CountSlots();
  for (size_t i = 0; i < table->servers.size(); ++i) {
    readback.slots.emplace_back(table->servers[i], slots[i]);
  }
  return readback;
}

std::shared_ptr<const guard::BuiltFleet> Publisher::applied() const {
  std::lock_guard lock(impl_->mu);
  return impl_->active ? impl_->active->fleet : nullptr;
}

CounterNames Publisher::Names() const { return impl_->Names(); }

absl::StatusOr<CounterReport> Publisher::ReadCounters() { return impl_->ReadCounters(); }

void Publisher::Settle() { impl_->Settle(); }

void Publisher::LetGo(const std::vector<std::string>& pools) {
  std::lock_guard lock(impl_->mu);
  for (const std::string& pool : pools) impl_->letting_go[pool] = 0;
}

TrackingReport Publisher::Tracking() const {
  std::lock_guard lock(impl_->mu);
  return impl_->Tracking();
}

std::vector<ServerUse> Publisher::UsesOf(const model::IpAddress& server) const {
  std::lock_guard lock(impl_->mu);
  return impl_->UsesOf(server);
}

std::chrono::seconds Publisher::flow_idle_timeout() const {
  return std::chrono::ceil<std::chrono::seconds>(
      std::chrono::nanoseconds(uint64_t{impl_->timeouts.idle} << EK_SEEN_SHIFT));
}

absl::Status Publisher::SweepOnce() {
  std::lock_guard sweep(impl_->sweep_mu);
  return impl_->Sweep();
}

}  // namespace evenkeel::publish
