// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/detect_runner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/traffic/frame.h"
#include "control/traffic/route.h"

namespace evenkeel::daemon {
namespace {

constexpr std::chrono::milliseconds kTick{1000};
// Tables are read back for so long in a second: two hundredths of a core.
constexpr int64_t kReadbackNs = 20'000'000;
// Of packets, while the detector asks for them: of ten new flows a second it has seen enough to
// speak of clients after half a minute.
constexpr int64_t kSampleEveryNs = 3'000'000'000;
constexpr int64_t kSampleAgainNs = 300'000'000'000;  // where it cannot be done
constexpr std::chrono::milliseconds kSampleWindow{500};
constexpr uint32_t kSampledPackets = 4000;

}  // namespace

dataplane::SampleOptions DetectRunner::SampleOptionsFor(double packets_per_s) {
  const double expected = packets_per_s * std::chrono::duration<double>(kSampleWindow).count();
  const double one_in = std::clamp(std::ceil(expected / kSampledPackets), 1.0, 1e9);
  return {.window = kSampleWindow,
          .one_in = static_cast<uint32_t>(one_in),
          .max_packets = kSampledPackets};
}

DetectRunner::DetectRunner(engine::LocalEngine* engine, Sources sources, Sink sink)
    : engine_(engine),
      sources_(std::move(sources)),
      sink_(std::move(sink)),
      detector_(sources_.thresholds) {}

detect::Time DetectRunner::Now() const {
  return {.steady_ns = sources_.steady_ns(), .unix_ns = sources_.now_unix_ns()};
}

void DetectRunner::Start() {
  Step();
  ticker_.Start(kTick, [this] { Step(); });
}

void DetectRunner::Stop() { ticker_.Stop(); }

void DetectRunner::Configure(const engine::State& state) {
  const bool first = configured_ == nullptr;
  // What was there before this daemon has been so since it was applied, as far as is known.
  const int64_t since = first ? state.applied.applied_unix_ns : sources_.now_unix_ns();
  plan_ = PlanDetection(state, sources_.host_policy, ++generation_, since, &ages_);
  std::erase_if(readbacks_, [this](const auto& item) { return !ages_.contains(item.first); });
  std::optional<detect::Change> change;
  if (state.applied.revision != described_revision_ && state.applied.revision != 0) {
    uint64_t base = 0;
    if (const auto record = engine_->GetRevision(state.applied.revision); record.ok()) {
      base = record->base;
    }
    change = DescribeChange(state.applied, base, described_.get(), *state.desired);
    described_revision_ = state.applied.revision;
  }
  described_ = state.desired;
  const std::lock_guard lock(mutex_);
  in_force_ = state.applied.revision;
  applied_unix_ns_ = state.applied.applied_unix_ns;
  if (change) detector_.NoteChange(*std::move(change));
  detector_.Adopt(plan_, Now());
}

// One pool after the other, as many as fit the time. Whom it finds changed is looked at again at
// once: another table may have been published meanwhile.
void DetectRunner::ReadBack() {
  const int64_t until = sources_.steady_ns() + kReadbackNs;
  for (size_t i = 0; i < plan_.size() && sources_.steady_ns() < until; ++i) {
    const std::string& pool = plan_[next_readback_++ % plan_.size()]->pool;
    const auto read = sources_.read_pool(pool);
    if (absl::IsNotFound(read.status())) {
      readbacks_.erase(pool);
      continue;
    }
    Readback& known = readbacks_[pool] = {};
    known.broken = !read.ok();
    if (!read.ok()) continue;
    known.approved = read->approved;
    known.found = read->found;
    for (const auto& [server, slots] : read->slots) {
      known.shares[server] = read->table_size == 0 ? 0
                                                   : static_cast<double>(slots) /
                                                         static_cast<double>(read->table_size);
    }
  }
}

void DetectRunner::FillReadback(detect::PoolReading* reading) const {
  const auto found = readbacks_.find(reading->pool);
  if (found == readbacks_.end()) return;
  const Readback& readback = found->second;
  // Of a table that was replaced since it says nothing.
  const auto age = ages_.find(reading->pool);
  if (!readback.broken && (age == ages_.end() || age->second.digest != readback.approved)) {
    return;
  }
  reading->readback = readback.matches() ? detect::Readback::kMatches : detect::Readback::kDiffers;
  for (detect::ServerReading& server : reading->servers) {
    const auto share = readback.shares.find(server.address);
    if (!readback.broken) server.kernel = share == readback.shares.end() ? 0 : share->second;
  }
}

void DetectRunner::NoteRate(const publish::CounterReport& counters) {
  uint64_t packets = 0;
  for (const publish::BackendCounters& backend : counters.backends) {
    packets += backend.counter.packets;
  }
  const int64_t now = sources_.steady_ns();
  // Fewer than before: servers left, and took their counters along.
  if (now > counted_ns_ && packets >= counted_packets_) {
    packets_per_s_ = static_cast<double>(packets - counted_packets_) * 1e9 /
                     static_cast<double>(now - counted_ns_);
  }
  counted_packets_ = packets;
  counted_ns_ = now;
}

void DetectRunner::TakeSample(const engine::State& state) {
  const int64_t now = sources_.steady_ns();
  if (!sources_.sample || now < sample_at_ns_ || state.kernel == nullptr) return;
  {
    const std::lock_guard lock(mutex_);
    if (detector_.WantSamples().empty()) return;
  }
  const dataplane::SampleOptions options = SampleOptionsFor(packets_per_s_);
  const auto sample = sources_.sample(options);
  sample_at_ns_ = now + (sample.ok() ? kSampleEveryNs : kSampleAgainNs);
  if (!sample.ok()) {
    spdlog::info("packets cannot be sampled for an alarm: {}",
                 std::string(sample.status().message()));
    return;
  }
  const traffic::Router router(*state.kernel, sources_.hash_key);
  const std::lock_guard lock(mutex_);
  for (const dataplane::SampledPacket& packet : sample->packets) {
    const auto flow = traffic::ParseFrame(packet.head, packet.length);
    if (!flow) continue;
    const auto route = router.Find(*flow);
    if (!route || !route->server || route->pool == nullptr) continue;
    detector_.NoteFlow({.pool = route->pool->name(),
                        .server = *route->server,
                        .source = flow->source,
                        .source_port = flow->source_port,
                        .destination_port = flow->destination_port,
                        .ip_protocol = flow->ip_protocol,
                        .opening = flow->opening,
                        .packets = options.one_in,
                        .bytes = uint64_t{packet.length} * options.one_in});
  }
}

void DetectRunner::Step() {
  const int64_t start = sources_.steady_ns();
  if (!Look() || !sources_.ticked) return;
  sources_.ticked(static_cast<double>(sources_.steady_ns() - start) / 1e9);
}

bool DetectRunner::Look() {
  const std::shared_ptr<const engine::State> state = engine_->Snapshot();
  if (configured_ == nullptr || state->kernel != configured_->kernel ||
      state->desired != configured_->desired ||
      state->applied.revision != configured_->applied.revision) {
    Configure(*state);
    configured_ = state;
  }
  ReadBack();
  const auto counters = sources_.counters();
  // Counters of a state that is being replaced are nobody's: the next tick has those of the new
  // one.
  if (!counters.ok() || engine_->Snapshot()->kernel != state->kernel) return false;
  NoteRate(*counters);
  detect::Reading reading{
      .pools = ReadPools(plan_, *counters, sources_.tracking()),
      .lanes = sources_.lanes ? sources_.lanes() : std::vector<detect::LaneReading>()};
  std::vector<std::string> mismatched;
  for (detect::PoolReading& pool : reading.pools) {
    FillReadback(&pool);
    if (pool.readback == detect::Readback::kDiffers) mismatched.push_back(pool.pool);
    if (!sources_.health) continue;
    const auto health = sources_.health(pool.pool);
    for (detect::ServerReading& server : pool.servers) {
      if (const auto found = health.find(server.address); found != health.end()) {
        server.health = found->second;
      }
    }
  }
  std::vector<detect::AlarmEvent> events;
  std::vector<detect::Alarm> open;
  {
    const std::lock_guard lock(mutex_);
    mismatched_ = std::move(mismatched);
    events = detector_.Tick(reading, Now());
    open = detector_.Alarms();
  }
  for (const detect::AlarmEvent& event : events) sink_(event);
  if (sources_.open) sources_.open(open);
  TakeSample(*state);
  return true;
}

void DetectRunner::NoteHealth(detect::HealthChange change) {
  const std::lock_guard lock(mutex_);
  detector_.NoteHealth(std::move(change));
}

void DetectRunner::Describe(engine::StatusDepth depth, engine::Status* status) const {
  const detect::Time now = Now();
  const std::lock_guard lock(mutex_);
  status->alarms = detector_.Alarms();
  for (engine::PoolStatus& pool : status->pools) {
    pool.distribution = detector_.Report(pool.name, now);
  }
  if (depth == engine::StatusDepth::kQuick) status->digest_matches = mismatched_.empty();
}

absl::StatusOr<std::vector<detect::Alarm>> DetectRunner::Acknowledge(
    const engine::Acknowledgement& request) {
  const std::lock_guard lock(mutex_);
  std::vector<detect::Alarm> acknowledged;
  for (const detect::Alarm& alarm : detector_.Alarms()) {
    if (!request.id.empty() && alarm.id != request.id) continue;
    detector_.Acknowledge(alarm.id, request.author, sources_.now_unix_ns());
  }
  for (detect::Alarm& alarm : detector_.Alarms()) {
    if (request.id.empty() || alarm.id == request.id) acknowledged.push_back(std::move(alarm));
  }
  if (acknowledged.empty() && !request.id.empty()) {
    return absl::NotFoundError(absl::StrCat("no alarm \"", request.id,
                                            "\" is open; evenkeel status lists those that are"));
  }
  return acknowledged;
}

std::string DetectRunner::Objection() const {
  const std::shared_ptr<const engine::State> state = engine_->Snapshot();
  const std::lock_guard lock(mutex_);
  // Of a revision that the detector has not looked at yet it knows nothing.
  if (state->applied.revision != in_force_) return "";
  return detector_.Objection(applied_unix_ns_);
}

}  // namespace evenkeel::daemon
