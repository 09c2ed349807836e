// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

TEST(YamlWriter, IsCanonical) {
  Config config;
  config.vips.push_back({"web", IpAddress::Parse("2001:db8::1").value(), 0, Protocol::kQuic, "p"});
  Pool pool;
  pool.name = "p";
  Backend backend;
  backend.name = "p-1";
  backend.address = IpAddress::Parse("10.0.0.1").value();
  backend.capacity = 0.1;
  backend.zone = "on";
  backend.state = AdminState::kDisabled;
  pool.backends.push_back(backend);
  pool.policy.single_backend = SingleBackend{"one \"is\" enough", "team"};
  pool.policy.max_share = 0.5;
  pool.policy.peak_load = 4;
  pool.policy.exceptions = {{"LB004", "one zone", "team"}};
  config.pools.push_back(pool);
  config.policy.max_weight_ratio = 5;
  config.policy.freeze = {{1'798'135'200, 1'798'351'200, "holiday"}};
  EXPECT_EQ(ToYaml(config), R"(policy:
  max_weight_ratio: 5
  freeze:
    - {from: "2026-12-24T18:00:00Z", to: "2026-12-27T06:00:00Z", reason: holiday}
vips:
  - {name: web, address: "2001:db8::1", port: 0, protocol: quic, pool: p}
pools:
  - name: p
    forwarding: ipip
    table_size: 65537
    backends:
      - {name: p-1, address: 10.0.0.1, weight: 100, capacity: 0.1, zone: "on", state: disabled}
    policy:
      single_backend: {reason: "one \"is\" enough", owner: team}
      max_share: 0.5
      peak_load: 4
      exceptions:
        - {rule: "LB004", reason: "one zone", owner: team}
)");
  const ParseResult result = ParseYaml(ToYaml(config), "f");
  ASSERT_TRUE(result.ok()) << result.diagnostics[0].ToString();
  EXPECT_EQ(result.config, config);
}

TEST(YamlWriter, WritesEmptyListsThatReadBack) {
  EXPECT_EQ(ToYaml(Config{}), "vips: []\npools: []\n");
}

TEST(YamlWriter, TextOfAnyKindReadsBack) {
  for (const char* text : {"",
                           "~",
                           "null",
                           "true",
                           "1",
                           "1.5",
                           "- x",
                           "a: b",
                           "#x",
                           "{",
                           "'",
                           "\"",
                           "\\",
                           "a\nb",
                           "\t",
                           " lead",
                           "trail ",
                           "\xc2\x85",
                           "\xe2\x80\xa8",
                           "\xef\xbb\xbf",
                           "gr\xc3\xbc\xc3\x9f",
                           "\xf0\x9f\x9a\xa2",
                           "\x01\x1f\x7f",
                           "%",
                           "@",
                           "`",
                           "---",
                           "...",
                           "<<",
                           "*a",
                           "&a",
                           "!t"}) {
    Config config;
    Pool pool;
    pool.name = "null";
    Backend backend;
    backend.name = "a";
    backend.zone = text;
    backend.labels[std::string("k") + text] = text;
    pool.backends.push_back(backend);
    config.pools.push_back(pool);
    const ParseResult result = ParseYaml(ToYaml(config), "f");
    ASSERT_TRUE(result.ok()) << result.diagnostics[0].ToString() << "\n" << ToYaml(config);
    EXPECT_EQ(result.config, config) << ToYaml(config);
  }
}

}  // namespace
}  // namespace evenkeel::model
