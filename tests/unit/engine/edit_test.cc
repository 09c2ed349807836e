// SPDX-License-Identifier: Apache-2.0
//
// Edits of one backend become the whole set, through the same guard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {
namespace {

using ::testing::HasSubstr;
using Kind = Outcome::Kind;
using State = model::AdminState;

class EditTest : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    MustStart();
    model::Config config = MakeConfig(8);
    const model::Config api = MakeConfig(8, "api");
    config.pools.push_back(api.pools[0]);
    config.pools[1].backends[0].name = "web-1";  // also in the pool "web"
    MustApply(config);
  }
  Outcome Do(const Edit& edit) {
    Request request;
    request.change.edit = edit;
    request.reason = "a test";
    request.author = "alice";
    return engine_->Apply(request);
  }
  model::Backend Backend(const std::string& pool, const std::string& name) {
    return *engine_->Get()->config.FindPool(pool)->FindBackend(name);
  }
};

TEST_F(EditTest, SetsOneBackendAndNothingElse) {
  const model::Config before = engine_->Get()->config;
  ASSERT_EQ(Do({.pool = "", .backend = "web-2", .state = State::kDraining}).kind, Kind::kApplied);
  model::Config expected = before;
  expected.pools[0].backends[1].state = State::kDraining;
  EXPECT_EQ(engine_->Get()->config, expected);
  ASSERT_EQ(Do({.pool = "", .backend = "web-3", .weight = 50}).kind, Kind::kApplied);
  EXPECT_EQ(Backend("web", "web-3").weight, 50);
  ASSERT_EQ(Do({.pool = "", .backend = "web-2", .state = State::kEnabled}).kind, Kind::kApplied);
  EXPECT_EQ(Backend("web", "web-2").state, State::kEnabled);
  EXPECT_EQ(Do({.pool = "", .backend = "web-2", .state = State::kEnabled}).kind, Kind::kNoChange);
}

TEST_F(EditTest, ANameOfTwoPoolsNeedsItsPool) {
  const Outcome outcome = Do({.pool = "", .backend = "web-1", .state = State::kDraining});
  ASSERT_EQ(outcome.kind, Kind::kInvalid);
  EXPECT_EQ(outcome.diagnostics[0].field, "edit.pool");
  EXPECT_THAT(outcome.diagnostics[0].message, HasSubstr("web, api"));
  EXPECT_EQ(Do({.pool = "api", .backend = "web-1", .state = State::kDraining}).kind,
            Kind::kApplied);
  EXPECT_EQ(Backend("api", "web-1").state, State::kDraining);
  EXPECT_EQ(Backend("web", "web-1").state, State::kEnabled);
}

struct BadEdit {
  const char* name;
  Edit edit;
  const char* field;
  const char* says;
};
class BadEditTest : public EditTest, public ::testing::WithParamInterface<BadEdit> {};

TEST_P(BadEditTest, IsNamedWithTheNearest) {
  const Outcome outcome = Do(GetParam().edit);
  ASSERT_EQ(outcome.kind, Kind::kInvalid);
  EXPECT_EQ(outcome.diagnostics[0].field, GetParam().field);
  EXPECT_THAT(outcome.diagnostics[0].message, HasSubstr(GetParam().says));
  EXPECT_EQ(engine_->Get()->revision, 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Edit, BadEditTest,
    ::testing::Values(
        BadEdit{"Backend", {"", "web-22", State::kDraining, {}}, "edit.backend", "web-2"},
        BadEdit{"Pool", {"wed", "web-1", State::kDraining, {}}, "edit.pool", "web"},
        BadEdit{"BackendOfPool",
                {"api", "web-2", State::kDraining, {}},
                "edit.backend",
                "pool api not has"},
        BadEdit{"Nothing", {"", "web-2", {}, {}}, "edit", "one of them"},
        BadEdit{"Both", {"", "web-2", State::kDraining, 5}, "edit", "one of them"}),
    [](const auto& param) { return param.param.name; });

TEST_F(EditTest, TheGuardJudgesItAsEveryChange) {
  for (int i = 1; i <= 6; ++i) {
    ASSERT_EQ(
        Do({.pool = "web", .backend = absl::StrCat("web-", i), .state = State::kDraining}).kind,
        Kind::kApplied)
        << i;
  }
  const Outcome outcome = Do({.pool = "web", .backend = "web-7", .state = State::kDraining});
  EXPECT_EQ(outcome.kind, Kind::kRefused);
  EXPECT_THAT(engine_->ListRevisions(1)->at(0).error, HasSubstr("LB003"));
  EXPECT_EQ(Do({.pool = "web", .backend = "web-8", .weight = 1001}).kind, Kind::kRefused);
}

// Each is made upon the one before: none is lost, though nobody passes an etag.
TEST_F(EditTest, EditsAtTheSameTimeAllCount) {
  std::vector<std::thread> threads;
  for (int i = 2; i <= 5; ++i) {
    threads.emplace_back([&, i] {
      EXPECT_EQ(Do({.pool = "web", .backend = absl::StrCat("web-", i), .weight = 90 + i}).kind,
                Kind::kApplied);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 2; i <= 5; ++i) {
    EXPECT_EQ(Backend("web", absl::StrCat("web-", i)).weight, 90 + i);
  }
}

TEST_F(EditTest, AnEtagThatIsGivenMustBeInForce) {
  Request request;
  request.change.edit = Edit{.pool = "web", .backend = "web-2", .weight = 50};
  request.reason = "a test";
  request.etag = "r0";
  EXPECT_EQ(engine_->Apply(request).kind, Kind::kStale);
}

}  // namespace
}  // namespace evenkeel::engine
