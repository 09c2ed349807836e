// SPDX-License-Identifier: Apache-2.0
//
// The order of the steps matters: what can be refused is looked at before
// anything is touched, and the interfaces come last.
#include "control/daemon/daemon.h"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "control/daemon/daemon_impl.h"
#include "control/daemon/hash_key.h"
#include "control/daemon/host_view.h"
#include "control/daemon/logging.h"
#include "control/daemon/service_manager.h"
#include "control/dataplane/dispatcher.h"
#include "control/model/config_file.h"
#include "control/model/yaml.h"

namespace evenkeel::daemon {
namespace {

constexpr std::chrono::milliseconds kShutdownGrace{2000};
// How late a change that nobody confirms may be rolled back.
constexpr std::chrono::milliseconds kTick{200};

}  // namespace

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
  // It has been shut down. gRPC's own end would wait up to ten seconds for a thread of its that
  // looks after the writes of a client that stands still; the process ends without it (main.cc).
  static_cast<void>(server_.release());
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

int Run(const Settings& settings) { return Daemon(settings).Run(); }

}  // namespace evenkeel::daemon
