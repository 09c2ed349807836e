// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/fake_dataplane/fleets.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace evenkeel::testing {

model::IpAddress Ip(const std::string& text) {
  auto address = model::IpAddress::Parse(text);
  if (!address.ok()) {
    std::fprintf(stderr, "%s\n", address.status().ToString().c_str());
    std::abort();
  }
  return *address;
}

model::Pool MakePool(const std::string& name, uint8_t number, const std::vector<int>& numbers,
                     uint32_t table_size) {
  model::Pool pool;
  pool.name = name;
  pool.table_size = table_size;
  for (const int n : numbers) {
    model::Backend backend;
    backend.name = absl::StrCat(name, "-", n);
    backend.address = model::IpAddress::FromIpv4(
        {10, number, static_cast<uint8_t>(n / 200), static_cast<uint8_t>(n % 200 + 1)});
    pool.backends.push_back(backend);
  }
  return pool;
}

model::Vip MakeVip(const std::string& name, const std::string& address, uint16_t port,
                   const std::string& pool, model::Protocol protocol) {
  model::Vip vip;
  vip.name = name;
  vip.address = Ip(address);
  vip.port = port;
  vip.protocol = protocol;
  vip.pool = pool;
  return vip;
}

model::SourceRules MakeRules(const std::string& name, const std::vector<std::string>& deny,
                             const std::vector<std::string>& allow) {
  model::SourceRules rules;
  rules.name = name;
  const auto add = [](const std::vector<std::string>& from, std::vector<model::Prefix>& to) {
    for (const std::string& text : from) to.push_back(model::Prefix::Parse(text).value());
  };
  add(deny, rules.deny);
  add(allow, rules.allow);
  return rules;
}

model::Config MakeConfig(int pools, int backends, uint32_t table_size) {
  model::Config config;
  std::vector<int> numbers;
  for (int n = 0; n < backends; ++n) numbers.push_back(n);
  for (int i = 0; i < pools; ++i) {
    const std::string name = absl::StrCat("p", i);
    model::Pool pool = MakePool(name, static_cast<uint8_t>(i % 250), numbers, table_size);
    for (model::Backend& backend : pool.backends) {
      auto bytes = backend.address.bytes();
      backend.address = model::IpAddress::FromIpv4(
          {static_cast<uint8_t>(10 + i / 250), bytes[1], bytes[2], bytes[3]});
    }
    config.pools.push_back(pool);
    config.vips.push_back(MakeVip(
        absl::StrCat("v", i), absl::StrCat("192.0.", 2 + i / 200, ".", i % 200 + 1), 443, name));
  }
  return config;
}

Judged Judge(const model::Config& config, std::shared_ptr<const guard::BuiltFleet> base,
             const maglev::HashKey& key) {
  Judged judged;
  auto fleet = guard::BuildFleet(config, key, base.get());
  if (!fleet.ok()) {
    judged.refusal = fleet.status().ToString();
    return judged;
  }
  judged.fleet = *fleet;
  guard::Judgement judgement = guard::Judge(*fleet, std::move(base), {});
  judged.approval = judgement.approval;
  for (const guard::Violation& violation : judgement.verdict.violations) {
    absl::StrAppend(&judged.refusal, violation.rule, ": ", violation.message, "\n");
  }
  return judged;
}

Update JudgeUpdate() {
  model::Config config = MakeConfig(3, 4);
  config.source_rules = {MakeRules("edge", {"203.0.113.0/24", "2001:db8:bad::/48"}),
                         MakeRules("own", {"198.51.100.0/24"}, {"198.51.100.7/32"})};
  config.global_source_rules = "edge";
  config.vips[1].source_rules = "own";
  Update update;
  update.before = Judge(config, nullptr);
  config.source_rules[1].deny.push_back(model::Prefix::Parse("198.18.0.0/15").value());
  config.vips[2].source_rules = "own";
  config.pools[0].backends[0].weight = 50;
  config.pools[2].backends[1].weight = 50;
  config.vips.push_back(MakeVip("more", "192.0.2.99", 0, "p1"));
  update.after = Judge(config, update.before.fleet);
  return update;
}

}  // namespace evenkeel::testing
