// SPDX-License-Identifier: Apache-2.0
//
// The publisher over the real kernel.
#include <gtest/gtest.h>

#include "control/dataplane/kernel_dataplane.h"
#include "control/publish/publisher.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/map_dump.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"

namespace evenkeel::testing {
namespace {

class PublishKernelTest : public KernelTest {
 protected:
  ScopedPinDir dir_;
  FakeResolver resolver_;
};

TEST_F(PublishKernelTest, PublishesAndAdopts) {
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  model::Config config = MakeConfig(3, 4);
  config.vips.push_back(MakeVip("any", "192.0.2.77", 0, "p0", model::Protocol::kUdp));
  config.vips.push_back(MakeVip("six", "2001:db8::1", 80, "p3"));
  model::Pool six = MakePool("p3", 3, {1, 2, 3});
  six.backends[0].address = Ip("2001:db8:1::1");
  six.backends[1].address = Ip("2001:db8:1::2");
  six.backends[2].address = Ip("2001:db8:1::3");
  config.pools.push_back(six);
  model::Pool l2 = MakePool("p4", 4, {1, 2, 3});
  l2.forwarding = model::Forwarding::kL2;
  config.pools.push_back(l2);
  config.vips.push_back(MakeVip("l2", "192.0.2.78", 53, "p4", model::Protocol::kUdp));
  const Judged first = Judge(config, nullptr);
  ASSERT_TRUE(first.approval) << first.refusal;
  {
    publish::Publisher publisher(dataplane.get(), &resolver_, kTestKey);
    auto report = publisher.Adopt(nullptr);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->state, publish::AdoptReport::State::kEmpty);
    auto result = publisher.Publish(*first.approval, 1);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->tables_staged, 5u);
    EXPECT_GE(result->probes, 18u);
    auto kernel = publisher.ReadKernelState();
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    EXPECT_EQ(kernel->digest.ToHex(), first.fleet->digest.ToHex());
    EXPECT_EQ(kernel->revision, 1u);
  }
  dataplane.reset();
  dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  EXPECT_TRUE(dataplane->adopted());
  publish::Publisher publisher(dataplane.get(), &resolver_, kTestKey);
  auto report = publisher.Adopt(first.fleet);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->state, publish::AdoptReport::State::kMatches) << report->message;
  EXPECT_EQ(report->revision, 1u);

  model::Config smaller = config;
  smaller.pools[0].backends.pop_back();
  const Judged second = Judge(smaller, first.fleet);
  ASSERT_TRUE(second.approval) << second.refusal;
  auto result = publisher.Publish(*second.approval, 2);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tables_staged, 1u);
}

class InnerMapsTest : public PublishKernelTest, public ::testing::WithParamInterface<bool> {};

// To put one in costs a grace period, which an update would have to wait for. Whoever has to wait
// puts in more than one needs.
TEST_P(InnerMapsTest, UpdatesInARowPutInNone) {
  auto dataplane = OpenSmall(dir_.path());
  ASSERT_NE(dataplane, nullptr);
  publish::Publisher publisher(dataplane.get(), &resolver_, kTestKey);
  ASSERT_TRUE(publisher.Adopt(nullptr).ok());
  model::Config config = MakeConfig(40, 4);  // 80 keys: more than a new VIP map takes
  const bool sizes_differ = GetParam();
  for (size_t i = 0; sizes_differ && i < config.pools.size(); i += 2) {
    config.pools[i].table_size = 4099;
  }
  Judged running = Judge(config, nullptr);
  ASSERT_TRUE(publisher.Publish(*running.approval, 1).ok());
  uint64_t revision = 1;
  const auto update = [&] {
    config.pools[revision].backends[0].weight = 50;
    const Judged next = Judge(config, running.fleet);
    ASSERT_TRUE(next.approval) << next.refusal;
    ASSERT_TRUE(publisher.Publish(*next.approval, ++revision).ok());
    publisher.Settle();
    running = next;
  };
  for (int i = 0; i <= 2 * int{sizes_differ}; ++i) update();  // each size once, and one to release
  const auto inner_maps = ListInnerMaps(dir_.path());
  ASSERT_GT(inner_maps.size(), 40u);
  for (uint32_t i = 0; i < 2 * EK_MAX_GENERATIONS; ++i) {
    update();
    ASSERT_EQ(ListInnerMaps(dir_.path()), inner_maps) << "update " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Pools, InnerMapsTest, ::testing::Bool(), [](const auto& param) {
  return std::string(param.param ? "OfTwoSizes" : "OfOneSize");
});

}  // namespace
}  // namespace evenkeel::testing
