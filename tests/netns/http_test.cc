// SPDX-License-Identifier: Apache-2.0
//
// curl and nginx through the balancer, for every combination of XDP mode, way out and forwarding:
// every answer arrives, from every backend, and large bodies arrive whole in both directions.
#include <random>
#include <set>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

constexpr size_t kLargeBytes = 5'000'000;

struct Path {
  std::string name;
  std::string mode;
  std::string layout;
  std::string forwarding;

  friend std::ostream& operator<<(std::ostream& out, const Path& path) { return out << path.name; }
};

struct Service {
  std::string name;
  std::string url;
};
const Service kServices[] = {
    {"web", "http://192.0.2.10"},
    {"web6", "http://[2001:db8::10]"},
    {"web46", "http://192.0.2.10:8080"},
};

std::string LargeBody() {
  std::mt19937_64 random(20'000);
  std::string body(kLargeBytes, '\0');
  for (char& c : body) c = static_cast<char>(random());
  return body;
}

class HttpTest : public LabTest, public ::testing::WithParamInterface<Path> {
 protected:
  void SetUp() override {
    LabTest::SetUp();
    if (IsSkipped()) return;
    const Path& path = GetParam();
    State state;
    state.forwarding = path.forwarding;
    state.layout = path.layout;
    // Forwarding at layer 2 must work without any decapsulation on the backends.
    MakeLab({.mode = path.mode,
             .layout = path.layout,
             .config = state.ToYaml(),
             .decap = path.forwarding != "l2"});
  }

  CommandResult Curl(Argv arguments) {
    arguments.insert(arguments.begin(), {"curl", "-sS", "--fail", "--max-time", "20"});
    return lab().RunIn("client", arguments);
  }

  void ExpectEveryBackendAnswers(const Service& service) {
    std::set<std::string> seen;
    for (int i = 0; i < 60; ++i) {
      const CommandResult result = Curl({service.url + "/"});
      ASSERT_TRUE(result.ok()) << result;
      seen.insert(result.out.substr(0, result.out.find('\n')));
    }
    EXPECT_EQ(seen, (std::set<std::string>{"b1", "b2", "b3", "b4"}));
  }

  void ExpectDownloadWhole(const Service& service, const std::string& body) {
    for (const char* backend : {"b1", "b2", "b3", "b4"}) {
      WriteFile(lab().file(std::string(backend) + "/www/files/large"), body);
    }
    const std::string to = lab().file("download");
    const CommandResult result = Curl({"-o", to, service.url + "/files/large"});
    ASSERT_TRUE(result.ok()) << result;
    EXPECT_TRUE(ReadFile(to) == body) << "the downloaded bytes differ";
  }

  void ExpectUploadWhole(const Service& service, const std::string& body) {
    const std::string from = lab().file("large");
    const std::string name = "/upload/" + service.name;
    WriteFile(from, body);
    const CommandResult result =
        Curl({"-D", "-", "-o", "/dev/null", "-T", from, service.url + name});
    ASSERT_TRUE(result.ok()) << result;
    const size_t at = result.out.find("X-Backend: ");
    ASSERT_NE(at, std::string::npos) << result;
    const std::string backend = result.out.substr(at + 11, 2);
    EXPECT_TRUE(ReadFile(lab().file(backend + "/www" + name)) == body)
        << "the bytes that " << backend << " stored differ";
  }
};

TEST_P(HttpTest, AnswersAndLargeBodies) {
  const std::string body = LargeBody();
  for (const Service& service : kServices) {
    if (service.name == "web46" && GetParam().forwarding == "l2") continue;
    SCOPED_TRACE(service.name);
    ExpectEveryBackendAnswers(service);
    ExpectDownloadWhole(service, body);
    ExpectUploadWhole(service, body);
    if (HasFailure()) std::fprintf(stderr, "%s\n", lab().Cli({"status"}).out.c_str());
  }
  const nlohmann::json status = lab().Status();
  for (const auto& interface : status.at("interfaces")) {
    EXPECT_EQ(interface.at("mode"), GetParam().mode) << interface;
  }
  for (const auto& vip : status.at("vips")) {
    EXPECT_GT(vip.at("counter").at("packets"), 60 * 4) << vip;
    EXPECT_GT(vip.at("counter").at("bytes"), kLargeBytes) << vip;
    EXPECT_EQ(vip.at("counter").at("drops"), 0) << vip;
  }
}

const Path kPaths[] = {
    {"nativeIpip", "native", "flat", "ipip"},
    {"nativeL2", "native", "flat", "l2"},
    {"nativeRedirectIpip", "native", "routed", "ipip"},
    {"nativeRedirectL2", "native", "routed", "l2"},
    {"nativeGue", "native", "flat", "gue"},
    {"genericIpip", "generic", "flat", "ipip"},
    {"genericRedirectGue", "generic", "routed", "gue"},
    {"genericRedirectL2", "generic", "routed", "l2"},
};
INSTANTIATE_TEST_SUITE_P(Paths, HttpTest, ::testing::ValuesIn(kPaths),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace evenkeel::testing
