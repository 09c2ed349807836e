// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/step_fixture.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>

#include <set>

#include "tests/daemon/table_in_force.h"

namespace evenkeel::testing {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using Kind = engine::Outcome::Kind;
using std::chrono::milliseconds;

namespace {

// What a change does behind its answer is over by then; if not, the kill only comes earlier.
constexpr milliseconds kAfterTheAnswer{200};
constexpr milliseconds kStart{20000};  // far longer than one takes

}  // namespace

void StepFixture::SetUp() {
  DaemonFixture::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  AddNeighbors(12);
  steps_ = std::make_unique<Steps>(dir_ + "/steps", state_);
  prefix_ = steps_->CommandPrefix();
  Start({"--config", Write("web.yaml", MakeYaml(8))});
  // A refusal that no crash may lose.
  ASSERT_EQ(Apply(MakeConfig(8, /*enabled=*/1)).kind, Kind::kRefused);
}

void StepFixture::TearDown() {
  DaemonFixture::TearDown();
  steps_.reset();
}

engine::Outcome StepFixture::ApplyWithin(const model::Config& config, std::chrono::seconds window) {
  engine::Request request;
  request.change.config = config;
  request.etag = client_->Get().value_or(engine::Applied{}).etag;
  request.reason = "a test";
  request.window.length = window;
  return client_->Apply(request);
}

void StepFixture::MustBring(const model::Config& config) {
  if (client_->Get()->awaits()) {
    const engine::Outcome confirmed = client_->Confirm({.reason = "a test"});
    ASSERT_EQ(confirmed.kind, Kind::kConfirmed) << confirmed.status;
  }
  const engine::Outcome outcome = Apply(config);
  ASSERT_THAT(outcome.kind, AnyOf(Kind::kApplied, Kind::kNoChange)) << outcome.status;
}

InForce StepFixture::Look() {
  return {.applied = client_->Get().value_or(engine::Applied{}),
          .table = ReadTableInForce(pins_->path())};
}

bool StepFixture::AwaitDeath(std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!steps_->killed() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const bool killed = steps_->killed();
  const CommandResult result = killed ? daemon_->Wait() : End(SIGKILL);
  EXPECT_EQ(result.exit_code, 128 + SIGKILL) << result;
  steps_->Disarm();
  return killed;
}

void StepFixture::ExpectWholeTable(const InForce& before, const InForce& after) {
  const std::vector<uint32_t> table = ReadTableInForce(pins_->path());
  EXPECT_TRUE(table == before.table || table == after.table) << "a table that nobody approved";
  std::set<uint32_t> servers;
  for (const InForce* state : {&before, &after}) {
    servers.insert(state->table.begin(), state->table.end());
  }
  EXPECT_FALSE(servers.contains(0)) << "a slot without a server";
  const ScopedNetns::Entered inside(*netns_);
  for (const uint32_t server : ServersOfFlows(pins_->path(), "192.0.2.10", 80)) {
    EXPECT_TRUE(servers.contains(server)) << "a flow to " << inet_ntoa({server});
  }
}

void StepFixture::ExpectSettled(const InForce& before, const InForce& after, Ends* ends) {
  const InForce now = Look();
  const engine::Status status = Status();
  EXPECT_TRUE(status.digest_matches) << status.adoption;
  const auto record = client_->GetRevision(now.applied.revision);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->digest, status.kernel_digest);
  EXPECT_EQ(record->outcome, history::Outcome::kApplied);
  EXPECT_EQ(record->standing, now.applied.standing);
  const bool is_old = now.SameState(before), is_new = now.SameState(after);
  EXPECT_NE(is_old, is_new) << "neither the old state nor the new one: " << status.adoption;
  ++(is_new ? ends->new_state : ends->old_state);
  EXPECT_TRUE(!is_old || now.applied.etag == before.applied.etag);

  const auto newest = client_->ListRevisions(1);
  ASSERT_TRUE(newest.ok() && !newest->empty()) << newest.status();
  const history::Revision& last = newest->front();
  if (last.number == now.applied.revision) {
    EXPECT_TRUE(is_new || last.number == before.applied.revision);
  } else {
    EXPECT_TRUE(is_old) << "revision " << last.number << " is recorded after it";
    EXPECT_EQ(last.number, before.applied.revision + 1);
    EXPECT_EQ(last.outcome, history::Outcome::kFailed);
    EXPECT_THAT(last.error, HasSubstr("ended before it was published"));
  }
  const std::string in_kernel = absl::StrCat("revision ", now.applied.revision, " ");
  EXPECT_THAT(status.adoption, HasSubstr("kernel forwards with " + in_kernel));
  EXPECT_THAT(status.adoption, HasSubstr("matches the applied state"));
  const std::string under_way =
      absl::StrCat("revision ", last.number, " was under way when the daemon ended: the kernel ");
  const bool has = status.adoption.find(under_way + "has it, recorded as applied") == 0;
  const bool has_not = status.adoption.find(under_way + "does not have it") == 0;
  EXPECT_FALSE(has && !is_new) << status.adoption;
  EXPECT_FALSE(has_not && !is_old) << status.adoption;
  ends->settled_applied += has;
  ends->settled_failed += has_not;
}

