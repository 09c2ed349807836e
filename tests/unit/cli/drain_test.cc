// SPDX-License-Identifier: Apache-2.0
//
// drain --wait: what is shown while it lasts, and how each of its ends is told.
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using engine::DrainProgress;
using engine::DrainSink;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using State = DrainProgress::State;

class DrainTest : public CliTest {
 protected:
  DrainTest() {
    env_.now_unix_ns = [this] { return now_ns_; };
    env_.sleep = [this](milliseconds time) {
      now_ns_ += std::chrono::nanoseconds(time).count();
      return !interrupted_;
    };
    daemon_.watch_drain = [this](const engine::DrainQuery& query, const DrainSink& sink) {
      query_ = query;
      ++watches_;
      while (!script_.empty()) {
        DrainProgress next = script_.front();
        script_.erase(script_.begin());
        if (next.text == "interrupt") {
          interrupted_ = true;
          continue;
        }
        if (next.text == "break") return absl::Status(absl::UnavailableError("gone"));
        if (!sink(&next) || next.last()) return absl::OkStatus();
        for (int i = 0; i < 10; ++i) {
          now_ns_ += 100'000'000;
          if (!sink(nullptr)) return absl::OkStatus();
        }
      }
      return absl::Status(absl::NotFoundError("web-2 is not in pool web any more"));
    };
  }
  DrainProgress Step(State state, const std::string& text) {
    DrainProgress progress{.state = state, .unix_ns = now_ns_};
    progress.address = model::IpAddress::FromIpv4({10, 0, 1, 2});
    progress.places = {{.pool = "web", .backend = "web-2", .pinned_flows = 3}};
    progress.places[0].state = model::AdminState::kDraining;
    progress.text = text;
    return progress;
  }
  Ran Drain(std::vector<std::string> more) {
    std::vector<std::string> args = {"drain", "web-2", "--yes", "--wait"};
    args.insert(args.end(), more.begin(), more.end());
    return Run(args);
  }
  std::vector<nlohmann::json> Lines(const std::string& out) {
    std::vector<nlohmann::json> lines;
    std::istringstream in(out);
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("{\"")) lines.push_back(nlohmann::json::parse(line));
    }
    return lines;
  }

  int64_t now_ns_ = 1'772'366'700'000'000'000;
  bool interrupted_ = false;
  int watches_ = 0;
  engine::DrainQuery query_;
  std::vector<DrainProgress> script_;
};

TEST_F(DrainTest, AppliesThenWaitsAndSaysThatItIsSafe) {
  script_ = {Step(State::kDraining, "9 packets/s"), Step(State::kSafe, "safe to stop: nothing")};
  const Ran ran = Drain({"--pool", "web", "--quiet", "60s"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(daemon_.applied_requests.size(), 1u);
  EXPECT_EQ(query_.pool, "web");
  EXPECT_EQ(query_.backend, "web-2");
  EXPECT_EQ(query_.quiet, seconds(60));
  EXPECT_THAT(ran.err, HasSubstr("web-2: 9 packets/s"));
  EXPECT_THAT(ran.out, HasSubstr("web-2: safe to stop: nothing"));
}

TEST_F(DrainTest, WhatDrainsAlreadyIsOnlyWaitedFor) {
  Run({"drain", "web-2", "--yes"});
  script_ = {Step(State::kSafe, "safe to stop")};
  EXPECT_EQ(Drain({}).code, 0);
  EXPECT_EQ(daemon_.applied_requests.size(), 1u);
  EXPECT_EQ(watches_, 1);
}

TEST_F(DrainTest, WithoutWaitNobodyWaits) {
  EXPECT_EQ(Run({"drain", "web-2", "--yes"}).code, 0);
  EXPECT_EQ(watches_, 0);
}

TEST_F(DrainTest, ARefusedDrainIsNotWaitedFor) {
  for (const char* name : {"web-1", "web-3"}) Run({"drain", name, "--yes"});
  const int code = Drain({}).code;
  EXPECT_EQ(code, 3);
  EXPECT_EQ(watches_, 0);
}

TEST_F(DrainTest, TheTimeoutSaysWhatGoesOnAndThatItStaysDrained) {
  for (int i = 0; i < 90; ++i) script_.push_back(Step(State::kDraining, "3 connections idle"));
  const Ran ran = Drain({"--timeout", "30s"});
  EXPECT_EQ(ran.code, 7);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("not safe to stop after 30 s (--timeout): 3 connections"),
                             HasSubstr("web-2 stays drained"), HasSubstr("undrain web-2")));
  EXPECT_THAT(ran.out, Not(HasSubstr("safe to stop")));
  EXPECT_EQ(script_.size(), 60u);
}

