// SPDX-License-Identifier: Apache-2.0
#include "control/health/past.h"

#include <gmock/gmock.h>

#include "scene.h"

namespace evenkeel::health::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kNow = kUnixStart;
constexpr int64_t kDay = 24 * 3600;

model::IpAddress Server(int number) {
  return model::IpAddress::FromIpv4({10, 0, 0, static_cast<uint8_t>(number)});
}

// "out" and "back" of server 1, so many seconds before now, in the order of the record.
struct Recorded {
  bool out;
  int64_t ago;
};
constexpr bool kWent = true, kCame = false;

std::vector<Move> MovesOf(const std::vector<Recorded>& recorded) {
  std::vector<Move> moves;
  for (const Recorded& r : recorded) {
    moves.push_back({"web", Server(1), r.out, kNow - r.ago * kSecond});
  }
  return moves;
}

struct PastCase {
  const char* name;
  std::vector<Recorded> recorded;
  int64_t next_hold;  // seconds, if it fails now
  int64_t hold_left;
  size_t removals;
};

class RecallTest : public ::testing::TestWithParam<PastCase> {};

TEST_P(RecallTest, GoesOnFromThere) {
  const PastCase& c = GetParam();
  Past past = Recall(MovesOf(c.recorded), {}, kNow);
  ASSERT_THAT(past, SizeIs(1));
  ASSERT_TRUE(past["web"].servers.contains(Server(1)));
  PoolPast::Server server = past["web"].servers.at(Server(1));
  EXPECT_EQ(server.hold_left_ns, c.hold_left * kSecond);
  EXPECT_EQ(server.flaps.Fall(), c.next_hold * kSecond);
  EXPECT_THAT(past["web"].removals, SizeIs(c.removals));
}