// Nothing is pending, no number is missing, and what was refused is still there.
void StepFixture::ExpectWholeRecord() {
  const auto records = client_->ListRevisions(1000);
  ASSERT_TRUE(records.ok()) << records.status();
  std::set<uint64_t> numbers;
  int refusals = 0;
  for (const history::Revision& record : *records) {
    EXPECT_NE(record.outcome, history::Outcome::kPending) << record.number;
    if (record.outcome == history::Outcome::kRefused) {
      ++refusals;
    } else {
      EXPECT_TRUE(numbers.insert(record.number).second) << record.number;
    }
  }
  EXPECT_EQ(refusals, 1);
  ASSERT_FALSE(numbers.empty());
  EXPECT_EQ(*numbers.begin(), 1u);
  EXPECT_EQ(*numbers.rbegin(), numbers.size()) << "a revision is missing";
}

// The second time, when the record has the text of both states.
std::vector<Step> StepFixture::StepsOf(const Change& change) {
  change.prepare();
  change.make();
  change.prepare();
  steps_->Count();
  change.make();
  return steps_->Disarm();
}

void StepFixture::KillOnce(const Change& change, const InForce& after,
                           const std::function<void()>& arm, Ends* ends) {
  MustBring(MakeConfig(10));  // another change than the one that was cut off
  change.prepare();
  const InForce before = Look();
  arm();
  change.make();
  if (!AwaitDeath(kAfterTheAnswer)) ++ends->survived;
  ExpectWholeTable(before, after);
  Start();
  ExpectSettled(before, after, ends);
}

Ends StepFixture::KillAtSteps(const Change& change, const Choice& choose, bool tear) {
  const std::vector<Step> steps = StepsOf(change);
  const InForce after = Look();
  int kills = 0;
  Ends ends;
  for (const uint32_t step : choose(steps)) {
    if (tear && steps[step - 1].call != StepCall::kWrite) continue;
    SCOPED_TRACE(absl::StrCat("killed at step ", step, " of ", Describe(steps)));
    KillOnce(
        change, after, [&] { tear ? steps_->TearAt(step) : steps_->KillAt(step); }, &ends);
    ++kills;
    if (HasFailure()) return ends;
  }
  const std::vector<std::vector<Step>> orders = {
      {kRecord}, {kSync}, {kProbe}, {kProbe, kRecord}, {kProbe, kRecord, kRecord}, {kProbe, kSync}};
  const bool swaps = std::find(steps.begin(), steps.end(), kProbe) != steps.end();
  for (size_t i = 0; swaps && !tear && i < orders.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("killed after order ", i));
    const int survived = ends.survived;
    KillOnce(
        change, after, [&] { steps_->KillAfter(orders[i]); }, &ends);
    EXPECT_EQ(ends.survived, survived);
    ++kills;
    if (HasFailure()) return ends;
  }
  const int survived = ends.survived;
  KillOnce(
      change, after, [] {}, &ends);
  ends.survived = survived;
  MustBring(MakeConfig(10));
  ExpectWholeRecord();
  std::cout << Describe(steps) << "; " << kills << " kills, " << ends.survived << " came too late; "
            << ends.old_state << " times the old state (" << ends.settled_failed
            << " with the intent recorded), " << ends.new_state << " times the new one ("
            << ends.settled_applied << " without the outcome)\n";
  return ends;
}

Ends StepFixture::KillAtStepsOfStart(const Change& change, const std::vector<Step>& order) {
  change.prepare();
  change.make();
  const InForce after = Look();
  InForce before;
  std::vector<uint32_t> table;
  const auto cut_off = [&] {
    MustBring(MakeConfig(10));
    change.prepare();
    before = Look();
    steps_->KillAfter(order);
    change.make();
    EXPECT_TRUE(AwaitDeath(kStart));
    table = ReadTableInForce(pins_->path());
  };
  cut_off();
  steps_->Count();
  Start();
  const std::vector<Step> steps = steps_->Disarm();
  const std::vector<uint32_t> chosen = ChooseFew(steps, /*only_files=*/true);
  Ends ends;
  for (const uint32_t step : chosen) {
    SCOPED_TRACE(absl::StrCat("killed at step ", step, " of a start of ", Describe(steps)));
    cut_off();
    steps_->KillAt(step);
    Launch();
    EXPECT_TRUE(AwaitDeath(kStart));
    EXPECT_EQ(ReadTableInForce(pins_->path()), table);
    Start();
    ExpectSettled(before, after, &ends);
    EXPECT_EQ(ReadTableInForce(pins_->path()), table);
    if (HasFailure()) break;
  }
  MustBring(MakeConfig(10));
  ExpectWholeRecord();
  std::cout << "a start of " << steps.size() << " steps; " << chosen.size() << " kills; "
            << ends.old_state << " times the old state, " << ends.new_state
            << " times the new one\n";
  return ends;
}

}  // namespace evenkeel::testing
