// SPDX-License-Identifier: Apache-2.0
//
// The publisher over the real kernel.
#include <gtest/gtest.h>

#include "control/dataplane/kernel_dataplane.h"
#include "control/publish/publisher.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/scoped_netns/kernel_test.h"
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
    auto digest = publisher.ReadKernelDigest();
    ASSERT_TRUE(digest.ok()) << digest.status();
    EXPECT_EQ(digest->ToHex(), first.fleet->digest.ToHex());
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

}  // namespace
}  // namespace evenkeel::testing
