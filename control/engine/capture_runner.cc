// SPDX-License-Identifier: Apache-2.0
#include "control/engine/capture_runner.h"

#include <net/if.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

namespace evenkeel::engine {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How often the ring is emptied. It holds a hundredth of a second of the highest rate at the
// default length.
constexpr milliseconds kLook{10};
// A daemon that is dead copies nothing any more after kAlive.
constexpr milliseconds kAlive{2000};
constexpr milliseconds kSupervise{200};
constexpr milliseconds kCounts{200};
constexpr milliseconds kNames{500};
constexpr size_t kBatch = 64;

constexpr const char* kVerdicts[] = {
#define EK_NAME(symbol, name, text) name,
    EK_VERDICT_LIST(EK_NAME)
#undef EK_NAME
};

std::string TimeOfDay(int64_t unix_ns) {
  return absl::FormatTime("%H:%M:%S UTC", absl::FromUnixNanos(unix_ns), absl::UTCTimeZone());
}

// Ends the capture in time whatever the one who reads it does.
class Supervised {
 public:
  Supervised(std::unique_ptr<dataplane::Capture> capture, Clock::time_point until,
             std::function<void()> ended)
      : capture_(std::move(capture)), until_(until), ended_(std::move(ended)) {
    capture_->KeepAlive(kAlive);
    thread_ = std::thread([this] { Watch(); });
  }
  ~Supervised() { Stop().IgnoreError(); }

  dataplane::Capture& capture() { return *capture_; }
  bool over() {
    std::lock_guard lock(mutex_);
    return over_;
  }
  // What ending it came to.
  absl::Status Stop() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    return status_;
  }

 private:
  void Watch() {
    std::unique_lock lock(mutex_);
    while (!stop_ && Clock::now() < until_ && !capture_->IsFull()) {
      capture_->KeepAlive(
          std::min<milliseconds>(kAlive, std::chrono::ceil<milliseconds>(until_ - Clock::now())));
      changed_.wait_for(lock, std::min<Clock::duration>(kSupervise, until_ - Clock::now()));
    }
    lock.unlock();
    absl::Status status = capture_->End();
    ended_();
    lock.lock();
    status_ = std::move(status);
    over_ = true;
  }

  const std::unique_ptr<dataplane::Capture> capture_;
  const Clock::time_point until_;
  const std::function<void()> ended_;
  std::mutex mutex_;  // guards below, but for the thread
  std::condition_variable changed_;
  bool stop_ = false, over_ = false;
  absl::Status status_;
  std::thread thread_;
};

bool Contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool WantsVip(const CaptureRequest& request, const publish::CounterNames::Vip& vip) {
  return (request.vips.empty() || Contains(request.vips, vip.name)) &&
         (request.pool.empty() || vip.pool == request.pool);
}

bool WantsBackend(const CaptureRequest& request, const publish::CounterNames::Backend& backend) {
  return backend.name == request.backend && (request.pool.empty() || backend.pool == request.pool);
}

dataplane::CaptureFilter FilterFor(const CaptureRequest& request,
                                   const publish::CounterNames& names) {
  dataplane::CaptureFilter filter{.only_drops = request.only_drops};
  if (!request.vips.empty() || !request.pool.empty()) {
    filter.vips.emplace();
    for (const auto& [id, vip] : names.vips) {
      if (WantsVip(request, vip)) filter.vips->push_back(id);
    }
  }
  if (!request.backend.empty()) {
    filter.backends.emplace();
    for (const auto& [id, backend] : names.backends) {
      if (WantsBackend(request, backend)) filter.backends->push_back(id);
    }
  }
  return filter;
}

// Names for what packets have as numbers, as of a moment ago.
class Namer {
 public:
  Namer(const CaptureRequest& request, std::function<publish::CounterNames()> source)
      : request_(request), source_(std::move(source)), names_(source_()) {}

  dataplane::CaptureFilter Filter() const { return FilterFor(request_, names_); }
  void Refresh() { names_ = source_(); }
  bool Knows(const dataplane::CapturedPacket& packet) const {
    return !packet.published || names_.revisions.contains(packet.generation);
  }

  // Nothing: ids went to others since the filter was set, and it is not what was asked for.
  std::optional<CapturePacket> Describe(dataplane::CapturedPacket from) {
    CapturePacket packet{.unix_ns = from.unix_ns,
                         .verdict = kVerdicts[from.verdict],
                         .ingress = NameOf(from.ingress),
                         .egress = from.egress != 0 ? NameOf(from.egress) : "",
                         .slot = from.slot,
                         .published = from.published,
                         .generation = from.generation,
                         .length_in = from.length_in,
                         .length_out = from.length_out,
                         .in = {from.in.begin(), from.in.end()},
                         .out = {from.out.begin(), from.out.end()}};
    if (const auto at = names_.revisions.find(from.generation);
        from.published && at != names_.revisions.end()) {
      packet.revision = at->second;
    }
    const auto vip = from.vip ? names_.vips.find(*from.vip) : names_.vips.end();
    if (vip != names_.vips.end()) {
      packet.vip = vip->second.name;
      packet.pool = vip->second.pool;
    }
    const auto backend = from.backend ? names_.backends.find(*from.backend) : names_.backends.end();
    if (backend != names_.backends.end()) {
      packet.backend = backend->second.name;
      packet.address = backend->second.address.ToString();
      packet.pool = backend->second.pool;
    }
    const bool by_vip = !request_.vips.empty() || !request_.pool.empty();
    if (by_vip && (vip == names_.vips.end() || !WantsVip(request_, vip->second))) return {};
    if (!request_.backend.empty() &&
        (backend == names_.backends.end() || !WantsBackend(request_, backend->second))) {
      return {};
    }
    return packet;
  }

