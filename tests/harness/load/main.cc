// SPDX-License-Identifier: Apache-2.0
//
// ek-load: a steady stream of HTTP requests, each on a connection of its own, or in turn on some
// that stay open and must stay with their server, each checked. Prints a line of JSON per interval
// and a last one of kind "summary"; ends by itself or on SIGTERM or SIGINT. Exit code 0 only if
// there were requests and none failed.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

#include "http_client.h"
#include "tally.h"

namespace evenkeel::load {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Options {
  std::string address;
  uint16_t port = 80;
  std::string path = "/";
  double rate = 500;  // requests a second over all workers
  unsigned workers = 8;
  unsigned connections = 0;  // that stay open; 0: one for each request
  double duration = 0;       // seconds; 0 = until a signal
  double interval = 0.25;    // seconds between lines
  double timeout = 5;        // seconds for one request
  bool repeat_lost = false;
};

// Hands out the time at which the next request is due. A generator that fell behind starts anew
// rather than sending a burst.
class Pace {
 public:
  explicit Pace(double rate)
      : step_(std::chrono::duration_cast<Clock::duration>(Seconds(1 / rate))),
        next_(Clock::now()) {}

  Clock::time_point Next() {
    const std::lock_guard lock(mutex_);
    const Clock::time_point now = Clock::now();
    if (now - next_ > std::chrono::milliseconds(200)) next_ = now;
    return std::exchange(next_, next_ + step_);
  }

 private:
  const Clock::duration step_;
  std::mutex mutex_;
  Clock::time_point next_;
};

void OneRequest(const Options& options, const Target& target, Recorder* recorder) {
  const auto timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(Seconds(options.timeout));
  for (bool first = true;; first = false) {
    const Clock::time_point start = Clock::now();
    const Answer answer = Get(target, options.path, timeout);
    const bool repeat = first && options.repeat_lost && answer.lost_before_answer;
    recorder->Record(answer, repeat,
                     std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start));
    if (!repeat) return;
  }
}

// Connections that stay open, of one worker. One that broke or changed its server is counted once.
class Held {
 public:
  Held(const Options& options, const Target& target, unsigned count)
      : options_(options),
        timeout_(std::chrono::duration_cast<std::chrono::milliseconds>(Seconds(options.timeout))) {
    for (unsigned i = 0; i < count; ++i)
      held_.push_back({std::make_unique<Connection>(target), ""});
  }

  void Request(Recorder* recorder) {
    if (held_.empty()) return;
    next_ = (next_ + 1) % held_.size();
    Server& server = held_[next_];
    const Clock::time_point start = Clock::now();
    Answer answer = server.connection->Get(options_.path, /*last=*/false, timeout_);
    if (answer.error.empty() && !server.name.empty() && answer.backend != server.name) {
      answer.error = "the connection went from " + server.name + " to " + answer.backend;
    }
    recorder->Record(answer, false,
                     std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start));
    server.name = answer.backend;
    if (!answer.error.empty()) held_.erase(held_.begin() + static_cast<ptrdiff_t>(next_));
  }

 private:
  struct Server {
    std::unique_ptr<Connection> connection;
    std::string name;  // that answered first
  };
  const Options& options_;
  const std::chrono::milliseconds timeout_;
  std::vector<Server> held_;
  size_t next_ = 0;
};

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// Waits for the given time; true if it was ended by a signal.
bool SleepUnlessStopped(Seconds seconds) {
  const sigset_t set = StopSignals();
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(seconds).count();
  const timespec wait{ns / 1'000'000'000, ns % 1'000'000'000};
  return sigtimedwait(&set, nullptr, &wait) > 0;
}

void Report(const Options& options, Recorder* recorder) {
  const Clock::time_point start = Clock::now();
  for (;;) {
    double wait = options.interval;
    const double left = options.duration - Seconds(Clock::now() - start).count();
    if (options.duration > 0) wait = std::min(wait, std::max(left, 0.0));
    const bool stopped = SleepUnlessStopped(Seconds(wait));
    const Seconds at = Clock::now() - start;
    std::cout << recorder->TakeInterval().ToJson("interval", at) << std::endl;
    if (stopped || (options.duration > 0 && at.count() >= options.duration)) return;
  }
}

int Run(const Options& options, const Target& target) {
  Recorder recorder;
  Pace pace(options.rate);
  std::atomic<bool> stop = false;
  const Clock::time_point start = Clock::now();
  std::vector<std::jthread> workers;
  for (unsigned i = 0; i < options.workers; ++i) {
    const unsigned share =
        options.connections / options.workers + (i < options.connections % options.workers);
    workers.emplace_back([&, share] {
      Held held(options, target, share);
      while (!stop) {
        std::this_thread::sleep_until(pace.Next());
        if (stop) break;
        if (options.connections > 0) {
          held.Request(&recorder);
        } else {
          OneRequest(options, target, &recorder);
        }
      }
    });
  }
  Report(options, &recorder);
  stop = true;
  workers.clear();  // joins: requests under way are finished and counted
  const Tally total = recorder.Total();
  std::cout << total.ToJson("summary", Clock::now() - start) << std::endl;
  return total.requests > 0 && total.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace evenkeel::load

int main(int argc, char** argv) {
  using namespace evenkeel::load;
  Options options;
  CLI::App app("A steady stream of checked HTTP requests, one connection each", "ek-load");
  app.add_option("address", options.address, "IPv4 or IPv6 address of the service")->required();
  app.add_option("--port", options.port);
  app.add_option("--path", options.path);
  app.add_option("--rate", options.rate, "requests a second")->check(CLI::Range(0.1, 1e6));
  app.add_option("--workers", options.workers, "requests at the same time")
      ->check(CLI::Range(1, 256));
  app.add_option("--connections", options.connections,
                 "connections that stay open and are used in turn; 0 = one for each request")
      ->check(CLI::Range(0, 20000));
  app.add_option("--duration", options.duration, "seconds; 0 = until a signal");
  app.add_option("--interval", options.interval, "seconds per line")->check(CLI::Range(0.01, 60.0));
  app.add_option("--timeout", options.timeout, "seconds per request")
      ->check(CLI::Range(0.01, 600.0));
  app.add_flag("--repeat-lost", options.repeat_lost,
               "send a request again, once, if its connection broke before any answer");
  CLI11_PARSE(app, argc, argv);

  const std::optional<Target> target = MakeTarget(options.address, options.port);
  if (!target) {
    std::cerr << "ek-load: '" << options.address << "' is not an IP address\n";
    return 1;
  }
  const sigset_t set = StopSignals();  // before the threads, which inherit the mask
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return Run(options, *target);
}
