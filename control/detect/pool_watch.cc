// SPDX-License-Identifier: Apache-2.0
#include "control/detect/pool_watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/detect/words.h"

namespace evenkeel::detect {
namespace {

constexpr double kNs = 1e9;
constexpr int64_t kLoadEvery_s = 10;

bool SameShares(const PoolPlan& a, const PoolPlan& b) {
  return std::equal(a.servers.begin(), a.servers.end(), b.servers.begin(), b.servers.end(),
                    [](const ServerPlan& one, const ServerPlan& other) {
                      return one.address == other.address && one.built == other.built;
                    }) &&
         a.spread == b.spread && a.counts_flows == b.counts_flows;
}

uint64_t Since(uint64_t counter, uint64_t before) {
  return counter >= before ? counter - before : 0;  // it began anew: once nothing is counted
}

}  // namespace

PoolWatch::PoolWatch(std::shared_ptr<const PoolPlan> plan, const Thresholds& thresholds)
    : plan_(std::move(plan)),
      shares_since_unix_ns_(plan_->since_unix_ns),
      packets_per_flow_(thresholds.packets_per_flow),
      page_z_(thresholds.page_z),
      facts_(FactsOf(*plan_, thresholds)),
      sample_(plan_->spread, plan_->counts_flows),
      book_(plan_->pool) {
  Begin();
}

void PoolWatch::Begin() {
  const size_t n = plan_->servers.size();
  shares_.clear();
  for (const ServerPlan& server : plan_->servers)
    shares_.push_back(static_cast<float>(server.built));
  std::vector<Server> servers(n);
  for (size_t i = 0; i < n; ++i) {
    servers[i].last.address = plan_->servers[i].address;
    for (const Server& before : servers_) {
      if (before.last.address != servers[i].last.address) continue;
      servers[i].down_since_ns = before.down_since_ns;
      servers[i].last.health = before.last.health;
    }
  }
  servers_ = std::move(servers);
  flows_ = Series(n);
  packets_ = Series(n);
  bytes_ = Series(n);
  sample_ = PoolSample(plan_->spread, plan_->counts_flows);
  by_right_.clear();
  counted_ = false;
}

void PoolWatch::Configure(std::shared_ptr<const PoolPlan> plan, const Scene& scene) {
  if (plan == plan_) return;
  const bool same = SameShares(*plan_, *plan);
  shares_since_unix_ns_ =
      same ? std::min(plan->since_unix_ns, shares_since_unix_ns_) : plan->since_unix_ns;
  plan_ = std::move(plan);
  facts_ = FactsOf(*plan_, scene.thresholds);
  if (same) return;
  Begin();
  for (const Alarm* alarm : book_.All()) {
    if (!alarm->server) continue;
    const bool there =
        std::any_of(plan_->servers.begin(), plan_->servers.end(),
                    [&](const ServerPlan& server) { return server.address == *alarm->server; });
    if (!there) book_.End(std::string(alarm->id), scene);
  }
}

void PoolWatch::CountServer(size_t i, const ServerReading& reading) {
  Server& server = servers_[i];
  if (!server.fresh) {
    flows_.Add(i, static_cast<double>(Since(reading.new_flows, server.last.new_flows)));
    packets_.Add(i, static_cast<double>(Since(reading.packets, server.last.packets)));
    bytes_.Add(i, static_cast<double>(Since(reading.bytes, server.last.bytes)));
  }
  server.last = reading;
  server.fresh = false;
}

void PoolWatch::Read(const PoolReading* reading, int64_t seconds, const Time& now) {
  flows_.Advance(seconds);
  packets_.Advance(seconds);
  bytes_.Advance(seconds);
  load_wait_s_ -= seconds;
  sample_.Age(now.steady_ns);
  read_ = reading != nullptr && reading->generation == plan_->generation;
  if (!read_) {
    for (Server& server : servers_) server.fresh = true;  // counters may hold another table's
    return;
  }
  if (!counted_) windows_since_ns_ = packets_since_ns_ = now.steady_ns;
  counted_ = true;
  size_t next = 0;
  for (const ServerReading& server : reading->servers) {
    if (next >= servers_.size() || servers_[next].last.address != server.address) {
      const auto found = std::lower_bound(
          plan_->servers.begin(), plan_->servers.end(), server.address,
          [](const ServerPlan& plan, const model::IpAddress& a) { return plan.address < a; });
      if (found == plan_->servers.end() || found->address != server.address) continue;
      next = static_cast<size_t>(found - plan_->servers.begin());
    }
    Server& known = servers_[next];
    if (server.health != Health::kDown) {
      known.down_since_ns = 0;
    } else if (known.down_since_ns == 0) {
      known.down_since_ns = now.steady_ns;
    }
    CountServer(next, server);
    ++next;
  }
  // Connections that were there before a change are where they were: that is no skew.
  if (reading->moving_slots > 0) {
    packets_.Clear();
    bytes_.Clear();
    packets_since_ns_ = now.steady_ns;
  }
  moving_ = reading->moving_slots;
  readback_ = reading->readback;
  if (readback_ != Readback::kDiffers) {
    differs_since_ns_ = 0;
    kernel_fact_.reset();
  } else {
    if (differs_since_ns_ == 0) differs_since_ns_ = now.steady_ns;
    kernel_fact_ = KernelFact(*plan_, *reading);
  }
}

Subject PoolWatch::SubjectOf(Kind kind, size_t i) const {
  return {kind, plan_->servers[i].address, plan_->servers[i].name};
}

double PoolWatch::Seconds(int64_t since_ns, const Scene& scene) const {
  return static_cast<double>(scene.now.steady_ns - since_ns) / kNs;
}

void PoolWatch::Judge(const Lanes& lanes, Views& views, const Scene& scene) {
  wants_sample_ = false;
  JudgeFacts(scene);
  JudgeKernel(scene);
  JudgeBackends(scene);
  if (!read_) return NoteUnknown(scene);
  JudgeFlows(lanes, views, scene);
  if (load_wait_s_ > 0) return;
  load_wait_s_ = kLoadEvery_s;
  JudgeLoad(views, scene);
}

void PoolWatch::NoteUnknown(const Scene& scene) {
  if (book_.empty()) return;
  for (size_t i = 0; i < servers_.size(); ++i) {
    for (const Kind kind : {Kind::kFlows, Kind::kStarved, Kind::kLoad}) {
      book_.Note(SubjectOf(kind, i), Calm::kUnknown, scene);
    }
  }
}

void PoolWatch::JudgeFacts(const Scene& scene) {
  for (const Fact& fact : facts_) book_.Raise(fact.subject, fact.finding, scene);
  for (const Alarm* alarm : book_.All()) {
    if (alarm->kind != Kind::kConcentration && alarm->kind != Kind::kTable) continue;
    const bool holds = std::any_of(facts_.begin(), facts_.end(), [&](const Fact& fact) {
      return fact.subject.kind == alarm->kind && fact.subject.server == alarm->server;
    });
    if (!holds) book_.Note({alarm->kind, alarm->server, alarm->name}, Calm::kRecovered, scene);
  }
}

void PoolWatch::JudgeKernel(const Scene& scene) {
  const Subject subject{Kind::kKernel, std::nullopt, ""};
  if (kernel_fact_ && Seconds(differs_since_ns_, scene) >= scene.thresholds.readback_s) {
    book_.Raise(subject, kernel_fact_->finding, scene);
  } else if (!kernel_fact_) {
    book_.Note(subject, readback_ == Readback::kMatches ? Calm::kRecovered : Calm::kUnknown, scene);
  }
}

void PoolWatch::JudgeBackends(const Scene& scene) {
  for (size_t i = 0; i < servers_.size(); ++i) {
    const Server& server = servers_[i];
    if (server.down_since_ns == 0 && book_.empty()) continue;
    const Subject subject = SubjectOf(Kind::kBackend, i);
    const double share = plan_->servers[i].built;
    if (server.down_since_ns == 0 || share == 0) {
      const bool well = server.last.health == Health::kUp || share == 0;
      book_.Note(subject, well ? Calm::kRecovered : Calm::kUnknown, scene);
    } else if (Seconds(server.down_since_ns, scene) >= scene.thresholds.down_s) {
      Evidence evidence;
      evidence.unit = "slots";
      evidence.expected_share = evidence.observed_share = share;
      evidence.expected = evidence.observed = share * plan_->table_size;
      evidence.ratio = 1;
      book_.Raise(subject,
                  {Severity::kTicket, Diagnosis::kBackend,
                   absl::StrCat(subject.name, " is down and has ", Percent(share),
                                " of the pool: what goes there fails. The balancer sends it what "
                                "the table says; its health keeps it in the table."),
                   evidence},
                  scene);
    }
  }
}

}  // namespace evenkeel::detect
