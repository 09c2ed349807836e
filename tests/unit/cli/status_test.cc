// SPDX-License-Identifier: Apache-2.0
#include "bpf/abi/verdict.h"
#include "control/cli/status_report.h"
#include "control/cli/text.h"
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class StatusTest : public CliTest {
 protected:
  StatusTest() {
    engine::Status& s = daemon_.status;
    s.version = "0.1.0";
    s.instance = "edge";
    s.started_unix_ns = 1'772'366'400'000'000'000;
    s.applied = *daemon_.Get();
    s.kernel_digest = s.applied.digest.ToHex();
    s.digest_matches = true;
    s.adoption = "the kernel already forwards with revision 1";
    s.interfaces = {{"eth1", "native", "", true},
                    {"eth2", "generic", "the driver has no native XDP", false},
                    {"eth3", "native", "", false, true, 20}};
    s.vips = {{s.applied.config.vips[0],
               {.packets = 1'234'567, .bytes = 987'654'321, .new_flows = 4321, .drops = 0}}};
    engine::PoolStatus pool;
    pool.name = "web";
    pool.table_size = 65537;
    pool.table_digest = std::string(64, 'a');
    for (const model::Backend& b : s.applied.config.pools[0].backends) {
      pool.backends.push_back({b.name,
                               b.address,
                               b.state,
                               0.25,
                               {.packets = 250'000, .bytes = 1, .new_flows = 1, .drops = 0},
                               "",
                               "",
                               false,
                               ""});
    }
    pool.backends[3].problem = "no answer from gateway 10.0.0.1 on eth1";
    s.pools = {pool};
    s.verdicts = {
        {"forward", 1'234'567}, {"pass_no_vip", 12}, {"drop_ttl", 3}, {"drop_fragment", 0}};
    s.notices = {"the config file differs from revision 1: pools/web\033[2J"};
  }
};

TEST_F(StatusTest, ShowsWhatThePersonOnCallNeedsIn80Columns) {
  const Ran ran = Run({"status"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("evenkeeld 0.1.0, instance edge"),
                    HasSubstr("revision 1 by uid 0 (root), 2026-03-01 12:01:00 UTC"),
                    HasSubstr("bootstrap"), HasSubstr("matches: forwards with revision 1"),
                    HasSubstr("eth1: native XDP, attached by an earlier daemon"),
                    HasSubstr("eth2: generic XDP; not native: the driver has no native XDP"),
                    HasSubstr("eth3: native XDP, shared with priority 20\n"),
                    ContainsRegex("web +192.0.2.10:443/tcp +web +1.23 M +988 MB +4.32 k +0\n"),
                    ContainsRegex("web-1 +10.0.1.11 +25.00 % +#+ +250 k +25.0 %\n"),
                    ContainsRegex("web-4 .*UNREACHABLE: no")));
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("12 +pass_no_vip"), ContainsRegex("3 +drop_ttl +TTL"),
                             Not(HasSubstr("drop_fragment")), Not(HasSubstr("\033")),
                             HasSubstr("differs from revision 1"), Not(HasSubstr("ALARM"))));
  for (std::string_view line : Split(ran.out, '\n')) EXPECT_LE(line.size(), 80u) << line;
}

TEST_F(StatusTest, DigestThatDiffersIsAnAlarm) {
  daemon_.status.digest_matches = false;
  daemon_.status.kernel_digest = std::string(64, 'b');
  const Ran ran = Run({"status"});
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("ALARM"), HasSubstr("bbbbbbbbbbbb"), Not(HasSubstr("matches:"))));
  EXPECT_EQ(Run({"status", "-o", "json"}).Json()["alarm"], true);
}

TEST_F(StatusTest, KernelThatLostItsTablesIsAnAlarm) {
  daemon_.status.digest_matches = false;
  daemon_.status.kernel_digest = "";
  EXPECT_THAT(Run({"status"}).out, HasSubstr("ALARM"));
}

