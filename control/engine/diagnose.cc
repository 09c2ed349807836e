// SPDX-License-Identifier: Apache-2.0
//
// What the daemon can say about itself: its record, the kernel's state, what it reaches.
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/engine/local_engine.h"

namespace evenkeel::engine {
namespace {

using Level = Finding::Level;

constexpr size_t kBackendsNamed = 20;

Finding Ok(std::string check, std::string detail) {
  return {Level::kOk, std::move(check), "", std::move(detail), ""};
}

Finding CheckRecord(const absl::Status& status) {
  if (status.ok()) return Ok("history", "whole, and can be written");
  return {Level::kFail, "history", "", std::string(status.message()),
          "until then forwarding goes on and every change is refused"};
}

Finding CheckKernel(const Status& status) {
  if (status.applied.revision == 0 && status.digest_matches) {
    return {Level::kWarn, "kernel-state", "", "nothing was applied yet",
            "evenkeel apply -f FILE --reason TEXT"};
  }
  if (status.digest_matches) {
    return Ok("kernel-state",
              absl::StrCat("forwards with revision ", status.applied.revision, ", read back"));
  }
  return {Level::kFail, "kernel-state", "",
          absl::StrCat("the kernel does not forward with revision ", status.applied.revision),
          "restart evenkeeld to restore it, and find out who writes to the pinned maps"};
}

void CheckInterfaces(const Status& status, std::vector<Finding>* findings) {
  if (status.interfaces.empty()) {
    findings->push_back({Level::kFail, "xdp", "", "no interface is attached",
                         "name those on which packets for VIPs arrive: evenkeeld --interface IF"});
  }
  for (const InterfaceStatus& i : status.interfaces) {
    if (i.mode == "native") {
      findings->push_back({Level::kOk, "xdp", i.name, "native mode, in the driver", ""});
      continue;
    }
    findings->push_back(
        {Level::kWarn, "xdp", i.name,
         absl::StrCat("generic mode, several times slower",
                      i.fallback_reason.empty() ? "" : absl::StrCat(": ", i.fallback_reason)),
         "use a driver with XDP and an MTU that it takes, or ask for --mode native to be told"});
  }
}

void CheckBackends(const Status& status, std::vector<Finding>* findings) {
  size_t serving = 0, missed = 0;
  for (const PoolStatus& pool : status.pools) {
    for (const BackendStatus& backend : pool.backends) {
      if (backend.share > 0) ++serving;
      if (backend.problem.empty() || ++missed > kBackendsNamed) continue;
      findings->push_back({Level::kFail, "backend", absl::StrCat(pool.name, "/", backend.name),
                           backend.problem,
                           absl::StrCat("mend it, or: evenkeel drain ", backend.name, " --pool ",
                                        pool.name, " --emergency")});
    }
  }
  if (missed > kBackendsNamed) {
    findings->push_back({Level::kFail, "backend", "",
                         absl::StrCat(missed - kBackendsNamed, " more cannot be reached"),
                         "evenkeel status names them"});
  }
  if (missed == 0) {
    findings->push_back(Ok("backend", absl::StrCat(serving, " serve, and all can be reached")));
  }
}

void CheckHealth(const Status& status, std::vector<Finding>* findings) {
  for (const PoolStatus& pool : status.pools) {
    if (!pool.panic.empty()) {
      findings->push_back({Level::kFail, "panic", pool.name, pool.panic,
                           "look for what the probes have in common before the servers"});
    }
    for (const BackendStatus& backend : pool.backends) {
      if (backend.health != "down") continue;
      findings->push_back({backend.held ? Level::kFail : Level::kWarn, "health",
                           absl::StrCat(pool.name, "/", backend.name), backend.health_cause,
                           backend.held
                               ? "it gets traffic still; mend it, or add servers to the pool"
                               : "it comes back by itself when its probes succeed"});
    }
  }
}

void CheckSpare(const Status& status, std::vector<Finding>* findings) {
  for (const PoolStatus& pool : status.pools) {
    if (pool.no_spare.empty()) continue;
    findings->push_back({Level::kFail, "spare-capacity", pool.name, pool.no_spare,
                         "add servers, or take load away, before something fails"});
  }
}

void CheckTraffic(const Status& status, std::vector<Finding>* findings) {
  for (const detect::Alarm& alarm : status.alarms) {
    const bool page = alarm.severity == detect::Severity::kPage;
    findings->push_back(
        {page ? Level::kFail : Level::kWarn, "traffic", alarm.pool, alarm.text,
         alarm.undo.empty() ? "docs/runbook.md, by the cause that it names" : alarm.undo});
  }
  size_t right = 0;
  for (const PoolStatus& pool : status.pools) {
    right += pool.distribution && pool.distribution->verdict == detect::Verdict::kMatches;
  }
  if (!status.alarms.empty() || right == 0) return;
  findings->push_back(
      Ok("traffic", absl::StrCat("goes where it should in ", right, " of ", status.pools.size(),
                                 " pools; in the others there is too little to say")));
}

void CheckAdvertising(const Status& status, std::vector<Finding>* findings) {
  size_t advertised = 0, wrong = 0;
  for (const VipStatus& vip : status.vips) {
    if (!vip.advertised) continue;
    const Advertisement& a = *vip.advertised;
    if (a.why.empty() && a.routed) {
      ++advertised;
      continue;
    }
    if (++wrong > kBackendsNamed) continue;
    if (a.withdrawn) {
      findings->push_back(
          {Level::kWarn, "advertise", vip.vip.name, a.why,
           absl::StrCat("when the work is done: evenkeel announce ", vip.vip.name)});
    } else if (a.missing()) {
      findings->push_back({Level::kFail, "advertise", vip.vip.name,
                           absl::StrCat("there is no route for ", vip.vip.address.ToString(),
                                        ", though this host can serve it"),
                           "a notice says what hinders it; else it is added within seconds, and "
                           "somebody removes it"});
    } else {
      findings->push_back({Level::kFail, "advertise", vip.vip.name,
                           absl::StrCat("cannot be served here: ", a.why),
                           a.routed ? "its address is advertised for other VIPs: withdraw those, "
                                      "too, or mend it"
                                    : "it comes back by itself"});
    }
  }
  if (wrong > kBackendsNamed) {
    findings->push_back({Level::kFail, "advertise", "",
                         absl::StrCat(wrong - kBackendsNamed, " more are not advertised"),
                         "evenkeel status names them"});
  }
  if (advertised > 0 && wrong == 0) {
    findings->push_back(Ok("advertise", absl::StrCat("all ", advertised, " VIPs have a route")));
  }
}

void CheckWorkflow(const Status& status, std::vector<Finding>* findings) {
  if (status.applied.awaits()) {
    findings->push_back(
        {Level::kWarn, "confirmation", "",
         absl::StrCat("revision ", status.applied.revision,
                      " awaits its confirmation; no other change is accepted"),
         absl::StrCat("evenkeel confirm ", status.applied.revision, ", or cancel")});
  }
  for (const history::Override& o : status.overrides) {
    findings->push_back({Level::kWarn, "override", o.rule,
                         absl::StrCat("may be broken, by ", o.author, ": ", o.reason),
                         "it ends by itself; evenkeel status says when"});
  }
  if (status.watched && status.watched->state == Watched::State::kHeld) {
    findings->push_back({Level::kFail, "watched-file", status.watched->path,
                         absl::StrCat("held: ", status.watched->detail),
                         "it is followed again when it says what is in force or can be applied"});
  }
  for (const std::string& notice : status.notices) {
    findings->push_back({Level::kWarn, "notice", "", notice, "evenkeel status has it too"});
  }
}

}  // namespace

absl::StatusOr<std::vector<Finding>> LocalEngine::Diagnose(const DiagnoseOptions& options) {
  const absl::StatusOr<Status> status = GetStatus();
  if (!status.ok()) return status.status();
  std::vector<Finding> findings = {CheckRecord(deps_.history->Check()), CheckKernel(*status)};
  CheckInterfaces(*status, &findings);
  CheckBackends(*status, &findings);
  CheckHealth(*status, &findings);
  CheckTraffic(*status, &findings);
  CheckSpare(*status, &findings);
  CheckAdvertising(*status, &findings);
  CheckWorkflow(*status, &findings);
  if (!deps_.examine) return findings;
  std::vector<Finding> more = deps_.examine(options, *Snapshot(), *status);
  findings.insert(findings.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
  return findings;
}

}  // namespace evenkeel::engine