TEST_F(DrainTest, AUserWhoStopsWaitingLeavesTheDrain) {
  script_ = {Step(State::kDraining, "3 connections idle"), Step(State::kDraining, "interrupt"),
             Step(State::kDraining, "3 connections idle")};
  const Ran ran = Drain({});
  EXPECT_EQ(ran.code, 7);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("not waiting any more"), HasSubstr("stays drained")));
}

TEST_F(DrainTest, AnEndThatIsNotSafeIsNoSuccess) {
  for (const State state : {State::kServing, State::kElsewhere}) {
    script_ = {Step(state, "serves pool api")};
    const Ran ran = Drain({});
    EXPECT_EQ(ran.code, 7);
    EXPECT_THAT(ran.out, HasSubstr("serves pool api"));
  }
  script_ = {Step(State::kQuiet, "quiet")};
  EXPECT_EQ(Drain({}).code, 0) << "that is what was asked";
}

TEST_F(DrainTest, ADaemonThatRestartsIsWaitedFor) {
  script_ = {Step(State::kDraining, "2 packets/s"), Step(State::kDraining, "break"),
             Step(State::kDraining, "break"), Step(State::kSafe, "safe to stop")};
  const Ran ran = Drain({});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(watches_, 3);
}

TEST_F(DrainTest, OneThatStaysAwayIsNot) {
  script_ = {Step(State::kDraining, "2 packets/s")};
  for (int i = 0; i < 200; ++i) script_.push_back(Step(State::kDraining, "break"));
  const Ran ran = Drain({});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("gone"), HasSubstr("stays drained")));
}

TEST_F(DrainTest, ABackendThatIsRemovedIsAnError) {
  script_ = {Step(State::kDraining, "2 packets/s")};
  const Ran ran = Drain({});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("not in pool web any more"));
}

TEST_F(DrainTest, InJsonEachReadingIsALineAndTheLastHasTheOutcome) {
  script_ = {Step(State::kDraining, "2 packets/s"), Step(State::kSafe, "safe to stop")};
  Ran ran = Drain({"-o", "json"});
  EXPECT_EQ(ran.code, 0);
  std::vector<nlohmann::json> lines = Lines(ran.out);
  ASSERT_EQ(lines.size(), 2u) << ran.out;
  EXPECT_EQ(lines[0].at("schema"), "evenkeel.drain/v1");
  EXPECT_EQ(lines[0].at("state"), "draining");
  EXPECT_TRUE(lines[0].at("outcome").is_null());
  EXPECT_EQ(lines[0].at("safe_to_stop"), false);
  EXPECT_EQ(lines[0].at("places").at(0).at("pinned_flows"), 3);
  EXPECT_TRUE(lines[0].at("places").at(0).at("idle_s").is_null());
  EXPECT_EQ(lines[1].at("outcome"), "safe");
  EXPECT_EQ(lines[1].at("safe_to_stop"), true);
  for (int i = 0; i < 9; ++i) script_.push_back(Step(State::kDraining, "2 packets/s"));
  ran = Drain({"-o", "json", "--timeout", "2s"});
  EXPECT_EQ(ran.code, 7);
  lines = Lines(ran.out);
  EXPECT_EQ(lines.back().at("outcome"), "timeout");
  EXPECT_EQ(lines.back().at("safe_to_stop"), false);
}

TEST_F(DrainTest, OnATerminalOneLineChanges) {
  env_.err_is_terminal = true;
  env_.no_color = true;
  env_.columns = 40;
  script_ = {Step(State::kDraining, std::string(200, 'x')), Step(State::kSafe, "safe to stop")};
  const Ran ran = Drain({"--timeout", "60s"});
  EXPECT_THAT(ran.err, HasSubstr("\r\x1b[KDraining web-2, 60 s left: xxx"));
  EXPECT_THAT(ran.err, Not(HasSubstr(std::string(40, 'x')))) << "it would wrap";
  EXPECT_TRUE(ran.err.ends_with("\r\x1b[K"));
}

TEST_F(DrainTest, OptionsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(Run({"drain", "web-2", "--yes", "--timeout", "5s"}).code, 1);
  EXPECT_EQ(Run({"drain", "web-2", "--yes", "--quiet", "5s"}).code, 1);
  EXPECT_EQ(Drain({"--timeout", "0s"}).code, 1);
  EXPECT_EQ(Drain({"--quiet", "25h"}).code, 1);
  EXPECT_EQ(Drain({"--validate-only"}).code, 1);
  EXPECT_EQ(Run({"undrain", "web-2", "--yes", "--wait", "--quiet", "5s"}).code, 1);
  EXPECT_TRUE(daemon_.applied_requests.empty());
}

}  // namespace
}  // namespace evenkeel::cli
