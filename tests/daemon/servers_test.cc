// SPDX-License-Identifier: Apache-2.0
//
// Servers that are neither well nor plainly dead, on a real daemon with real sockets: one that
// comes and goes, black holes, slow lorises, and gRPC's own health service.
#include <gmock/gmock.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "absl/strings/str_replace.h"
#include "tests/daemon/health_fixture.h"
#include "tests/daemon/table_in_force.h"
#include "tests/probe/grpc_server.h"
#include "tests/probe/server.h"

namespace evenkeel::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kServers = 30;  // of which health may take out three in a minute
constexpr int kSlots = 4099;

bool AllUp(const engine::PoolStatus& pool) {
  return std::all_of(pool.backends.begin(), pool.backends.end(),
                     [](const auto& backend) { return backend.health == "up"; });
}

std::string AddressOf(int number) { return absl::StrCat("10.9.0.", 10 + number); }

class ServersTest : public HealthTest {
 protected:
  void TearDown() override {
    StopFlapping();
    HealthTest::TearDown();
  }

  // Patient with a busy machine, and without slow starts unless a test is about them.
  static std::string PatientYaml(int servers, const std::string& check = "type: tcp") {
    return absl::StrReplaceAll(
        Yaml(std::vector<int>(static_cast<size_t>(servers), 100)),
        {{"type: tcp, port: 8080, interval: 100ms, timeout: 100ms, rise: 2, fall: 2",
          check + ", port: 8080, interval: 200ms, timeout: 200ms, rise: 2, fall: 3"},
         {"over: 10s", "over: 0s"}});
  }
  void StartPatiently(const std::string& yaml) {
    Start({"--config", Write("web.yaml", yaml)});
    WaitFor(AllUp);
  }

  // The server answers for a second and refuses for a second, again and again.
  void Flap(int number) {
    flapping_ = true;
    flapper_ = std::thread([this, number] {
      for (bool answers = false; flapping_; answers = !answers) {
        answers ? Listen(number) : Refuse(number);
        for (int i = 0; i < 50 && flapping_; ++i) std::this_thread::sleep_for(milliseconds(20));
      }
    });
  }
  void StopFlapping() {
    flapping_ = false;
    if (flapper_.joinable()) flapper_.join();
  }

