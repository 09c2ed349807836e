// SPDX-License-Identifier: Apache-2.0
//
// Servers with real sockets behind ek0, in a namespace of their own, and a daemon that probes them.
#ifndef EVENKEEL_TESTS_DAEMON_HEALTH_FIXTURE_H_
#define EVENKEEL_TESTS_DAEMON_HEALTH_FIXTURE_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>

#include "control/dataplane/unique_fd.h"
#include "tests/daemon/daemon_fixture.h"

namespace evenkeel::testing {

inline constexpr uint16_t kServerPort = 8080;

class HealthTest : public DaemonFixture {
 protected:
  void SetUp() override {
    DaemonFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    servers_ = std::make_unique<ScopedNetns>();
    netns_->Run("ip link set ek1 netns " + servers_->path());
    servers_->Run(
        "ip link set ek1 up && for i in $(seq 11 50); do ip address add 10.9.0.$i/24 dev ek1; "
        "done");
  }
  void TearDown() override {
    listening_.clear();
    DaemonFixture::TearDown();
    servers_.reset();
  }

  // 10.9.0.(10 + number) takes connections.
  void Listen(int number) {
    const ScopedNetns::Entered inside(*servers_);
    dataplane::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int one = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(kServerPort);
    address.sin_addr.s_addr = htonl(0x0a090000u + 10 + static_cast<uint32_t>(number));
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    // Nobody accepts: the queue has room for every probe of a test.
    ASSERT_EQ(::listen(fd.get(), 4096), 0);
    listening_[number] = std::move(fd);
  }
  void Refuse(int number) { listening_.erase(number); }

  static std::string Yaml(const std::vector<int>& weights) {
    std::string yaml =
        "vips:\n  - {name: web, address: 192.0.2.10, port: 80, protocol: tcp, pool: web}\n"
        "pools:\n  - name: web\n    table_size: 4099\n"
        "    slow_start: {over: 10s, max_step_fraction: 0.03}\n"
        "    health_check: {type: tcp, port: 8080, interval: 100ms, timeout: 100ms, rise: 2, "
        "fall: 2}\n    backends:\n";
    for (size_t i = 0; i < weights.size(); ++i) {
      absl::StrAppend(&yaml, "      - {name: web-", i + 1, ", address: 10.9.0.", 11 + i,
                      ", weight: ", weights[i], "}\n");
    }
    return yaml;
  }
  void StartWith(const std::vector<int>& weights) {
    for (size_t i = 1; i <= weights.size(); ++i) Listen(static_cast<int>(i));
    Start({"--config", Write("web.yaml", Yaml(weights))});
    WaitFor([](const engine::PoolStatus& pool) {
      return std::all_of(pool.backends.begin(), pool.backends.end(),
                         [](const auto& backend) { return backend.health == "up"; });
    });
  }
  template <typename Condition>
  engine::PoolStatus WaitFor(Condition condition) {
    engine::PoolStatus pool;
    for (int i = 0; i < 600; ++i) {
      const engine::Status status = Status();
      if (!status.pools.empty()) pool = status.pools[0];
      if (!status.pools.empty() && condition(pool)) {
        EXPECT_TRUE(status.digest_matches);
        return pool;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ADD_FAILURE() << "waited in vain";
    return pool;
  }
  static auto HasShare(int number, bool has) {
    return [number, has](const engine::PoolStatus& pool) {
      return (pool.backends[number - 1].share > 0) == has;
    };
  }

  std::unique_ptr<ScopedNetns> servers_;
  std::map<int, dataplane::UniqueFd> listening_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_DAEMON_HEALTH_FIXTURE_H_
