// SPDX-License-Identifier: Apache-2.0
//
// Random histories of updates, failures, recoveries and flows against a model that knows of each
// flow the backend that it began on: as long as that backend can serve it, it stays there.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "control/publish/moves.h"
#include "control/publish/publisher.h"
#include "tests/harness/fake_dataplane/fake_dataplane.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::testing {
namespace {

constexpr publish::FlowTimeouts kTimeouts{.idle = 30, .opening = 8, .closing = 3};

class History {
 public:
  // `udp`: plain UDP with affinity: flow, of which no packet opens a flow.
  History(uint32_t seed, bool udp) : random_(seed), udp_(udp) {
    EXPECT_TRUE(publisher_.Adopt(nullptr).ok());
    config_ = MakeConfig(1, 8);
    if (udp) {
      config_.vips[0].protocol = model::Protocol::kUdp;
      config_.pools[0].affinity = model::Affinity::kFlow;
    }
    Update();
  }

  void Step() {
    switch (Below(12)) {
      case 0:
        return Change();
      case 1:
        return Advance(1 + Below(6));
      case 2:
        EXPECT_TRUE(publisher_.SweepOnce().ok());
        return;
      case 3:
      case 4:
      case 5:
        return Open();
      case 6:
        return Close();
      default:
        return Send();
    }
  }

  // Without flows everything comes to rest: no slot is left moving, no flow pinned.
  void ExpectRest() {
    flows_.clear();
    for (int i = 0; i < 8; ++i) {
      kernel_.Advance(kTimeouts.idle + 1);
      ASSERT_TRUE(publisher_.SweepOnce().ok());
    }
    EXPECT_EQ(Moving(), 0u);
    EXPECT_TRUE(kernel_.ReadPins()->empty());
    EXPECT_TRUE(publisher_.Tracking().pools.empty());
  }

  uint32_t Moving() {
    const auto vip = kernel_.ReadActive()->image.vips[0];
    return publish::CountMoving(kernel_.ReadTable(vip.table, vip.table_size)->slots);
  }

  int updates = 0, checked = 0, on_another_than_the_owner = 0;

 private:
  struct Live {
    model::IpAddress backend;
    uint32_t seen = 0;
    bool answered = false;  // sent a second packet
  };

  uint32_t Below(uint32_t n) { return std::uniform_int_distribution<uint32_t>(0, n - 1)(random_); }

  publish::Flow FlowOf(uint32_t number, bool opening) const {
    const uint8_t protocol = udp_ ? 17 : 6;
    publish::Flow flow = publish::ClientFlow(
        {.address = Ip("192.0.2.1"), .port = 443, .ip_protocol = protocol}, number, 0);
    flow.opening = opening && !udp_;
    return flow;
  }

  const model::Backend* Find(const model::IpAddress& address) const {
    for (const model::Backend& backend : config_.pools[0].backends) {
      if (backend.address == address) return &backend;
    }
    return nullptr;
  }

  bool CanServe(const model::IpAddress& address) const {
    const model::Backend* backend = Find(address);
    return backend != nullptr && backend->state != model::AdminState::kDisabled;
  }

  void Update() {
    const Judged judged = Judge(config_, base_);
    if (!judged.approval) {
      if (base_ != nullptr) config_ = base_->ToConfig();
      return;
    }
    auto result = publisher_.Publish(*judged.approval, ++revision_);
    ASSERT_TRUE(result.ok()) << result.status();
    base_ = judged.fleet;
    ++updates;
    std::erase_if(flows_, [&](const auto& flow) { return !CanServe(flow.second.backend); });
  }

  void Change() {
    auto& backends = config_.pools[0].backends;
    model::Backend& backend = backends[Below(static_cast<uint32_t>(backends.size()))];
    switch (Below(6)) {
      case 0:
        backend.state = model::AdminState::kDraining;
        break;
      case 1:
        backend.state = model::AdminState::kDisabled;
        break;
      case 2:
      case 3:
        backend.state = model::AdminState::kEnabled;
        break;
      case 4:
        backend.weight = 60 + Below(80);
        break;
      default:
        if (backends.size() > 6 && Below(2) == 0) {
          backends.erase(backends.begin());
        } else {
          model::Backend added = backend;
          added.name = "x" + std::to_string(++names_);
          added.address = model::IpAddress::FromIpv4(
              {10, 99, static_cast<uint8_t>(names_ / 200), static_cast<uint8_t>(names_ % 200 + 1)});
          added.state = model::AdminState::kEnabled;
          backends.push_back(added);
        }
    }
    Update();
  }