TEST_F(StatusTest, HealthIsSaidWhereItIsBad) {
  daemon_.status.pools[0].backends[0].health = "up";
  daemon_.status.pools[0].backends[1].health = "down";
  daemon_.status.pools[0].backends[1].health_cause = "3 probes failed: timeout";
  daemon_.status.pools[0].backends[1].health_since_unix_ns = 1'772'366'400'000'000'000;
  EXPECT_THAT(Run({"status"}).out,
              AllOf(ContainsRegex("web-2 .*DOWN: 3"), Not(HasSubstr("PANIC"))));
  daemon_.status.pools[0].backends[1].held = true;
  daemon_.status.pools[0].panic = "1 of 4 servers healthy";
  const Ran ran = Run({"status"});
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("web-2 .*DOWN, held:"),
                             HasSubstr("  PANIC: 1 of 4 servers healthy\n")));
  for (std::string_view line : Split(ran.out, '\n')) EXPECT_LE(line.size(), 80u) << line;
  const nlohmann::json pool = Run({"status", "-o", "json"}).Json()["pools"][0];
  EXPECT_EQ(pool["panic"], "1 of 4 servers healthy");
  EXPECT_EQ(pool["backends"][0]["health"], "up");
  EXPECT_EQ(pool["backends"][1]["held"], true);
  EXPECT_EQ(pool["backends"][1]["health_cause"], "3 probes failed: timeout");
  EXPECT_EQ(pool["backends"][2]["health"], "");
  EXPECT_EQ(pool["backends"][1]["health_since"], "2026-03-01T12:00:00.000Z");
  EXPECT_EQ(pool["backends"][2]["health_since"], nullptr);
}

TEST_F(StatusTest, WhoStartsSlowlyOrWaitsIsSaid) {
  daemon_.status.pools[0].backends[0].health = "up";
  daemon_.status.pools[0].backends[0].admitted = 0.35;
  daemon_.status.pools[0].backends[1].health = "unknown";
  daemon_.status.pools[0].backends[1].health_cause = "waits for its first probes";
  daemon_.status.pools[0].backends[1].admitted = 0;
  const Ran ran = Run({"status"});
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("web-1 .*slow start, 35.00 %"),
                             ContainsRegex("web-2 .*not in the table:")));
  const nlohmann::json pool = Run({"status", "-o", "json"}).Json()["pools"][0];
  EXPECT_EQ(pool["backends"][0]["admitted"], 0.35);
  EXPECT_EQ(pool["backends"][2]["admitted"], 1);
}

TEST_F(StatusTest, LoadStandsBesideCapacity) {
  engine::PoolStatus& web = daemon_.status.pools[0];
  web.capacity_unit = model::CapacityUnit::kPackets;
  web.no_spare = "web-1 would carry 120.0 % of its capacity without rack r2";
  web.backends[0].load = 600;
  web.backends[0].load_after = 1200;
  web.backends[0].capacity = 1000;
  web.backends[0].worst_loss = "rack r2";
  web.backends[1].load = 2.5;
  web.domains = {{.kind = "rack",
                  .name = "r2",
                  .load = 1200,
                  .capacity = 2000,
                  .hottest = "web-1",
                  .use = 1.2}};
  const Ran ran = Run({"status"});
  EXPECT_THAT(ran.out, AllOf(HasSubstr("  NO SPARE: web-1 would carry 120.0 %"),
                             ContainsRegex("web-1 +600 +1.00 k +60.0 % +120.0 % +rack r2"),
                             ContainsRegex("web-2 +2.5 +- +- +-"),
                             ContainsRegex("rack r2 +1.20 k +2.00 k +60.0 % +120.0 % +it: web-1")));
  for (std::string_view line : Split(ran.out, '\n')) EXPECT_LE(line.size(), 80u) << line;
  const nlohmann::json pool = Run({"status", "-o", "json"}).Json()["pools"][0];
  EXPECT_EQ(pool["backends"][0]["load"]["after_loss"], 1200);
  EXPECT_EQ(pool["backends"][1]["load"]["capacity"], nullptr);
  EXPECT_EQ(pool["domains"][0]["use_after_loss"], 1.2);
  EXPECT_EQ(pool["capacity_unit"], "packets");
}

