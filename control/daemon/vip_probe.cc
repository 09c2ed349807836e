// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/vip_probe.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace evenkeel::daemon {
namespace {

using engine::Finding;
using model::HealthCheck;
using Level = Finding::Level;

constexpr char kCheck[] = "decapsulation";
constexpr size_t kNamed = 20;

// How a VIP is asked for; nothing: there is no question that a server would have to answer.
struct Asking {
  HealthCheck check;
  uint16_t port = 0;
  bool clients_port = false;
};

std::optional<Asking> AskingFor(const model::Pool& pool, const model::Vip& vip) {
  if (vip.protocol == model::Protocol::kTcp && vip.port != 0) {
    return Asking{.check = {}, .port = vip.port, .clients_port = true};
  }
  if (!pool.health_check) return std::nullopt;
  Asking asking{.check = *pool.health_check};
  asking.check.passive.reset();
  asking.check.through = HealthCheck::Through::kDirect;
  if (asking.check.type == HealthCheck::Type::kIcmp) return asking;
  asking.port = asking.check.port != 0 ? asking.check.port : vip.port;
  if (asking.port == 0) return std::nullopt;
  // Whether anything answers is the question; what it says is that of the health check.
  asking.check.expect = asking.check.expect_start = "";
  if (asking.check.type != HealthCheck::Type::kUdp) asking.check = {};
  return asking;
}

const engine::BackendStatus* FindBackend(const engine::Status& status, const std::string& pool,
                                         const model::IpAddress& server) {
  for (const engine::PoolStatus& p : status.pools) {
    if (p.name != pool) continue;
    for (const engine::BackendStatus& backend : p.backends) {
      if (backend.address == server && backend.state == model::AdminState::kEnabled) {
        return &backend;
      }
    }
  }
  return nullptr;
}

class Planner {
 public:
  Planner(const engine::Status& status,
          const std::function<std::string(const model::IpAddress&, const model::IpAddress&)>& fault,
          size_t limit)
      : status_(status), fault_(fault), limit_(limit) {}

  void Add(const model::Pool& pool, const std::vector<model::Vip>& vips) {
    Candidates candidates{.pool = &pool, .vips = {}, .servers = {}};
    std::set<std::string> unasked;
    for (const model::Vip& vip : vips) {
      if (vip.pool != pool.name) continue;
      const std::optional<Asking> asking = AskingFor(pool, vip);
      if (asking) {
        candidates.vips.emplace_back(vip.address, *asking);
      } else {
        unasked.insert(vip.name);
      }
    }
    if (!unasked.empty()) {
      Tell(Level::kOk, pool.name,
           absl::StrCat("cannot be told through VIP ", absl::StrJoin(unasked, ", "),
                        ": no health check says how it is asked"));
    }
    std::set<model::IpAddress> seen;
    for (const model::Backend& backend : pool.backends) {
      if (backend.serving() && seen.insert(backend.address).second) {
        candidates.servers.push_back(&backend);
      }
    }
    if (!candidates.vips.empty()) pools_.push_back(std::move(candidates));
  }

  // The first server of each pool, then the second one of each, and so on.
  VipQuestions Take() {
    bool more = true;
    for (size_t i = 0; more; ++i) {
      more = false;
      for (const Candidates& candidates : pools_) {
        if (i >= candidates.servers.size()) continue;
        more = true;
        AskServer(candidates, *candidates.servers[i]);
      }
    }
    return std::move(questions_);
  }

 private:
  struct Candidates {
    const model::Pool* pool;
    std::vector<std::pair<model::IpAddress, Asking>> vips;
    std::vector<const model::Backend*> servers;
  };

