// SPDX-License-Identifier: Apache-2.0
//
// Wiring and signals. The order of the steps matters: what can be refused is looked at before
// anything is touched, and the interfaces come last.
#include "control/daemon/daemon.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <time.h>

#include <chrono>
#include <iostream>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/daemon/advertise_runner.h"
#include "control/daemon/detect_runner.h"
#include "control/daemon/examiner.h"
#include "control/daemon/flags.h"
#include "control/daemon/hash_key.h"
#include "control/daemon/health_runner.h"
#include "control/daemon/host_view.h"
#include "control/daemon/instance_lock.h"
#include "control/daemon/lane_reader.h"
#include "control/daemon/logging.h"
#include "control/daemon/next_hop_feed.h"
#include "control/daemon/service_manager.h"
#include "control/daemon/ticker.h"
#include "control/daemon/watched_file.h"
#include "control/daemon/web_service.h"
#include "control/daemon/webhook.h"
#include "control/dataplane/dispatcher.h"
#include "control/engine/file_follower.h"
#include "control/engine/local_engine.h"
#include "control/metrics/metered_kernel.h"
#include "control/model/config_file.h"
#include "control/model/yaml.h"
#include "control/rpc/server.h"

namespace evenkeel::daemon {
namespace {

constexpr std::chrono::milliseconds kShutdownGrace{2000};
// How late a change that nobody confirms may be rolled back.
constexpr std::chrono::milliseconds kTick{200};
constexpr std::chrono::seconds kWatchTick{1};

int64_t NowUnixNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Goes on while the host sleeps, and is never set.
int64_t SteadyNs() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

class Daemon {
 public:
  explicit Daemon(const Settings& settings) : settings_(settings) {}
  ~Daemon() { Quiesce(); }

  int Run();

 private:
  int Fail(const absl::Status& status) {
    spdlog::error("{}", std::string(status.message()));
    return kExitError;
  }
  absl::Status PrepareSharing();
  absl::Status ReadHostPolicy();
  engine::Court MakeCourt() const;
  absl::Status OpenState();
  // True: go on. Otherwise `exit_code_` is set and the reason was printed.
  bool ReadBootstrap();
  absl::Status OpenKernel();
  int StartEngine();
  absl::Status Attach();
  void CompareFile();
  void WatchFile();
  absl::Status StartHealth();
  absl::Status StartAdvertising();
  void MakeDetector();
  void WaitForSignals();
  void Quiesce();
  absl::Status ShutDown();

  const Settings settings_;
  sigset_t signals_{};
  int exit_code_ = kExitOk;
  maglev::HashKey hash_key_{};
  std::optional<engine::Bootstrap> bootstrap_;
  model::Policy host_policy_;

