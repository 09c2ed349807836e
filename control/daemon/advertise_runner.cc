// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/advertise_runner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace evenkeel::daemon {
namespace {

// From a change of what can be served to its routes at most.
constexpr std::chrono::milliseconds kTick{100};
// How soon a route that somebody removed is there again.
constexpr int64_t kLookNs = 3'000'000'000;

}  // namespace

AdvertiseRunner::AdvertiseRunner(engine::LocalEngine* engine,
                                 std::unique_ptr<advertise::RouteTable> table, Sources sources)
    : engine_(engine), sources_(std::move(sources)), table_(std::move(table)) {}

void AdvertiseRunner::Start() {
  Step();
  ticker_.Start(kTick, [this] { Step(); });
}

void AdvertiseRunner::Stop() { ticker_.Stop(); }

std::optional<std::vector<advertise::VipView>> AdvertiseRunner::Look() const {
  const std::shared_ptr<const engine::State> state = engine_->Snapshot();
  const std::shared_ptr<const engine::Withdrawals> withdrawals = engine_->CurrentWithdrawals();
  if (state->kernel == nullptr) {
    if (sources_.nothing_published()) return std::vector<advertise::VipView>();
    const bool all_withdrawn = withdrawals->Find("") != nullptr;
    if (state->desired->vips.empty() && !all_withdrawn) return std::nullopt;
  }
  return ServingOf(*state, *withdrawals, sources_.serving(*state));
}

void AdvertiseRunner::Step() {
  const std::lock_guard work(work_mutex_);
  const auto views = Look();
  if (!views) return;
  if (views == done_ && sources_.steady_ns() < look_at_ns_) return;
  Carry(*views).IgnoreError();  // told by Carry, and tried again
}

absl::Status AdvertiseRunner::Reconcile() {
  const std::lock_guard work(work_mutex_);
  const auto views = Look();
  if (!views) {
    return absl::FailedPreconditionError(
        "the kernel forwards with a state that this daemon does not know; apply one first");
  }
  return Carry(*views);
}

absl::Status AdvertiseRunner::Carry(const std::vector<advertise::VipView>& views) {
  look_at_ns_ = sources_.steady_ns() + kLookNs;
  done_ = views;
  absl::Status status;
  const auto note = [&status](absl::Status one) {
    if (status.ok()) status = std::move(one);
  };
  std::set<model::IpAddress> before, after;
  const auto own = table_->Read();
  if (own.ok()) {
    for (const advertise::OwnRoute& route : *own) {
      if (IsAsMade(route, table_->options())) before.insert(route.address);
    }
    const std::vector<advertise::Verdict> verdicts = advertise::Judge(views, before);
    std::set<model::IpAddress> wanted;
    for (const advertise::Verdict& verdict : verdicts) {
      if (verdict.wanted) wanted.insert(verdict.address);
    }
    const advertise::Difference difference = Compare(wanted, *own, table_->options());
    after = before;
    for (const model::IpAddress& address : difference.add) {
      absl::Status added = table_->Add(address);
      if (added.ok()) after.insert(address);
      note(std::move(added));
    }
    for (const advertise::OwnRoute& route : difference.remove) {
      absl::Status removed = table_->Remove(route);
      if (removed.ok() && IsAsMade(route, table_->options())) after.erase(route.address);
      note(std::move(removed));
    }
    Report(verdicts, before, after);
  } else {
    note(own.status());
  }
  const std::string problem =
      status.ok() ? ""
                  : absl::StrCat("VIPs cannot be advertised as they should be: ", status.message());
  const std::lock_guard lock(mutex_);
  if (!problem.empty() && problem != problem_) spdlog::error("{}", problem);
  problem_ = problem;
  views_ = views;
  if (own.ok()) routed_ = std::move(after);
  return status;
}

void AdvertiseRunner::Report(const std::vector<advertise::Verdict>& verdicts,
                             const std::set<model::IpAddress>& before,
                             const std::set<model::IpAddress>& after) {
  std::map<model::IpAddress, const advertise::Verdict*> by_address;
  for (const advertise::Verdict& verdict : verdicts) by_address[verdict.address] = &verdict;
  for (const model::IpAddress& address : after) {
    if (before.contains(address)) continue;
    engine_->ReportAdvertised(advertise::Destination(address), true,
                              absl::StrJoin(by_address[address]->serving, ", "));
  }
  for (const model::IpAddress& address : before) {
    if (after.contains(address)) continue;
    const auto found = by_address.find(address);
    engine_->ReportAdvertised(
        advertise::Destination(address), false,
        found == by_address.end() ? "no VIP has this address any more" : found->second->why);
  }
}

absl::Status AdvertiseRunner::RemoveAll() {
  const std::lock_guard work(work_mutex_);
  return table_->RemoveAll();
}

void AdvertiseRunner::Describe(engine::Status* status) const {
  const std::shared_ptr<const engine::Withdrawals> withdrawals = engine_->CurrentWithdrawals();
  const std::lock_guard lock(mutex_);
  std::map<std::string, const advertise::VipView*> views;
  for (const advertise::VipView& view : views_) views[view.vip] = &view;
  for (engine::VipStatus& vip : status->vips) {
    engine::Advertisement advertised;
    advertised.routed = routed_.contains(vip.vip.address);
    if (const history::Withdrawal* withdrawn = withdrawals->Find(vip.vip.name)) {
      advertised.withdrawn = true;
      advertised.withdrawn_by = withdrawn->author;
      advertised.reason = withdrawn->reason;
      advertised.since_unix_ns = withdrawn->unix_ns;
    }
    const auto found = views.find(vip.vip.name);
    if (found == views.end()) {
      advertised.why = "it is not published";
    } else if (!(found->second->serving == advertise::Serving::kUnknown && advertised.routed)) {
      advertised.why = found->second->why;
    }
    vip.advertised = std::move(advertised);
  }
  if (!problem_.empty()) status->notices.push_back(problem_);
}

}  // namespace evenkeel::daemon
