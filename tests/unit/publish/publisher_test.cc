// SPDX-License-Identifier: Apache-2.0
#include "control/publish/publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <thread>

#include "tests/unit/publish/fixture.h"

namespace evenkeel::testing {
namespace {

using publish::AdoptReport;
using publish::Publisher;
using ::testing::HasSubstr;

class PublisherTest : public PublishingTest {
 protected:
  // Of the first VIP's table: those with a previous owner.
  auto MovingSlots() {
    const auto table = kernel_.ReadTable(Active().image.vips[0].table, 1009);
    return std::count_if(table->slots.begin(), table->slots.end(), [](uint32_t slot) {
      return EK_SLOT_PREVIOUS(slot) != 0 && EK_SLOT_PREVIOUS(slot) != EK_SLOT_OWNER(slot);
    });
  }
};

TEST_F(PublisherTest, PublishesWhatWasApproved) {
  auto result = Apply(MakeConfig(2, 4));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tables_staged, 2u);
  EXPECT_GE(result->probes, 8u);
  EXPECT_EQ(publisher_->ReadKernelState()->digest.ToHex(), publisher_->applied()->digest.ToHex());
  EXPECT_EQ(Active().image.info.revision, 1u);
}

TEST_F(PublisherTest, OtherPoolsKeepTheirTables) {
  model::Config config = MakeConfig(3, 4);
  ASSERT_TRUE(Apply(config).ok());
  const auto before = Active().image.vips;
  config.pools[1].backends[0].weight = 50;
  auto result = Apply(config);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tables_staged, 1u);
  const auto after = Active().image.vips;
  EXPECT_EQ(before[0].table, after[0].table);
  EXPECT_NE(before[1].table, after[1].table);
  EXPECT_EQ(before[2].table, after[2].table);
}

TEST_F(PublisherTest, DrainingBackendsKeepAnEntryDisabledOnesDoNot) {
  model::Config config = MakeConfig(1, 5);
  ASSERT_TRUE(Apply(config).ok());
  config.pools[0].backends[2].state = model::AdminState::kDraining;
  ASSERT_TRUE(Apply(config).ok());
  auto table = kernel_.ReadTable(Active().image.vips[0].table, 1009);
  EXPECT_EQ(table->backends[2].address, config.pools[0].backends[2].address);
  for (const uint32_t slot : table->slots) EXPECT_NE(EK_SLOT_OWNER(slot), 3);
  config.pools[0].backends[2].state = model::AdminState::kDisabled;
  auto result = Apply(config);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tables_staged, 1u) << "its entry goes, though no slot changes";
  table = kernel_.ReadTable(Active().image.vips[0].table, 1009);
  EXPECT_EQ(table->backends[2].method, EK_METHOD_NONE);
}

TEST_F(PublisherTest, RefusesAnApprovalJudgedAgainstAnotherState) {
  model::Config config = MakeConfig(1, 4);
  ASSERT_TRUE(Apply(config).ok());
  config.pools[0].backends[0].weight = 90;
  const Judged stale = Judge(config, publisher_->applied());
  const Judged bootstrap = Judge(config, nullptr);
  config.pools[0].backends[0].weight = 80;
  ASSERT_TRUE(Apply(config).ok());
  const std::string before = kernel_.Dump();
  EXPECT_TRUE(absl::IsAborted(publisher_->Publish(*stale.approval, 9).status()));
  EXPECT_TRUE(absl::IsAborted(publisher_->Publish(*bootstrap.approval, 9).status()));
  EXPECT_EQ(kernel_.Dump(), before);
  EXPECT_TRUE(publisher_->Restore(*bootstrap.approval, 9).ok());
}

TEST_F(PublisherTest, ADamagedTableIsNotPublished) {
  model::Config config = MakeConfig(2, 4);
  ASSERT_TRUE(Apply(config).ok());
  const std::string before = kernel_.Dump();
  config.pools[1].backends[0].weight = 50;
  kernel_.CorruptNextTable();
  auto result = Apply(config);
  EXPECT_TRUE(absl::IsDataLoss(result.status())) << result.status();
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("pool p1"));
  EXPECT_EQ(kernel_.Dump(), before);
  EXPECT_TRUE(Apply(config).ok());
}