  // In the order of their making; ended in the reverse order.
  std::unique_ptr<InstanceLock> lock_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<WebService> web_;
  std::unique_ptr<history::History> history_;
  std::unique_ptr<dataplane::KernelDataPlane> dataplane_;
  std::unique_ptr<NextHopFeed> feed_;
  std::unique_ptr<neighbor::NetlinkResolver> resolver_;
  std::unique_ptr<publish::Publisher> publisher_;
  metrics::Tallies tallies_;
  std::unique_ptr<metrics::MeteredKernel> kernel_;
  std::vector<engine::InterfaceStatus> interfaces_;  // fixed before the engine is served
  std::unique_ptr<engine::LocalEngine> engine_;
  std::unique_ptr<HealthRunner> health_;
  std::unique_ptr<AdvertiseRunner> advertise_;
  std::unique_ptr<Webhook> webhook_;
  std::unique_ptr<DetectRunner> detect_;
  std::unique_ptr<Examiner> examiner_;
  std::unique_ptr<WatchedFile> watched_file_;
  std::unique_ptr<engine::FileFollower> follower_;
  Ticker ticker_, watch_ticker_;
};

// Before the first thread: it sets a variable of the environment. A daemon that shares nothing may
// need it still, to leave what an earlier one shared.
absl::Status Daemon::PrepareSharing() {
  absl::Status status = dataplane::InstallDispatcher(settings_.DispatcherDir());
  if (status.ok() || settings_.attach.kind == dataplane::AttachKind::kShared) return status;
  spdlog::warn("{}", std::string(status.message()));
  return absl::OkStatus();
}

absl::Status Daemon::OpenState() {
  absl::StatusOr<std::unique_ptr<InstanceLock>> lock = InstanceLock::Take(settings_.state_dir);
  if (!lock.ok()) return lock.status();
  lock_ = *std::move(lock);
  if (auto status = PrepareSharing(); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<rpc::Server>> server = rpc::Server::Listen(settings_.socket);
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  absl::StatusOr<std::unique_ptr<history::History>> history =
      history::History::Open(settings_.state_dir);
  if (!history.ok()) return history.status();
  history_ = *std::move(history);
  absl::StatusOr<maglev::HashKey> key = LoadOrCreateHashKey(settings_.HashKeyFile());
  if (!key.ok()) return key.status();
  hash_key_ = *key;
  return absl::OkStatus();
}

// A configuration with nothing but `policy`. It is for every pool: what a pool alone can have is
// refused there already.
absl::Status Daemon::ReadHostPolicy() {
  if (settings_.policy_file.empty()) return absl::OkStatus();
  absl::StatusOr<model::ParseResult> parsed = ReadConfig(settings_.policy_file);
  if (!parsed.ok()) return parsed.status();
  if (!parsed->ok()) return absl::InvalidArgumentError(parsed->diagnostics[0].ToString());
  if (!parsed->config.vips.empty() || !parsed->config.pools.empty() ||
      !parsed->config.source_rules.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(settings_.policy_file,
                     ": has more than `policy`; the host's policy file has nothing else, the "
                     "configuration is named by --config"));
  }
  host_policy_ = std::move(parsed->config.policy);
  return absl::OkStatus();
}

engine::Court Daemon::MakeCourt() const {
  return {.hash_key = hash_key_,
          .facts = [this](const guard::BuiltFleet&) { return ReadHostFacts(host_policy_); }};
}

bool Daemon::ReadBootstrap() {
  exit_code_ = kExitError;
  absl::StatusOr<std::optional<history::Revision>> last = history_->LastApplied();
  if (!last.ok()) return Fail(last.status()), false;
  if (last->has_value() || settings_.config.empty()) return true;
  absl::StatusOr<model::ParseResult> parsed = ReadConfig(settings_.config);
  if (!parsed.ok()) return Fail(parsed.status()), false;
  for (const model::Diagnostic& diagnostic : parsed->diagnostics) {
    std::cerr << "evenkeeld: " << diagnostic.ToString() << "\n";
  }
  if (!parsed->ok()) return false;
  bootstrap_ = engine::Bootstrap{.config = std::move(parsed->config), .path = settings_.config};

  // Judged here already, before the kernel is opened, so that a refusal leaves it untouched.
  const engine::Evaluation evaluation = engine::EvaluateAlone(bootstrap_->config, MakeCourt());
  if (evaluation.kind == engine::Outcome::Kind::kValidated) return true;
  if (evaluation.kind == engine::Outcome::Kind::kRefused) {
    PrintRefusal(settings_.config, evaluation);
    exit_code_ = kExitRefused;
    return false;
  }
  for (const model::Diagnostic& diagnostic : evaluation.diagnostics) {
    std::cerr << "evenkeeld: " << settings_.config << ": " << diagnostic.ToString() << "\n";
  }
  if (!evaluation.status.ok()) Fail(evaluation.status);
  return false;
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

absl::Status Daemon::Attach() {
  if (settings_.interfaces.empty()) {
    spdlog::warn("no --interface is given: attachments stay as they are");
  } else if (auto status = dataplane_->DetachOthers(settings_.interfaces); !status.ok()) {
    return status;
  }
  for (const std::string& interface : settings_.interfaces) {
    absl::StatusOr<dataplane::Attachment> attached =
        dataplane_->Attach(interface, settings_.attach);
    if (!attached.ok()) return attached.status();
    LogAttachment(*attached);
    interfaces_.push_back(DescribeInterface(*attached));
  }
  return absl::OkStatus();
}

void Daemon::CompareFile() {
  if (settings_.config.empty()) return;
  const absl::StatusOr<model::ParseResult> parsed = ReadConfig(settings_.config);
  if (!parsed.ok()) {
    engine_->CompareFile(settings_.config, nullptr, std::string(parsed.status().message()));
  } else if (!parsed->ok()) {
    engine_->CompareFile(settings_.config, nullptr, parsed->diagnostics[0].ToString());
  } else {
    engine_->CompareFile(settings_.config, &parsed->config, "");
  }
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

void Daemon::WaitForSignals() {
  while (true) {
    int number = 0;
    if (::sigwait(&signals_, &number) != 0) continue;
    spdlog::info("{}", number == SIGHUP ? "SIGHUP: comparing the config file" : "ending");
    if (number != SIGHUP) return;
    CompareFile();
  }
}

// Ends the threads that call into what is about to be destroyed.
void Daemon::Quiesce() {
  if (server_ != nullptr) server_->Shutdown(kShutdownGrace);
  if (web_ != nullptr) web_->Stop();
  ticker_.Stop();
  watch_ticker_.Stop();
  if (detect_ != nullptr) detect_->Stop();
  if (advertise_ != nullptr) advertise_->Stop();
  if (health_ != nullptr) health_->Stop();
  if (feed_ != nullptr) feed_->Stop();
}

absl::Status Daemon::ShutDown() {
  NotifyServiceManager("STOPPING=1").IgnoreError();
  Quiesce();
  // Before the programs go, so that routers send elsewhere what they would drop.
  if (advertise_ != nullptr && settings_.detach_on_exit) {
    if (auto status = advertise_->RemoveAll(); !status.ok()) return status;
  }
  advertise_.reset();
  follower_.reset();
  health_.reset();
  detect_.reset();
  webhook_.reset();
  engine_.reset();
  kernel_.reset();
  publisher_.reset();
  resolver_.reset();
  dataplane_.reset();
  if (!settings_.detach_on_exit) {
    spdlog::info("ended; the data plane stays, packets go on");
    return absl::OkStatus();
  }
  if (auto status = dataplane::KernelDataPlane::Remove(settings_.PinDir()); !status.ok()) {
    return status;
  }
  spdlog::info("ended; programs, maps and pins are removed");
  return absl::OkStatus();
}

int Daemon::Run() {
  // Before any thread exists, so that all inherit the mask and only sigwait takes the signals.
  ::sigemptyset(&signals_);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&signals_, number);
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  spdlog::info("evenkeeld {} instance {}", EK_VERSION, settings_.instance);
  if (auto status = ReadHostPolicy(); !status.ok()) return Fail(status);
  if (auto status = OpenState(); !status.ok()) return Fail(status);
  if (!ReadBootstrap()) return exit_code_;
  // Before anything is touched: a webhook that cannot work is found here.
  auto webhook = StartWebhook(settings_, NowUnixNs, SteadyNs);
  if (!webhook.ok()) return Fail(webhook.status());
  webhook_ = *std::move(webhook);
  auto web = WebService::Listen(settings_);
  if (!web.ok()) return Fail(web.status());
  web_ = *std::move(web);
  if (auto status = OpenKernel(); !status.ok()) return Fail(status);
  if (const int code = StartEngine(); code != kExitOk) return code;
  MakeDetector();
  if (auto status = Attach(); !status.ok()) return Fail(status);
  CompareFile();
  ticker_.Start(kTick, [this] { engine_->Tick(); });
  WatchFile();
  if (auto status = StartHealth(); !status.ok()) return Fail(status);
  if (auto status = StartAdvertising(); !status.ok()) return Fail(status);
  examiner_ = MakeExaminer(health_.get(), dataplane_.get(), resolver_.get());
  detect_->Start();
  if (auto status = server_->Serve(engine_.get()); !status.ok()) return Fail(status);
  web_->Serve(engine_.get(),
              {.status = [this] { return engine_->GetStatus(engine::StatusDepth::kQuick); },
               .tallies = &tallies_,
               .now_unix_ns = NowUnixNs,
               .steady_ns = SteadyNs});
  spdlog::info("serving on {}", settings_.socket);
  if (auto status = NotifyServiceManager("READY=1"); !status.ok()) {
    spdlog::warn("{}", std::string(status.message()));
  }
  WaitForSignals();
  const absl::Status ended = ShutDown();
  return ended.ok() ? kExitOk : Fail(ended);
}

}  // namespace

int Run(const Settings& settings) { return Daemon(settings).Run(); }

}  // namespace evenkeel::daemon
