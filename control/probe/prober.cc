// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "control/probe/check_target.h"
#include "control/probe/probe.h"
#include "control/probe/runner.h"

namespace evenkeel::probe {
namespace {

struct TargetHash {
  size_t operator()(const Target& target) const {
    return absl::HashOf(target.pool, target.address, target.port, target.destination());
  }
};

// Signals are others' business, and a peer that resets a connection must not raise SIGPIPE.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &former_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &former_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t former_{};
};

}  // namespace

class Prober::Impl {
 public:
  explicit Impl(Sink sink) : sink_(std::move(sink)) {}
  ~Impl();

  absl::Status Start(const Options& options);
  absl::Status SetTargets(const std::vector<Target>& targets);
  Stats stats() const { return runner_->stats(); }

 private:
  void Run();
  void Report(TargetId id, const Target& target, const Result& result);

  const Sink sink_;
  std::unique_ptr<Runner> runner_;
  std::atomic<bool> stopping_{false};

  // Held during calls of the sink, which may call SetTargets: therefore recursive.
  std::recursive_mutex mu_;
  absl::flat_hash_map<Target, TargetId, TargetHash> wanted_;  // mu_
  absl::flat_hash_set<TargetId> live_;                        // ids of wanted_; mu_
  TargetId last_id_ = 0;                                      // never used twice; mu_
  Changes changes_;                                           // for the thread; mu_

  std::thread thread_;
};

absl::Status Prober::Impl::Start(const Options& options) {
  auto runner = Runner::Create(
      options, [this](TargetId id, const Target& t, const Result& r) { Report(id, t, r); });
  if (!runner.ok()) return runner.status();
  runner_ = *std::move(runner);
  const SignalsBlocked blocked;
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(absl::StrCat("prober: no thread: ", error.what()));
  }
  pthread_setname_np(thread_.native_handle(), "ek-prober");
  return absl::OkStatus();
}

Prober::Impl::~Impl() {
  stopping_ = true;
  if (!thread_.joinable()) return;
  runner_->Wake();
  thread_.join();
}

void Prober::Impl::Run() {
  while (!stopping_) {
    Changes changes;
    {
      const std::lock_guard lock(mu_);
      changes = std::exchange(changes_, {});
    }
    runner_->Apply(changes);
    runner_->RunOnce();
  }
}

void Prober::Impl::Report(TargetId id, const Target& target, const Result& result) {
  const std::lock_guard lock(mu_);
  if (live_.contains(id) && !stopping_) sink_(target, result);
}

absl::Status Prober::Impl::SetTargets(const std::vector<Target>& targets) {
  for (const Target& target : targets) {
    if (absl::Status status = CheckTarget(target); !status.ok()) return status;
  }
  {
    const std::lock_guard lock(mu_);
    auto former = std::exchange(wanted_, {});
    for (const Target& target : targets) {
      if (wanted_.contains(target)) continue;
      const auto it = former.find(target);
      if (it != former.end()) {
        wanted_.emplace(target, it->second);
        former.erase(it);
        continue;
      }
      const TargetId id = ++last_id_;
      wanted_.emplace(target, id);
      live_.insert(id);
      changes_.added.emplace_back(id, std::make_shared<const Target>(target));
    }
    for (const auto& [target, id] : former) {
      live_.erase(id);
      changes_.removed.push_back(id);
    }
  }
  runner_->Wake();
  return absl::OkStatus();
}

Prober::Prober(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Prober::~Prober() = default;

absl::StatusOr<std::unique_ptr<Prober>> Prober::Start(Options options, Sink sink) {
  if (options.max_open_sockets == 0 || options.max_open_sockets > (1u << 20) ||
      options.first_within <= std::chrono::nanoseconds{0}) {
    return absl::InvalidArgumentError(
        "prober: max_open_sockets must be 1 to 1048576, first_within above 0");
  }
  auto impl = std::make_unique<Impl>(std::move(sink));
  if (absl::Status status = impl->Start(options); !status.ok()) return status;
  return std::unique_ptr<Prober>(new Prober(std::move(impl)));
}

absl::Status Prober::SetTargets(const std::vector<Target>& targets) {
  return impl_->SetTargets(targets);
}

Stats Prober::stats() const { return impl_->stats(); }

}  // namespace evenkeel::probe
