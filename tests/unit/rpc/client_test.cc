// SPDX-License-Identifier: Apache-2.0
//
// rpc::Connect gives the same Engine as the daemon has: everything survives the socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/rpc/server_fixture.h"

namespace evenkeel::rpc {
namespace {

using ::testing::HasSubstr;
using Kind = engine::Outcome::Kind;

class ClientTest : public ServerFixture {
 protected:
  static model::Config Rich() {
    auto parsed = model::ParseYaml(R"(
vips:
  - {name: web, address: 192.0.2.10, port: 443, protocol: tcp, pool: web}
  - {name: dns, address: "2001:db8::1", port: 0, protocol: quic, pool: six}
pools:
  - name: web
    table_size: 4099
    backends:
      - {name: web-1, address: 10.0.1.1, weight: 90, zone: a, rack: r1, capacity: 20000.5}
      - {name: web-2, address: 10.0.1.2, labels: {owner: me}}
      - {name: web-3, address: 10.0.1.3, state: draining}
      - {name: web-4, address: 10.0.1.4, state: disabled}
      - {name: web-5, address: 10.0.1.5}
    health_check: {type: http, port: 8080, path: /healthz, interval: 1500ms, rise: 4, start: down, panic: hold_last}
    policy: {min_serving_backends: 2, max_share: 0.45}
  - name: six
    table_size: 4099
    backends:
      - {name: one, address: "2001:db8:1::1"}
    policy: {single_backend: {reason: "one licence", owner: team}}
)",
                                   "test");
    EXPECT_TRUE(parsed.ok()) << parsed.diagnostics[0].ToString();
    return parsed.config;
  }
};

TEST_F(ClientTest, AStateComesBackAsItWasSent) {
  const engine::Outcome outcome = client_->Apply(MakeRequest(Rich()));
  ASSERT_EQ(outcome.kind, Kind::kApplied)
      << outcome.status
      << (outcome.verdict.violations.empty() ? "" : outcome.verdict.violations[0].message);
  EXPECT_EQ(outcome.applied.digest, engine_->Get()->digest);
  ASSERT_TRUE(outcome.publish.has_value());
  EXPECT_EQ(outcome.publish->generation, 1u);
  EXPECT_EQ(outcome.publish->swap, std::chrono::microseconds(3));

  const auto got = client_->Get();
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->config, Rich());
  EXPECT_EQ(got->etag, engine_->Get()->etag);
  EXPECT_EQ(got->applied_unix_ns, engine_->Get()->applied_unix_ns);
  EXPECT_EQ(got->reason, "a test");
}

TEST_F(ClientTest, TheWholeVerdictSurvivesARefusal) {
  MustApply(engine::MakeConfig(4));
  model::Config outage = engine::MakeConfig(4);
  for (size_t i = 1; i < 4; ++i) outage.pools[0].backends[i].state = model::AdminState::kDisabled;
  const engine::Request request = MakeRequest(outage);
  const guard::Verdict here = engine_->Plan(request).verdict;
  for (const engine::Outcome& there : {client_->Apply(request), client_->Plan(request)}) {
    ASSERT_EQ(there.kind, Kind::kRefused);
    EXPECT_EQ(there.applied.revision, 1u);
    ASSERT_EQ(there.verdict.violations.size(), here.violations.size());
    for (size_t i = 0; i < here.violations.size(); ++i) {
      const guard::Violation& a = here.violations[i];
      const guard::Violation& b = there.verdict.violations[i];
      EXPECT_EQ(std::tie(a.rule, a.name, a.severity, a.pool, a.subject, a.field, a.observed,
                         a.limit, a.fix, a.message),
                std::tie(b.rule, b.name, b.severity, b.pool, b.subject, b.field, b.observed,
                         b.limit, b.fix, b.message));
    }
    EXPECT_EQ(there.verdict.results.size(), here.results.size());
    ASSERT_EQ(there.verdict.pools.size(), here.pools.size());
    EXPECT_EQ(there.verdict.pools[0].slots_moved, here.pools[0].slots_moved);
    EXPECT_EQ(there.verdict.pools[0].backends[0].share_after,
              here.pools[0].backends[0].share_after);
    EXPECT_EQ(there.verdict.no_change(), here.no_change());
  }
}

