// SPDX-License-Identifier: Apache-2.0
//
// What the ids mean that a packet's notes have.
#include <gtest/gtest.h>

#include "tests/unit/publish/fixture.h"

namespace evenkeel::testing {
namespace {

class NamesTest : public PublishingTest {
 protected:
  // Of the active generation, as packets find it.
  publish::CounterNames::Vip NameOf(const dataplane::VipImage& vip) {
    return publisher_->Names().vips.at(vip.counter);
  }
};

TEST_F(NamesTest, OfAllThatPacketsMeet) {
  EXPECT_TRUE(publisher_->Names().vips.empty());
  const model::Config config = MakeConfig(2, 4);
  ASSERT_TRUE(Apply(config).ok());
  const publish::CounterNames names = publisher_->Names();
  EXPECT_EQ(names.vips.size(), config.vips.size());
  EXPECT_EQ(names.backends.size(), 8u);
  const dataplane::Snapshot active = Active();
  EXPECT_EQ(names.revisions.at(active.generation), 1u);
  for (const dataplane::VipImage& vip : active.image.vips) {
    const publish::CounterNames::Vip name = NameOf(vip);
    const auto table = kernel_.ReadTable(vip.table, vip.table_size);
    ASSERT_TRUE(table.ok());
    for (const dataplane::BackendImage& backend : table->backends) {
      const publish::CounterNames::Backend& its = names.backends.at(backend.counter);
      EXPECT_EQ(its.address, backend.address);
      EXPECT_EQ(its.pool, name.pool);
    }
  }
}

// Packets of the generation before may be on their way to somebody who reads their names.
TEST_F(NamesTest, OfWhatWasThereJustBefore) {
  model::Config config = MakeConfig(1, 5);
  ASSERT_TRUE(Apply(config).ok());
  const uint32_t before = Active().generation;
  const dataplane::VipImage vip = Active().image.vips[0];
  const uint32_t counter = kernel_.ReadTable(vip.table, vip.table_size)->backends[2].counter;
  config.pools[0].backends[2].state = model::AdminState::kDraining;
  config.pools[0].backends[1].name = "renamed";
  ASSERT_TRUE(Apply(config).ok());
  config.pools[0].backends[2].state = model::AdminState::kDisabled;
  ASSERT_TRUE(Apply(config).ok());
  const publish::CounterNames names = publisher_->Names();
  EXPECT_EQ(names.revisions.at(Active().generation), 3u);
  EXPECT_NE(Active().generation, before);
  EXPECT_EQ(names.backends.at(counter).address, config.pools[0].backends[2].address);
  int renamed = 0;
  for (const auto& [id, backend] : names.backends) renamed += backend.name == "renamed";
  EXPECT_EQ(renamed, 1) << "the names of now";
}

}  // namespace
}  // namespace evenkeel::testing
