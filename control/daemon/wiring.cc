// SPDX-License-Identifier: Apache-2.0
//
// Who asks whom: each part gets the others as functions, so that it can be tested without them.
#include <time.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/daemon/daemon_impl.h"
#include "control/daemon/host_view.h"
#include "control/daemon/lane_reader.h"
#include "control/daemon/logging.h"

namespace evenkeel::daemon {
namespace {

constexpr std::chrono::seconds kWatchTick{1};

}  // namespace

int64_t NowUnixNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int64_t SteadyNs() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

int Daemon::StartEngine() {
  engine::Dependencies dependencies;
  dependencies.kernel = kernel_.get();
  dependencies.history = history_.get();
  dependencies.resolver = resolver_.get();
  dependencies.court = MakeCourt();
  dependencies.now_unix_ns = NowUnixNs;
  dependencies.steady_ns = SteadyNs;
  dependencies.reach = [this](const std::vector<model::IpAddress>& addresses) {
    return ReadReach(*resolver_, addresses);
  };
  dependencies.pace = {.gap_ns = settings_.change_interval_s * int64_t{1'000'000'000},
                       .per_hour = settings_.changes_per_hour};
  dependencies.retention = std::chrono::hours(24) * settings_.history_days;
  dependencies.bake = std::chrono::seconds(settings_.bake_time_s);
  dependencies.interfaces = [this] { return interfaces_; };
  dependencies.sample = [this](const auto& options) { return dataplane_->TakeSample(options); };
  dependencies.capture = [this](const auto& options) { return dataplane_->StartCapture(options); };
  dependencies.describe_health = [this](engine::Status* status) {
    if (health_ != nullptr) health_->Describe(status);
  };
  dependencies.describe_detection = [this](engine::StatusDepth depth, engine::Status* status) {
    if (detect_ != nullptr) detect_->Describe(depth, status);
    if (webhook_ == nullptr) return;
    if (std::string problem = webhook_->Problem(); !problem.empty()) {
      status->notices.push_back(std::move(problem));
    }
  };
  dependencies.acknowledge =
      [this](const engine::Acknowledgement& request) -> absl::StatusOr<std::vector<detect::Alarm>> {
    if (detect_ == nullptr) return absl::UnavailableError("the daemon is starting");
    return detect_->Acknowledge(request);
  };
  dependencies.objection = [this] { return detect_ != nullptr ? detect_->Objection() : ""; };
  if (settings_.advertise) {
    dependencies.advertise = [this] { return advertise_->Reconcile(); };
    dependencies.describe_advertising = [this](engine::Status* status) {
      if (advertise_ != nullptr) advertise_->Describe(status);
    };
  }
  dependencies.judged = [this](const engine::Judged& judged) { tallies_.CountJudged(judged); };
  dependencies.examine = [this](const engine::DiagnoseOptions& options, const engine::State& state,
                                const engine::Status& status) {
    return examiner_->Examine(options, state, status);
  };
  dependencies.version = EK_VERSION;
  dependencies.instance = settings_.instance;
  engine_ = std::make_unique<engine::LocalEngine>(std::move(dependencies));
  absl::StatusOr<engine::StartReport> report =
      engine_->Start(bootstrap_.has_value() ? &*bootstrap_ : nullptr);
  if (!report.ok()) return Fail(report.status());
  if (report->rejected_bootstrap.has_value()) {
    PrintRefusal(settings_.config, *report->rejected_bootstrap);
    return kExitRefused;
  }
  spdlog::info("{}", report->adoption);
  feed_->Start([this](const neighbor::Resolution& changed) {
    if (auto status = publisher_->UpdateNextHop(changed); !status.ok()) {
      spdlog::error("next hop of {}: {}", changed.address.ToString(),
                    std::string(status.message()));
    }
    engine_->ReportReachability(changed);
  });
  return kExitOk;
}

absl::Status Daemon::StartHealth() {
  const auto resolve = [this](const model::IpAddress& server) { return resolver_->Get(server); };
  HealthRunner::Host host{
      .vips = {.mark = static_cast<uint16_t>(settings_.probe_mark),
               .table = settings_.probe_table,
               .encapsulation = settings_.encapsulation,
               .resolve = resolve},
      .passive = {.encapsulation = settings_.encapsulation,
                  .hash_key = dataplane::HashKeyWords(hash_key_),
                  .counters = [this] { return publisher_->ReadCounters(); },
                  .resolve = resolve},
      .keep_following =
          [this](const std::vector<model::IpAddress>& servers) {
            return publisher_->KeepFollowing(servers);
          },
      .changed =
          [this](const health::Transition& t) {
            detect_->NoteHealth(
                {.pool = t.pool,
                 .name = absl::StrJoin(t.names, ", "),
                 .server = t.server,
                 .to = health::IsHealthy(t.to) ? detect::Health::kUp : detect::Health::kDown,
                 .cause = t.cause,
                 .unix_ns = t.unix_ns});
          }};
  health_ = std::make_unique<HealthRunner>(
      engine_.get(), HealthRunner::Clocks{.now_unix_ns = NowUnixNs, .steady_ns = SteadyNs},
      host_policy_, std::move(host));
  return health_->Start();
}

absl::Status Daemon::StartAdvertising() {
  if (!settings_.advertise) return absl::OkStatus();
  auto table = advertise::RouteTable::Open(settings_.advertised);
  if (!table.ok()) return table.status();
  AdvertiseRunner::Sources sources;
  sources.serving = [this](const engine::State& state) {
    const guard::BuiltFleet* desired = state.desired.get();
    return ServingSources{
        .health = [this,
                   desired](const std::string& pool) { return health_->Serving(desired, pool); },
        .resolve = [this](const model::IpAddress& server) { return resolver_->Get(server); },
        .attached = !interfaces_.empty()};
  };
  sources.nothing_published = [this] {
    return absl::IsNotFound(kernel_->ReadKernelState().status());
  };
  sources.steady_ns = SteadyNs;
  advertise_ =
      std::make_unique<AdvertiseRunner>(engine_.get(), *std::move(table), std::move(sources));
  advertise_->Start();
  return absl::OkStatus();
}

// Before anybody asks it or tells it something; it starts last.
void Daemon::MakeDetector() {
  DetectRunner::Sources sources{
      .counters = [this] { return publisher_->ReadCounters(); },
      .tracking = [this] { return publisher_->Tracking(); },
      .read_pool = [this](const std::string& pool) { return publisher_->ReadPool(pool); },
      .health = [this](const std::string& pool) { return health_->HealthOf(pool); },
      .open =
          [this](const std::vector<detect::Alarm>& alarms) {
            if (webhook_ != nullptr) webhook_->Escalate(alarms);
          },
      .sample =
          [this](const dataplane::SampleOptions& options) {
            return dataplane_->TakeSample(options);
          },
      .hash_key = dataplane::HashKeyWords(hash_key_),
      .ticked = [this](double took_s) { tallies_.CountTick(NowUnixNs(), took_s); },
      .host_policy = host_policy_,
      .thresholds = {.by_right_s = static_cast<double>(settings_.by_right_after_s)},
      .now_unix_ns = NowUnixNs,
      .steady_ns = SteadyNs,
      .lanes = ReadLanes(settings_.interfaces, dataplane_.get(), SteadyNs)};
  detect_ = std::make_unique<DetectRunner>(engine_.get(), std::move(sources),
                                           [this](const detect::AlarmEvent& event) {
                                             LogAlarm(event);
                                             tallies_.CountAlarm(event);
                                             engine_->ReportAlarm(event);
                                             if (webhook_ != nullptr) webhook_->Tell(event);
                                           });
}

void Daemon::WatchFile() {
  if (settings_.watch.empty()) return;
  watched_file_ = std::make_unique<WatchedFile>(settings_.watch);
  follower_ = std::make_unique<engine::FileFollower>(
      engine_.get(), engine::FollowOptions{.path = settings_.watch,
                                           .window = std::chrono::seconds(settings_.watch_window_s),
                                           .now_unix_ns = NowUnixNs,
                                           .steady_ns = SteadyNs});
  watch_ticker_.Start(kWatchTick, [this] { follower_->Step(watched_file_->Look(SteadyNs())); });
}

absl::Status Daemon::OpenKernel() {
  absl::StatusOr<std::unique_ptr<dataplane::KernelDataPlane>> opened =
      dataplane::KernelDataPlane::Open({.pin_dir = settings_.PinDir(),
                                        .hash_key = hash_key_,
                                        .limits = settings_.limits,
                                        .encapsulation = settings_.encapsulation});
  if (!opened.ok()) return opened.status();
  dataplane_ = *std::move(opened);
  LogEndedCaptures(dataplane_->ended_captures());
  feed_ = std::make_unique<NextHopFeed>();
  absl::StatusOr<std::unique_ptr<neighbor::NetlinkResolver>> resolver =
      neighbor::NetlinkResolver::Create(
          [feed = feed_.get()](const neighbor::Resolution& changed) { feed->Push(changed); });
  if (!resolver.ok()) return resolver.status();
  resolver_ = *std::move(resolver);
  publish::FlowTimeouts timeouts;
  timeouts.idle = publish::SeenUnits(std::chrono::seconds(settings_.flow_idle_timeout_s));
  publisher_ =
      std::make_unique<publish::Publisher>(dataplane_.get(), resolver_.get(), hash_key_, timeouts);
  kernel_ = std::make_unique<metrics::MeteredKernel>(publisher_.get(), &tallies_);
  return absl::OkStatus();
}

}  // namespace evenkeel::daemon
