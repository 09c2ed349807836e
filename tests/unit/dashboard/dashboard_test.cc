// SPDX-License-Identifier: Apache-2.0
#include "control/dashboard/dashboard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "control/dashboard/assets.h"
#include "tests/unit/cli/fake_engine.h"

namespace evenkeel::dashboard {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kEpochNs = 1'772'366'400 * kSecondNs;
using Query = std::map<std::string, std::string>;

class DashboardTest : public testing::Test {
 protected:
  DashboardTest() {
    engine::Status& status = daemon_.status;
    status.instance = "edge";
    status.digest_matches = true;
    status.kernel_digest = "ab";
    status.applied = *daemon_.Get();
    for (const char* name : {"web", "api", "mail"}) AddPool(name);
    model::Vip vip;
    vip.name = "shop";
    vip.address = model::IpAddress::FromIpv4({192, 0, 2, 10});
    vip.port = 443;
    vip.pool = "web";
    status.vips.push_back({.vip = vip, .counter = {}});
  }

  void AddPool(const std::string& name) {
    engine::PoolStatus pool;
    pool.name = name;
    for (int i = 1; i <= 4; ++i) {
      engine::BackendStatus backend;
      backend.name = name + "-" + std::to_string(i);
      backend.address = model::IpAddress::FromIpv4({10, 0, 1, static_cast<uint8_t>(i)});
      backend.share = 0.25;
      pool.backends.push_back(backend);
    }
    daemon_.status.pools.push_back(pool);
  }
  engine::PoolStatus& Pool(size_t i) { return daemon_.status.pools[i]; }
  void Skew(size_t pool, detect::Verdict verdict, double ratio) {
    detect::PoolReport& report = Pool(pool).distribution.emplace();
    report.verdict = verdict;
    detect::ServerShares& server = report.servers.emplace_back();
    server.address = Pool(pool).backends[0].address;
    server.name = Pool(pool).backends[0].name;
    server.ratio = ratio;
    server.sufficient = true;
  }

  web::Response Ask(const std::string& path, const Query& query = {}) {
    return pages_.at(path)({.path = path, .query = query});
  }
  json Get(const std::string& path, const Query& query = {}) {
    const web::Response response = Ask(path, query);
    EXPECT_EQ(response.status, 200) << path << ": " << response.body;
    return json::parse(response.body, nullptr, false);
  }
  std::vector<std::string> Names(const json& overview) {
    std::vector<std::string> names;
    for (const json& pool : overview.at("pools")) names.push_back(pool.at("name"));
    return names;
  }
  void Later() { now_ns_ += kSecondNs; }

