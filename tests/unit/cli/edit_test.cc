// SPDX-License-Identifier: Apache-2.0
#include "control/cli/cat.h"
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

struct Verb {
  const char* name;
  std::vector<std::string> args;
  std::optional<model::AdminState> state;
  std::optional<int64_t> weight;
};
class VerbTest : public CliTest, public testing::WithParamInterface<Verb> {};

TEST_P(VerbTest, SendsOneEditWithoutAnEtag) {
  std::vector<std::string> args = GetParam().args;
  args.insert(args.end(), {"--pool", "web", "--yes", "--ticket", "OPS-1"});
  const Ran ran = Run(args);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ASSERT_EQ(daemon_.applied_requests.size(), 1u);
  const engine::Request& request = daemon_.applied_requests[0];
  ASSERT_TRUE(request.change.edit.has_value());
  EXPECT_EQ(request.change.edit->backend, "web-2");
  EXPECT_EQ(request.change.edit->pool, "web");
  EXPECT_EQ(request.change.edit->state, GetParam().state);
  EXPECT_EQ(request.change.edit->weight, GetParam().weight);
  EXPECT_EQ(request.etag, "");
  EXPECT_EQ(request.ticket, "OPS-1");
  EXPECT_THAT(request.reason, HasSubstr(Cat(args[0], " web-2 of pool web"))) << "the default";
}

INSTANTIATE_TEST_SUITE_P(
    Edit, VerbTest,
    testing::Values(Verb{"Drain", {"drain", "web-2"}, model::AdminState::kDraining, {}},
                    Verb{"Disable", {"disable", "web-2"}, model::AdminState::kDisabled, {}},
                    Verb{"Weight", {"weight", "web-2", "50"}, {}, 50}),
    [](const auto& param) { return param.param.name; });

class EditTest : public CliTest {};

TEST_F(EditTest, AsksAsApplyDoes) {
  const Ran ran = Run({"drain", "web-2"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("Plan of drain web-2"), HasSubstr("web-2")));
  EXPECT_THAT(ran.err, HasSubstr("repeat with --yes"));
  EXPECT_THAT(daemon_.applied_requests, IsEmpty());
}

TEST_F(EditTest, AnEmergencyAsksNothing) {
  EXPECT_EQ(Run({"drain", "web-2", "--emergency"}).code, 0);
  EXPECT_EQ(daemon_.applied_requests.size(), 1u);
  EXPECT_EQ(Run({"undrain", "web-2", "--emergency"}).code, 1) << "there is none of that";
}

TEST_F(EditTest, ComesBack) {
  Run({"drain", "web-2", "--yes"});
  EXPECT_EQ(Run({"undrain", "web-2", "--yes"}).code, 0);
  EXPECT_EQ(daemon_.applied_requests[1].change.edit->state, model::AdminState::kEnabled);
  EXPECT_EQ(Run({"enable", "web-2", "--yes"}).code, 0);
  EXPECT_EQ(daemon_.applied_requests.size(), 2u) << "nothing to change";
}

TEST_F(EditTest, TheWeightIsANumber) {
  EXPECT_EQ(Run({"weight", "web-2", "much", "--yes"}).code, 1);
  EXPECT_EQ(Run({"weight", "web-2", "--yes"}).code, 1);
  EXPECT_EQ(Run({"weight", "web-2", "1001", "--yes"}).code, 3);
}

TEST_F(EditTest, WhatIsWrongIsNamedAsItWasWritten) {
  engine::Outcome invalid;
  invalid.kind = engine::Outcome::Kind::kInvalid;
  invalid.diagnostics = {
      {.location = {}, .field = "edit.pool", .message = "is missing: web-2 is in a, b"},
      {.location = {}, .field = "edit.backend", .message = "is \"web-22\", which no pool has"}};
  daemon_.outcome = invalid;
  const Ran ran = Run({"drain", "web-2", "--yes"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("drain web-2: --pool: is missing: web-2 is in a, b"),
                             HasSubstr("drain web-2: BACKEND: is \"web-22\"")));
}

TEST_F(EditTest, JsonIsThatOfApply) {
  const nlohmann::json json = Run({"drain", "web-2", "--yes", "-o", "json"}).Json();
  EXPECT_EQ(json["schema"], "evenkeel.apply/v1");
  EXPECT_EQ(json["outcome"], "applied");
}

}  // namespace
}  // namespace evenkeel::cli
