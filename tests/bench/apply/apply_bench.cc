// SPDX-License-Identifier: Apache-2.0
//
// How long an Apply of one pool takes, from the client's call to its answer, when packets already
// use the new table: through gRPC, guard, history (durable) and the real kernel. Runs evenkeeld in
// a namespace of its own; needs root.
//
//   build/bench/apply_bench --pools 100 --backends 100 --applies 200 --limit-ms 20
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/rpc/client.h"
#include "process.h"
#include "tests/bench/percentile.h"
#include "tests/harness/scoped_netns/scoped_netns.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"

namespace evenkeel::testing {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  int pools = 100;
  int backends = 100;
  int applies = 200;
  uint32_t table_size = 65537;
  double limit_ms = 0;  // of the 99th percentile; 0: none
  std::string state_dir;
};

// Every server has an address of its own in 10.128.0.0/9, which is behind one gateway.
model::IpAddress Server(int number) {
  return model::IpAddress::FromIpv4({10, static_cast<uint8_t>(128 + (number >> 16)),
                                     static_cast<uint8_t>(number >> 8),
                                     static_cast<uint8_t>(number)});
}

model::Config MakeConfig(const Options& options) {
  model::Config config;
  for (int p = 0; p < options.pools; ++p) {
    model::Pool pool;
    pool.name = absl::StrCat("pool-", p);
    pool.table_size = options.table_size;
    for (int b = 0; b < options.backends; ++b) {
      model::Backend backend;
      backend.name = absl::StrCat("server-", p, "-", b);
      backend.address = Server(1 + p * options.backends + b);
      pool.backends.push_back(backend);
    }
    model::Vip vip;
    vip.name = absl::StrCat("vip-", p);
    vip.address = model::IpAddress::FromIpv4(
        {192, 0, static_cast<uint8_t>(2 + (p >> 8)), static_cast<uint8_t>(p)});
    vip.port = 443;
    vip.pool = pool.name;
    config.pools.push_back(std::move(pool));
    config.vips.push_back(std::move(vip));
  }
  return config;
}

void PrintRow(const char* name, const std::vector<double>& ms) {
  std::printf("  %-22s p50 %7.2f   p90 %7.2f   p99 %7.2f   max %7.2f ms\n", name,
              Percentile(ms, 0.5), Percentile(ms, 0.9), Percentile(ms, 0.99), Percentile(ms, 1.0));
}

// Processor time that process `pid` has used, of all its threads.
double CpuMillis(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) * 1000 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double Millis(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// Exits the program with the daemon's words where an apply does not succeed.
engine::Outcome MustApply(engine::Engine* client, const engine::Request& request) {
  engine::Outcome outcome = client->Apply(request);
  if (outcome.kind == engine::Outcome::Kind::kApplied) return outcome;
  std::fprintf(
      stderr, "apply failed: %s %s\n", std::string(outcome.status.message()).c_str(),
      outcome.verdict.violations.empty() ? "" : outcome.verdict.violations[0].message.c_str());
  std::exit(1);
}

void WaitReady(engine::Engine* client) {
  for (int i = 0; i < 400; ++i) {
    if (client->Get().ok()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  std::fprintf(stderr, "evenkeeld does not answer\n");
  std::exit(1);
}

int Measure(const Options& options, pid_t daemon, engine::Engine* client) {
  model::Config config = MakeConfig(options);
  engine::Request request;
  request.reason = "bench";
  request.change.config = config;
  request.etag = client->Get()->etag;
  const auto start = Clock::now();
  request.etag = MustApply(client, request).applied.etag;
  std::printf("%d pools of %d backends, %u slots each\n  first apply of all: %.0f ms\n",
              options.pools, options.backends, options.table_size, Millis(Clock::now() - start));

  std::vector<double> total, stage, verify, swap;
  const double cpu_before = CpuMillis(daemon);
  for (int i = 0; i < options.applies; ++i) {
    model::Pool& pool = config.pools[static_cast<size_t>(i % options.pools)];
    model::Backend& backend = pool.backends[static_cast<size_t>(i % options.backends)];
    backend.weight = backend.weight == 100 ? 110 : 100;
    request.change = {.config = std::nullopt, .pool = pool};
    const auto before = Clock::now();
    const engine::Outcome outcome = MustApply(client, request);
    total.push_back(Millis(Clock::now() - before));
    request.etag = outcome.applied.etag;
    stage.push_back(Millis(outcome.publish->stage));
    verify.push_back(Millis(outcome.publish->verify));
    swap.push_back(Millis(outcome.publish->swap));
  }
  std::printf("%d applies of one pool, through gRPC, recorded:\n", options.applies);
  PrintRow("call to answer", total);
  PrintRow("  of it staging", stage);
  PrintRow("  of it verifying", verify);
  PrintRow("  of it the swap", swap);
  std::printf("  daemon's processor time: %.2f ms an apply\n",
              (CpuMillis(daemon) - cpu_before) / options.applies);
  const double p99 = Percentile(total, 0.99);
  if (options.limit_ms <= 0 || p99 <= options.limit_ms) return 0;
  std::printf("p99 is above the limit of %.1f ms\n", options.limit_ms);
  return 1;
}

int Bench(Options options) {
  std::string pattern = (std::filesystem::temp_directory_path() / "ek-apply-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    std::perror("mkdtemp");
    return 1;
  }
  const std::string socket = pattern + "/d.sock";
  const ScopedNetns netns;
  netns.Run(
      "ip link add ek0 type veth peer name ek1 && ip link set ek0 up && ip link set ek1 up && "
      "ip address add 10.9.0.1/24 dev ek0 && "
      "ip neighbour add 10.9.0.2 lladdr 02:00:00:00:00:02 dev ek0 nud permanent && "
      "ip route add 10.128.0.0/9 via 10.9.0.2");
  const ScopedPinDir pins;
  int code = 1;
  {
    const ScopedNetns::Entered inside(netns);
    const Process daemon({EK_BINARY_DIR "/bin/evenkeeld", "--settings", "/dev/null", "--socket",
                          socket, "--state-dir",
                          options.state_dir.empty() ? pattern + "/state" : options.state_dir,
                          "--pin-dir", pins.path(), "--interface", "ek0", "--change-interval", "0",
                          "--changes-per-hour", "1000000", "--log-level", "error"});
    const auto client = rpc::Connect(socket);
    WaitReady(client.get());
    code = Measure(options, daemon.pid(), client.get());
  }
  std::filesystem::remove_all(pattern);
  return code;
}

}  // namespace
}  // namespace evenkeel::testing

int main(int argc, char** argv) {
  evenkeel::testing::Options options;
  CLI::App app("Measures an Apply of one pool, end to end");
  app.add_option("--pools", options.pools)->check(CLI::Range(1, 1000));
  app.add_option("--backends", options.backends)->check(CLI::Range(4, 600));
  app.add_option("--applies", options.applies)->check(CLI::Range(1, 1000000));
  app.add_option("--table-size", options.table_size);
  app.add_option("--limit-ms", options.limit_ms, "Exit with 1 if the p99 is above");
  app.add_option("--state-dir", options.state_dir, "On the disk to measure [a temporary one]");
  CLI11_PARSE(app, argc, argv);
  return evenkeel::testing::Bench(options);
}
