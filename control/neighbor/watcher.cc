// SPDX-License-Identifier: Apache-2.0
#include "control/neighbor/watcher.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace evenkeel::neighbor {
namespace {

using std::chrono::milliseconds;

// A neighbour in use is confirmed this often, so that one that left is noticed within about
// half a minute (refresh, then the kernel's own DELAY and three probes).
constexpr milliseconds kRefresh{10'000};
constexpr milliseconds kRouteSettle{10};
constexpr milliseconds kFirstBackoff{1'000};
constexpr milliseconds kMaxBackoff{30'000};

bool Same(const Resolution& a, const Resolution& b) {
  return a.next_hop == b.next_hop && a.problem == b.problem && a.interface == b.interface &&
         a.gateway == b.gateway;
}

}  // namespace

Watcher::Watcher(NetlinkSession session, Listener listener)
    : session_(std::move(session)), listener_(std::move(listener)) {}

Watcher::~Watcher() {
  {
    std::lock_guard lock(mu_);
    stopping_ = true;
  }
  Wake();
  if (thread_.joinable()) thread_.join();
}

absl::Status Watcher::Start() {
  wake_ = dataplane::UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.valid()) return absl::InternalError(absl::StrCat("eventfd: ", std::strerror(errno)));
  // Subscribed already: what changes from here on comes as an event.
  auto host = session_.ReadHost();
  if (!host.ok()) return host.status();
  host_ = *std::move(host);
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void Watcher::Wake() {
  const uint64_t one = 1;
  // Can only fail if a wake-up is pending already.
  if (wake_.valid() && write(wake_.get(), &one, sizeof(one)) < 0) return;
}

absl::Status Watcher::Follow(const std::vector<model::IpAddress>& addresses) {
  {
    std::lock_guard lock(mu_);
    wanted_ = {addresses.begin(), addresses.end()};
    follow_changed_ = true;
    for (auto it = known_.begin(); it != known_.end();) {
      const auto here = it++;
      if (wanted_.contains(here->first)) continue;
      if (here->second.next_hop) --resolved_;
      known_.erase(here);
    }
  }
  Wake();
  return absl::OkStatus();
}

Resolution Watcher::Get(const model::IpAddress& address) const {
  std::lock_guard lock(mu_);
  if (const auto it = known_.find(address); it != known_.end()) return it->second;
  Resolution resolution;
  resolution.address = address;
  resolution.problem = wanted_.contains(address) ? "not looked up yet" : "not followed";
  resolution.pending = true;
  return resolution;
}

void Watcher::WaitResolved(milliseconds timeout) {
  std::unique_lock lock(mu_);
  changed_.wait_for(lock, timeout, [&] { return stopping_ || resolved_ == wanted_.size(); });
}

void Watcher::Run() {
  while (true) {
    {
      std::lock_guard lock(mu_);
      if (stopping_) break;
    }
    TakeFollowed();
    if (look_up_all_at_ && *look_up_all_at_ <= Clock::now()) LookUpAll();
    SolicitDue();
    pollfd fds[] = {{.fd = session_.event_fd(), .events = POLLIN, .revents = 0},
                    {.fd = wake_.get(), .events = POLLIN, .revents = 0}};
    const auto wait = UntilNextWork();
    if (poll(fds, 2, static_cast<int>(wait.count())) < 0 && errno != EINTR) {
      spdlog::error("neighbour watcher: poll: {}", std::strerror(errno));
    }
    uint64_t count = 0;
    if ((fds[1].revents & POLLIN) && read(wake_.get(), &count, sizeof(count)) < 0 &&
        errno != EAGAIN) {
      spdlog::error("neighbour watcher: eventfd: {}", std::strerror(errno));
    }
    if (fds[0].revents) Apply(session_.ReadEvents(host_));
  }
  std::lock_guard lock(mu_);
  changed_.notify_all();
}

void Watcher::TakeFollowed() {
  std::vector<model::IpAddress> fresh;
  {
    std::lock_guard lock(mu_);
    if (!follow_changed_) return;
    follow_changed_ = false;
    std::erase_if(entries_, [&](const auto& entry) { return !wanted_.contains(entry.first); });
    for (const model::IpAddress& address : wanted_) {
      if (!entries_.contains(address)) fresh.push_back(address);
    }
  }
  for (auto it = behind_.begin(); it != behind_.end();) {
    std::erase_if(it->second, [&](const auto& a) { return !entries_.contains(a); });
    if (it->second.empty()) solicitations_.erase(it->first);
    it = it->second.empty() ? behind_.erase(it) : std::next(it);
  }
  for (const model::IpAddress& address : fresh) LookUp(address, entries_[address]);
}

void Watcher::LookUp(const model::IpAddress& address, Entry& entry) {
  auto route = session_.LookUp(address);
  if (!route.ok()) {
    spdlog::warn("neighbour watcher: {}", std::string(route.status().message()));
    return;  // the former answer stays; the next route event asks again
  }
  const auto before = NextHopKey(address, entry.route);
  const auto now = NextHopKey(address, *route);
  if (entry.looked_up && before && before != now) {
    auto& set = behind_[*before];
    set.erase(address);
    if (set.empty()) {
      behind_.erase(*before);
      solicitations_.erase(*before);
    }
  }
  entry.route = *route;
  entry.looked_up = true;
  if (now) {
    behind_[*now].insert(address);
    if (!solicitations_.contains(*now)) SolicitNow(*now);
  }
  Update(address, entry);
}

void Watcher::LookUpAll() {
  look_up_all_at_.reset();
  for (auto& [address, entry] : entries_) LookUp(address, entry);
}

void Watcher::Update(const model::IpAddress& address, Entry& entry) {
  const Evaluation evaluation =
      Evaluate(address, entry.route, host_, entry.looked_up ? &entry.last : nullptr);
  const bool different = !Same(evaluation.resolution, entry.last);
  entry.last = evaluation.resolution;
  // Before the first definite answer there is nothing to tell: what an earlier daemon knew of this
  // backend stays in force meanwhile.
  const bool notify = (different || !entry.reported) && (!evaluation.pending || entry.reported);
  entry.reported |= notify;
  Publish(evaluation.resolution, notify);
}

void Watcher::Publish(const Resolution& resolution, bool notify) {
  {
    std::lock_guard lock(mu_);
    if (!wanted_.contains(resolution.address)) return;
    Resolution& known = known_[resolution.address];
    if (known.next_hop) --resolved_;
    known = resolution;
    if (known.next_hop) ++resolved_;
  }
  changed_.notify_all();
  // Not under the lock: the listener may ask Get().
  if (notify && listener_) listener_(resolution);
}

void Watcher::UpdateBehind(const NeighborKey& neighbor) {
  const auto it = behind_.find(neighbor);
  if (it == behind_.end()) return;
  const auto known = host_.neighbors.find(neighbor);
  Solicitation& solicitation = solicitations_[neighbor];
  if (known == host_.neighbors.end()) {
    solicitation.next = Clock::now();  // forgotten by the kernel: ask again
  } else if (known->second.state == Neighbor::State::kFailed) {
    solicitation.backoff = std::clamp(solicitation.backoff * 2, kFirstBackoff, kMaxBackoff);
    solicitation.next = Clock::now() + solicitation.backoff;
  } else if (known->second.state == Neighbor::State::kUsable) {
    solicitation.backoff = milliseconds{0};
  }
  for (const model::IpAddress& address : it->second) Update(address, entries_[address]);
}

void Watcher::Resync() {
  auto host = session_.ReadHost();
  if (!host.ok()) {
    spdlog::error("neighbour watcher: {}", std::string(host.status().message()));
    return;
  }
  host_ = *std::move(host);
  LookUpAll();
}

void Watcher::Apply(const Changes& changes) {
  if (changes.lost) {
    spdlog::warn("neighbour watcher: netlink events were lost; reading everything again");
    Resync();
    return;
  }
  if (changes.links) {
    for (auto& [address, entry] : entries_) Update(address, entry);
    // What failed while an interface was down deserves a try at once.
    for (auto& [neighbor, solicitation] : solicitations_) solicitation.next = Clock::now();
  }
  if ((changes.routes || changes.links) && !look_up_all_at_) {
    look_up_all_at_ = Clock::now() + kRouteSettle;
  }
  for (const NeighborKey& neighbor : changes.neighbors) UpdateBehind(neighbor);
}

void Watcher::SolicitNow(const NeighborKey& neighbor) {
  Solicitation& solicitation = solicitations_[neighbor];
  solicitation.next = Clock::now() + std::max(kRefresh, solicitation.backoff);
  const auto link = host_.links.find(neighbor.first);
  if (link == host_.links.end() || !link->second.usable() || !link->second.ethernet) return;
  const auto known = host_.neighbors.find(neighbor);
  const bool confirmed = known != host_.neighbors.end() &&
                         known->second.state == Neighbor::State::kUsable && !known->second.stale;
  if (confirmed) return;
  if (auto status = session_.Solicit(neighbor); !status.ok()) {
    spdlog::warn("neighbour watcher: {}", std::string(status.message()));
  }
}

void Watcher::SolicitDue() {
  const auto now = Clock::now();
  std::vector<NeighborKey> due;
  for (const auto& [neighbor, solicitation] : solicitations_) {
    if (solicitation.next <= now) due.push_back(neighbor);
  }
  for (const NeighborKey& neighbor : due) SolicitNow(neighbor);
}

milliseconds Watcher::UntilNextWork() const {
  milliseconds wait = kRefresh;
  const auto now = Clock::now();
  for (const auto& [neighbor, solicitation] : solicitations_) {
    const auto left = std::chrono::ceil<milliseconds>(solicitation.next - now);
    wait = std::min(wait, left);
  }
  if (look_up_all_at_) {
    wait = std::min(wait, std::chrono::ceil<milliseconds>(*look_up_all_at_ - now));
  }
  return std::max(wait, milliseconds{0});
}

}  // namespace evenkeel::neighbor