INSTANTIATE_TEST_SUITE_P(
    Past, RecallTest,
    ::testing::Values(
        PastCase{"out_now", {{kWent, 0}}, 10, 5, 1},
        PastCase{"out_just_now", {{kWent, 2}}, 10, 3, 1},
        PastCase{"out_for_long", {{kWent, 1000}}, 10, 0, 0},
        PastCase{"out_for_a_minute", {{kWent, 60}}, 10, 0, 0},
        PastCase{"back", {{kWent, 30}, {kCame, 20}}, 10, 0, 1},
        PastCase{"back_for_a_window", {{kWent, 700}, {kCame, 600}}, 5, 0, 0},
        PastCase{"out_again", {{kWent, 30}, {kCame, 20}, {kWent, 4}}, 20, 6, 2},
        PastCase{"out_again_after_a_window", {{kWent, 700}, {kCame, 650}, {kWent, 1}}, 10, 4, 1},
        PastCase{"up_for_less_than_a_window", {{kWent, 600}, {kCame, 595}, {kWent, 1}}, 20, 9, 1},
        PastCase{"down_is_no_rest", {{kWent, 5000}, {kCame, 10}}, 10, 0, 0},
        PastCase{"said_twice", {{kWent, 30}, {kWent, 20}, {kCame, 10}, {kCame, 5}}, 10, 0, 1},
        PastCase{"back_from_before_the_record", {{kCame, 50}, {kWent, 1}}, 10, 4, 1},
        PastCase{"at_most_the_maximum",
                 {{kWent, 900},
                  {kCame, 800},
                  {kWent, 790},
                  {kCame, 700},
                  {kWent, 690},
                  {kCame, 600},
                  {kWent, 590},
                  {kCame, 500},
                  {kWent, 490},
                  {kCame, 400},
                  {kWent, 390},
                  {kCame, 300},
                  {kWent, 290},
                  {kCame, 200},
                  {kWent, 100}},
                 300,
                 200,
                 0},
        // The clock was set: back by an hour after the last, or between two; on by a day.
        PastCase{"in_the_future", {{kWent, -3600}}, 10, 5, 1},
        PastCase{"back_in_the_future", {{kWent, -3600}, {kCame, -3590}}, 10, 0, 1},
        PastCase{"set_back_between", {{kWent, -3600}, {kCame, -3500}, {kWent, 1}}, 20, 9, 2},
        PastCase{"set_on_after", {{kWent, kDay}}, 10, 0, 0},
        PastCase{"set_on_between", {{kWent, kDay}, {kCame, kDay - 9}, {kWent, 1}}, 10, 4, 1}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Recall, KnowsNothingOfThoseThatNeverWent) {
  EXPECT_THAT(Recall({}, {}, kNow), IsEmpty());
  EXPECT_THAT(Recall(MovesOf({{kCame, 10}}), {}, kNow), IsEmpty());
}

TEST(Recall, TellsServersAndPoolsApart) {
  const std::vector<Move> moves = {{"web", Server(1), true, kNow - 30 * kSecond},
                                   {"api", Server(1), true, kNow - 20 * kSecond},
                                   {"web", Server(1), false, kNow - 15 * kSecond},
                                   {"web", Server(2), true, kNow - 10 * kSecond}};
  Past past = Recall(moves, {}, kNow);
  ASSERT_THAT(past, SizeIs(2));
  EXPECT_THAT(past["web"].servers, SizeIs(2));
  EXPECT_THAT(past["api"].servers, SizeIs(1));
  ASSERT_THAT(past["web"].removals, SizeIs(2));
  EXPECT_EQ(past["web"].removals[1].server, Server(2));
  EXPECT_EQ(past["web"].removals[1].ago_ns, 10 * kSecond);
}

// What a monitor does with it.
class RememberTest : public ::testing::Test {
 protected:
  void Remember(const std::vector<std::pair<int, Recorded>>& recorded) {
    std::vector<Move> moves;
    for (const auto& [server, r] : recorded) {
      moves.push_back(
          {"web", scene_.Address(server), r.out, scene_.now().unix_ns - r.ago * kSecond});
    }
    moves.push_back({"gone", scene_.Address(1), true, scene_.now().unix_ns});
    scene_.monitor().Remember(moves, scene_.now());
  }

  Scene scene_{Checked(20)};
};

TEST_F(RememberTest, AHoldGoesOnAndTheNextOneIsLonger) {
  scene_.monitor().Seed({{"web", {scene_.Address(1)}}}, scene_.now());
  Remember({{1, {kWent, 100}}, {1, {kCame, 90}}, {1, {kWent, 4}}});
  scene_.Succeed({1});
  EXPECT_THAT(scene_.Out(), ElementsAre(1));
  EXPECT_THAT(scene_.Transitions().back(),
              "1 down -> recovering: 2 probes succeeded, held down for 10 s");
  scene_.Pass(5);
  EXPECT_THAT(scene_.Out(), ElementsAre(1));
  scene_.Pass(1);
  EXPECT_THAT(scene_.Out(), IsEmpty());
  scene_.Fail({1});
  scene_.Succeed({1});
  EXPECT_THAT(scene_.Out(), ElementsAre(1));
  EXPECT_THAT(scene_.Transitions().back(),
              "1 down -> recovering: 2 probes succeeded, held down for 20 s");
}

TEST_F(RememberTest, WhoIsBackAndFailsAtOnceIsHeldForLonger) {
  Remember({{1, {kWent, 100}}, {1, {kCame, 90}}});
  scene_.Fail({1});
  scene_.Succeed({1});
  scene_.Pass(9);
  EXPECT_THAT(scene_.Out(), ElementsAre(1));
  scene_.Pass(1);
  EXPECT_THAT(scene_.Out(), IsEmpty());
}

TEST_F(RememberTest, RemovalsOfTheLastMinuteCount) {
  Remember({{1, {kWent, 50}}, {2, {kWent, 40}}, {1, {kCame, 30}}, {2, {kCame, 20}}});
  scene_.Fail({3, 4});
  EXPECT_THAT(scene_.Out(), IsEmpty());
  EXPECT_THAT(scene_.Held(), ElementsAre("3: rate", "4: rate"));
  scene_.Pass(10);
  EXPECT_THAT(scene_.Out(), ElementsAre(3));
  scene_.Pass(10);
  EXPECT_THAT(scene_.Out(), ElementsAre(3, 4));
}

TEST_F(RememberTest, AClockThatWasSetBackCostsAMinute) {
  Remember({{1, {kWent, -86400}}, {2, {kWent, -86400}}});
  scene_.Fail({3});
  EXPECT_THAT(scene_.Out(), IsEmpty());
  scene_.Pass(60);
  EXPECT_THAT(scene_.Out(), ElementsAre(3));
}

}  // namespace
}  // namespace evenkeel::health::testing