  void AskServer(const Candidates& candidates, const model::Backend& backend) {
    const model::Pool& pool = *candidates.pool;
    const std::string name = absl::StrCat(pool.name, "/", backend.name);
    std::vector<VipQuestion> asked;
    std::set<std::pair<model::IpAddress, uint16_t>> seen;
    for (const auto& [vip, asking] : candidates.vips) {
      if (!seen.emplace(vip, asking.port).second) continue;
      if (const std::string why = fault_(vip, backend.address); !why.empty()) {
        if (faults_.emplace(pool.name, why).second) {
          Tell(Level::kWarn, pool.name, absl::StrCat("cannot be told: ", why),
               "without it, neither doctor nor health checks can ask through that VIP");
        }
        continue;
      }
      asked.push_back({.pool = pool.name,
                       .forwarding = pool.forwarding,
                       .name = backend.name,
                       .server = backend.address,
                       .vip = vip,
                       .target = {.pool = pool.name,
                                  .address = backend.address,
                                  .port = asking.port,
                                  .check = asking.check},
                       .clients_port = asking.clients_port});
    }
    if (asked.empty()) return;
    if (pool.health_check && pool.health_check->through == HealthCheck::Through::kVip) {
      const engine::BackendStatus* const known = FindBackend(status_, pool.name, backend.address);
      if (known != nullptr && known->health == "up") return questions_.well.push_back(name);
      // Why it is down need not lie on its way: it is asked all the same.
      if (known != nullptr && known->health == "down") {
        for (VipQuestion& question : asked) question.down = known->health_cause;
      }
    }
    if (questions_.asked.size() + asked.size() > limit_) return questions_.left_out.push_back(name);
    std::move(asked.begin(), asked.end(), std::back_inserter(questions_.asked));
  }

  void Tell(Level level, const std::string& pool, std::string detail, std::string remedy = "") {
    questions_.findings.push_back({level, kCheck, pool, std::move(detail), std::move(remedy)});
  }

  const engine::Status& status_;
  const std::function<std::string(const model::IpAddress&, const model::IpAddress&)>& fault_;
  const size_t limit_;
  std::vector<Candidates> pools_;
  std::set<std::pair<std::string, std::string>> faults_;
  VipQuestions questions_;
};

std::string Remedy(const VipQuestion& question) {
  const std::string vip = question.vip.ToString();
  const std::string add =
      absl::StrCat("ip address add ", vip, question.vip.is_ipv6() ? "/128" : "/32", " dev lo");
  if (question.forwarding == model::Forwarding::kL2) {
    return absl::StrCat("on ", question.name, ": ", add,
                        question.vip.is_ipv6() ? ""
                                               : ", and sysctl -w net.ipv4.conf.all.arp_ignore=1 "
                                                 "net.ipv4.conf.all.arp_announce=2");
  }
  return absl::StrCat("on ", question.name,
                      ": evenkeel-decap --status says whether it takes the "
                      "encapsulation off; ",
                      add);
}

bool Answered(const VipAnswer& answer) {
  return answer.kind == VipAnswer::Kind::kYes || answer.kind == VipAnswer::Kind::kRefused;
}

// nullopt: it takes packets for the VIP.
std::optional<Finding> Judge(const VipQuestion& question, const VipAnswer& through,
                             const VipAnswer& direct) {
  using Kind = VipAnswer::Kind;
  const std::string name = absl::StrCat(question.pool, "/", question.name);
  const std::string vip = absl::StrCat("VIP ", question.vip.ToString());
  const std::string port = absl::StrCat("port ", question.target.port);
  const auto fail = [&](std::string detail, std::string remedy) {
    return Finding{Level::kFail, kCheck, name, std::move(detail), std::move(remedy)};
  };
  if (through.kind == Kind::kOwnFault) {
    return Finding{Level::kWarn, kCheck, name, absl::StrCat("cannot be told: ", through.cause),
                   "ask again later"};
  }
  if (through.kind == Kind::kYes) return std::nullopt;
  if (through.kind == Kind::kRefused) {
    if (!question.clients_port) return std::nullopt;
    return fail(
        absl::StrCat("takes packets for ", vip, " and refuses ", port,
                     direct.kind == Kind::kYes ? ": its service listens at its own address alone"
                                               : ", as it does at its own address"),
        absl::StrCat("let its service listen on ", question.vip.ToString(), " ", port));
  }
  const std::string cause =
      question.down ? absl::StrCat("; its health check says: ", *question.down) : "";
  if (Answered(direct)) {
    // Who refuses is there all the same.
    return fail(absl::StrCat("answers at its own address but not through ", vip,
                             question.forwarding == model::Forwarding::kL2
                                 ? ": the VIP is not on its loopback"
                                 : ": nothing takes the encapsulation off on it, or the VIP is not "
                                   "on its loopback",
                             cause),
                Remedy(question));
  }
  return fail(
      absl::StrCat("answers neither through ", vip, " nor at its own address",
                   direct.cause.empty() ? "" : absl::StrCat(" (", direct.cause, ")"), cause),
      "is it up, is its service, and does a firewall there let this host in?");
}

void AddLeftOut(const VipQuestions& questions, std::vector<Finding>* findings) {
  if (questions.left_out.empty()) return;
  const size_t named = std::min(questions.left_out.size(), kNamed);
  std::string names =
      absl::StrJoin(questions.left_out.begin(), questions.left_out.begin() + named, ", ");
  if (named < questions.left_out.size()) {
    absl::StrAppend(&names, " and ", questions.left_out.size() - named, " more");
  }
  findings->push_back({Level::kOk, kCheck, "",
                       absl::StrCat("not asked, since there are too many for one look: ", names),
                       ""});
}

}  // namespace

