// SPDX-License-Identifier: Apache-2.0
//
// A failure at every call that publishing makes: nothing in the kernel changes, and the same update
// passes afterwards.
#include <gtest/gtest.h>

#include "control/publish/publisher.h"
#include "tests/harness/fake_dataplane/fake_dataplane.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/fake_dataplane/faulty_dataplane.h"
#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::testing {
namespace {

class PublishFaultTest : public ::testing::TestWithParam<FaultyDataPlane::When> {};

TEST_P(PublishFaultTest, NothingChangesAtAnyCall) {
  FakeDataPlane kernel(kTestKey, {.max_tables = 16, .max_vips = 16, .max_backends = 64});
  FaultyDataPlane faulty(&kernel);
  FakeResolver resolver;
  publish::Publisher publisher(&faulty, &resolver, kTestKey);
  ASSERT_TRUE(publisher.Adopt(nullptr).ok());
  const auto [first, second] = JudgeUpdate();
  ASSERT_TRUE(publisher.Publish(*first.approval, 1).ok());
  ASSERT_TRUE(second.approval) << second.refusal;

  publisher.Settle();
  const std::string before = kernel.Dump();
  std::set<std::string> seen;
  int calls = 0;
  for (bool done = false; !done;) {
    faulty.FailCall(++calls, GetParam());
    auto result = publisher.Publish(*second.approval, 2);
    const std::string call = faulty.failed_call();
    faulty.Disarm();
    done = result.ok();
    if (call.empty()) continue;  // the whole update made fewer calls
    seen.insert(call);
    SCOPED_TRACE(call + " as call " + std::to_string(calls));
    // The write itself was made, whatever its caller was told: then it stands.
    if (call == "Activate" && GetParam() == FaultyDataPlane::When::kAfter) {
      EXPECT_TRUE(result.ok()) << result.status();
      break;
    }
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(kernel.Dump(), before);
    EXPECT_EQ(publisher.applied(), first.fleet);
    EXPECT_EQ(publisher.ReadKernelState()->digest.ToHex(), first.fleet->digest.ToHex());
  }
  EXPECT_GE(calls, 12);
  for (const char* call : {"StageRules", "RulesDigest", "StageTables", "ReadTable",
                           "StageGeneration", "ReadGeneration", "Probe", "Activate"}) {
    EXPECT_TRUE(seen.contains(call)) << call;
  }
  EXPECT_EQ(publisher.applied(), second.fleet);
  EXPECT_EQ(publisher.ReadKernelState()->digest.ToHex(), second.fleet->digest.ToHex());
}

INSTANTIATE_TEST_SUITE_P(Failing, PublishFaultTest,
                         ::testing::Values(FaultyDataPlane::When::kBefore,
                                           FaultyDataPlane::When::kAfter),
                         [](const auto& param) {
                           return param.param == FaultyDataPlane::When::kBefore ? "BeforeTheCall"
                                                                                : "AfterTheCall";
                         });

}  // namespace
}  // namespace evenkeel::testing