  cli::FakeEngine daemon_{cli::WebConfig(4)};
  std::atomic<int64_t> now_ns_ = kEpochNs;
  Dashboard dashboard_{{.engine = &daemon_,
                        .now_unix_ns = [this] { return now_ns_.load(); },
                        .steady_ns = [this] { return now_ns_.load(); }}};
  web::Pages pages_ = dashboard_.Pages();
};

TEST_F(DashboardTest, ServesItsFiles) {
  EXPECT_THAT(Ask("/").body, HasSubstr("<!DOCTYPE html>"));
  EXPECT_EQ(Ask("/").type, "text/html; charset=utf-8");
  EXPECT_EQ(Ask("/app.js").type, "text/javascript; charset=utf-8");
  EXPECT_EQ(Ask("/style.css").type, "text/css; charset=utf-8");
  EXPECT_EQ(Ask("/icon.svg").type, "image/svg+xml");
  size_t bytes = 0;
  for (const Asset& asset : Assets()) {
    bytes += asset.body.size();
    EXPECT_THAT(std::string(asset.body), HasSubstr("SPDX-License-Identifier")) << asset.path;
    // What would parse markup, run text or call others.
    for (const char* word : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
                             "eval(", "new Function", "method:", "POST"}) {
      EXPECT_THAT(std::string(asset.body), Not(HasSubstr(word))) << asset.path;
    }
  }
  EXPECT_LT(bytes, 100'000u);
}

TEST_F(DashboardTest, OverviewHasTheHeadAndTheWorstPoolFirst) {
  Skew(0, detect::Verdict::kMatches, 1.02);
  Skew(1, detect::Verdict::kMatches, 1.6);
  Skew(2, detect::Verdict::kBroken, 3);
  const json overview = Get("/api/overview");
  EXPECT_EQ(overview["schema"], "evenkeel.overview/v1");
  EXPECT_EQ(overview["instance"], "edge");
  EXPECT_EQ(overview["applied"]["author"], "uid 0 (root)");
  EXPECT_EQ(overview["time"], "2026-03-01T12:00:00.000Z");
  EXPECT_EQ(overview["pools_total"], 3);
  EXPECT_EQ(overview["backends_total"], 12);
  EXPECT_THAT(Names(overview), ElementsAre("mail", "api", "web"));
  EXPECT_EQ(overview["pools"][0]["rank"], "broken");
  EXPECT_EQ(overview["pools"][0]["worst_ratio"], 3);
  EXPECT_EQ(overview["pools"][2]["not_the_balancer"], true);
  EXPECT_EQ(overview["pools"][2]["vips"][0]["address"], "192.0.2.10");
  EXPECT_FALSE(overview["pools"][0].contains("detail"));
  EXPECT_FALSE(overview.contains("vips")) << "nothing that grows with the configuration";
}

TEST_F(DashboardTest, AServerThatGetsNothingIsTheWorst) {
  Skew(0, detect::Verdict::kMatches, 3);
  Skew(1, detect::Verdict::kMatches, 0);
  EXPECT_EQ(Names(Get("/api/overview"))[0], "api");
}

TEST_F(DashboardTest, AlarmsRankBeforeAllElse) {
  Skew(0, detect::Verdict::kBroken, 9);
  detect::Alarm alarm;
  alarm.id = "flows/mail/10.0.1.1";
  alarm.pool = "mail";
  alarm.severity = detect::Severity::kPage;
  alarm.undo = "evenkeel rollback 1";
  daemon_.status.alarms = {alarm};
  const json overview = Get("/api/overview");
  EXPECT_EQ(overview["alarms"][0]["undo"], "evenkeel rollback 1");
  EXPECT_EQ(Names(overview)[0], "mail");
  EXPECT_EQ(overview["pools"][0]["rank"], "page");
  EXPECT_EQ(overview["ranks"]["broken"], 1);
  daemon_.status.alarms.resize(70, alarm);
  Later();
  const json many = Get("/api/overview");
  EXPECT_EQ(many["alarms"].size(), 50u);
  EXPECT_EQ(many["alarms_total"], 70);
}

TEST_F(DashboardTest, OverviewIsFilteredSortedAndCut) {
  EXPECT_THAT(Names(Get("/api/overview", {{"filter", "MAIL-2"}})), ElementsAre("mail"));
  EXPECT_THAT(Names(Get("/api/overview", {{"filter", "shop"}})), ElementsAre("web")) << "its VIP";
  EXPECT_THAT(Names(Get("/api/overview", {{"filter", "192.0.2.10"}})), ElementsAre("web"));
  EXPECT_THAT(Names(Get("/api/overview", {{"filter", "nothing"}})), ElementsAre());
  Pool(2).backends[0].counter.new_flows = 10;
  Later();
  EXPECT_THAT(Names(Get("/api/overview", {{"sort", "flows"}})), ElementsAre("mail", "api", "web"));
  EXPECT_THAT(Names(Get("/api/overview", {{"sort", "name"}})), ElementsAre("api", "mail", "web"));
  const json cut = Get("/api/overview", {{"sort", "name"}, {"limit", "1"}, {"open", "api,web"}});
  EXPECT_THAT(Names(cut), ElementsAre("api"));
  EXPECT_EQ(cut["pools_matching"], 3);
  EXPECT_EQ(cut["pools"][0]["detail"]["backends"].size(), 4u);
}

TEST_F(DashboardTest, BadInputIsToldWithWhatIsValid) {
  const struct {
    const char* path;
    Query query;
    const char* text;
  } kCases[] = {
      {"/api/overview", {{"limit", "0"}}, "limit is \"0\"; write a number from 1 to 500"},
      {"/api/overview", {{"limit", "501"}}, "from 1 to 500"},
      {"/api/overview", {{"limit", "-1"}}, "from 1 to 500"},
      {"/api/overview", {{"limit", "1e2"}}, "from 1 to 500"},
      {"/api/overview", {{"limit", ""}}, "from 1 to 500"},
      {"/api/overview", {{"limit", "99999999999999999999"}}, "from 1 to 500"},
      {"/api/overview",
       {{"sort", "skew\x1b"}},
       "sort is \"skew\\x1b\"; write worst, name or flows"},
      {"/api/overview", {{"filter", std::string(129, 'x')}}, "at most 128"},
      {"/api/overview", {{"colour", "red"}}, "it takes: limit, filter, sort, open"},
      {"/api/status", {{"x", "1"}}, "it takes none"},
      {"/api/history", {{"limit", "201"}}, "from 1 to 200"},
      {"/api/history", {{"before", "yesterday"}}, "write a number from 1"},
      {"/api/revision", {}, "name one of number"},
      {"/api/revision", {{"number", "1"}, {"created", "1"}}, "name one of number"},
      {"/api/revision", {{"number", "x"}}, "write a number"},
      {"/api/health", {{"limit", "501"}}, "from 1 to 500"},
      {"/api/shares", {}, "name a pool"},
      {"/api/shares", {{"pool", "web"}, {"since", "-5"}}, "write a number"},
  };
  for (const auto& c : kCases) {
    const web::Response response = Ask(c.path, c.query);
    EXPECT_EQ(response.status, 400) << c.path << " " << c.text;
    EXPECT_THAT(response.body, HasSubstr(c.text)) << c.path;
  }
  std::string many;
  for (int i = 0; i < 51; ++i) many += "p" + std::to_string(i) + ",";
  EXPECT_EQ(Ask("/api/overview", {{"open", many}}).status, 400);
}

TEST_F(DashboardTest, StatusIsWhatTheCommandPrints) {
  const json status = Get("/api/status");
  EXPECT_EQ(status["schema"], "evenkeel.status/v1");
  EXPECT_EQ(status["pools"].size(), 3u);
  EXPECT_EQ(status["vips"][0]["name"], "shop");
}

TEST_F(DashboardTest, HistorySaysWhoWhyAndWhatItDidToTheShares) {
  daemon_.Force(cli::WebConfig(5), "uid 1000 (alice)", "add <b>web-5</b>");
  const json history = Get("/api/history");
  ASSERT_EQ(history["revisions"].size(), 2u);
  const json& newest = history["revisions"][0];
  EXPECT_EQ(newest["revision"], 2);
  EXPECT_EQ(newest["author"], "uid 1000 (alice)");
  EXPECT_EQ(newest["reason"], "add <b>web-5</b>") << "as it is; the page shows it as text";
  EXPECT_EQ(newest["created_unix_ns"], std::to_string(kEpochNs + 120 * kSecondNs));
  EXPECT_EQ(newest["pools"][0]["pool"], "web");
  EXPECT_EQ(newest["pools"][0]["backends_changed"], 5);
  EXPECT_EQ(newest["pools"][0]["backends"][0]["name"], "web-5") << "which changed most";
  EXPECT_EQ(newest["pools"][0]["backends"][0]["before"], 0);
  EXPECT_NEAR(newest["pools"][0]["backends"][0]["after"].get<double>(), 0.2, 0.01);
  EXPECT_TRUE(newest["rules"].empty());
  EXPECT_EQ(history["more"], false);
  const json one = Get("/api/history", {{"limit", "1"}});
  EXPECT_EQ(one["more"], true);
  const json older = Get("/api/history", {{"limit", "1"}, {"before", newest["created_unix_ns"]}});
  EXPECT_EQ(older["revisions"][0]["revision"], 1);
}

TEST_F(DashboardTest, HistoryNamesTheRulesThatSpoke) {
  daemon_.Force(cli::WebConfig(1), "uid 1000 (alice)", "forced");
  const json newest = Get("/api/history", {{"limit", "1"}})["revisions"][0];
  EXPECT_EQ(newest["verdict"], "refuse");
  ASSERT_FALSE(newest["rules"].empty());
  EXPECT_EQ(newest["rules"][0]["rule"], "LB001");
  EXPECT_EQ(newest["rules"][0]["severity"], "block");
  EXPECT_EQ(newest["rules"][0]["subject"], "pools/web/backends/web-1");
}

TEST_F(DashboardTest, ARevisionHasItsWholeVerdict) {
  daemon_.Force(cli::WebConfig(5), "uid 1000 (alice)", "add web-5");
  const json revision = Get("/api/revision", {{"number", "2"}});
  EXPECT_EQ(revision["verdict"]["schema"], "evenkeel.verdict/v1");
  EXPECT_EQ(revision["verdict"]["pools"][0]["backends"].size(), 5u);
  const json same = Get("/api/revision", {{"created", std::to_string(kEpochNs + 120 * kSecondNs)}});
  EXPECT_EQ(same["revision"], 2) << "refusals have no number";
  EXPECT_EQ(Ask("/api/revision", {{"created", "5"}}).status, 404);
  EXPECT_EQ(Ask("/api/revision", {{"number", "9"}}).status, 404);
}

TEST_F(DashboardTest, AnUnreadableVerdictIsNoReasonToFail) {
  daemon_.RecordFailed(2, cli::WebConfig(5), "the kernel said no");
  const json history = Get("/api/history");
  EXPECT_EQ(history["revisions"][0]["error"], "the kernel said no");
  EXPECT_EQ(history["revisions"][0]["pools"].size(), 0u);
}

TEST_F(DashboardTest, TheMarkTellsThatThereIsAnotherEntry) {
  const json before = Get("/api/overview");
  Later();
  EXPECT_EQ(Get("/api/overview")["history_mark"], before["history_mark"]);
  daemon_.Force(cli::WebConfig(5), "uid 1000 (alice)", "add web-5");
  Later();
  EXPECT_NE(Get("/api/overview")["history_mark"], before["history_mark"]);
}

TEST_F(DashboardTest, HealthChangesOfAllOrOnePool) {
  daemon_.health.resize(2);
  daemon_.health[0].pool = "web";
  daemon_.health[0].cause = "refused";
  daemon_.health[1].pool = "api";
  EXPECT_EQ(Get("/api/health")["changes"].size(), 2u);
  const json web = Get("/api/health", {{"pool", "web"}});
  ASSERT_EQ(web["changes"].size(), 1u);
  EXPECT_EQ(web["changes"][0]["cause"], "refused");
  EXPECT_EQ(web["changes"][0]["out"], true);
}

TEST_F(DashboardTest, KeepsSharesFromItsStart) {
  dashboard_.Step();
  for (int i = 0; i < 5; ++i) {
    Later();
    Pool(0).backends[1].counter.new_flows += 20;
    dashboard_.Step();
  }
  const json shares = Get("/api/shares", {{"pool", "web"}});
  EXPECT_EQ(shares["interval_ms"], 5000);
  ASSERT_EQ(shares["segments"].size(), 1u);
  const json& samples = shares["segments"][0]["samples"];
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[1]["flows"], json::array({0, 100, 0, 0}));
  EXPECT_EQ(samples[1]["expected"][0], 0.25);
  EXPECT_EQ(samples[1]["ms"], 5000);
  EXPECT_EQ(samples[1]["t"], (kEpochNs + 5 * kSecondNs) / 1'000'000);
  EXPECT_TRUE(Get("/api/shares", {{"pool", "none"}})["segments"].empty());
}