TEST_F(StatusTest, TheWatchedFileSaysHowItStands) {
  EXPECT_THAT(Run({"status"}).out, Not(HasSubstr("Watched")));
  EXPECT_EQ(Run({"status", "-o", "json"}).Json()["watched"], nullptr);
  engine::Watched& watched = daemon_.status.watched.emplace();
  watched = {.state = engine::Watched::State::kFollowing,
             .path = "/etc/evenkeel/web.yaml",
             .detail = "",
             .since_unix_ns = 1'772'366'460'000'000'000,
             .revision = 1};
  EXPECT_THAT(Run({"status"}).out,
              AllOf(HasSubstr("Watched    /etc/evenkeel/web.yaml: revision 1 is what it says"),
                    Not(HasSubstr("ALARM"))));
  watched.state = engine::Watched::State::kWaiting;
  watched.detail = "refused: LB014";
  EXPECT_THAT(Run({"status"}).out,
              AllOf(HasSubstr("waits since 2026-03-01"), Not(HasSubstr("ALARM"))));
  EXPECT_EQ(Run({"status", "-o", "json"}).Json()["watched"]["state"], "waiting");
  watched.state = engine::Watched::State::kHeld;
  watched.detail = "it lacks 5 of the 8 backends of pool web in force";
  const Ran held = Run({"status"});
  EXPECT_THAT(held.out,
              AllOf(HasSubstr("ALARM: held, not applied"), HasSubstr("lacks 5 of the 8 backends")));
  for (std::string_view line : Split(held.out, '\n')) EXPECT_LE(line.size(), 80u) << line;
  const nlohmann::json json = Run({"status", "-o", "json"}).Json()["watched"];
  EXPECT_EQ(json["state"], "held");
  EXPECT_EQ(json["path"], "/etc/evenkeel/web.yaml");
  EXPECT_EQ(json["detail"], watched.detail);
  EXPECT_EQ(json["since"], "2026-03-01T12:01:00.000Z");
  EXPECT_EQ(json["revision"], 1);
}

TEST_F(StatusTest, NothingAppliedYetIsNone) {
  daemon_.status = engine::Status{};
  const Ran ran = Run({"status"});
  EXPECT_THAT(ran.out, AllOf(HasSubstr("nothing applied yet"), Not(HasSubstr("ALARM"))));
  EXPECT_EQ(Run({"status", "-o", "json"}).Json()["alarm"], false);
}

TEST_F(StatusTest, JsonHasEveryNumber) {
  const nlohmann::json json = Run({"status", "-o", "json"}).Json();
  EXPECT_EQ(json["schema"], "evenkeel.status/v1");
  EXPECT_EQ(json["applied"]["revision"], 1);
  EXPECT_EQ(json["vips"][0]["counter"]["packets"], 1'234'567);
  EXPECT_EQ(json["pools"][0]["backends"][3]["problem"], "no answer from gateway 10.0.0.1 on eth1");
  EXPECT_EQ(json["verdicts"]["drop_ttl"], 3);
  EXPECT_EQ(json["interfaces"][1]["fallback_reason"], "the driver has no native XDP");
  EXPECT_EQ(json["interfaces"][1]["attach"], "exclusive");
  EXPECT_EQ(json["interfaces"][1]["priority"], nullptr);
  EXPECT_EQ(json["interfaces"][2]["attach"], "shared");
  EXPECT_EQ(json["interfaces"][2]["priority"], 20);
}

