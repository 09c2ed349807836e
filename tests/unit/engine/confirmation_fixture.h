// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_UNIT_ENGINE_CONFIRMATION_FIXTURE_H_
#define EVENKEEL_TESTS_UNIT_ENGINE_CONFIRMATION_FIXTURE_H_

#include <string>
#include <vector>

#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {

// What tests of windows and of ways back share.
class ConfirmationFixture : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    MustStart();
    Watch();
  }
  void Watch() {
    engine_->Subscribe([this](const Event& event) { events_.push_back(event.kind); });
  }
  void Restart() {
    StartDaemon();
    report_ = MustStart();
    Watch();
  }
  Outcome ApplyWithin(const model::Config& config, std::chrono::seconds window,
                      bool auto_confirm = false) {
    Request request = MakeRequest(config);
    request.window = {.length = window, .auto_confirm = auto_confirm};
    return engine_->Apply(request);
  }
  // Revision 1 of four servers, and revision 2 of five that awaits for 120 s.
  void ApplyAwaited(bool auto_confirm = false) {
    MustApply(MakeConfig(4));
    const Outcome outcome = ApplyWithin(MakeConfig(5), std::chrono::seconds(120), auto_confirm);
    ASSERT_EQ(outcome.kind, Outcome::Kind::kApplied) << outcome.status;
    ASSERT_TRUE(outcome.applied.awaits());
  }
  Rollback Back() const { return {.reason = "undo", .author = "bob"}; }
  model::Config InForce() { return engine_->Get()->config; }
  guard::Digest InKernel() { return kernel_.ReadKernelState()->digest; }
  history::Revision Recorded(uint64_t number) { return *engine_->GetRevision(number); }
  std::vector<std::string> Notices() { return engine_->GetStatus()->notices; }
  // Four servers again, in the kernel as in the record.
  void ExpectFourAgain(uint64_t revision) {
    EXPECT_EQ(InForce(), MakeConfig(4));
    EXPECT_EQ(InKernel(), Build(MakeConfig(4))->digest);
    EXPECT_EQ(engine_->Get()->revision, revision);
  }
  void BreakHistory() {
    Sql("CREATE TRIGGER gone BEFORE INSERT ON revisions BEGIN SELECT RAISE(ABORT, 'disk gone'); "
        "END");
  }

  std::vector<Event::Kind> events_;
  StartReport report_;
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_TESTS_UNIT_ENGINE_CONFIRMATION_FIXTURE_H_