TEST_F(PublisherTest, AnotherHashKeyInTheKernelIsFoundByTheProbes) {
  maglev::HashKey other = kTestKey;
  other[0] ^= 1;
  FakeDataPlane kernel(other);
  Publisher publisher(&kernel, &resolver_, kTestKey);
  ASSERT_TRUE(publisher.Adopt(nullptr).ok());
  const std::string before = kernel.Dump();
  const Judged judged = Judge(MakeConfig(1, 5), nullptr);
  auto result = publisher.Publish(*judged.approval, 1);
  EXPECT_TRUE(absl::IsInternal(result.status())) << result.status();
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("synthetic packet for VIP"));
  EXPECT_EQ(kernel.Dump(), before);
}

TEST_F(PublisherTest, UnreachableBackendsArePublishedAndNamed) {
  model::Config config = MakeConfig(1, 4);
  const model::IpAddress dead = config.pools[0].backends[1].address;
  resolver_.SetUnreachable(dead, "no answer from 10.0.0.2 on eth0");
  auto result = Apply(config);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->unreachable.size(), 1u);
  EXPECT_EQ(result->unreachable[0].address, dead);
  EXPECT_EQ(result->unreachable[0].problem, "no answer from 10.0.0.2 on eth0");
  const uint32_t table = Active().image.vips[0].table;
  EXPECT_FALSE(kernel_.ReadTable(table, 1009)->backends[1].next_hop);
  resolver_.SetReachable(dead);
  ASSERT_TRUE(publisher_->UpdateNextHop(resolver_.Get(dead)).ok());
  EXPECT_TRUE(kernel_.ReadTable(table, 1009)->backends[1].next_hop);
  config.pools[0].backends[0].weight = 90;
  EXPECT_TRUE(Apply(config)->unreachable.empty());
}

TEST_F(PublisherTest, L2BackendsBehindAGatewayAreUnreachable) {
  model::Config config = MakeConfig(2, 4);
  config.pools[0].forwarding = model::Forwarding::kL2;
  const model::IpAddress address = config.pools[0].backends[3].address;
  config.pools[1].backends[3].address = address;
  resolver_.SetGateway(address, Ip("10.0.0.254"));
  auto result = Apply(config);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->unreachable.size(), 1u);
  EXPECT_THAT(result->unreachable[0].problem, HasSubstr("behind gateway 10.0.0.254"));
  ASSERT_TRUE(publisher_->UpdateNextHop(resolver_.Get(address)).ok());
  for (const auto& vip : Active().image.vips) {
    const auto table = kernel_.ReadTable(vip.table, 1009);
    for (const auto& backend : table->backends) {
      if (backend.address != address) continue;
      EXPECT_EQ(backend.next_hop.has_value(), backend.method == EK_METHOD_IPIP4);
    }
  }
}

TEST_F(PublisherTest, ServerIdsFollowTheirBackends) {
  model::Config config = MakeConfig(1, 5);
  config.vips[0].protocol = model::Protocol::kQuic;
  config.pools[0].quic = model::QuicIds{.config_id = 3, .server_id_length = 2};
  for (size_t i = 0; i < 5; ++i) {
    config.pools[0].backends[i].server_id = "0a0" + std::to_string(i);
  }
  ASSERT_TRUE(Apply(config).ok());
  const auto ids = [&] {
    return kernel_.ReadTable(Active().image.vips[0].table, 1009)->server_ids;
  };
  ASSERT_EQ(ids().entries.size(), 5u);
  EXPECT_EQ(ids().config_id, 3);
  EXPECT_EQ(ids().entries[4].id, 0x0a04u);
  EXPECT_EQ(ids().entries[4].backend, 5);
  // Draining ones keep their connections, disabled ones have none.
  config.pools[0].backends[4].state = model::AdminState::kDraining;
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_EQ(ids().entries.size(), 5u);
  config.pools[0].backends[4].state = model::AdminState::kDisabled;
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_EQ(ids().entries.size(), 4u);
  EXPECT_EQ(publisher_->ReadKernelState()->digest.ToHex(), publisher_->applied()->digest.ToHex());
  // Who has an id is part of the state, although no slot changes.
  config.pools[0].backends[0].server_id = "0b00";
  auto result = Apply(config);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tables_staged, 1u);
  EXPECT_EQ(ids().entries[3].id, 0x0b00u);
  const auto fleet = publisher_->applied();
  publisher_.reset();
  EXPECT_EQ(Start(fleet).state, AdoptReport::State::kMatches);
}

