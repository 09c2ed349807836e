// SPDX-License-Identifier: Apache-2.0
//
// Random sequences of updates. After each: the kernel holds what was approved; an accepted update
// never gives an id that a standing generation refers to, to something else; a failed one changes
// no byte.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "control/publish/publisher.h"
#include "control/publish/readback.h"
#include "tests/harness/fake_dataplane/fake_dataplane.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/fake_dataplane/faulty_dataplane.h"
#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::testing {
namespace {

using Random = std::mt19937_64;

size_t Below(Random& random, size_t limit) { return random() % limit; }

void ChangeBackend(model::Pool& pool, Random& random, int& next_host) {
  auto& backends = pool.backends;
  switch (Below(random, 4)) {
    case 0:
      backends[Below(random, backends.size())].weight =
          static_cast<int64_t>(50 + 5 * Below(random, 20));
      break;
    case 1:
      if (backends.size() > 5)
        backends.erase(backends.begin() + static_cast<ptrdiff_t>(Below(random, backends.size())));
      break;
    case 2: {
      model::Backend fresh;
      fresh.name = pool.name + "-x" + std::to_string(next_host);
      fresh.address = model::IpAddress::FromIpv4({10, 99, static_cast<uint8_t>(next_host / 200),
                                                  static_cast<uint8_t>(next_host % 200 + 1)});
      ++next_host;
      backends.push_back(fresh);
      break;
    }
    default: {
      auto& state = backends[Below(random, backends.size())].state;
      state = state == model::AdminState::kEnabled ? model::AdminState::kDraining
                                                   : model::AdminState::kEnabled;
    }
  }
}

void Change(model::Config& config, Random& random, int& next_host, int& next_vip) {
  const size_t choice = Below(random, 8);
  if (choice == 0 && config.vips.size() < 8) {
    const std::string name = "x" + std::to_string(next_vip);
    config.vips.push_back(MakeVip(name, "192.0.2.200", static_cast<uint16_t>(1000 + next_vip % 50),
                                  config.pools[Below(random, config.pools.size())].name,
                                  model::Protocol::kUdp));
    ++next_vip;
  } else if (choice == 1 && config.vips.size() > 3) {
    config.vips.pop_back();
  } else {
    ChangeBackend(config.pools[Below(random, config.pools.size())], random, next_host);
  }
}

// What each id means in the generations that stand in the kernel.
struct Meaning {
  // (table, local id) -> address; a table id stands for one table only.
  std::map<std::pair<uint32_t, uint16_t>, model::IpAddress> locals;
  std::map<uint32_t, dataplane::VipKey> vip_counters;
};

// Fails where one id means two things at once.
Meaning ReadMeaning(FakeDataPlane& kernel) {
  Meaning meaning;
  std::map<uint32_t, model::IpAddress> counter_address;
  for (uint32_t index = 0; index < EK_MAX_GENERATIONS; ++index) {
    auto generation = kernel.ReadGeneration(index);
    if (!generation.ok()) continue;
    for (const auto& vip : generation->vips) {
      const auto [it, fresh] = meaning.vip_counters.emplace(vip.counter, vip.key);
      EXPECT_EQ(it->second, vip.key) << "VIP counter " << vip.counter;
      auto table = kernel.ReadTable(vip.table, vip.table_size);
      EXPECT_TRUE(table.ok()) << "a standing generation lost table " << vip.table;
      if (!table.ok()) continue;
      for (size_t i = 0; i < table->backends.size(); ++i) {
        const auto& backend = table->backends[i];
        if (backend.method == EK_METHOD_NONE) continue;
        meaning.locals[{vip.table, static_cast<uint16_t>(i + 1)}] = backend.address;
        const auto [place, is_new] = counter_address.emplace(backend.counter, backend.address);
        EXPECT_EQ(place->second, backend.address) << "backend counter " << backend.counter;
      }
    }
  }
  return meaning;
}

TEST(PublishPropertyTest, RandomUpdates) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    FakeDataPlane kernel(kTestKey, {.max_tables = 16, .max_vips = 32, .max_backends = 128});
    FaultyDataPlane faulty(&kernel);
    FakeResolver resolver;
    publish::Publisher publisher(&faulty, &resolver, kTestKey);
    ASSERT_TRUE(publisher.Adopt(nullptr).ok());
    model::Config config = MakeConfig(3, 6, 2003);
    int next_host = 0;
    int next_vip = 0;
    int accepted = 0;
    int failed = 0;
    for (int step = 0; step < 60; ++step) {
      model::Config candidate = config;
      for (size_t i = Below(random, 3) + 1; i > 0; --i) {
        Change(candidate, random, next_host, next_vip);
      }
      if (step == 0) candidate = config;
      const auto base = publisher.applied();
      const Judged judged = Judge(candidate, base);
      if (!judged.approval) continue;
      const bool inject = step > 0 && Below(random, 3) == 0;
      std::string before;
      if (inject) {
        publisher.Settle();
        before = kernel.Dump();
        faulty.FailCall(static_cast<int>(1 + Below(random, 12)), FaultyDataPlane::When::kBefore);
      }
      auto result = publisher.Publish(*judged.approval, static_cast<uint64_t>(step + 1));
      faulty.Disarm();
      if (!result.ok()) {
        ASSERT_TRUE(inject) << result.status();
        EXPECT_EQ(kernel.Dump(), before);
        ++failed;
        continue;
      }
      config = candidate;
      ++accepted;
      EXPECT_EQ(publisher.ReadKernelState()->digest.ToHex(), judged.fleet->digest.ToHex());
      if (Below(random, 2) == 0) publisher.Settle();
    }
    publisher.Settle();
    ReadMeaning(kernel);
    EXPECT_EQ(kernel.early_drops(), 0u);
    EXPECT_GE(accepted, 10);
    EXPECT_GE(failed, 1);
    if (::testing::Test::HasFailure()) return;
  }
}

// A pool's local id never changes its backend while a table that has it stands.
TEST(PublishPropertyTest, LocalIdsAreStableWhileReferred) {
  Random random(7);
  FakeDataPlane kernel(kTestKey, {.max_tables = 16, .max_vips = 8, .max_backends = 256});
  FakeResolver resolver;
  publish::Publisher publisher(&kernel, &resolver, kTestKey);
  ASSERT_TRUE(publisher.Adopt(nullptr).ok());
  model::Config config = MakeConfig(1, 8, 2003);
  int next_host = 0;
  int accepted = 0;
  for (int step = 0; step < 150; ++step) {
    model::Config candidate = config;
    if (step > 0) ChangeBackend(candidate.pools[0], random, next_host);
    const Judged judged = Judge(candidate, publisher.applied());
    if (!judged.approval) continue;
    ASSERT_TRUE(publisher.Publish(*judged.approval, static_cast<uint64_t>(step + 1)).ok());
    config = candidate;
    ++accepted;
    publisher.Settle();
    std::map<uint16_t, model::IpAddress> address_of;
    std::map<model::IpAddress, uint16_t> id_of;
    for (const auto& [place, address] : ReadMeaning(kernel).locals) {
      EXPECT_EQ(address_of.emplace(place.second, address).first->second, address)
          << "local id " << place.second << " at step " << step;
      EXPECT_EQ(id_of.emplace(address, place.second).first->second, place.second)
          << address.ToString() << " at step " << step;
    }
  }
  EXPECT_GE(accepted, 50);
}

}  // namespace
}  // namespace evenkeel::testing
