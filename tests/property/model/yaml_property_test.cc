// SPDX-License-Identifier: Apache-2.0
//
// The canonical text of any valid configuration reads back as the same configuration.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}

  Config MakeConfig() {
    Config config;
    const size_t pools = 1 + Below(4);
    for (size_t i = 0; i < pools; ++i) config.pools.push_back(MakePool(i));
    const size_t vips = Below(5);
    for (size_t i = 0; i < vips; ++i) config.vips.push_back(MakeVip(i, pools));
    for (size_t i = 0, n = Below(3); i < n; ++i) config.source_rules.push_back(MakeRules(i));
    if (!config.source_rules.empty()) {
      const std::string& name = config.source_rules[0].name;
      if (Coin()) config.global_source_rules = name;
      if (Coin() && vips > 0) config.vips[0].source_rules = name;
    }
    return config;
  }

 private:
  size_t Below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
  bool Coin() { return Below(2) == 0; }

  // Code points from all over, those that YAML treats specially more often.
  std::string Text() {
    constexpr std::string_view kPieces[] = {"a",
                                            "Z",
                                            "0",
                                            " ",
                                            "\n",
                                            "\t",
                                            "\"",
                                            "\\",
                                            "'",
                                            "#",
                                            ":",
                                            "-",
                                            "{",
                                            "}",
                                            "[",
                                            "]",
                                            ",",
                                            "&",
                                            "*",
                                            "!",
                                            "|",
                                            ">",
                                            "%",
                                            "@",
                                            "`",
                                            "~",
                                            "?",
                                            "=",
                                            "\r",
                                            "\x01",
                                            "\x7f",
                                            "\xc2\x80",
                                            "\xc2\x85",
                                            "\xc2\xa0",
                                            "\xe2\x80\xa8",
                                            "\xe2\x80\xa9",
                                            "\xef\xbb\xbf",
                                            "\xef\xbf\xbd",
                                            "\xf0\x9f\x9a\xa2",
                                            "\xf4\x8f\xbf\xbf",
                                            "null",
                                            "true",
                                            "1e3",
                                            "\\x41"};
    std::string text;
    for (size_t n = Below(8); n > 0; --n) text += kPieces[Below(std::size(kPieces))];
    return text;
  }

  std::string Name(const char* prefix, size_t i) {
    constexpr std::string_view kTails[] = {"", "-x", ".y", "_z", "null", "0"};
    return prefix + std::to_string(i) + std::string(kTails[Below(std::size(kTails))]);
  }

  IpAddress Address(size_t i) {
    std::array<uint8_t, 16> bytes{};
    for (uint8_t& b : bytes) b = static_cast<uint8_t>(Coin() ? 0 : random_());
    bytes[0] = 0x20;  // not IPv4-mapped
    bytes[3] = static_cast<uint8_t>(i);
    return Coin() ? IpAddress::FromIpv6(bytes)
                  : IpAddress::FromIpv4({bytes[0], bytes[1], bytes[2], bytes[3]});
  }

  double Number() { return std::exp(std::uniform_real_distribution<>(-40, 40)(random_)); }

  Vip MakeVip(size_t i, size_t pools) {
    return {Name("vip", i), Address(i), static_cast<uint16_t>(Below(65536)),
            static_cast<Protocol>(Below(3)), pool_names_[Below(pools)]};
  }

  Backend MakeBackend(size_t i) {
    Backend backend;
    backend.name = Name("b", i);
    backend.address = Address(i);
    backend.weight = Coin() ? 100 : static_cast<int64_t>(random_());
    if (Coin()) backend.capacity = Number();
    backend.zone = Text();
    backend.rack = Text();
    for (size_t n = Below(3); n > 0; --n) backend.labels["k" + Text()] = Text();
    backend.state = static_cast<AdminState>(Below(3));
    return backend;
  }

  // Of each list all prefixes lie in another half of the addresses: none is in both.
  std::vector<Prefix> MakePrefixes(uint8_t half) {
    std::vector<Prefix> prefixes;
    for (size_t n = Below(4); n > 0; --n) {
      std::array<uint8_t, 16> bytes{};
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
      bytes[0] = static_cast<uint8_t>(half | (bytes[0] & 0x7f));
      prefixes.push_back(
          Coin() ? Prefix::Of(IpAddress::FromIpv6(bytes), static_cast<uint8_t>(1 + Below(128)))
                 : Prefix::Of(IpAddress::FromIpv4({bytes[0], bytes[1], bytes[2], bytes[3]}),
                              static_cast<uint8_t>(1 + Below(32))));
    }
    return prefixes;
  }

  SourceRules MakeRules(size_t i) {
    SourceRules rules;
    rules.name = Name("r", i);
    rules.fallback = static_cast<SourceAction>(Below(2));
    rules.deny = MakePrefixes(0);
    rules.allow = MakePrefixes(0x80);
    if (Coin()) rules.lockdown = {"r" + Text(), "o" + Text()};
    return rules;
  }

  std::string Bytes() {
    std::string bytes(Below(20), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }

  // Of each type what it has.
  void MakeProbe(HealthCheck& check) {
    const bool https = check.type == HealthCheck::Type::kHttps;
    const bool grpc = check.type == HealthCheck::Type::kGrpc;
    if (https || check.type == HealthCheck::Type::kHttp) {
      check.path = "/a%20b\"'#:";
      check.method = static_cast<HealthCheck::Method>(Below(2));
      if (check.method == HealthCheck::Method::kGet) check.body = Text();
      for (size_t n = Below(4); n > 0; --n) {
        const auto first = static_cast<uint16_t>(200 + Below(200));
        check.status.push_back({first, static_cast<uint16_t>(first + Below(200))});
      }
      if (Coin()) check.host = Coin() ? "[fd00::1]:80" : "a.example";
    }
    if (grpc) check.service = Text();
    if ((https || grpc) && Coin()) {
      check.tls.emplace().server_name = Coin() ? "b.example" : "";
      if (Coin()) {
        check.tls->verify = true;
        check.tls->ca = "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n";
      }
    }
    if (check.type != HealthCheck::Type::kUdp) return;
    check.send = "?" + Bytes();
    check.expect = Bytes();
    check.expect_start = Bytes();
  }

  Pool MakePool(size_t i) {
    Pool pool;
    pool.name = pool_names_.emplace_back(Name("p", i));
    pool.forwarding = static_cast<Forwarding>(Below(2));
    pool.table_size = Coin() ? 65537 : 251;
    for (size_t j = 0, n = Below(4); j < n; ++j) pool.backends.push_back(MakeBackend(j));
    if (Coin()) {
      HealthCheck& check = pool.health_check.emplace();
      check.type = static_cast<HealthCheck::Type>(Below(6));
      if (check.type != HealthCheck::Type::kIcmp) check.port = static_cast<uint16_t>(Below(65536));
      MakeProbe(check);
      check.interval = std::chrono::milliseconds(1000 + Below(100'000));
      check.rise = static_cast<uint32_t>(1 + Below(100));
      check.start = static_cast<HealthCheck::Start>(Below(2));
      check.panic = static_cast<HealthCheck::Panic>(Below(3));
      check.through = static_cast<HealthCheck::Through>(Below(2));
      if (pool.forwarding != Forwarding::kL2 && Coin()) {
        check.passive = {.min_share = 0.25, .min_count = static_cast<uint32_t>(1 + Below(9))};
      }
    }
    if (Coin()) {
      pool.slow_start = {.over = std::chrono::milliseconds(1000 + Below(100'000)),
                         .max_step_fraction = 0.001 + static_cast<double>(Below(299)) / 1000,
                         .new_backends = Coin()};
    }
    Policy& policy = pool.policy;
    if (Coin()) policy.min_serving_backends = static_cast<uint32_t>(random_());
    if (Coin()) policy.single_backend = SingleBackend{"r" + Text(), "o" + Text()};
    for (std::optional<double>* field :
         {&policy.max_share, &policy.max_share_factor, &policy.max_removed_fraction,
          &policy.max_remapped_fraction, &policy.max_weight_ratio}) {
      if (Coin()) *field = (Coin() ? 1 : -1) * Number();
    }
    return pool;
  }

  std::mt19937_64 random_;
  std::vector<std::string> pool_names_;
};

TEST(YamlProperty, CanonicalTextReadsBackAsTheSame) {
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    const Config config = Draw(seed).MakeConfig();
    const std::string text = ToYaml(config);
    ASSERT_TRUE(Validate(config).empty()) << seed << ": " << Validate(config)[0].ToString();
    const ParseResult result = ParseYaml(text, "f");
    ASSERT_TRUE(result.ok()) << seed << ": " << result.diagnostics[0].ToString() << "\n" << text;
    ASSERT_EQ(result.config, config) << seed << "\n" << text;
    ASSERT_EQ(ToYaml(result.config), text) << seed;
  }
}

}  // namespace
}  // namespace evenkeel::model