 private:
  const std::string& NameOf(uint32_t ifindex) {
    std::string& name = interfaces_[ifindex];
    if (!name.empty()) return name;
    char buffer[IF_NAMESIZE] = "";
    name = if_indextoname(ifindex, buffer) != nullptr ? buffer : absl::StrCat("if", ifindex);
    return name;
  }

  const CaptureRequest& request_;
  const std::function<publish::CounterNames()> source_;
  publish::CounterNames names_;
  std::map<uint32_t, std::string> interfaces_;
};

// Hands packets over until there are no more; false: the one who listens has enough.
bool Follow(Supervised& running, Namer& namer, const CaptureSink& sink, CaptureReport* report) {
  dataplane::CaptureFilter filter = namer.Filter();
  Clock::time_point named = Clock::now(), counted{};
  while (true) {
    // Asked before the ring is read: what came until then is in it.
    const bool over = running.over();
    if (Clock::now() - named >= kNames) {
      namer.Refresh();
      named = Clock::now();
      dataplane::CaptureFilter renewed = namer.Filter();
      if (renewed != filter && running.capture().SetFilter(renewed).ok()) {
        filter = std::move(renewed);
      }
    }
    CaptureNews news;
    const size_t got = running.capture().Read(kBatch, [&](dataplane::CapturedPacket packet) {
      if (!namer.Knows(packet)) namer.Refresh();
      if (auto described = namer.Describe(std::move(packet))) {
        news.packets.push_back(*std::move(described));
      }
      return true;
    });
    if (!news.packets.empty() || Clock::now() - counted >= kCounts) {
      if (auto counts = running.capture().ReadCounts(); counts.ok()) {
        news.counts = *std::move(counts);
      }
      counted = Clock::now();
      report->packets += news.packets.size();
      if (!sink(&news)) return false;
    } else if (!sink(nullptr)) {
      return false;
    }
    if (got != 0) continue;
    if (over) return true;
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

std::string DescribeCapture(const CaptureRequest& request) {
  std::vector<std::string> parts;
  if (!request.vips.empty())
    parts.push_back(absl::StrCat("vip ", absl::StrJoin(request.vips, ", ")));
  if (!request.pool.empty()) parts.push_back(absl::StrCat("pool ", request.pool));
  if (!request.backend.empty()) parts.push_back(absl::StrCat("backend ", request.backend));
  if (request.only_drops) parts.emplace_back("drops");
  return parts.empty() ? "all packets" : absl::StrJoin(parts, ", ");
}

absl::Status CaptureRunner::Claim(const std::string& what, const CaptureRequest& request) {
  std::lock_guard lock(mutex_);
  if (runs_) {
    return absl::ResourceExhaustedError(
        absl::StrCat(*runs_, "; there is one at a time: wait for its end, or ask for it"));
  }
  const int64_t now = sources_.now_unix_ns();
  const int64_t until = now + std::chrono::nanoseconds(request.duration).count();
  runs_ = absl::StrCat("a capture of ", what, " by ", request.author, " runs since ",
                       TimeOfDay(now), ", until ", TimeOfDay(until), " at the latest");
  sources_.tell(*runs_);
  return absl::OkStatus();
}

void CaptureRunner::Release() {
  std::lock_guard lock(mutex_);
  if (!runs_) return;
  runs_.reset();
  sources_.tell("");
}

absl::StatusOr<CaptureReport> CaptureRunner::Run(const CaptureRequest& request,
                                                 const CaptureSink& sink) {
  if (sources_.start == nullptr) return absl::UnimplementedError("this daemon captures no packets");
  const std::string what = DescribeCapture(request);
  if (auto status = Claim(what, request); !status.ok()) return status;
  Namer namer(request, sources_.names);
  auto capture = sources_.start({.filter = namer.Filter(),
                                 .snaplen = request.snaplen,
                                 .rate = request.rate,
                                 .max_packets = request.max_packets});
  if (!capture.ok()) {
    Release();
    return capture.status();
  }
  CaptureReport report{.began_unix_ns = sources_.now_unix_ns()};
  spdlog::info("capture of {} begins for {}: at most {} s, {} packets a second, {} bytes of each",
               what, request.author, request.duration.count(), request.rate, request.snaplen);
  bool listening = false;
  {
    Supervised running(*std::move(capture), Clock::now() + request.duration, [this] { Release(); });
    listening = Follow(running, namer, sink, &report);
    const bool full = running.capture().IsFull();
    if (auto ended = running.Stop(); !ended.ok()) report.problem = std::string(ended.message());
    report.ended_unix_ns = sources_.now_unix_ns();
    if (auto counts = running.capture().ReadCounts(); counts.ok()) report.counts = *counts;
    using End = CaptureReport::End;
    report.end = !listening ? End::kListener : full ? End::kCount : End::kTime;
  }
  uint64_t missed = 0;
  for (const dataplane::CaptureCount& count : report.counts) missed += count.missed();
  spdlog::info("capture of {} for {} has ended: {} packets handed over, {} missed; {}", what,
               request.author, report.packets, missed,
               !listening                                 ? "who listened is gone"
               : report.end == CaptureReport::End::kCount ? "that many were asked for"
                                                          : "its time is over");
  if (!report.problem.empty()) {
    spdlog::error("the capture build is still in the balancer's place: {}", report.problem);
  }
  return report;
}

}  // namespace evenkeel::engine