TEST_F(StatusTest, SourceRulesAreCountedAndSayForWhom) {
  const Ran before = Run({"status"});
  EXPECT_THAT(before.out, Not(HasSubstr("SOURCE RULES")));
  std::vector<engine::SourceRulesStatus>& rules = daemon_.status.source_rules;
  rules.resize(3);
  rules[0].name = "edge";
  rules[0].denied = 999'999;
  rules[0].allowed = 1;
  rules[0].digest = std::string(64, 'c');
  rules[0].global = true;
  rules[1].name = "office";
  rules[1].fallback = model::SourceAction::kDeny;
  rules[1].allowed = 3;
  rules[1].digest = std::string(64, 'd');
  rules[1].vips = {"a", "b", "c", "d", "e", "f"};
  rules[2].name = "spare";
  const Ran ran = Run({"status"});
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("edge +allow +1.00 M +1 +cccccccccccc +every VIP"),
                             ContainsRegex("office +deny +0 +3 .*a, b, c, d, ... .6 in all."),
                             ContainsRegex("spare .*nobody: not in the kernel")));
  for (std::string_view line : Split(ran.out, '\n')) EXPECT_LE(line.size(), 80u) << line;
  const nlohmann::json json = Run({"status", "-o", "json"}).Json();
  EXPECT_EQ(json["source_rules"][0]["denied_prefixes"], 999'999);
  EXPECT_EQ(json["source_rules"][1]["default"], "deny");
  EXPECT_EQ(json["source_rules"][1]["vips"].size(), 6u);
}

TEST_F(StatusTest, LimitsAreSaid) {
  EXPECT_THAT(Run({"status"}).out, Not(HasSubstr("Limits:")));
  daemon_.status.vips[0].vip.limits = {.new_flows = {{5000, 20000}}, .per_source = {{200, 300}}};
  EXPECT_THAT(Run({"status"}).out,
              HasSubstr("Limits:\n"
                        "  web: at most 5000 new flows a second, 20000 at once\n"
                        "  web: at most 200 packets of one source a second, 300 at once\n"));
  const nlohmann::json json = Run({"status", "-o", "json"}).Json();
  EXPECT_EQ(json["vips"][0]["limits"]["new_flows"]["burst"], 20000);
}

TEST_F(StatusTest, WatchShowsRates) {
  int samples = 0;
  int64_t now = 1'772'366'700'000'000'000;
  env_.now_unix_ns = [&] { return now; };
  env_.sleep = [&](std::chrono::milliseconds interval) {
    EXPECT_EQ(interval, std::chrono::milliseconds(500));
    now += 500'000'000;
    daemon_.status.vips[0].counter.packets += 1000;
    daemon_.status.pools[0].backends[0].counter.packets += 900;
    daemon_.status.pools[0].backends[1].counter.packets = 50;  // counts anew
    ++samples;
    return true;
  };
  const Ran ran = Run({"status", "--watch", "--interval", "0.5", "-n", "2"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(samples, 1);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("PACKETS/S"), ContainsRegex("443/tcp +web +2.00 k"),
                             ContainsRegex("web-1 .* 1.80 k +94.7 %"),
                             ContainsRegex("web-2 .* 100 +5.3 %")));
  EXPECT_THAT(ran.out, Not(HasSubstr("\033[2J"))) << "only a terminal is cleared";
  env_.out_is_terminal = true;
  EXPECT_THAT(Run({"status", "--watch", "--interval", "0.5", "-n", "1"}).out, HasSubstr("\033[2J"));
}

TEST_F(StatusTest, ColorsFollowTerminalAndNoColor) {
  EXPECT_THAT(Run({"status"}).out, Not(HasSubstr("\033[")));
  env_.out_is_terminal = true;
  EXPECT_THAT(Run({"status"}).out, HasSubstr("\033["));
  env_.no_color = true;
  EXPECT_THAT(Run({"status"}).out, Not(HasSubstr("\033[")));
}

TEST(VerdictMeaningTest, KnowsEveryVerdict) {
#define EK_TEST_MEANING(symbol, name, text) EXPECT_EQ(VerdictMeaning(name), text);
  EK_VERDICT_LIST(EK_TEST_MEANING)
#undef EK_TEST_MEANING
  EXPECT_EQ(VerdictMeaning("drop_by_magic"), "");
}

}  // namespace
}  // namespace evenkeel::cli
