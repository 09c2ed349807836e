// SPDX-License-Identifier: Apache-2.0
//
// The storm's checker finds each fault that it is there for.
#include <gtest/gtest.h>

#include <functional>

#include "tests/harness/prog_runner/prog_runner.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/kernel/storm/traffic.h"

namespace evenkeel::testing {
namespace {

constexpr uint32_t kGeneration = 1000;

// What arrives for packet `seq`, from backend `number`.
Bytes Arrival(uint64_t seq, uint32_t number, uint32_t published = kGeneration) {
  const auto kind = static_cast<storm_kind>(seq % STORM_KINDS);
  const Packet packet = StormPacket(kind, static_cast<uint32_t>(seq / STORM_KINDS % STORM_FLOWS));
  Bytes frame = ExpectedFrame(Build(packet), StormBackend(kind, number), StormHash(packet));
  const storm_tail tail = {.seq = seq, .published = published, .pad = 0};
  std::memcpy(&frame[frame.size() - sizeof(tail)], &tail, sizeof(tail));
  return frame;
}

class StormCheckerTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    programs_ = std::make_unique<StormPrograms>();
    // Backends 995 and 996 before the generation, 997 and 998 from it on.
    for (uint32_t n = kGeneration - 2; n <= kGeneration + 2; ++n) {
      StormOwners owners;
      owners.fill(n < kGeneration ? storm_owner{995, 996} : storm_owner{997, 998});
      programs_->SetOwners(n, owners);
    }
    programs_->SetBegun(kGeneration);
  }

  void Arrive(const Bytes& frame) {
    const RunResult result = RunProgram(programs_->checker(), frame);
    ASSERT_EQ(result.error, 0);
    ASSERT_EQ(result.action, 1u /* XDP_DROP */);
  }

  // Four packets from `seq` on, by generation or backend number.
  void ArriveRound(uint64_t seq, uint32_t first, uint32_t stateless, uint32_t established,
                   uint32_t last, uint32_t published = kGeneration - 1) {
    const uint32_t numbers[] = {first, stateless, established, last};
    for (uint32_t i = 0; i < STORM_KINDS; ++i) Arrive(Arrival(seq + i, numbers[i], published));
  }

  void ExpectFault(storm_fault fault, uint64_t count = 1) {
    const storm_state state = programs_->Read();
    for (int i = 0; i < STORM_FAULTS; ++i) {
      EXPECT_EQ(state.faults[i], i == fault ? count : 0) << i << ": " << DescribeFaults(state);
    }
  }

  std::unique_ptr<StormPrograms> programs_;
};

TEST_F(StormCheckerTest, AcceptsWhatIsRight) {
  ArriveRound(0, 999, 995, 996, 999);
  ArriveRound(4, 999, 995, 996, 1000);
  ArriveRound(8, 1000, 997, 998, 1000, 1000);
  EXPECT_EQ(DescribeFaults(programs_->Read()), "");
  EXPECT_EQ(programs_->Read().received, 12u);
}

TEST_F(StormCheckerTest, AcceptsASwapWithinARound) {
  ArriveRound(0, 999, 995, 998, 1000);
  ArriveRound(4, 1000, 997, 998, 1000);
  EXPECT_EQ(DescribeFaults(programs_->Read()), "");
}

TEST_F(StormCheckerTest, FindsALoss) {
  ArriveRound(0, 999, 995, 996, 999);
  ArriveRound(12, 999, 995, 996, 999);
  ExpectFault(STORM_LOST, 8);
}

TEST_F(StormCheckerTest, FindsARepetition) {
  ArriveRound(0, 999, 995, 996, 999);
  Arrive(Arrival(2, 996));
  ExpectFault(STORM_REPEATED);
}

TEST_F(StormCheckerTest, FindsAnotherGenerationsBackend) {
  const uint32_t rounds[][STORM_KINDS] = {
      {999, 997, 996, 999},    // a stateless flow ahead of both neighbours
      {999, 995, 998, 999},    // an established flow ahead
      {1000, 995, 998, 1000},  // behind
      {999, 997, 996, 1000},   // each of a generation between, but in the wrong order
      {999, 1, 996, 1000},     // of no generation
  };
  for (const auto& round : rounds) {
    programs_->Reset();
    programs_->SetBegun(kGeneration);
    ArriveRound(0, round[0], round[1], round[2], round[3]);
    ExpectFault(STORM_MIXED);
  }
}

TEST_F(StormCheckerTest, FindsAVipThatIsBehind) {
  Arrive(Arrival(0, 1000, 999));
  Arrive(Arrival(1, 997, 999));
  Arrive(Arrival(2, 998, 999));
  Arrive(Arrival(3, 999, 999));
  const storm_state state = programs_->Read();
  EXPECT_EQ(state.faults[STORM_WENT_BACK], 1u) << DescribeFaults(state);
}

TEST_F(StormCheckerTest, FindsAnOldAndAFutureGeneration) {
  ArriveRound(0, 999, 995, 996, 999, /*published=*/1000);
  ExpectFault(STORM_STALE, 2);
  programs_->Reset();
  programs_->SetBegun(kGeneration);
  ArriveRound(0, 1001, 997, 998, 1001);
  ExpectFault(STORM_EARLY, 2);
}

// Every byte but those of the tail, and those that name the backend together.
TEST_F(StormCheckerTest, FindsEveryWrongByte) {
  for (uint64_t seq = 0; seq < STORM_KINDS; ++seq) {
    const Bytes right = Arrival(seq, 995);
    for (size_t at = 0; at < right.size() - sizeof(storm_tail); ++at) {
      programs_->Reset();
      programs_->SetBegun(kGeneration);
      Bytes wrong = right;
      wrong[at] ^= 0x10;
      Arrive(wrong);
      const storm_state state = programs_->Read();
      EXPECT_EQ(state.faults[STORM_WRONG_BYTES], 1u) << "packet " << seq << ", byte " << at;
    }
  }
}

}  // namespace
}  // namespace evenkeel::testing
