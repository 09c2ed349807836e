// SPDX-License-Identifier: Apache-2.0
//
// Withdraw and Announce: an operator keeps VIPs from the routers, and ends that. It changes no
// table and no revision, and so does not wait for a change that is under way.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/engine/local_engine.h"
#include "control/engine/request_check.h"
#include "control/model/nearest.h"

namespace evenkeel::engine {
namespace {

constexpr size_t kMaxUnrecorded = 10'000;
constexpr char kAll[] = "all VIPs";

absl::Status Check(const WithdrawalRequest& request, bool withdraw) {
  for (const model::Diagnostic& problem : CheckWithdrawal(request, withdraw)) {
    return absl::InvalidArgumentError(absl::StrCat(problem.field, " ", problem.message));
  }
  return absl::OkStatus();
}

absl::Status Unknown(const std::string& name, const State& state) {
  std::vector<std::string_view> names;
  for (const model::Vip& vip : state.desired->vips) names.push_back(vip.name);
  const std::string nearest(model::Nearest(name, names));
  return absl::NotFoundError(absl::StrCat("there is no VIP \"", name, "\"",
                                          nearest.empty()
                                              ? "; evenkeel status lists them"
                                              : absl::StrCat("; did you mean \"", nearest, "\"?")));
}

}  // namespace

// Names and addresses to names, each once, in the order of the configuration.
absl::StatusOr<std::vector<std::string>> LocalEngine::FindVips(const WithdrawalRequest& request,
                                                               const State& state,
                                                               const Withdrawals& withdrawals) {
  std::vector<std::string> found;
  for (const std::string& wanted : request.vips) {
    const auto address = model::IpAddress::Parse(wanted);
    const size_t before = found.size();
    for (const model::Vip& vip : state.desired->vips) {
      const bool meant = vip.name == wanted || (address.ok() && vip.address == *address);
      if (meant) found.push_back(vip.name);
    }
    if (found.size() > before) continue;
    // One that left the configuration withdrawn may be announced all the same.
    if (!withdrawals.Names(wanted)) return Unknown(wanted, state);
    found.push_back(wanted);
  }
  std::vector<std::string> once;
  for (std::string& name : found) {
    if (std::find(once.begin(), once.end(), name) == once.end()) once.push_back(std::move(name));
  }
  return once;
}

absl::StatusOr<WithdrawalReport> LocalEngine::Withdraw(const WithdrawalRequest& request) {
  return SetWithdrawn(request, true);
}

absl::StatusOr<WithdrawalReport> LocalEngine::Announce(const WithdrawalRequest& request) {
  return SetWithdrawn(request, false);
}

absl::StatusOr<WithdrawalReport> LocalEngine::SetWithdrawn(const WithdrawalRequest& request,
                                                           bool withdrawn) {
  if (auto status = Check(request, withdrawn); !status.ok()) return status;
  if (!deps_.advertise) {
    return absl::FailedPreconditionError(
        "VIPs are not advertised by this daemon, so that there is nothing to withdraw or announce; "
        "set advertise.enabled in evenkeeld.yaml");
  }
  std::lock_guard serial(withdraw_mutex_);
  const std::shared_ptr<const State> state = Snapshot();
  auto next = std::make_shared<Withdrawals>(*CurrentWithdrawals());
  std::vector<std::string> names = {""};
  if (!request.all) {
    auto found = FindVips(request, *state, *next);
    if (!found.ok()) return found.status();
    names = *std::move(found);
    // Announced already: nothing to record.
    if (!withdrawn) {
      std::erase_if(names, [&](const std::string& name) { return next->Find(name) == nullptr; });
    }
  }
  std::vector<history::Withdrawal> made;
  for (const std::string& name : names) {
    made.push_back({.unix_ns = deps_.now_unix_ns(),
                    .vip = name,
                    .withdrawn = withdrawn,
                    .author = request.author,
                    .reason = request.reason});
    next->Add(made.back());
  }
  {
    std::lock_guard lock(state_mutex_);
    withdrawals_ = std::move(next);
  }
  for (const history::Withdrawal& w : made) {
    const std::string text =
        absl::StrCat(w.vip.empty() ? kAll : w.vip, withdrawn ? " withdrawn by " : " announced by ",
                     w.author, w.reason.empty() ? "" : ": ", absl::CEscape(w.reason));
    spdlog::info("{}", text);
    Emit(withdrawn ? Event::Kind::kWithdrawn : Event::Kind::kAnnounced, state->applied.revision,
         w.vip.empty() ? kAll : w.vip, text);
  }
  WithdrawalReport report;
  // The routes do not wait for the record: maintenance goes on where the disk is full.
  RecordWithdrawals(std::move(made), &report.problem);
  if (auto status = deps_.advertise(); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat("it is noted and will be done as soon as the "
                                                    "routes can be changed: ",
                                                    status.message()));
  }
  report.vips = DescribeVips(*state);
  return report;
}

std::vector<VipStatus> LocalEngine::DescribeVips(const State& state) const {
  Status status;
  for (const model::Vip& vip : state.desired->vips)
    status.vips.push_back({.vip = vip, .counter = {}});
  if (deps_.describe_advertising) deps_.describe_advertising(&status);
  return std::move(status.vips);
}

void LocalEngine::RecordWithdrawals(std::vector<history::Withdrawal> made, std::string* problem) {
  for (history::Withdrawal& w : made) unrecorded_withdrawals_.push_back(std::move(w));
  if (unrecorded_withdrawals_.empty()) return;
  const absl::Status status = deps_.history->RecordWithdrawals(unrecorded_withdrawals_);
  std::string text;
  if (status.ok()) {
    unrecorded_withdrawals_.clear();
  } else {
    text = absl::StrCat(
        "what was withdrawn or announced could not be recorded, a restart would forget it: ",
        status.message());
    if (unrecorded_withdrawals_.size() > kMaxUnrecorded) {
      unrecorded_withdrawals_.erase(unrecorded_withdrawals_.begin(),
                                    unrecorded_withdrawals_.end() - kMaxUnrecorded);
    }
  }
  if (problem != nullptr) *problem = text;
  SetNotice("withdrawal-record", std::move(text));
}

absl::Status LocalEngine::ReadWithdrawals() {
  const auto recorded = deps_.history->Withdrawals();
  if (!recorded.ok()) return recorded.status();
  auto withdrawals = std::make_shared<Withdrawals>();
  for (const history::Withdrawal& w : *recorded) withdrawals->Add(w);
  std::lock_guard lock(state_mutex_);
  withdrawals_ = std::move(withdrawals);
  return absl::OkStatus();
}

std::shared_ptr<const Withdrawals> LocalEngine::CurrentWithdrawals() const {
  std::lock_guard lock(state_mutex_);
  return withdrawals_;
}

void LocalEngine::ReportAdvertised(const std::string& destination, bool advertised,
                                   const std::string& why) {
  const std::string text =
      advertised ? absl::StrCat("advertised to the routers", why.empty() ? "" : ", for ", why)
                 : absl::StrCat("no longer advertised: ", why);
  advertised ? spdlog::info("{} {}", destination, text) : spdlog::warn("{} {}", destination, text);
  Emit(advertised ? Event::Kind::kAnnounced : Event::Kind::kWithdrawn, Snapshot()->applied.revision,
       destination, text);
}

}  // namespace evenkeel::engine