  void Advance(uint32_t units) {
    kernel_.Advance(units);
    const uint32_t now = kernel_.Now();
    std::erase_if(flows_, [&](const auto& flow) {
      const bool alive = flow.second.answered || udp_;
      const uint32_t limit = alive ? kTimeouts.idle : kTimeouts.opening;
      return now - flow.second.seen >= limit - 1;
    });
  }

  void Open() {
    const uint32_t number = Below(400);
    if (flows_.contains(number)) return;
    const auto to = kernel_.Deliver(FlowOf(number, true));
    if (!to) return;
    ASSERT_TRUE(CanServe(*to)) << "a new flow went to " << to->ToString();
    flows_[number] = {.backend = *to, .seen = kernel_.Now()};
  }

  void Send() {
    if (flows_.empty()) return;
    auto it = std::next(flows_.begin(), Below(static_cast<uint32_t>(flows_.size())));
    Check(it->first, it->second, false);
    it->second.seen = kernel_.Now();
    it->second.answered = true;
  }

  void Close() {
    if (flows_.empty()) return;
    auto it = std::next(flows_.begin(), Below(static_cast<uint32_t>(flows_.size())));
    Check(it->first, it->second, !udp_);
    flows_.erase(it);
  }

  void Check(uint32_t number, const Live& flow, bool closing) {
    const auto to = kernel_.Deliver(FlowOf(number, false), closing);
    ASSERT_TRUE(to.has_value()) << "flow " << number;
    ASSERT_EQ(to->ToString(), flow.backend.ToString()) << "flow " << number << " moved";
    ++checked;
    on_another_than_the_owner += Owner(number) != flow.backend;
  }

  model::IpAddress Owner(uint32_t number) {
    const auto vip = kernel_.ReadActive()->image.vips[0];
    const auto table = *kernel_.ReadTable(vip.table, vip.table_size);
    const uint64_t hash =
        publish::HashFlow(dataplane::HashKeyWords(kTestKey), FlowOf(number, false), vip.flags);
    const uint16_t owner = EK_SLOT_OWNER(table.slots[publish::SlotOf(hash, vip.table_size)]);
    return owner == 0 ? model::IpAddress() : table.backends[owner - 1u].address;
  }

  std::mt19937 random_;
  const bool udp_;
  FakeDataPlane kernel_{kTestKey, {.max_tables = 16, .max_vips = 16, .max_backends = 256}};
  FakeResolver resolver_;
  publish::Publisher publisher_{&kernel_, &resolver_, kTestKey, kTimeouts, std::chrono::hours(1)};
  model::Config config_;
  std::shared_ptr<const guard::BuiltFleet> base_;
  std::map<uint32_t, Live> flows_;
  uint64_t revision_ = 0;
  uint32_t names_ = 0;
};

class TrackProperty : public ::testing::TestWithParam<bool> {};

TEST_P(TrackProperty, NoFlowLeavesABackendThatCanServeIt) {
  int updates = 0, checked = 0, elsewhere = 0;
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history(seed, GetParam());
    for (int step = 0; step < 600; ++step) {
      history.Step();
      if (::testing::Test::HasFailure()) {
        FAIL() << "step " << step;
      }
    }
    history.ExpectRest();
    updates += history.updates;
    checked += history.checked;
    elsewhere += history.on_another_than_the_owner;
  }
  // What makes the property mean anything: tables change, and flows stay behind.
  EXPECT_GT(updates, 500);
  EXPECT_GT(checked, 5000);
  EXPECT_GT(elsewhere, 500);
}

INSTANTIATE_TEST_SUITE_P(Protocols, TrackProperty, ::testing::Values(false, true),
                         [](const auto& test) { return test.param ? "udp" : "tcp"; });

}  // namespace
}  // namespace evenkeel::testing
