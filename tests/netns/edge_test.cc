// SPDX-License-Identifier: Apache-2.0
//
// What an edge must do besides forwarding, with the client's real network stack as the judge.
#include <random>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

constexpr size_t kUploadBytes = 5'000'000;

struct Path {
  std::string mode;
  std::string layout;
};

class EdgeTest : public LabTest, public ::testing::WithParamInterface<Path> {
 protected:
  void SetUp() override {
    LabTest::SetUp();
    if (IsSkipped()) return;
    State state;
    state.layout = GetParam().layout;
    MakeLab({.mode = GetParam().mode, .layout = GetParam().layout, .config = state.ToYaml()});
  }

  uint64_t Verdict(const std::string& name) {
    return lab().Status().at("verdicts").value(name, 0u);
  }

  // Routes to the backends, whose links take more than that.
  void NarrowThePath(int mtu) {
    const bool flat = GetParam().layout == "flat";
    const std::string text = std::to_string(mtu), device = flat ? "eth0" : "eth1";
    const Argv routes[] = {
        {"ip", "route", "change", flat ? "10.77.0.0/24" : "10.77.1.0/24", "dev", device, "proto",
         "kernel", "scope", "link", "mtu", text},
        {"ip", "-6", "route", "change", flat ? "fd77::/64" : "fd77:1::/64", "dev", device, "proto",
         "kernel", "metric", "256", "mtu", text},
    };
    for (const Argv& route : routes) {
      const CommandResult result = lab().RunIn("balancer", route);
      ASSERT_TRUE(result.ok()) << result;
    }
  }

  void ExpectUploadWhole(const std::string& name, const std::string& url, const std::string& body) {
    const std::string from = lab().file("large"), path = "/upload/" + name;
    WriteFile(from, body);
    const CommandResult result =
        lab().RunIn("client", {"curl", "-sS", "--fail", "--max-time", "20", "-D", "-", "-o",
                               "/dev/null", "-T", from, url + path});
    ASSERT_TRUE(result.ok()) << result << lab().Cli({"status"}).out;
    const size_t at = result.out.find("X-Backend: ");
    ASSERT_NE(at, std::string::npos) << result;
    EXPECT_TRUE(ReadFile(lab().file(result.out.substr(at + 11, 2) + "/www" + path)) == body);
  }

  bool ClientLearned(const std::string& address, int mtu) {
    const CommandResult route = lab().RunIn("client", {"ip", "route", "get", address});
    return route.out.find("mtu " + std::to_string(mtu) + " ") != std::string::npos;
  }
};

// The client finds out that the path through the tunnel is narrower than its link, and goes on.
TEST_P(EdgeTest, UploadOverANarrowPath) {
  NarrowThePath(1400);
  std::mt19937_64 random(7);
  std::string body(kUploadBytes, '\0');
  for (char& c : body) c = static_cast<char>(random());

  // The daemon follows the routes after a moment; until then nothing is too big.
  ASSERT_TRUE(Eventually(std::chrono::seconds(20), [&] {
    ExpectUploadWhole("narrow4", "http://192.0.2.10", body);
    return HasFailure() || ClientLearned("192.0.2.10", 1380);
  }));
  const uint64_t told = Verdict("reply_too_big");
  EXPECT_GT(told, 0u);

  ASSERT_TRUE(Eventually(std::chrono::seconds(20), [&] {
    ExpectUploadWhole("narrow6", "http://[2001:db8::10]", body);
    return HasFailure() || ClientLearned("2001:db8::10", 1360);
  }));
  EXPECT_GT(Verdict("reply_too_big"), told);
}

INSTANTIATE_TEST_SUITE_P(Paths, EdgeTest,
                         ::testing::Values(Path{"native", "flat"}, Path{"native", "routed"},
                                           Path{"generic", "flat"}),
                         [](const auto& test) { return test.param.mode + test.param.layout; });

}  // namespace
}  // namespace evenkeel::testing