TEST_F(DashboardTest, OneSecondsAnswersAreShared) {
  const std::string first = Ask("/api/overview").body;
  daemon_.status.instance = "other";
  EXPECT_EQ(Ask("/api/overview").body, first);
  EXPECT_THAT(Ask("/api/overview", {{"sort", "name"}}).body, HasSubstr("\"edge\""))
      << "another question, the same moment";
  Later();
  EXPECT_THAT(Ask("/api/overview").body, HasSubstr("\"other\""));
}

TEST_F(DashboardTest, AnEngineThatFailsIsAnswered503AndNotRemembered) {
  daemon_.down = absl::UnavailableError("starting");
  for (const char* path : {"/api/overview", "/api/status", "/api/history", "/api/health"}) {
    const web::Response response = Ask(path);
    EXPECT_EQ(response.status, 503) << path;
    EXPECT_EQ(response.body, "starting\n");
  }
  dashboard_.Step();
  daemon_.down = absl::OkStatus();
  EXPECT_EQ(Ask("/api/overview").status, 200);
}

TEST_F(DashboardTest, BytesThatAreNoUtf8DoNotBreakAnAnswer) {
  daemon_.status.notices = {"file \xff\xfe is odd"};
  EXPECT_FALSE(Get("/api/overview").is_discarded());
}

TEST_F(DashboardTest, SeveralAskAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        good +=
            Ask("/api/overview", {{"limit", std::to_string(1 + (i * 4 + t) % 90)}}).status == 200;
        good += Ask("/api/shares", {{"pool", "web"}}).status == 200;
        dashboard_.Step();
        now_ns_ += kSecondNs / 10;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 1600);
}

}  // namespace
}  // namespace evenkeel::dashboard
