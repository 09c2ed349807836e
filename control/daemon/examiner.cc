// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/examiner.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/daemon/cgroup_memory.h"
#include "control/nic/interface.h"
#include "control/publish/ledger.h"

namespace evenkeel::daemon {
namespace {

using engine::Finding;
using Level = Finding::Level;

// Sockets that are open at a time, two for each question.
constexpr size_t kMaxQuestions = 250;
constexpr std::chrono::milliseconds kAskFor{1900};
// No packet is likely to be chosen.
constexpr dataplane::SampleOptions kTrial{
    .window = std::chrono::milliseconds(1), .one_in = 1u << 31, .max_packets = 1};
constexpr uint32_t kUsualMtu = 1500;
// The smallest MTU that IPv6 guarantees.
constexpr uint32_t kLeastMtu = 1280;

bool ChecksThroughVips(const model::Config& config, const std::string& name) {
  const model::Pool* const pool = config.FindPool(name);
  return pool != nullptr && pool->health_check &&
         pool->health_check->through == model::HealthCheck::Through::kVip;
}

bool IsAttached(const engine::Status& status, const std::string& interface) {
  return std::any_of(status.interfaces.begin(), status.interfaces.end(),
                     [&](const auto& attached) { return attached.name == interface; });
}

VipPath::Server PathOf(const VipQuestion& question) {
  return {.pool = question.pool,
          .address = question.server,
          .method = publish::MethodOf(question.forwarding, question.server)};
}

std::string RpFilterRemedy(const std::string& interface, const ReturnFacts& facts) {
  const std::string own = absl::StrCat("net.ipv4.conf.", interface, ".rp_filter=");
  if (!facts.way.empty()) return absl::StrCat("sysctl -w ", own, "2");
  // The larger one of both counts.
  return absl::StrCat("sysctl -w net.ipv4.conf.all.rp_filter=0 ", own, "0");
}

}  // namespace

std::map<std::string, std::set<std::string>> Examiner::PoolsByInterface(
    const model::Config& config) const {
  std::map<std::string, std::set<std::string>> pools;
  for (const model::Pool& pool : config.pools) {
    for (const model::Backend& backend : pool.backends) {
      if (!backend.serving()) continue;
      const std::string interface = sources_.resolve(backend.address).interface;
      if (!interface.empty()) pools[interface].insert(pool.name);
    }
  }
  return pools;
}

void Examiner::CheckRpFilter(const model::Config& config, const engine::Status& status,
                             Findings* findings) const {
  std::map<std::string, std::set<std::string>> interfaces = PoolsByInterface(config);
  for (const engine::InterfaceStatus& attached : status.interfaces) interfaces[attached.name];
  for (const auto& [interface, pools] : interfaces) {
    const int filter = ReadRpFilter(interface, sources_.root);
    Finding finding{Level::kOk, "rp-filter", interface,
                    filter == 0   ? "0, off"
                    : filter == 1 ? "1, strict"
                                  : absl::StrCat(filter, ", loose"),
                    ""};
    std::set<model::IpAddress> dropped;
    for (const model::Vip& vip : config.vips) {
      if (filter == 0 || !vip.address.is_ipv4() || !pools.contains(vip.pool)) continue;
      ReturnFacts facts = sources_.return_facts(vip.address, interface);
      facts.own = false;  // another fault
      facts.rp_filter = filter;
      const std::string why = JudgeReturn(vip.address, interface, facts);
      if (why.empty()) continue;
      const bool needed = ChecksThroughVips(config, vip.pool);
      if (finding.level == Level::kOk || (needed && finding.level == Level::kWarn)) {
        finding.level = needed ? Level::kFail : Level::kWarn;
        finding.detail = absl::StrCat(
            filter, ": what servers answer from ", vip.address.ToString(), " is dropped here, so ",
            needed ? "the health checks through VIPs cannot ask them"
                   : "neither doctor nor health checks can ask them through the VIP");
        finding.remedy = RpFilterRemedy(interface, facts);
      }
      dropped.insert(vip.address);
    }
    if (dropped.size() > 1) {
      absl::StrAppend(&finding.detail, "; ", dropped.size() - 1, " more VIPs the same");
    }
    findings->push_back(std::move(finding));
  }
}

// Of what is sent by the interfaces that are attached, the command looks at the MTU itself. Here
// are the other ways to servers, and routes with an MTU of their own.
void Examiner::CheckPaths(const model::Config& config, const engine::Status& status,
                          Findings* findings) const {
  struct Narrow {
    std::string server;
    uint32_t mtu = std::numeric_limits<uint32_t>::max(), overhead = 0;
  };
  std::map<std::string, Narrow> narrowest;  // by interface: the least that is left for a packet
  for (const model::Pool& pool : config.pools) {
    for (const model::Backend& backend : pool.backends) {
      if (!backend.serving()) continue;
      const neighbor::Resolution way = sources_.resolve(backend.address);
      if (!way.next_hop) continue;
      const auto overhead = static_cast<uint32_t>(
          publish::OuterLength(publish::MethodOf(pool.forwarding, backend.address)));
      Narrow& narrow = narrowest[way.interface];
      if (int64_t{way.next_hop->mtu} - overhead >= int64_t{narrow.mtu} - narrow.overhead) continue;
      narrow = {absl::StrCat(pool.name, "/", backend.name), way.next_hop->mtu, overhead};
    }
  }
  for (const auto& [interface, narrow] : narrowest) {
    if (IsAttached(status, interface) && sources_.mtu(interface) == narrow.mtu) continue;
    const std::string found = absl::StrCat("MTU ", narrow.mtu, " on the way to ", narrow.server,
                                           ", encapsulation adds ", narrow.overhead, " bytes");
    if (narrow.mtu >= kUsualMtu + narrow.overhead || narrow.overhead == 0) {
      findings->push_back({Level::kOk, "mtu", interface, found, ""});
      continue;
    }
    findings->push_back(
        {narrow.mtu < kLeastMtu + narrow.overhead ? Level::kFail : Level::kWarn, "mtu", interface,
         absl::StrCat(found, ": packets of more than ", narrow.mtu - narrow.overhead,
                      " bytes are answered with \"too big\""),
         absl::StrCat(
             "raise it to ", kUsualMtu + narrow.overhead,
             " on the link, and on the route if that has one of its own (ip route show)")});
  }
}

void Examiner::CheckTracing(Findings* findings) const {
  if (!sources_.trace) return;
  const absl::Status status = sources_.trace();
  if (status.ok()) {
    findings->push_back({Level::kOk, "tracing", "", "live packets can be sampled", ""});
    return;
  }
  findings->push_back(
      {Level::kWarn, "tracing", "",
       absl::StrCat("live packets cannot be sampled: ", std::string(status.message())),
       "plan --sample, and alarms that name the large flow, need it; forwarding "
       "does not"});
}

void Examiner::AskServers(const model::Config& config, const engine::Status& status,
                          Findings* findings) {
  // Many servers are behind one interface.
  std::map<std::pair<model::IpAddress, std::string>, std::string> faults;
  const VipQuestions questions = PlanVipQuestions(
      config, status,
      [&](const model::IpAddress& vip, const model::IpAddress& server) {
        const std::string interface = sources_.resolve(server).interface;
        const auto [it, fresh] = faults.try_emplace({vip, interface});
        if (fresh) {
          it->second = JudgeReturn(vip, interface, sources_.return_facts(vip, interface));
        }
        return it->second;
      },
      kMaxQuestions);

  std::set<VipPath::Server> servers;
  for (const VipQuestion& question : questions.asked) servers.insert(PathOf(question));
  Marks marks;
  if (!servers.empty()) {
    auto lent = sources_.lend_paths(servers);
    if (!lent.ok()) {
      sources_.lend_paths({}).status().IgnoreError();
      findings->push_back({Level::kWarn, "decapsulation", "",
                           absl::StrCat("cannot be told: ", std::string(lent.status().message())),
                           "the daemon's log says more"});
      return;
    }
    marks = *std::move(lent);
  }
  // Both ways at the same time: the servers' own addresses first, then through the VIPs.
  std::vector<probe::Target> targets;
  for (const VipQuestion& question : questions.asked) targets.push_back(question.target);
  std::vector<size_t> through(questions.asked.size());  // where in `targets`; 0: not asked
  for (size_t i = 0; i < questions.asked.size(); ++i) {
    const VipQuestion& question = questions.asked[i];
    const auto mark = marks.find(PathOf(question));
    if (mark == marks.end()) continue;
    through[i] = targets.size();
    targets.push_back(question.target);
    targets.back().via = probe::Via{.vip = question.vip, .mark = mark->second};
  }
  std::vector<VipAnswer> direct = sources_.ask(targets);
  if (!servers.empty()) sources_.lend_paths({}).status().IgnoreError();
  std::vector<VipAnswer> by_vip(questions.asked.size());
  for (size_t i = 0; i < by_vip.size(); ++i) {
    if (through[i] != 0) by_vip[i] = direct[through[i]];
  }
  direct.resize(questions.asked.size());
  Findings told = JudgeVipAnswers(questions, by_vip, direct);
  std::move(told.begin(), told.end(), std::back_inserter(*findings));
}

std::vector<Finding> Examiner::Examine(const engine::DiagnoseOptions& options,
                                       const engine::State& state, const engine::Status& status) {
  const model::Config config = state.desired->ToConfig();
  Findings findings;
  CheckRpFilter(config, status, &findings);
  CheckPaths(config, status, &findings);
  findings.push_back(CheckMemoryLimit(ReadMemoryLimit(sources_.root), StagingBytes(config)));
  if (!status.interfaces.empty()) CheckTracing(&findings);  // else there is nothing to trace
  if (options.probe) {
    const std::lock_guard lock(asking_);
    AskServers(config, status, &findings);
  }
  return findings;
}

std::unique_ptr<Examiner> MakeExaminer(HealthRunner* health, dataplane::KernelDataPlane* dataplane,
                                       const neighbor::Resolver* resolver) {
  Examiner::Sources sources;
  sources.resolve = [resolver](const model::IpAddress& server) { return resolver->Get(server); };
  sources.mtu = [](const std::string& interface) {
    const auto found = nic::ReadInterface(interface);
    return found ? found->mtu : 0;
  };
  sources.trace = [dataplane] { return dataplane->TakeSample(kTrial).status(); };
  sources.lend_paths = [health](const std::set<VipPath::Server>& servers) {
    return health->LendPaths(servers);
  };
  sources.ask = [](const std::vector<probe::Target>& targets) { return AskOnce(targets, kAskFor); };
  return std::make_unique<Examiner>(std::move(sources));
}

}  // namespace evenkeel::daemon