TEST_F(ClientTest, DiagnosticsHaveTheFieldsOfTheConfiguration) {
  engine::Request request = MakeRequest(engine::MakeConfig(4));
  request.change.config->vips[0].pool = "nope";
  engine::Outcome outcome = client_->Apply(request);
  ASSERT_EQ(outcome.kind, Kind::kInvalid);
  EXPECT_EQ(outcome.diagnostics[0].field, "vips[0].pool");

  request = MakeRequest(engine::MakeConfig(4));
  request.change.pool = request.change.config->pools[0];
  request.change.config.reset();
  request.change.pool->table_size = 8;
  outcome = client_->Plan(request);
  ASSERT_EQ(outcome.kind, Kind::kInvalid);
  EXPECT_EQ(outcome.diagnostics[0].field, "pool.table_size");
}

TEST_F(ClientTest, StaleSaysWhatIsInForce) {
  const engine::Request late = MakeRequest(engine::MakeConfig(5));
  MustApply(engine::MakeConfig(4));
  const engine::Outcome outcome = client_->Apply(late);
  ASSERT_EQ(outcome.kind, Kind::kStale);
  EXPECT_EQ(outcome.applied.etag, engine_->Get()->etag);
  EXPECT_EQ(outcome.applied.revision, 1u);
  EXPECT_EQ(outcome.applied.digest, engine_->Get()->digest);
  EXPECT_EQ(outcome.applied.author, "uid 1000 (alice)");
}

TEST_F(ClientTest, AFailureKeepsItsCode) {
  kernel_.publish_error = absl::ResourceExhaustedError("no table id is free");
  const engine::Outcome outcome = client_->Apply(MakeRequest(engine::MakeConfig(4)));
  ASSERT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_EQ(outcome.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(outcome.status.message(), "no table id is free");
}

TEST_F(ClientTest, NoChangeAndValidateOnly) {
  engine::Request request = MakeRequest(engine::MakeConfig(4));
  request.validate_only = true;
  EXPECT_EQ(client_->Apply(request).kind, Kind::kValidated);
  request.change.config = engine::MakeConfig(1);
  EXPECT_EQ(client_->Apply(request).kind, Kind::kRefused);
  EXPECT_TRUE(engine_->ListRevisions(10)->empty());
  request.record_refusal = true;
  EXPECT_EQ(client_->Apply(request).kind, Kind::kRefused);
  EXPECT_EQ(engine_->ListRevisions(10)->size(), 1u);
  MustApply(engine::MakeConfig(4));
  EXPECT_EQ(client_->Apply(MakeRequest(engine::MakeConfig(4))).kind, Kind::kNoChange);
  EXPECT_EQ(client_->Plan(MakeRequest(engine::MakeConfig(4))).kind, Kind::kNoChange);
}

TEST_F(ClientTest, RevisionsAndStatusComeAcross) {
  MustApply(engine::MakeConfig(4));
  MustApply(engine::MakeConfig(5));
  engine_->Apply(MakeRequest(engine::MakeConfig(1)));
  const auto list = client_->ListRevisions(10);
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ((*list)[0].outcome, history::Outcome::kRefused);
  EXPECT_EQ((*list)[1].number, 2u);

  const auto first = client_->GetRevision(1);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto local = *engine_->GetRevision(1);
  EXPECT_EQ(first->config_yaml, local.config_yaml);
  EXPECT_EQ(first->verdict_json, local.verdict_json);
  EXPECT_EQ(first->digest, local.digest);
  EXPECT_EQ(first->created_unix_ns, local.created_unix_ns);
  EXPECT_EQ(client_->GetRevision(9).status().code(), absl::StatusCode::kNotFound);

  const auto status = client_->GetStatus();
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->version, "1.2.3");
  EXPECT_TRUE(status->digest_matches);
  ASSERT_EQ(status->pools.size(), 1u);
  EXPECT_EQ(status->pools[0].backends[0].share, engine_->GetStatus()->pools[0].backends[0].share);
  EXPECT_EQ(status->vips[0].vip, engine::MakeConfig(5).vips[0]);
}

