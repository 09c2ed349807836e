// SPDX-License-Identifier: Apache-2.0
//
// Fifty clients at once: every answer is one that the API promises, and the record tells how one
// state became the next, with nothing lost in between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "tests/daemon/daemon_fixture.h"

namespace evenkeel::testing {
namespace {

using Kind = engine::Outcome::Kind;

constexpr int kClients = 50;
constexpr int kBackends = 40;
constexpr std::chrono::seconds kTime{15};

std::string NameOf(int backend) { return absl::StrCat("web-", backend); }

void SetWeight(model::Config* config, const std::string& name, int64_t weight) {
  for (model::Backend& backend : config->pools[0].backends) {
    if (backend.name == name) backend.weight = weight;
  }
}

class ClientsTest : public DaemonFixture {
 protected:
  struct Tally {
    std::atomic<int> applied = 0, refused = 0, stale = 0, unchanged = 0, planned = 0, other = 0;
  };

  void Note(const engine::Outcome& outcome) {
    switch (outcome.kind) {
      case Kind::kApplied:
        ++tally_.applied;
        break;
      case Kind::kRefused:
        ++tally_.refused;
        break;
      case Kind::kStale:
        ++tally_.stale;
        break;
      case Kind::kNoChange:
        ++tally_.unchanged;
        break;
      case Kind::kValidated:
        ++tally_.planned;
        break;
      default:
        ++tally_.other;
        ADD_FAILURE() << static_cast<int>(outcome.kind) << " " << outcome.status;
    }
  }

  // What it does is written in the reason; Walk() holds the record to it.
  void Work(int id) {
    const auto client = rpc::Connect(socket_);
    std::minstd_rand random(static_cast<uint32_t>(id) + 1);
    for (const auto end = std::chrono::steady_clock::now() + kTime;
         std::chrono::steady_clock::now() < end;) {
      const auto weight = static_cast<int64_t>(90 + random() % 20);
      const std::string name = NameOf(1 + static_cast<int>(random() % kBackends));
      const uint32_t what = random() % 10;
      if (what < 4) {
        engine::Request request;
        request.change.edit = engine::Edit{.pool = "", .backend = name, .weight = weight};
        request.reason = absl::StrCat("edit ", name, " ", weight);
        Note(what == 0 ? client->Plan(request) : client->Apply(request));
        continue;
      }
      const auto seen = client->Get();
      ASSERT_TRUE(seen.ok()) << seen.status();
      if (what == 9) {
        engine::Rollback rollback;
        rollback.from = seen->revision;
        rollback.reason = "rollback";
        const engine::Outcome outcome = client->RollBack(rollback);
        // From the first one there is nowhere to go.
        if (outcome.kind != Kind::kFailed || !absl::IsNotFound(outcome.status)) Note(outcome);
        continue;
      }
      engine::Request request;
      request.change.config = seen->config;
      SetWeight(&*request.change.config, name, weight);
      request.etag = seen->etag;
      request.reason = absl::StrCat("apply ", name, " ", weight, " ", seen->revision);
      Note(client->Apply(request));
    }
  }

  model::Config ConfigOf(uint64_t number) {
    const auto revision = client_->GetRevision(number);
    EXPECT_TRUE(revision.ok()) << revision.status();
    return model::ParseYaml(revision->config_yaml, "history").config;
  }

  std::vector<history::Revision> ReadAll() {
    std::vector<history::Revision> all;
    while (true) {
      const auto page = client_->ListRevisions(1000, all.empty() ? 0 : all.back().created_unix_ns);
      if (!page.ok() || page->empty()) break;
      all.insert(all.end(), page->begin(), page->end());
    }
    std::reverse(all.begin(), all.end());
    return all;
  }

  // From each state to the next by what its reason says, and by nothing else.
  void Walk() {
    model::Config state;
    uint64_t last = 0;
    std::map<uint64_t, model::Config> states;
    for (const history::Revision& revision : ReadAll()) {
      if (revision.number == 0) continue;
      ASSERT_EQ(revision.number, last + 1) << "none is missing";
      ASSERT_EQ(revision.outcome, history::Outcome::kApplied);
      ASSERT_EQ(revision.base, last);
      const std::vector<std::string> words = absl::StrSplit(revision.reason, ' ');
      int64_t number = 0;
      if (words[0] == "edit" || words[0] == "apply") {
        ASSERT_TRUE(absl::SimpleAtoi(words[2], &number));
        SetWeight(&state, words[1], number);
        if (words[0] == "apply") {
          ASSERT_EQ(words[3], absl::StrCat(last)) << "made against another state";
        }
      } else if (words[0] == "rollback") {
        ASSERT_LT(revision.restores, revision.number);
        state = states[revision.restores];
      } else {
        state = ConfigOf(revision.number);  // the first
      }
      last = revision.number;
      states[last] = state;
      if (last % 50 == 1) {
        ASSERT_EQ(ConfigOf(last), state) << last;
      }
    }
    EXPECT_EQ(client_->Get()->revision, last);
    EXPECT_EQ(client_->Get()->config, state);
    EXPECT_EQ(static_cast<uint64_t>(tally_.applied) + 1, last);
  }

  Tally tally_;
};

TEST_F(ClientsTest, FiftyAtOnceLoseNothing) {
  AddNeighbors(kBackends);
  Start({"--config", Write("web.yaml", MakeYaml(kBackends))});
  std::vector<std::thread> clients;
  for (int id = 0; id < kClients; ++id) clients.emplace_back([this, id] { Work(id); });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(tally_.other, 0);
  EXPECT_GT(tally_.applied, 0);
  EXPECT_GT(tally_.stale, 0);
  EXPECT_GT(tally_.planned, 0);
  RecordProperty("applied", tally_.applied);
  RecordProperty("stale", tally_.stale);
  Walk();
  EXPECT_TRUE(Status().digest_matches);
}

}  // namespace
}  // namespace evenkeel::testing
