// SPDX-License-Identifier: Apache-2.0
#include "control/engine/verdict_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace evenkeel::engine {
namespace {

using ::testing::HasSubstr;
using Kind = guard::PoolChange::Kind;

guard::Verdict Sample() {
  guard::Verdict verdict;
  verdict.severity = guard::Severity::kWarn;
  verdict.violations = {{.rule = "LB006",
                         .name = "remapped-slots",
                         .severity = guard::Severity::kWarn,
                         .pool = "web",
                         .subject = "pools/web",
                         .field = "pools[0]",
                         .observed = "12.0 %",
                         .limit = "10.0 %",
                         .fix = "go in steps",
                         .message = "12 % \"move\""}};
  guard::PoolChange pool;
  pool.pool = "web";
  pool.kind = Kind::kChanged;
  pool.table_size = 65537;
  pool.slots_moved = 7864;
  pool.backends = {{.name = "web-1",
                    .address = *model::IpAddress::Parse("10.0.1.11"),
                    .share_before = 0.5,
                    .share_after = 1.0 / 3},
                   {.name = "web-2",
                    .address = *model::IpAddress::Parse("2001:db8::2"),
                    .share_before = 0,
                    .share_after = 2.0 / 3,
                    .state_after = model::AdminState::kDraining,
                    .added = true},
                   {.name = "web-3",
                    .address = *model::IpAddress::Parse("10.0.1.13"),
                    .share_before = 0.5,
                    .share_after = 0,
                    .removed = true}};
  verdict.pools = {pool};
  verdict.vips = {{"web", Kind::kAdded}, {"old", Kind::kRemoved}};
  return verdict;
}

TEST(VerdictJsonTest, ComesBackAsItWas) {
  const guard::Verdict written = Sample();
  const auto read = VerdictFromJson(VerdictToJson(written));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->severity, written.severity);
  ASSERT_EQ(read->violations.size(), 1u);
  const guard::Violation& v = read->violations[0];
  EXPECT_EQ(v.rule, "LB006");
  EXPECT_EQ(v.name, "remapped-slots");
  EXPECT_EQ(v.severity, guard::Severity::kWarn);
  EXPECT_EQ(v.pool, "web");
  EXPECT_EQ(v.subject, "pools/web");
  EXPECT_EQ(v.field, "pools[0]");
  EXPECT_EQ(v.observed, "12.0 %");
  EXPECT_EQ(v.limit, "10.0 %");
  EXPECT_EQ(v.fix, "go in steps");
  EXPECT_EQ(v.message, "12 % \"move\"");
  ASSERT_EQ(read->pools.size(), 1u);
  EXPECT_EQ(read->pools[0].kind, Kind::kChanged);
  EXPECT_EQ(read->pools[0].table_size, 65537u);
  EXPECT_EQ(read->pools[0].slots_moved, 7864u);
  ASSERT_EQ(read->pools[0].backends.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const guard::BackendChange& a = written.pools[0].backends[i];
    const guard::BackendChange& b = read->pools[0].backends[i];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.address, b.address);
    EXPECT_EQ(a.share_before, b.share_before);
    EXPECT_EQ(a.share_after, b.share_after);
    EXPECT_EQ(a.state_after, b.state_after);
    EXPECT_EQ(a.added, b.added);
    EXPECT_EQ(a.removed, b.removed);
  }
  ASSERT_EQ(read->vips.size(), 2u);
  EXPECT_EQ(read->vips[1].vip, "old");
  EXPECT_EQ(read->vips[1].kind, Kind::kRemoved);
}

TEST(VerdictJsonTest, WhatStaysIsLeftOut) {
  guard::Verdict verdict = Sample();
  verdict.pools[0].kind = verdict.vips[0].kind = Kind::kUnchanged;
  const auto read = VerdictFromJson(VerdictToJson(verdict));
  EXPECT_TRUE(read->pools.empty());
  EXPECT_EQ(read->vips.size(), 1u);
}

TEST(VerdictJsonTest, ARecordHasALimit) {
  guard::Verdict verdict = Sample();
  verdict.violations.resize(10'000, verdict.violations[0]);
  verdict.pools.resize(1000, verdict.pools[0]);
  const auto read = VerdictFromJson(VerdictToJson(verdict));
  EXPECT_EQ(read->violations.size(), kMaxRecordedViolations);
  size_t backends = 0;
  for (const guard::PoolChange& pool : read->pools) backends += pool.backends.size();
  EXPECT_EQ(read->pools.size(), 1000u);
  EXPECT_EQ(backends, kMaxRecordedBackends);
}

TEST(VerdictJsonTest, ARecordOfAnEarlierReleaseHasNoShares) {
  const auto read = VerdictFromJson(
      R"({"schema":"evenkeel.verdict/v1","verdict":"pass","violations":[],"vips":[],)"
      R"("pools":[{"pool":"web","change":"added","table_size":1009,"slots_moved":1009}]})");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->pools[0].backends.empty());
}

TEST(VerdictJsonTest, WhatIsNoRecordIsAnError) {
  for (const char* text : {"", "{", "[]", "{\"verdict\":\"pass\"}", "null",
                           "{\"verdict\":\"fine\",\"violations\":[],\"pools\":[],\"vips\":[]}",
                           "{\"verdict\":7,\"violations\":[],\"pools\":[],\"vips\":[]}"}) {
    const auto read = VerdictFromJson(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_THAT(std::string(read.status().message()), HasSubstr("cannot be read")) << text;
  }
}

TEST(VerdictJsonTest, BytesThatAreNoTextDoNotFailTheRecord) {
  guard::Verdict verdict = Sample();
  verdict.violations[0].message = "\xff\xfe";
  EXPECT_TRUE(VerdictFromJson(VerdictToJson(verdict)).ok());
}

}  // namespace
}  // namespace evenkeel::engine
