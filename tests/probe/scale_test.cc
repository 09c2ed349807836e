// SPDX-License-Identifier: Apache-2.0
//
// 2,000 targets at an interval of a second.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/probe/probe_fixture.h"
#include "tests/probe/server.h"
#include "tests/probe/udp_server.h"

namespace evenkeel::testing {
namespace {

using std::chrono::duration;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int kTargets = 2000;
constexpr int kRounds = 5;

// Processor time of the prober's thread, seconds.
double ProberCpu() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm") >> std::ws, name);
    if (name != "ek-prober") continue;
    std::string stat;
    std::ifstream file(task.path() / "stat");
    std::getline(file, stat);
    const std::vector<std::string> fields = absl::StrSplit(stat, ' ');
    return (std::stod(fields.at(13)) + std::stod(fields.at(14))) /
           static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  return -1;
}

std::string Address(int n) { return absl::StrCat("127.0.", 1 + n / 250, ".", 1 + n % 250); }

class ScaleTest : public ProbeTest {
 protected:
  void Run(const char* name, Type type, uint16_t port) {
    Start();
    std::vector<probe::Target> targets;
    for (int n = 0; n < kTargets; ++n) {
      targets.push_back(To(Address(n), port, type));
      if (type == Type::kUdp) targets.back().check.send = "well?";
    }
    SetTargets(targets);
    std::this_thread::sleep_for(Millis{1200});  // every first round
    const double cpu = ProberCpu();
    const probe::Stats before = prober_->stats();
    const auto begin = steady_clock::now();
    std::this_thread::sleep_for(seconds{kRounds});
    const double took = duration<double>(steady_clock::now() - begin).count();
    stats_ = prober_->stats();
    stats_.started -= before.started;
    stats_.late -= before.late;
    stats_.skipped -= before.skipped;
    std::printf("%s: %.0f probes/s, %.1f %% of one core, late %llu, skipped %llu of %llu\n", name,
                static_cast<double>(stats_.started) / took, (ProberCpu() - cpu) / took * 100,
                static_cast<unsigned long long>(stats_.late),
                static_cast<unsigned long long>(stats_.skipped),
                static_cast<unsigned long long>(stats_.started));
    share_ = (ProberCpu() - cpu) / took;
    SetTargets({});
  }

  // Every target in every round, give or take the jitter at both ends.
  void ExpectAllRounds(uint16_t port = 8000) {
    for (int n = 0; n < kTargets; ++n) {
      const size_t seen = seeing_.Of(Address(n), port).size();
      ASSERT_GE(seen, static_cast<size_t>(kRounds)) << Address(n);
      ASSERT_LE(seen, static_cast<size_t>(kRounds) + 3) << Address(n);
    }
    EXPECT_EQ(stats_.skipped, 0u);
    EXPECT_LE(stats_.late, stats_.started / 20);
  }

  probe::Stats stats_;
  double share_ = 0;
};

TEST_F(ScaleTest, ProbesTwoThousandTcpTargetsASecond) {
  Server server(8000);
  Run("tcp", Type::kTcp, 8000);
  ExpectAllRounds();
  EXPECT_LT(share_, 0.6);
  for (const auto& [key, all] : seeing_.All()) {
    for (const Seen& seen : all) ASSERT_EQ(seen.result.cause, "") << key.first;
  }
}

TEST_F(ScaleTest, ProbesTwoThousandTargetsThatRefuse) {
  Run("refused", Type::kTcp, 8000);
  ExpectAllRounds();
  for (const auto& [key, all] : seeing_.All()) {
    for (const Seen& seen : all) ASSERT_EQ(seen.result.cause, "connection refused") << key.first;
  }
}

TEST_F(ScaleTest, ProbesTwoThousandUdpTargetsASecond) {
  UdpServer server(8000, [](const std::string&) { return "well"; });
  Run("udp", Type::kUdp, 8000);
  ExpectAllRounds();
  EXPECT_LT(share_, 0.6);
  for (const auto& [key, all] : seeing_.All()) {
    for (const Seen& seen : all) ASSERT_EQ(seen.result.cause, "") << key.first;
  }
}

TEST_F(ScaleTest, ProbesTwoThousandIcmpTargetsASecond) {
  Run("icmp", Type::kIcmp, 0);
  ExpectAllRounds(0);
  EXPECT_LT(share_, 0.6);
  for (const auto& [key, all] : seeing_.All()) {
    for (const Seen& seen : all) ASSERT_EQ(seen.result.cause, "") << key.first;
  }
}

// nginx, as a thread for each connection would be the test's own load.
class NginxScaleTest : public ScaleTest {
 protected:
  // Every answer has the cause `cause`.
  void RunNginx(const char* name, Type type, const char* listen, const char* cause) {
    char dir[] = "/tmp/ek-probe-XXXXXX";
    ASSERT_NE(mkdtemp(dir), nullptr);
    std::ofstream(absl::StrCat(dir, "/nginx.conf"))
        << "daemon on; pid " << dir << "/pid; error_log " << dir << "/error.log;\n"
        << "events { worker_connections 4096; }\n"
        << "http { access_log off; default_type application/grpc;\n"
        << "server { listen " << listen << "; location / { return 200 ok; } } }\n";
    netns_->Run(absl::StrCat("nginx -c ", dir, "/nginx.conf"));
    Run(name, type, 8000);
    netns_->Run(absl::StrCat("kill -QUIT $(cat ", dir, "/pid); rm -rf ", dir));
    EXPECT_LT(share_, 0.95);
    for (int n = 0; n < kTargets; ++n) {
      const auto seen = seeing_.Of(Address(n), 8000);
      ASSERT_GE(seen.size(), static_cast<size_t>(kRounds) - 1) << Address(n);
      ASSERT_EQ(seen[0].result.cause, cause) << Address(n);
    }
  }
};

TEST_F(NginxScaleTest, ProbesTwoThousandHttpTargetsASecond) {
  RunNginx("http", Type::kHttp, "8000", "");
}

// All of a probe by gRPC but the last word: nginx sends no trailer.
TEST_F(NginxScaleTest, ProbesTwoThousandGrpcTargetsASecond) {
  RunNginx("grpc", Type::kGrpc, "8000 http2", "the answer has no grpc-status");
}

// A whole fleet that is gone: the sockets are the limit, and probing goes on.
TEST_F(ScaleTest, GetsByWithFewSocketsWhenAllTargetsAreGone) {
  Start({.max_open_sockets = 64});
  std::vector<probe::Target> targets;
  for (int n = 0; n < 3000; ++n) {
    targets.push_back(To(absl::StrCat("10.99.0.", 1 + n % 200), static_cast<uint16_t>(80 + n / 200),
                         n % 2 ? Type::kTcp : Type::kHttp, Millis{1000}, Millis{50}));
  }
  SetTargets(targets);
  const auto end = steady_clock::now() + seconds{15};
  while (seeing_.All().size() < targets.size() && steady_clock::now() < end) {
    ASSERT_LE(prober_->stats().open_sockets, 64u);
    std::this_thread::sleep_for(Millis{50});
  }
  EXPECT_EQ(seeing_.All().size(), targets.size());
  EXPECT_GT(prober_->stats().late, 0u);
}

}  // namespace
}  // namespace evenkeel::testing
