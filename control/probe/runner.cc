// SPDX-License-Identifier: Apache-2.0
#include "control/probe/runner.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/probe/http_driver.h"
#include "control/probe/icmp_driver.h"
#include "control/probe/socket.h"
#include "control/probe/tcp_driver.h"
#include "control/probe/udp_driver.h"

namespace evenkeel::probe {
namespace {

// Beyond libcurl's own, a few of the sockets' numbers may be in use by both drivers at once.
constexpr size_t kSpareEvents = 16;
constexpr int kLateDivisor = 10;  // of the interval
// A deadline that is noticed so late was missed by this host, not by the target.
constexpr Nanos kStalled = std::chrono::milliseconds{100};

}  // namespace

Runner::Runner(const Options& options, Report report)
    : options_(options),
      report_(std::move(report)),
      schedule_(options.first_within),
      turns_(options.max_open_sockets) {}

absl::StatusOr<std::unique_ptr<Runner>> Runner::Create(const Options& options, Report report) {
  std::unique_ptr<Runner> runner(new Runner(options, std::move(report)));
  auto loop = Loop::Create(options.max_open_sockets + kSpareEvents);
  if (!loop.ok()) return loop.status();
  runner->loop_ = *std::move(loop);
  const OnEnd on_end = [self = runner.get()](TargetId id, Outcome outcome) {
    self->End(id, std::move(outcome));
  };
  auto http = HttpDriver::Create(
      *runner->loop_,
      {.body_bytes = options.max_body_bytes, .header_bytes = options.max_header_bytes},
      runner->open_sockets_, on_end);
  if (!http.ok()) return http.status();
  runner->http_ = *std::move(http);
  runner->tcp_ = std::make_unique<TcpDriver>(*runner->loop_, runner->open_sockets_, on_end);
  runner->udp_ = std::make_unique<UdpDriver>(*runner->loop_, runner->open_sockets_, on_end);
  runner->icmp_ = std::make_unique<IcmpDriver>(*runner->loop_, on_end);
  return runner;
}

Driver& Runner::DriverOf(const Target& target) {
  switch (target.check.type) {
    case model::HealthCheck::Type::kTcp:
      return *tcp_;
    case model::HealthCheck::Type::kUdp:
      return *udp_;
    case model::HealthCheck::Type::kIcmp:
      return *icmp_;
    case model::HealthCheck::Type::kHttp:
    case model::HealthCheck::Type::kHttps:
    case model::HealthCheck::Type::kGrpc:
      break;
  }
  return *http_;
}

void Runner::Apply(const Changes& changes) {
  const Nanos now = Now();
  for (const auto& [id, target] : changes.added) {
    targets_[id] = target;
    turns_.AddTarget(target->pool);
    // Those of one server are spread, too.
    const std::string set =
        target->via ? absl::StrCat(target->pool, " ", target->via->vip.ToString()) : target->pool;
    schedule_.Add(id, SeedOf(set, target->address, target->port), target->check.interval, now);
  }
  for (const TargetId id : changes.removed) {
    if (const auto it = running_.find(id); it != running_.end()) {
      it->second.driver->Cancel(id);
      Forget(id);
    }
    schedule_.Remove(id);
    const auto target = targets_.find(id);
    turns_.RemoveTarget(target->second->pool);
    targets_.erase(target);
  }
  if (changes.removed.empty()) return;
  turns_.KeepIf([this](TargetId id) { return targets_.contains(id); });
}

void Runner::RunOnce() {
  Expire();
  StartDue();
  http_->Work(Now());
  Deliver();
  counters_.waiting = turns_.waiting();
  counters_.skipped = schedule_.skipped();
  const auto next = NextWork();
  polled_ = Now();
  loop_->Wait(next);
  Deliver();
}

std::optional<Nanos> Runner::NextWork() const {
  if (turns_.waiting() > 0 && freed_) return Nanos{0};  // at once
  std::optional<Nanos> next = schedule_.NextDue();
  const auto sooner = [&next](Nanos at) { next = next ? std::min(*next, at) : at; };
  if (!deadlines_.empty()) sooner(deadlines_.begin()->first);
  if (const auto work = http_->NextWork()) sooner(*work);
  return next;
}

void Runner::Expire() {
  // What came in before events were last asked for has been handled: an answer that waited for
  // this thread, however long, is an answer in time.
  while (!deadlines_.empty() && deadlines_.begin()->first <= polled_) {
    const auto [deadline, id] = *deadlines_.begin();
    const bool stalled = Now() - deadline > kStalled;
    const std::string waited_for = running_.at(id).driver->Cancel(id);
    End(id,
        {.healthy = false,
         .own_fault = stalled,
         .cause = absl::StrCat(waited_for, " within ", DurationText(targets_.at(id)->check.timeout),
                               stalled ? ", but this host was stalled meanwhile" : "")});
  }
}

void Runner::StartDue() {
  for (const auto& [id, at] : schedule_.Take(Now())) {
    turns_.Push(targets_.at(id)->pool, id, at);
  }
  freed_ = false;
  while (const auto next = turns_.Next()) Begin(*next);
}

void Runner::Begin(const Turns::Waiting& waiting) {
  const Target& target = *targets_.at(waiting.id);
  Driver& driver = DriverOf(target);
  const Nanos now = Now();
  const Nanos deadline = now + target.check.timeout;
  ++counters_.started;
  if (waiting.waited || now - waiting.due > Nanos(target.check.interval) / kLateDivisor) {
    ++counters_.late;
  }
  running_[waiting.id] = {.driver = &driver, .started = now, .deadline = deadline};
  deadlines_.emplace(deadline, waiting.id);
  driver.Start(waiting.id, target);
}

void Runner::Forget(TargetId id) {
  const auto it = running_.find(id);
  deadlines_.erase({it->second.deadline, id});
  running_.erase(it);
  turns_.Ended(targets_.at(id)->pool);
  freed_ = true;
  schedule_.Ended(id);
  ++counters_.ended;
}

void Runner::End(TargetId id, Outcome outcome) {
  const Nanos took = Now() - running_.at(id).started;
  if (const Target& target = *targets_.at(id); target.via && !outcome.healthy) {
    outcome.cause =
        PlainText(absl::StrCat("through VIP ", target.via->vip.ToString(), ": ", outcome.cause));
  }
  Forget(id);
  ended_.push_back({.id = id,
                    .result = {.healthy = outcome.healthy,
                               .own_fault = outcome.own_fault,
                               .cause = std::move(outcome.cause),
                               .took = took,
                               .refused = outcome.refused}});
}

// Not where a probe ends: that may be deep in a driver.
void Runner::Deliver() {
  const std::vector<Ended> ended = std::exchange(ended_, {});
  for (const Ended& end : ended) {
    if (const auto it = targets_.find(end.id); it != targets_.end()) {
      report_(end.id, *it->second, end.result);
    }
  }
}

Stats Runner::stats() const {
  return {.started = counters_.started,
          .ended = counters_.ended,
          .late = counters_.late,
          .skipped = counters_.skipped,
          .waiting = counters_.waiting,
          .open_sockets = open_sockets_};
}

}  // namespace evenkeel::probe
