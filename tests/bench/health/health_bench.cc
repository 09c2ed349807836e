// SPDX-License-Identifier: Apache-2.0
//
// How long it takes until packets avoid a server that died: from the verdict of its probes to the
// table without it, over real sockets, a real evenkeeld and the real kernel. Runs in namespaces of
// its own; needs root.
//
//   build/bench/health_bench --pools 1000 --backends 4 --deaths 100 --limit-ms 100
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/dataplane/unique_fd.h"
#include "control/rpc/client.h"
#include "process.h"
#include "tests/bench/percentile.h"
#include "tests/harness/scoped_netns/scoped_netns.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"

namespace evenkeel::testing {
namespace {

using std::chrono::milliseconds;

constexpr uint16_t kPort = 8080;
constexpr milliseconds kPatience{30'000};
constexpr milliseconds kBetweenDeaths{100};

struct Options {
  int pools = 1000;
  int backends = 4;
  int deaths = 100;
  uint32_t table_size = 65537;
  int interval_ms = 1000;
  double limit_ms = 0;  // of the 99th percentile; 0: none
};

// All of 10.128.0.0/9 is local to the servers' namespace.
uint32_t Server(int number) { return 0x0a800000u + static_cast<uint32_t>(number); }

model::IpAddress Address(uint32_t server) {
  return model::IpAddress::FromIpv4(
      {static_cast<uint8_t>(server >> 24), static_cast<uint8_t>(server >> 16),
       static_cast<uint8_t>(server >> 8), static_cast<uint8_t>(server)});
}

dataplane::UniqueFd Listen(uint32_t server) {
  dataplane::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int one = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  address.sin_addr.s_addr = htonl(server);
  // Nobody accepts: the queue has room for every probe.
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(fd.get(), 4096) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  return fd;
}

model::Config MakeConfig(const Options& options) {
  model::Config config;
  for (int p = 0; p < options.pools; ++p) {
    model::Pool pool;
    pool.name = absl::StrCat("pool-", p);
    pool.table_size = options.table_size;
    model::HealthCheck& check = pool.health_check.emplace();
    check.port = kPort;
    check.interval = milliseconds(options.interval_ms);
    check.timeout = milliseconds(options.interval_ms / 2);
    for (int b = 0; b < options.backends; ++b) {
      model::Backend& backend = pool.backends.emplace_back();
      backend.name = absl::StrCat("server-", p, "-", b);
      backend.address = Address(Server(1 + p * options.backends + b));
    }
    config.vips.push_back(
        {.name = absl::StrCat("vip-", p),
         .address = model::IpAddress::FromIpv4(
             {192, 0, static_cast<uint8_t>(2 + (p >> 8)), static_cast<uint8_t>(p)}),
         .port = 443,
         .pool = pool.name});
    config.pools.push_back(std::move(pool));
  }
  return config;
}

// When servers went out of the tables, by "pool/backend".
class Deaths {
 public:
  void Note(const engine::Event& event) {
    if (event.kind != engine::Event::Kind::kDown) return;
    const std::lock_guard lock(mutex_);
    out_unix_ns_[event.subject] = event.unix_ns;
    changed_.notify_all();
  }
  int64_t Wait(const std::string& subject) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return out_unix_ns_.contains(subject); })) {
      std::fprintf(stderr, "%s died and stays in the table\n", subject.c_str());
      std::exit(1);
    }
    return out_unix_ns_[subject];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int64_t> out_unix_ns_;
};

template <typename Condition>
void WaitFor(const char* what, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + 4 * kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) {
      std::fprintf(stderr, "waited in vain: %s\n", what);
      std::exit(1);
    }
    std::this_thread::sleep_for(milliseconds(200));
  }
}

bool AllUp(engine::Engine* client) {
  const auto status = client->GetStatus();
  if (!status.ok()) return false;
  for (const engine::PoolStatus& pool : status->pools) {
    for (const engine::BackendStatus& backend : pool.backends) {
      if (backend.health != "up") return false;
    }
  }
  return true;
}

