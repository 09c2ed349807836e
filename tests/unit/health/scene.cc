// SPDX-License-Identifier: Apache-2.0
#include "scene.h"

#include "absl/strings/str_cat.h"
#include "control/model/text.h"
#include "tests/unit/guard/states.h"

namespace evenkeel::health::testing {

using model::Av;

model::Config Checked(size_t n) {
  model::Config config = guard::testing::WebWith(n);
  config.pools[0].health_check.emplace();
  return config;
}

Scene::Scene(const model::Config& config, Options options) : monitor_(std::move(options)) {
  Configure(config);
}

model::IpAddress Scene::Address(int server) const {
  return guard::testing::MakePool("web", static_cast<size_t>(server)).backends.back().address;
}

int Scene::NumberOf(const model::IpAddress& address) const {
  for (int i = 1;; ++i) {
    if (Address(i) == address) return i;
  }
}

void Scene::Configure(const model::Config& config) {
  config_ = config;
  monitor_.Configure(config, now());
}

void Scene::Fail(const std::vector<int>& servers) {
  for (const int server : servers) {
    for (uint32_t i = 0; i < config_.pools[0].health_check->fall; ++i) {
      monitor_.Note("web", Address(server), {false, "refused"}, now());
    }
  }
}

void Scene::Succeed(const std::vector<int>& servers) {
  for (const int server : servers) {
    for (uint32_t i = 0; i < config_.pools[0].health_check->rise; ++i) {
      monitor_.Note("web", Address(server), {true}, now());
    }
  }
}

void Scene::Refuse(int server, const std::string& why) {
  monitor_.Refused("web", Address(server), why, now());
}

const PoolDecision& Scene::Decide() {
  last_ = monitor_.Decide(now());
  return last_.pools.at(0);
}

std::vector<int> Scene::Out() {
  std::vector<int> out;
  for (const auto& address : Decide().out) out.push_back(NumberOf(address));
  return out;
}

std::vector<std::string> Scene::Held() {
  std::vector<std::string> held;
  for (const auto& h : Decide().held) {
    held.push_back(absl::StrCat(NumberOf(h.server), ": ", Av(ToString(h.hold))));
  }
  return held;
}

std::vector<std::string> Scene::Transitions() const {
  std::vector<std::string> texts;
  for (const Transition& t : last_.transitions) {
    texts.push_back(absl::StrCat(NumberOf(t.server), " ", Av(ToString(t.from)), " -> ",
                                 Av(ToString(t.to)), ": ", t.cause));
  }
  return texts;
}

}  // namespace evenkeel::health::testing
