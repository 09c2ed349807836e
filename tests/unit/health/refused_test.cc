// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "scene.h"

namespace evenkeel::health::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Refused, IsHeldAndSeenAndTriedAgain) {
  Scene scene(Checked(6));
  scene.Fail({2});
  scene.Decide();
  scene.Refuse(2, "LB004: too much for the rest");
  EXPECT_THAT(scene.Out(), IsEmpty());
  EXPECT_THAT(scene.Held(), ElementsAre("2: refused"));
  EXPECT_EQ(scene.last().pools[0].held[0].reason, "LB004: too much for the rest");
  scene.Pass(9);
  EXPECT_THAT(scene.Out(), IsEmpty());
  scene.Pass(1);
  EXPECT_THAT(scene.Out(), ElementsAre(2));
}

TEST(Refused, IsNoRemoval) {
  Scene scene(Checked(6));
  scene.Fail({2});
  scene.Decide();
  scene.Refuse(2, "no");
  scene.Fail({3});
  EXPECT_THAT(scene.Out(), ElementsAre(3)) << "another may go instead";
  scene.Pass(10);
  EXPECT_THAT(scene.Held(), ElementsAre("2: rate"));
}

TEST(Refused, WaitsLongerEachTime) {
  Scene scene(Checked(6));
  scene.Fail({2});
  std::vector<int64_t> waits;
  for (int i = 0; i < 7; ++i) {
    ASSERT_THAT(scene.Out(), ElementsAre(2));
    scene.Refuse(2, "no");
    int64_t waited = 0;
    for (; scene.Out().empty(); ++waited) scene.Pass(1);
    waits.push_back(waited);
  }
  EXPECT_THAT(waits, ElementsAre(10, 20, 40, 80, 160, 300, 300));
}

TEST(Refused, IsAskedAnewAfterTheServerWasWell) {
  Scene scene(Checked(6));
  scene.Fail({2});
  scene.Decide();
  scene.Refuse(2, "no");
  scene.Pass(6);
  scene.Succeed({2});
  EXPECT_THAT(scene.Held(), IsEmpty());
  scene.Fail({2});
  EXPECT_THAT(scene.Out(), ElementsAre(2));
}

TEST(Refused, AReturnStaysOutAndIsSeen) {
  Scene scene(Checked(6));
  scene.Fail({2});
  scene.Decide();
  scene.Pass(10);
  scene.Succeed({2});
  EXPECT_THAT(scene.Out(), IsEmpty());
  scene.Refuse(2, "LB006: too many slots move");
  EXPECT_THAT(scene.Out(), ElementsAre(2));
  EXPECT_THAT(scene.Held(), ElementsAre("2: refused"));
  EXPECT_FALSE(scene.last().pools[0].held[0].in_table);
  scene.Pass(10);
  EXPECT_THAT(scene.Out(), IsEmpty());
  EXPECT_THAT(scene.Held(), IsEmpty());
}

TEST(Refused, TwiceIsOnce) {
  Scene scene(Checked(6));
  scene.Fail({2});
  scene.Decide();
  scene.Refuse(2, "no");
  scene.Refuse(2, "no");
  scene.Refuse(3, "was not asked");
  EXPECT_THAT(scene.Out(), IsEmpty());
}

TEST(Refused, DoesNotGoBelowTheMinimum) {
  model::Config config = Checked(4);
  config.pools[0].policy.min_serving_backends = 3;
  Scene scene(config);
  scene.Fail({1});
  EXPECT_THAT(scene.Out(), ElementsAre(1));
  scene.Pass(10);
  scene.Succeed({1});
  scene.Decide();
  scene.Refuse(1, "no");
  EXPECT_THAT(scene.Out(), ElementsAre(1));
  scene.Pass(60);
  scene.Decide();
  scene.Refuse(1, "no");
  scene.Fail({2});
  EXPECT_THAT(scene.Out(), ElementsAre(1));
  EXPECT_THAT(scene.Held(), ElementsAre("1: refused", "2: minimum"));
  EXPECT_EQ(scene.last().pools[0].held[1].reason, "at least 3 must serve");
}

}  // namespace
}  // namespace evenkeel::health::testing