// Options of a VIP need no new table, and are proven with packets all the same.
TEST_F(PublisherTest, ATreatmentChangesWithoutATable) {
  model::Config config = MakeConfig(2, 4);
  ASSERT_TRUE(Apply(config).ok());
  config.pools[1].dscp.value = 46;
  auto result = Apply(config);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tables_staged, 0u);
  EXPECT_GE(result->probes, 4u);
  EXPECT_EQ(Active().image.vips[0].flags, 0u);
  EXPECT_EQ(Active().image.vips[1].flags, EK_VIP_WITH_DSCP(46));
  EXPECT_EQ(publisher_->ReadKernelState()->digest.ToHex(), publisher_->applied()->digest.ToHex());
  // A daemon whose applied state says otherwise notices.
  publisher_.reset();
  const AdoptReport report = Start(Judge(MakeConfig(2, 4), nullptr).fleet);
  EXPECT_EQ(report.state, AdoptReport::State::kDiffers);
}

TEST_F(PublisherTest, CountersGoOnAcrossTables) {
  model::Config config = MakeConfig(1, 4);
  ASSERT_TRUE(Apply(config).ok());
  const auto vip = Active().image.vips[0];
  const auto backend = kernel_.ReadTable(vip.table, 1009)->backends[3];
  kernel_.SetVipCounter(vip.counter, {.packets = 11, .bytes = 0, .new_flows = 0, .drops = 0});
  kernel_.SetBackendCounter(backend.counter,
                            {.packets = 7, .bytes = 0, .new_flows = 0, .drops = 0});
  for (const int weight : {90, 80, 70}) {
    config.pools[0].backends[0].weight = weight;
    ASSERT_TRUE(Apply(config).ok());
    publisher_->Settle();
  }
  auto report = publisher_->ReadCounters();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->vips[0].counter.packets, 11u);
  EXPECT_EQ(report->backends[3].counter.packets, 7u);
  EXPECT_EQ(report->backends[3].backend, "p0-3");
  EXPECT_EQ(report->verdicts.size(), static_cast<size_t>(EK_VERDICT_COUNT));
}

TEST_F(PublisherTest, AReusedCounterStartsAtZero) {
  model::Config config = MakeConfig(1, 5);
  ASSERT_TRUE(Apply(config).ok());
  const auto backend = kernel_.ReadTable(Active().image.vips[0].table, 1009)->backends[4];
  kernel_.SetBackendCounter(backend.counter,
                            {.packets = 7, .bytes = 0, .new_flows = 0, .drops = 0});
  config.pools[0].backends.pop_back();
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_EQ(kernel_.ReadCounters()->backends[backend.counter].packets, 7u)
      << "the former generation still counts there";
  for (const int weight : {90, 80}) {
    config.pools[0].backends[0].weight = weight;
    ASSERT_TRUE(Apply(config).ok());
  }
  publisher_->Settle();
  EXPECT_EQ(kernel_.ReadCounters()->backends[backend.counter].packets, 0u);
}

TEST_F(PublisherTest, ReleasesAllButTheFormerGeneration) {
  model::Config config = MakeConfig(2, 4);
  for (const int weight : {100, 90, 80, 70, 60}) {
    config.pools[0].backends[0].weight = weight;
    ASSERT_TRUE(Apply(config).ok());
  }
  publisher_->Settle();
  EXPECT_EQ(kernel_.ListTables()->size(), 3u) << "p0 now and before, p1";
  int generations = 0;
  for (uint32_t i = 0; i < EK_MAX_GENERATIONS; ++i) generations += kernel_.ReadGeneration(i).ok();
  EXPECT_EQ(generations, 2);
  EXPECT_EQ(kernel_.early_drops(), 0u) << "only after a grace period";
}

