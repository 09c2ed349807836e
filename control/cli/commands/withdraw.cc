// SPDX-License-Identifier: Apache-2.0
//
// `withdraw` and `announce`: VIPs are kept from the routers for maintenance, and given back.
#include <algorithm>

#include "control/cli/advertised.h"
#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/text.h"
#include "control/json/status.h"

namespace evenkeel::cli {
namespace {

class WithdrawCommand : public Command {
 public:
  explicit WithdrawCommand(bool withdraw) : withdraw_(withdraw) {}

  void Declare(CLI::App& app) override {
    app.add_option("vips", request_.vips, "Their names; an address stands for all that have it")
        ->type_name("VIP");
    app.add_flag("--all", request_.all,
                 withdraw_ ? "All VIPs, also those that are added later" : "All VIPs");
    app.add_option("-r,--reason", request_.reason,
                   withdraw_ ? "Why; the status shows it (required)" : "Why; it is recorded")
        ->type_name("TEXT");
  }

  ExitCode Run(Session& session) override {
    if (request_.all == !request_.vips.empty()) {
      return session.FailUsage(request_.all ? "name VIPs or give --all, not both"
                                            : "name VIPs, or give --all");
    }
    if (withdraw_ && request_.reason.empty()) {
      return session.FailUsage("--reason is required; the status shows it to your colleagues");
    }
    const auto report =
        withdraw_ ? session.daemon().Withdraw(request_) : session.daemon().Announce(request_);
    if (!report.ok()) return session.Fail(report.status());
    if (session.json()) {
      PrintJson(session, *report);
    } else {
      PrintText(session, *report);
    }
    return ExitCode::kDone;
  }

 private:
  bool IsNamed(const engine::VipStatus& vip) const {
    return request_.all ||
           std::any_of(request_.vips.begin(), request_.vips.end(), [&](const std::string& wanted) {
             return wanted == vip.vip.name || wanted == vip.vip.address.ToString();
           });
  }

  void PrintJson(Session& session, const engine::WithdrawalReport& report) const {
    nlohmann::ordered_json vips = nlohmann::ordered_json::array();
    for (const engine::VipStatus& vip : report.vips) {
      vips.push_back({{"name", vip.vip.name},
                      {"address", vip.vip.address.ToString()},
                      {"named", IsNamed(vip)},
                      {"advertised", json::AdvertisedJson(vip)}});
    }
    session.PrintJson({{"schema", withdraw_ ? "evenkeel.withdraw/v1" : "evenkeel.announce/v1"},
                       {"problem", report.problem},
                       {"vips", vips}});
  }

  void PrintText(Session& session, const engine::WithdrawalReport& report) const {
    Printer out = session.Out();
    std::vector<engine::VipStatus> named;
    size_t others = 0, others_advertised = 0;
    for (const engine::VipStatus& vip : report.vips) {
      if (IsNamed(vip)) {
        named.push_back(vip);
        continue;
      }
      ++others;
      others_advertised += vip.advertised && json::AdvertisedWord(*vip.advertised) == "yes";
    }
    out.Put(withdraw_ ? "Withdrawn" : "Announced", Style::kGood);
    if (request_.all) {
      out.Line(Cat(": all ", Plural(named.size(), "VIP"),
                   withdraw_ ? ", and those that are added until evenkeel announce --all" : ""));
    } else {
      out.Line(Cat(": ", Plural(named.size(), "VIP")));
    }
    for (const engine::VipStatus& vip : named) {
      if (!vip.advertised) continue;
      out.Line(Cat("  ", vip.vip.name, " ", vip.vip.address.ToString(), ": ",
                   vip.advertised->routed ? "its address has a route" : "no route"));
    }
    if (others > 0) {
      out.Line(Cat(Plural(others, "other VIP"), ", ", others_advertised, " of them advertised"));
    }
    PrintNotAdvertised(out, named);
    if (!report.problem.empty()) {
      session.Err().Hanging(0, {"Warning:", Style::kWarn}, report.problem);
    }
  }

  const bool withdraw_;
  engine::WithdrawalRequest request_;
};

}  // namespace

std::unique_ptr<Command> MakeWithdraw() { return std::make_unique<WithdrawCommand>(true); }
std::unique_ptr<Command> MakeAnnounce() { return std::make_unique<WithdrawCommand>(false); }

}  // namespace evenkeel::cli