VipQuestions PlanVipQuestions(
    const model::Config& config, const engine::Status& status,
    const std::function<std::string(const model::IpAddress&, const model::IpAddress&)>& fault,
    size_t limit) {
  Planner planner(status, fault, limit);
  for (const model::Pool& pool : config.pools) planner.Add(pool, config.vips);
  return planner.Take();
}

std::vector<VipAnswer> AskOnce(const std::vector<probe::Target>& targets,
                               std::chrono::milliseconds timeout) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<VipAnswer> answers(targets.size());
  size_t missing = targets.size();
  if (targets.empty()) return answers;
  const auto until = std::chrono::steady_clock::now() + timeout;
  const auto note = [&](const probe::Target& target, const probe::Result& result) {
    size_t index = 0;
    if (!absl::SimpleAtoi(target.pool, &index) || index >= answers.size()) return;
    const std::lock_guard lock(mutex);
    VipAnswer& answer = answers[index];
    if (answer.kind != VipAnswer::Kind::kNone || !answer.cause.empty()) return;
    using Kind = VipAnswer::Kind;
    answer = {.kind = result.healthy     ? Kind::kYes
                      : result.own_fault ? Kind::kOwnFault
                      : result.refused   ? Kind::kRefused
                                         : Kind::kNone,
              .cause = result.healthy ? "" : result.cause};
    if (--missing == 0) changed.notify_all();
  };
  std::vector<probe::Target> once = targets;
  for (size_t i = 0; i < once.size(); ++i) {
    once[i].pool = absl::StrCat(i);  // a label: results come back with it
    // One lost packet is made good by TCP within this time.
    once[i].check.timeout = timeout * 4 / 5;
    once[i].check.interval = std::chrono::hours(1);
  }
  auto prober = probe::Prober::Start(
      {.max_open_sockets = targets.size() + 1, .first_within = timeout / 10}, note);
  absl::Status status = prober.status();
  if (prober.ok()) status = (*prober)->SetTargets(once);
  if (!status.ok()) {
    for (VipAnswer& answer : answers) {
      answer = {VipAnswer::Kind::kOwnFault, std::string(status.message())};
    }
    return answers;
  }
  {
    std::unique_lock lock(mutex);
    changed.wait_until(lock, until, [&] { return missing == 0; });
  }
  prober->reset();  // nothing is noted any more
  return answers;
}

std::vector<Finding> JudgeVipAnswers(const VipQuestions& questions,
                                     const std::vector<VipAnswer>& through,
                                     const std::vector<VipAnswer>& direct) {
  std::map<std::string, size_t> well;  // servers by pool
  for (const std::string& name : questions.well) ++well[name.substr(0, name.find('/'))];
  std::set<std::pair<std::string, model::IpAddress>> asked, faulty;
  std::vector<Finding> findings;
  for (size_t i = 0; i < questions.asked.size(); ++i) {
    const VipQuestion& question = questions.asked[i];
    asked.emplace(question.pool, question.server);
    std::optional<Finding> finding = Judge(question, through[i], direct[i]);
    if (!finding) continue;
    faulty.emplace(question.pool, question.server);
    findings.push_back(*std::move(finding));
  }
  for (const auto& server : asked) {
    if (!faulty.contains(server)) ++well[server.first];
  }
  std::vector<Finding> all;
  for (const auto& [pool, servers] : well) {
    all.push_back({Level::kOk, kCheck, pool,
                   absl::StrCat(servers, servers == 1 ? " server takes" : " servers take",
                                " packets for its VIPs"),
                   ""});
  }
  if (findings.size() > kNamed) {
    const size_t more = findings.size() - kNamed;
    findings.resize(kNamed);
    findings.push_back({Level::kFail, kCheck, "", absl::StrCat(more, " more like these"),
                        "mend those that are named, and look again"});
  }
  all.insert(all.end(), findings.begin(), findings.end());
  all.insert(all.end(), questions.findings.begin(), questions.findings.end());
  AddLeftOut(questions, &all);
  return all;
}

}  // namespace evenkeel::daemon