TEST_F(ClientTest, TheWatchedFileComesAcross) {
  EXPECT_FALSE(client_->GetStatus()->watched.has_value());
  using State = engine::Watched::State;
  for (const State state : {State::kFollowing, State::kWaiting, State::kHeld}) {
    engine_->SetWatched({.state = state,
                         .path = "/etc/web.yaml",
                         .detail = "it lacks 5",
                         .since_unix_ns = 1'234'567'891,
                         .revision = 7});
    const auto watched = client_->GetStatus()->watched;
    ASSERT_TRUE(watched.has_value());
    EXPECT_EQ(watched->state, state);
    EXPECT_EQ(watched->path, "/etc/web.yaml");
    EXPECT_EQ(watched->detail, "it lacks 5");
    EXPECT_EQ(watched->since_unix_ns, 1'234'567'891);
    EXPECT_EQ(watched->revision, 7u);
  }
}

TEST_F(ClientTest, WhetherServersAreToBeAskedComesAcross) {
  ASSERT_TRUE(client_->Diagnose().ok());
  ASSERT_TRUE(client_->Diagnose({.probe = true}).ok());
  ASSERT_EQ(examined_.size(), 2u);
  EXPECT_FALSE(examined_[0].probe);
  EXPECT_TRUE(examined_[1].probe);
}

TEST_F(ClientTest, FindingsComeAcross) {
  engine_->SetWatched({.state = engine::Watched::State::kHeld, .path = "/w", .detail = "empty"});
  const auto local = *engine_->Diagnose();
  const auto findings = client_->Diagnose();
  ASSERT_TRUE(findings.ok()) << findings.status();
  ASSERT_EQ(findings->size(), local.size());
  for (size_t i = 0; i < local.size(); ++i) {
    EXPECT_EQ((*findings)[i].level, local[i].level);
    EXPECT_EQ((*findings)[i].check, local[i].check);
    EXPECT_EQ((*findings)[i].subject, local[i].subject);
    EXPECT_EQ((*findings)[i].detail, local[i].detail);
    EXPECT_EQ((*findings)[i].remedy, local[i].remedy);
  }
}

TEST_F(ClientTest, WhatCarriesARevisionOnComesAcross) {
  MustApply(engine::MakeConfig(4));
  engine::Request request = MakeRequest(engine::MakeConfig(5));
  request.window.length = std::chrono::seconds(60);
  ASSERT_EQ(client_->Apply(request).kind, Kind::kApplied);
  engine::Request drain;
  drain.change.edit =
      engine::Edit{.pool = "", .backend = "web-2", .state = model::AdminState::kDraining};
  drain.reason = "web-2 burns";
  ASSERT_EQ(client_->Apply(drain).kind, Kind::kApplied);
  const history::Revision carried = *client_->GetRevision(2);
  EXPECT_EQ(carried.standing, history::Standing::kCarriedOn);
  EXPECT_EQ(carried.carried_on_by, 3u);
}

TEST_F(ClientTest, AChangeThatIsTooLargeIsExplained) {
  engine::Request request = MakeRequest(engine::MakeConfig(4));
  request.reason = std::string(65 << 20, 'x');
  const engine::Outcome outcome = client_->Apply(request);
  ASSERT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_EQ(outcome.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("at most 67108864"));
}

TEST_F(ClientTest, ChangesOfHealthComeBackAsTheyWere) {
  const auto change = [](int64_t at, const std::string& pool, uint16_t permille) {
    return history::HealthChange{.unix_ns = at,
                                 .pool = pool,
                                 .server = "10.0.1.1",
                                 .backend = "web-1",
                                 .permille = permille,
                                 .cause = "3 probes failed"};
  };
  ASSERT_TRUE(history_->RecordHealth({change(10, "web", 0), change(20, "web", 250)}).ok());
  ASSERT_TRUE(history_->RecordHealth({change(30, "api", 1000)}).ok());
  const auto web = client_->ListHealth(10, "web");
  ASSERT_TRUE(web.ok()) << web.status();
  ASSERT_EQ(web->size(), 2u);
  EXPECT_EQ((*web)[0].unix_ns, 20);
  EXPECT_EQ((*web)[0].permille, 250);
  EXPECT_EQ((*web)[1].permille, 0);
  EXPECT_EQ((*web)[1].server, "10.0.1.1");
  EXPECT_EQ((*web)[1].backend, "web-1");
  EXPECT_EQ((*web)[1].cause, "3 probes failed");
  EXPECT_EQ(client_->ListHealth(10)->size(), 3u);
  EXPECT_EQ(client_->ListHealth(1)->size(), 1u);
  EXPECT_EQ(client_->ListHealth(10, "", 30)->size(), 2u);
}

TEST_F(ClientTest, NoDaemonNamesPathAndRemedy) {
  auto nobody = Connect(dir_ + "/nobody.sock");
  const auto status = nobody->Get().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("nobody.sock"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("start evenkeeld"));
  const engine::Outcome outcome = nobody->Apply(MakeRequest(engine::MakeConfig(4)));
  EXPECT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_EQ(outcome.status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(ClientTest, ADaemonThatRestartsIsFoundAgain) {
  ASSERT_TRUE(client_->Get().ok());
  server_.reset();
  EXPECT_EQ(client_->Get().status().code(), absl::StatusCode::kUnavailable);
  Serve();
  absl::Status status;
  for (int i = 0; i < 50; ++i) {
    status = client_->Get().status();
    if (status.ok()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace evenkeel::rpc