  // Oldest first.
  std::vector<history::HealthChange> Changes() {
    auto listed = client_->ListHealth(1000);
    EXPECT_TRUE(listed.ok()) << listed.status();
    std::vector<history::HealthChange> changes = *std::move(listed);
    std::reverse(changes.begin(), changes.end());
    return changes;
  }
  // Slots of each server, of a table that did not change meanwhile.
  std::map<uint32_t, int> SlotsInForce() {
    for (int i = 0; i < 100; ++i) {
      const std::string before = Status().kernel_digest;
      std::map<uint32_t, int> slots;
      for (const uint32_t server : ReadTableInForce(pins_->path())) ++slots[server];
      if (Status().kernel_digest == before) return slots;
    }
    ADD_FAILURE() << "the table changes all the time";
    return {};
  }
  // Of a socket of `number` whose queue has no room: the kernel drops what would connect.
  void ListenWithFullQueue(int number) {
    const ScopedNetns::Entered inside(*servers_);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(kServerPort);
    ASSERT_EQ(::inet_pton(AF_INET, AddressOf(number).c_str(), &address.sin_addr), 1);
    ASSERT_EQ(::listen(listening_.at(number).get(), 0), 0);
    for (int i = 0; i < 2; ++i) {
      fillers_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      ::connect(fillers_.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
    }
  }

  std::atomic<bool> flapping_{false};
  std::thread flapper_;
  std::vector<dataplane::UniqueFd> fillers_;
};

TEST_F(ServersTest, AFlappingServerIsHeldOutLongerEachTime) {
  for (int i = 1; i <= kServers; ++i) Listen(i);
  StartPatiently(PatientYaml(kServers));
  const uint32_t flapping = inet_addr(AddressOf(5).c_str());
  std::string digest = Status().pools[0].table_digest;
  int tables = 0, looks = 0;
  Flap(5);
  // Out, back, out, back, out.
  for (const auto end = steady_clock::now() + seconds(120);
       Changes().size() < 5 && steady_clock::now() < end;) {
    const std::string now = Status().pools[0].table_digest;
    if (now != digest) ++tables;
    digest = now;
    const std::map<uint32_t, int> slots = SlotsInForce();
    for (int i = 1; i <= kServers; ++i) {
      const uint32_t server = inet_addr(AddressOf(i).c_str());
      if (server == flapping) continue;
      ASSERT_TRUE(slots.contains(server)) << AddressOf(i);
      EXPECT_GE(slots.at(server), kSlots / kServers - 1) << AddressOf(i);
      EXPECT_LE(slots.at(server), kSlots / (kServers - 1) + 1) << AddressOf(i);
    }
    ++looks;
    std::this_thread::sleep_for(milliseconds(50));
  }
  const engine::PoolStatus held = WaitFor([](const engine::PoolStatus& pool) {
    return pool.backends[4].health_cause.find("held down for") != std::string::npos;
  });
  EXPECT_THAT(held.backends[4].health_cause, HasSubstr("held down for 20 s"));
  EXPECT_LE(tables, 5);
  EXPECT_GT(looks, 20);
  EXPECT_FALSE(SlotsInForce().contains(flapping));

  const std::vector<history::HealthChange> changes = Changes();
  ASSERT_EQ(changes.size(), 5u) << "and nobody else went";
  std::vector<uint16_t> had;
  for (const history::HealthChange& change : changes) {
    EXPECT_EQ(change.backend, "web-5");
    had.push_back(change.permille);
    EXPECT_THAT(change.cause, HasSubstr(change.permille == 0 ? "3 probes failed" : "probe"));
  }
  EXPECT_THAT(had, ElementsAre(0, 1000, 0, 1000, 0));
  const auto out_for = [&](size_t i) {
    return std::chrono::nanoseconds(changes[i + 1].unix_ns - changes[i].unix_ns);
  };
  constexpr milliseconds kSlack{500};  // the verdict's hold begins before it is published
  EXPECT_GE(out_for(0), seconds(5) - kSlack);
  EXPECT_GE(out_for(2), seconds(10) - kSlack);
}

// Of 30 servers three may go in a minute: two did so before the daemon was killed.
TEST_F(ServersTest, ARestartIsNoFreshStart) {
  for (int i = 1; i <= kServers; ++i) Listen(i);
  StartPatiently(PatientYaml(kServers));
  Refuse(5);
  WaitFor(HasShare(5, false));
  Listen(5);
  WaitFor(HasShare(5, true));
  Refuse(5);
  WaitFor(HasShare(5, false));
  End(SIGKILL);
  Refuse(6);
  Refuse(7);
  Start();
  const engine::PoolStatus held = WaitFor([](const engine::PoolStatus& pool) {
    return pool.backends[5].health == "down" && pool.backends[6].health == "down" &&
           (pool.backends[5].held || pool.backends[6].held) &&
           (pool.backends[5].share == 0 || pool.backends[6].share == 0);
  });
  EXPECT_NE(held.backends[5].held, held.backends[6].held);
  EXPECT_THAT(held.backends[held.backends[5].held ? 5 : 6].health_cause, HasSubstr("LB012"));
  Listen(5);
  const engine::PoolStatus recovering = WaitFor([](const engine::PoolStatus& pool) {
    return pool.backends[4].health_cause.find("held down for") != std::string::npos;
  });
  EXPECT_THAT(recovering.backends[4].health_cause, HasSubstr("held down for 10 s"));
  WaitFor(HasShare(5, true));
  std::vector<int64_t> at;
  for (const history::HealthChange& change : Changes()) {
    if (change.backend == "web-5") at.push_back(change.unix_ns);
  }
  ASSERT_EQ(at.size(), 4u);
  EXPECT_GE(std::chrono::nanoseconds(at[3] - at[2]), milliseconds(9500));
}

// Nothing refuses: the packets are gone.
TEST_F(ServersTest, BlackHolesAreOutAfterSoManyTimeouts) {
  for (int i = 1; i <= kServers; ++i) Listen(i);
  StartPatiently(PatientYaml(kServers));
  // Otherwise it would be the neighbour that is missing.
  servers_->Run("ip link set ek1 address 02:00:00:00:00:02");
  AddNeighbors(kServers);
  const auto began = std::chrono::system_clock::now();
  servers_->Run("ip address del 10.9.0.12/24 dev ek1");
  ListenWithFullQueue(3);
  const engine::PoolStatus out = WaitFor([](const engine::PoolStatus& pool) {
    return pool.backends[1].share == 0 && pool.backends[2].share == 0;
  });
  for (const auto& backend : out.backends) {
    const bool hole = backend.name == "web-2" || backend.name == "web-3";
    EXPECT_EQ(backend.health, hole ? "down" : "up") << backend.name;
    EXPECT_EQ(backend.health_cause,
              hole ? "3 probes failed: no answer within 200ms" : "2 probes succeeded");
  }
  const std::map<uint32_t, int> slots = SlotsInForce();
  EXPECT_EQ(slots.size(), size_t{kServers} - 2);
  EXPECT_FALSE(slots.contains(inet_addr("10.9.0.12")));
  for (const history::HealthChange& change : Changes()) {
    EXPECT_GE(std::chrono::nanoseconds(change.unix_ns) - began.time_since_epoch(),
              milliseconds(400))
        << "two intervals and a timeout, less the jitter";
  }
}

// A byte of the answer's header each 100 ms, for ever.
TEST_F(ServersTest, ASlowLorisIsOutAndKeepsNobodyWaiting) {
  std::atomic<bool> all{false};
  std::unique_ptr<Server> http, api;
  {
    const ScopedNetns::Entered inside(*servers_);
    http = std::make_unique<Server>(kServerPort, [&](const Connection& c) {
      c.ReadRequest();
      if (all || c.LocalAddress() == "10.9.0.12") {
        std::string header = "HTTP/1.1 200 OK\r\nX-Filler: ";
        while (c.Send(header.substr(0, 1)) && c.Sleep(milliseconds(100))) {
          header = header.substr(1) + "x";
        }
      } else {
        c.Send(HttpAnswer(200, "well"));
      }
    });
    api = std::make_unique<Server>(8081);
  }
  constexpr int kApi = 6;
  std::string yaml = absl::StrReplaceAll(
      PatientYaml(6, "type: http"),
      {{"pools:\n",
        "  - {name: api, address: 192.0.2.11, port: 80, protocol: tcp, pool: web-api}\npools:\n"}});
  absl::StrAppend(&yaml,
                  "  - name: web-api\n    table_size: 4099\n    health_check: {type: tcp, port: "
                  "8081, interval: 200ms, timeout: 200ms, rise: 2, fall: 3}\n    backends:\n");
  for (int i = 1; i <= kApi; ++i) {
    absl::StrAppend(&yaml, "      - {name: api-", i, ", address: ", AddressOf(10 + i), "}\n");
  }
  Start({"--config", Write("web.yaml", yaml)});
  const engine::PoolStatus out =
      WaitFor([](const engine::PoolStatus& pool) { return pool.backends[1].share == 0; });
  EXPECT_EQ(out.backends[1].health_cause,
            "3 probes failed: connected, but no HTTP answer within 200ms");
  // Nobody of the pool answers any better, and the other pool's servers are asked as ever.
  all = true;
  WaitFor([](const engine::PoolStatus& pool) { return !pool.panic.empty(); });
  const auto began = steady_clock::now();
  const uint64_t asked = api->accepted();
  std::this_thread::sleep_for(seconds(3));
  const std::chrono::duration<double> took = steady_clock::now() - began;
  EXPECT_GE(static_cast<double>(api->accepted() - asked), 0.6 * kApi * took.count() / 0.2);
  ASSERT_EQ(Status().pools.size(), 2u);
  EXPECT_TRUE(AllUp(Status().pools[1]));
  EXPECT_TRUE(client_->ListHealth(10, "web-api")->empty());
}

TEST_F(ServersTest, AGrpcServerThatSaysNotServingIsOutAndReturnsSlowly) {
  std::vector<std::unique_ptr<GrpcServer>> servers;
  {
    const ScopedNetns::Entered inside(*servers_);
    for (int i = 1; i <= 4; ++i) {
      servers.push_back(std::make_unique<GrpcServer>(absl::StrCat(AddressOf(i), ":", kServerPort),
                                                     /*health=*/true));
      servers.back()->Set("shop.v1.Cart", true);
    }
  }
  StartPatiently(absl::StrReplaceAll(PatientYaml(4, "type: grpc, service: shop.v1.Cart"),
                                     {{"over: 0s", "over: 10s"}}));
  servers[2]->Set("shop.v1.Cart", false);
  const engine::PoolStatus out = WaitFor(HasShare(3, false));
  EXPECT_EQ(out.backends[2].health_cause, "3 probes failed: answers NOT_SERVING");
  EXPECT_FALSE(SlotsInForce().contains(inet_addr("10.9.0.13")));

  servers[2]->Set("shop.v1.Cart", true);
  const engine::PoolStatus recovering = WaitFor([](const engine::PoolStatus& pool) {
    return pool.backends[2].health_cause.starts_with("2 probes succeeded");
  });
  EXPECT_EQ(recovering.backends[2].health_cause, "2 probes succeeded, held down for 5 s");
  EXPECT_EQ(recovering.backends[2].share, 0);
  const engine::PoolStatus first = WaitFor(HasShare(3, true));
  EXPECT_EQ(first.backends[2].health, "up");
  EXPECT_LT(first.backends[2].admitted, 0.5);
  const engine::PoolStatus then = WaitFor([&](const engine::PoolStatus& pool) {
    return pool.backends[2].admitted > first.backends[2].admitted;
  });
  EXPECT_LT(then.backends[2].admitted, 1);
  EXPECT_TRUE(SlotsInForce().contains(inet_addr("10.9.0.13")));
}

}  // namespace
}  // namespace evenkeel::testing