TEST_F(PublisherTest, GivesUpTheFormerGenerationWhenIdsAreScarce) {
  // 16 table ids, 9 pools: a second set fits only in place of the first.
  model::Config config = MakeConfig(6, 4);
  ASSERT_TRUE(Apply(config).ok());
  for (const int weight : {90, 80, 70, 60}) {
    for (model::Pool& pool : config.pools) pool.backends[0].weight = weight;
    auto result = Apply(config);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->tables_staged, 6u);
  }
}

class FollowTest : public PublisherTest {
 protected:
  // Some updates later, when no generation has it any more.
  void ExpectUnfollowed(const model::IpAddress& gone, model::Config config) {
    for (const int weight : {90, 80, 70}) {
      config.pools[0].backends[0].weight = weight;
      ASSERT_TRUE(Apply(config).ok());
      publisher_->Settle();
    }
    for (int i = 0; i < 200 && resolver_.followed().contains(gone); ++i) {
      resolver_.WaitResolved(std::chrono::milliseconds{10});
    }
    EXPECT_FALSE(resolver_.followed().contains(gone));
  }
};

TEST_F(FollowTest, UnfollowsRemovedBackends) {
  model::Config config = MakeConfig(1, 5);
  ASSERT_TRUE(Apply(config).ok());
  const model::IpAddress gone = config.pools[0].backends[4].address;
  EXPECT_TRUE(resolver_.followed().contains(gone));
  config.pools[0].backends.pop_back();
  ExpectUnfollowed(gone, config);
}

TEST_F(FollowTest, FollowsWhomItIsToldToThoughTheyAreInNoTable) {
  model::Config config = MakeConfig(1, 6);
  ASSERT_TRUE(Apply(config).ok());
  const model::IpAddress kept = config.pools[0].backends[5].address;
  const model::IpAddress fresh = Ip("10.200.0.1");
  ASSERT_TRUE(publisher_->KeepFollowing({kept, fresh}).ok());
  EXPECT_TRUE(resolver_.followed().contains(fresh));
  const model::IpAddress gone = config.pools[0].backends[4].address;
  config.pools[0].backends.pop_back();
  ASSERT_TRUE(Apply(config).ok());
  config.pools[0].backends.pop_back();
  ExpectUnfollowed(gone, config);
  EXPECT_TRUE(resolver_.followed().contains(kept));
  EXPECT_TRUE(resolver_.followed().contains(fresh));
}

// Tables that take long to sweep do so one by one: an update does not wait for all of them.
TEST_F(PublisherTest, AnUpdateGoesBetweenTwoTablesOfASweep) {
  publisher_ = std::make_unique<Publisher>(&kernel_, &resolver_, kTestKey, publish::FlowTimeouts{},
                                           std::chrono::hours(1));
  ASSERT_TRUE(publisher_->Adopt(nullptr).ok());
  model::Config config = MakeConfig(3, 4);
  ASSERT_TRUE(Apply(config).ok());
  for (model::Pool& pool : config.pools) pool.backends[0].weight = 90;
  ASSERT_TRUE(Apply(config).ok());  // slots of all three move
  publisher_->Settle();

  config.pools[0].backends[0].weight = 80;
  std::thread update;
  std::vector<uint64_t> revisions;  // when each table is swept
  kernel_.OnTakeSlots([&] {
    revisions.push_back(Active().image.info.revision);
    if (revisions.size() > 1) return;
    update = std::thread([&] { EXPECT_TRUE(Apply(config).ok()); });
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  });
  ASSERT_TRUE(publisher_->SweepOnce().ok());
  update.join();
  kernel_.OnTakeSlots(nullptr);
  // Three active tables, and p0's former one.
  EXPECT_THAT(revisions, ::testing::IsSupersetOf({2u, 3u, 3u}))
      << "the update came before the rest";
  EXPECT_THAT(publisher_->Tracking().pools, ::testing::SizeIs(3));
}

