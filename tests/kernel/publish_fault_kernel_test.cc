// SPDX-License-Identifier: Apache-2.0
//
// A failure at every step of publishing, over the real kernel: every byte of every map is as
// before.
#include <gtest/gtest.h>

#include "control/publish/publisher.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/fake_dataplane/faulty_dataplane.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/map_dump.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"

namespace evenkeel::testing {
namespace {

using PublishFaultKernelTest = KernelTest;

TEST_F(PublishFaultKernelTest, LeavesEveryByteAtEveryStep) {
  for (const auto when : {FaultyDataPlane::When::kBefore, FaultyDataPlane::When::kAfter}) {
    SCOPED_TRACE(when == FaultyDataPlane::When::kBefore ? "before the call" : "after the call");
    ScopedPinDir dir;
    auto kernel = OpenSmall(dir.path());
    ASSERT_NE(kernel, nullptr);
    FaultyDataPlane faulty(kernel.get());
    FakeResolver resolver;
    publish::Publisher publisher(&faulty, &resolver, kTestKey);
    ASSERT_TRUE(publisher.Adopt(nullptr).ok());
    const auto [first, second] = JudgeUpdate();
    ASSERT_TRUE(publisher.Publish(*first.approval, 1).ok());
    ASSERT_TRUE(second.approval) << second.refusal;

    const auto before = DumpPinnedMaps(dir.path());
    ASSERT_GT(before.size(), 100u);
    int failures = 0;
    for (int call = 1;; ++call) {
      faulty.FailCall(call, when);
      auto result = publisher.Publish(*second.approval, 2);
      const std::string failed = faulty.failed_call();
      faulty.Disarm();
      if (result.ok()) break;
      ++failures;
      ASSERT_EQ(DumpPinnedMaps(dir.path()), before) << failed << " as call " << call;
    }
    EXPECT_GE(failures, 10);
    EXPECT_NE(DumpPinnedMaps(dir.path()), before);
    EXPECT_EQ(publisher.ReadKernelState()->digest.ToHex(), second.fleet->digest.ToHex());
  }
}

TEST_F(PublishFaultKernelTest, ARefusedUpdateChangesNoByte) {
  ScopedPinDir dir;
  auto kernel = OpenSmall(dir.path());
  ASSERT_NE(kernel, nullptr);
  FakeResolver resolver;
  publish::Publisher publisher(kernel.get(), &resolver, kTestKey);
  ASSERT_TRUE(publisher.Adopt(nullptr).ok());
  model::Config config = MakeConfig(1, 4);
  const Judged first = Judge(config, nullptr);
  ASSERT_TRUE(publisher.Publish(*first.approval, 1).ok());
  const auto before = DumpPinnedMaps(dir.path());
  // The founding outage: all but one server gone.
  config.pools[0].backends.resize(1);
  EXPECT_FALSE(Judge(config, first.fleet).approval);
  EXPECT_TRUE(absl::IsAborted(publisher.Publish(*first.approval, 2).status()));
  EXPECT_EQ(DumpPinnedMaps(dir.path()), before);
}

}  // namespace
}  // namespace evenkeel::testing