int Measure(const Options& options, const ScopedNetns& servers, engine::Engine* client) {
  std::vector<dataplane::UniqueFd> listening;
  {
    const ScopedNetns::Entered inside(servers);
    for (int i = 0; i < options.pools * options.backends; ++i) {
      listening.push_back(Listen(Server(1 + i)));
    }
  }
  WaitFor("evenkeeld answers", [&] { return client->Get().ok(); });
  engine::Request request;
  request.reason = "bench";
  request.change.config = MakeConfig(options);
  request.etag = client->Get()->etag;
  if (client->Apply(request).kind != engine::Outcome::Kind::kApplied) {
    std::fprintf(stderr, "the first apply failed\n");
    return 1;
  }
  WaitFor("all servers are up", [&] { return AllUp(client); });
  Deaths deaths;
  client->Subscribe([&](const engine::Event& event) { deaths.Note(event); });

  // One in each pool, so that nobody waits for LB012; one after the other, as servers die.
  for (int i = 0; i < options.deaths; ++i) {
    listening[static_cast<size_t>(i * options.backends + i % options.backends)] = {};
    std::this_thread::sleep_for(kBetweenDeaths);
  }
  std::vector<int64_t> out_unix_ns;
  for (int i = 0; i < options.deaths; ++i) {
    out_unix_ns.push_back(
        deaths.Wait(absl::StrCat("pool-", i, "/server-", i, "-", i % options.backends)));
  }
  const auto status = client->GetStatus();
  if (!status.ok()) {
    std::fprintf(stderr, "no status: %s\n", std::string(status.status().message()).c_str());
    return 1;
  }
  std::vector<double> ms;
  for (int i = 0; i < options.deaths; ++i) {
    const engine::BackendStatus& dead =
        status->pools[static_cast<size_t>(i)].backends[static_cast<size_t>(i % options.backends)];
    ms.push_back(
        static_cast<double>(out_unix_ns[static_cast<size_t>(i)] - dead.health_since_unix_ns) / 1e6);
  }
  std::printf("%d pools of %d servers, %u slots each, each probed every %d ms; %d died\n",
              options.pools, options.backends, options.table_size, options.interval_ms,
              options.deaths);
  std::printf("  verdict to table without it   p50 %.1f   p90 %.1f   p99 %.1f   max %.1f ms\n",
              Percentile(ms, 0.5), Percentile(ms, 0.9), Percentile(ms, 0.99), Percentile(ms, 1));
  const double p99 = Percentile(ms, 0.99);
  if (options.limit_ms <= 0 || p99 <= options.limit_ms) return 0;
  std::printf("p99 is above the limit of %.1f ms\n", options.limit_ms);
  return 1;
}

int Bench(const Options& options) {
  const rlimit files{200'000, 200'000};
  ::setrlimit(RLIMIT_NOFILE, &files);
  std::string pattern =
      (std::filesystem::temp_directory_path() / "ek-health-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    std::perror("mkdtemp");
    return 1;
  }
  const std::string socket = pattern + "/d.sock";
  const ScopedNetns netns, servers;
  netns.Run("ip link add ek0 type veth peer name ek1 && ip link set ek1 netns " + servers.path() +
            " && ip link set ek0 up && ip address add 10.9.0.1/24 dev ek0 && "
            "ip route add 10.128.0.0/9 via 10.9.0.2");
  servers.Run(
      "ip link set lo up && ip link set ek1 up && ip address add 10.9.0.2/24 dev ek1 && "
      "ip route add local 10.128.0.0/9 dev lo");
  const ScopedPinDir pins;
  int code = 1;
  {
    const ScopedNetns::Entered inside(netns);
    const Process daemon({EK_BINARY_DIR "/bin/evenkeeld", "--settings", "/dev/null", "--socket",
                          socket, "--state-dir", pattern + "/state", "--pin-dir", pins.path(),
                          "--interface", "ek0", "--log-level", "error"});
    const auto client = rpc::Connect(socket);
    code = Measure(options, servers, client.get());
  }
  std::filesystem::remove_all(pattern);
  return code;
}

}  // namespace
}  // namespace evenkeel::testing

int main(int argc, char** argv) {
  evenkeel::testing::Options options;
  CLI::App app("Measures how long a server that died stays in its table");
  app.add_option("--pools", options.pools)->check(CLI::Range(1, 1000));
  app.add_option("--backends", options.backends)->check(CLI::Range(3, 100));
  app.add_option("--deaths", options.deaths, "At most one in each pool")
      ->check(CLI::Range(1, 1000));
  app.add_option("--table-size", options.table_size);
  app.add_option("--interval-ms", options.interval_ms)->check(CLI::Range(20, 60'000));
  app.add_option("--limit-ms", options.limit_ms, "Exit with 1 if the p99 is above");
  CLI11_PARSE(app, argc, argv);
  options.deaths = std::min(options.deaths, options.pools);
  return evenkeel::testing::Bench(options);
}