// Who asks right after an update or a restart is not told that nothing moves.
TEST_F(PublisherTest, SlotsThatMoveAreKnownBeforeTheFirstSweep) {
  const auto make = [&] {
    publisher_ = std::make_unique<Publisher>(&kernel_, &resolver_, kTestKey,
                                             publish::FlowTimeouts{}, std::chrono::hours(1));
    ASSERT_TRUE(publisher_->Adopt(nullptr).ok());
  };
  const auto moving = [&] {
    const auto pools = publisher_->Tracking().pools;
    return pools.empty() ? 0u : pools.front().moving;
  };
  make();
  model::Config config = MakeConfig(1, 4);
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_EQ(moving(), 0u);
  config.pools[0].backends[0].weight = 90;
  ASSERT_TRUE(Apply(config).ok());
  ASSERT_GT(MovingSlots(), 0);
  EXPECT_EQ(moving(), MovingSlots());
  make();
  EXPECT_EQ(moving(), MovingSlots());
}

// What used the previous owner through a table that is replaced during a sweep counts.
TEST_F(PublisherTest, ATableReplacedDuringASweepIsReadBeforeItsSuccessor) {
  const publish::FlowTimeouts timeouts{.idle = 10, .opening = 5, .closing = 5};
  publisher_ =
      std::make_unique<Publisher>(&kernel_, &resolver_, kTestKey, timeouts, std::chrono::hours(1));
  ASSERT_TRUE(publisher_->Adopt(nullptr).ok());
  model::Config config = MakeConfig(1, 4);
  ASSERT_TRUE(Apply(config).ok());
  config.pools[0].backends[0].weight = 90;
  ASSERT_TRUE(Apply(config).ok());
  ASSERT_TRUE(publisher_->SweepOnce().ok());
  const auto before = MovingSlots();
  ASSERT_GT(before, 0);
  // Old connections are alive until the table is replaced, and quiet for a moment.
  kernel_.Advance(timeouts.idle);
  for (uint16_t port = 1; port < 20000; ++port) {
    kernel_.Deliver({.source = Ip("198.51.100.1"),
                     .destination = Ip("192.0.2.1"),
                     .source_port = port,
                     .destination_port = 443,
                     .ip_protocol = IPPROTO_TCP});
  }
  config.pools[0].backends[1].weight = 95;
  ASSERT_TRUE(Apply(config).ok());
  ASSERT_TRUE(publisher_->SweepOnce().ok());
  EXPECT_GE(MovingSlots(), before) << "no slot whose previous owner is in use was closed";
}

// Moved, moved back and moved again between two sweeps: flows that were the owner's in between, and
// so left no trace, keep the slots from closing.
TEST_F(PublisherTest, AMoveBackThatNoSweepSawIsNotForgotten) {
  const publish::FlowTimeouts timeouts{.idle = 10, .opening = 5, .closing = 5};
  publisher_ =
      std::make_unique<Publisher>(&kernel_, &resolver_, kTestKey, timeouts, std::chrono::hours(1));
  ASSERT_TRUE(publisher_->Adopt(nullptr).ok());
  model::Config one = MakeConfig(1, 4), other = one;
  other.pools[0].backends[0].weight = 90;
  ASSERT_TRUE(Apply(one).ok());
  ASSERT_TRUE(Apply(other).ok());
  ASSERT_TRUE(publisher_->SweepOnce().ok());
  const auto before = MovingSlots();
  ASSERT_GT(before, 0);
  kernel_.Advance(3);
  ASSERT_TRUE(Apply(one).ok());
  EXPECT_EQ(MovingSlots(), 0);
  kernel_.Advance(5);
  ASSERT_TRUE(Apply(other).ok());
  EXPECT_EQ(MovingSlots(), before);
  kernel_.Advance(3);
  ASSERT_TRUE(publisher_->SweepOnce().ok());
  EXPECT_EQ(MovingSlots(), before) << "in use 3 units ago";
  kernel_.Advance(timeouts.idle);
  ASSERT_TRUE(publisher_->SweepOnce().ok());
  EXPECT_EQ(MovingSlots(), 0);
}

