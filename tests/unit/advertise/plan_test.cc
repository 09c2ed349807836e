// SPDX-License-Identifier: Apache-2.0
#include "control/advertise/plan.h"

#include <gmock/gmock.h>
#include <linux/rtnetlink.h>

#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::advertise {
namespace {

using ::testing::ElementsAre;
using testing::Ip;
using ::testing::IsEmpty;

const model::IpAddress kFour = Ip("192.0.2.10");
const model::IpAddress kOther = Ip("192.0.2.11");
const model::IpAddress kSix = Ip("2001:db8::10");

VipView Vip(const std::string& name, const model::IpAddress& address, Serving serving) {
  return {name, address, serving, serving == Serving::kYes ? "" : name + " is broken"};
}

struct JudgeCase {
  std::string name;
  std::vector<Serving> vips;  // of one address
  bool present;
  bool wanted;

  friend std::ostream& operator<<(std::ostream& out, const JudgeCase& v) { return out << v.name; }
};
class JudgeTest : public ::testing::TestWithParam<JudgeCase> {};

TEST_P(JudgeTest, OneAddress) {
  std::vector<VipView> vips;
  for (size_t i = 0; i < GetParam().vips.size(); ++i) {
    vips.push_back(Vip("v" + std::to_string(i), kFour, GetParam().vips[i]));
  }
  std::set<model::IpAddress> present = {kOther};  // says nothing about kFour
  if (GetParam().present) present.insert(kFour);
  const std::vector<Verdict> verdicts = Judge(vips, present);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].address, kFour);
  EXPECT_EQ(verdicts[0].wanted, GetParam().wanted);
}

constexpr auto kYes = Serving::kYes;
constexpr auto kUnknown = Serving::kUnknown;
constexpr auto kNo = Serving::kNo;
INSTANTIATE_TEST_SUITE_P(
    Cases, JudgeTest,
    ::testing::Values(JudgeCase{"serves", {kYes}, false, true},
                      JudgeCase{"serves_and_is_there", {kYes}, true, true},
                      JudgeCase{"does_not_serve", {kNo}, true, false},
                      JudgeCase{"unknown_stays", {kUnknown}, true, true},
                      JudgeCase{"unknown_is_not_added", {kUnknown}, false, false},
                      JudgeCase{"one_of_two_serves", {kNo, kYes}, false, true},
                      JudgeCase{"none_of_two", {kNo, kNo}, true, false},
                      JudgeCase{"one_of_two_unknown_stays", {kNo, kUnknown}, true, true},
                      JudgeCase{"one_of_two_unknown_is_not_added", {kUnknown, kNo}, false, false}),
    [](const auto& test) { return test.param.name; });

TEST(JudgeTest, AddressesInOrderWithVipsAndReasons) {
  const std::vector<Verdict> verdicts =
      Judge({Vip("six", kSix, kNo), Vip("web", kFour, kNo), Vip("dns", kFour, kYes),
             Vip("mail", kFour, kUnknown), Vip("other", kOther, kYes)},
            {});
  ASSERT_EQ(verdicts.size(), 3u);
  EXPECT_EQ(verdicts[0],
            (Verdict{kFour, true, {"dns"}, "web: web is broken; mail: mail is broken"}));
  EXPECT_EQ(verdicts[1], (Verdict{kOther, true, {"other"}, ""}));
  EXPECT_EQ(verdicts[2], (Verdict{kSix, false, {}, "six: six is broken"}));
}

TEST(JudgeTest, NothingWithoutVips) { EXPECT_THAT(Judge({}, {kFour}), IsEmpty()); }

const RouteOptions kOptions{.table = 150, .protocol = 150, .metric = 1024};

OwnRoute Made(const model::IpAddress& address) {
  return {address, static_cast<uint8_t>(address.is_ipv4() ? 32 : 128), RTN_BLACKHOLE, 1024};
}

TEST(CompareTest, AddsWhatIsMissingAndRemovesTheRest) {
  const Difference difference = Compare({kFour, kSix}, {Made(kSix), Made(kOther)}, kOptions);
  EXPECT_THAT(difference.add, ElementsAre(kFour));
  EXPECT_THAT(difference.remove, ElementsAre(Made(kOther)));
  EXPECT_TRUE(Compare({kFour}, {Made(kFour)}, kOptions).empty());
}

// After a change of the settings, or where somebody used our protocol: it is made as it should be,
// and what is not so goes.
TEST(CompareTest, ReplacesWhatIsNotAsMade) {
  OwnRoute metric = Made(kFour), type = Made(kFour), length = Made(kFour);
  metric.metric = 7;
  type.type = RTN_UNICAST;
  length.length = 24;
  for (const OwnRoute& odd : {metric, type, length}) {
    EXPECT_FALSE(IsAsMade(odd, kOptions));
    const Difference difference = Compare({kFour}, {odd}, kOptions);
    EXPECT_THAT(difference.add, ElementsAre(kFour));
    EXPECT_THAT(difference.remove, ElementsAre(odd));
    // Beside the right one: that stays.
    const Difference beside = Compare({kFour}, {odd, Made(kFour)}, kOptions);
    EXPECT_THAT(beside.add, IsEmpty());
    EXPECT_THAT(beside.remove, ElementsAre(odd));
  }
  EXPECT_TRUE(IsAsMade(Made(kFour), kOptions));
  EXPECT_TRUE(IsAsMade(Made(kSix), kOptions));
}

TEST(DestinationTest, HasTheFullLength) {
  EXPECT_EQ(Destination(kFour), "192.0.2.10/32");
  EXPECT_EQ(Destination(kSix), "2001:db8::10/128");
}

}  // namespace
}  // namespace evenkeel::advertise