TEST_F(PublisherTest, AdoptsWhatMatches) {
  model::Config config = MakeConfig(2, 5);
  ASSERT_TRUE(Apply(config).ok());
  config.pools[0].backends[0].weight = 90;
  ASSERT_TRUE(Apply(config).ok());
  const auto fleet = publisher_->applied();
  const auto before = Active().image.vips;
  publisher_.reset();
  const AdoptReport report = Start(fleet);
  EXPECT_EQ(report.state, AdoptReport::State::kMatches);
  EXPECT_EQ(report.revision, 2u);
  EXPECT_THAT(report.message, HasSubstr("matches the applied state"));
  EXPECT_EQ(kernel_.ListTables()->size(), 2u) << "the former generation's are dropped";
  EXPECT_EQ(publisher_->applied(), fleet);
  config.pools[0].backends[0].weight = 80;
  auto result = Apply(config);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tables_staged, 1u);
  EXPECT_EQ(Active().image.vips[1].table, before[1].table);
  EXPECT_EQ(Active().image.vips[0].counter, before[0].counter);
}

TEST_F(PublisherTest, ReportsAKernelThatDiffersAndRestoresTheIntent) {
  model::Config config = MakeConfig(2, 4);
  ASSERT_TRUE(Apply(config).ok());
  publisher_.reset();
  config.pools[0].backends[0].weight = 50;
  const Judged other = Judge(config, nullptr);
  const AdoptReport report = Start(other.fleet);
  EXPECT_EQ(report.state, AdoptReport::State::kDiffers);
  EXPECT_THAT(report.message, HasSubstr("differs from the applied state"));
  EXPECT_EQ(publisher_->applied(), nullptr);
  auto result = publisher_->Restore(*other.approval, 7);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tables_staged, 1u) << "the other pool's table is the right one";
  EXPECT_EQ(publisher_->ReadKernelState()->digest.ToHex(), other.fleet->digest.ToHex());
}

// They own no slot, so that the digest does not tell.
TEST_F(PublisherTest, OtherDrainingBackendsAreADifferenceToo) {
  model::Config config = MakeConfig(2, 4);
  config.pools[0].backends[3].state = model::AdminState::kDisabled;
  ASSERT_TRUE(Apply(config).ok());
  publisher_.reset();
  config.pools[0].backends[3].state = model::AdminState::kDraining;
  const Judged draining = Judge(config, nullptr);
  const AdoptReport report = Start(draining.fleet);
  EXPECT_EQ(report.kernel_digest, draining.fleet->digest);
  EXPECT_EQ(report.state, AdoptReport::State::kDiffers);
  EXPECT_THAT(report.message, HasSubstr("other draining backends"));
  auto result = publisher_->Restore(*draining.approval, 7);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tables_staged, 1u);
}

TEST_F(PublisherTest, AdoptsWithoutAnyKnownIntent) {
  ASSERT_TRUE(Apply(MakeConfig(2, 4)).ok());
  publisher_.reset();
  const AdoptReport report = Start(nullptr);
  EXPECT_EQ(report.state, AdoptReport::State::kDiffers);
  EXPECT_THAT(report.message, HasSubstr("no applied state is known"));
  const Judged judged = Judge(MakeConfig(2, 4), nullptr);
  EXPECT_TRUE(publisher_->Restore(*judged.approval, 3).ok());
}

TEST_F(PublisherTest, AnEmptyKernelIsSaidToBe) {
  publisher_.reset();
  const AdoptReport report = Start(Judge(MakeConfig(1, 4), nullptr).fleet);
  EXPECT_EQ(report.state, AdoptReport::State::kEmpty);
  EXPECT_EQ(report.message, "kernel forwards nothing yet");
  EXPECT_TRUE(absl::IsNotFound(publisher_->ReadKernelState().status()));
}

}  // namespace
}  // namespace evenkeel::testing
