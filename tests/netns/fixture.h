// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_NETNS_FIXTURE_H_
#define EVENKEEL_TESTS_NETNS_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>

#include "netns_lab.h"
#include "state.h"

namespace evenkeel::testing {

class LabTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = ReasonToSkip(); !reason.empty()) GTEST_SKIP() << reason;
  }

  // An ASSERT in the caller stops the test where the lab cannot be made.
  void MakeLab(const LabOptions& options = {}) { lab_ = std::make_unique<NetnsLab>(options); }
  NetnsLab& lab() { return *lab_; }

  // The entry of a backend in the status; null if there is none.
  static nlohmann::json FindBackend(const nlohmann::json& status, const std::string& pool,
                                    const std::string& backend) {
    for (const auto& p : status.at("pools")) {
      if (p.at("name") != pool) continue;
      for (const auto& b : p.at("backends")) {
        if (b.at("name") == backend) return b;
      }
    }
    return nullptr;
  }

  // Three of four servers gone, with every rule against it overridden.
  CommandResult ForceOutage(const Argv& more = {}) {
    State outage;
    outage.backends = 1;
    WriteFile(lab().file("outage.yaml"), outage.ToYaml());
    Argv argv = {"apply",
                 "-f",
                 lab().file("outage.yaml"),
                 "--yes",
                 "--reason",
                 "drill: one server",
                 "--override",
                 "LB001,LB003,LB004,LB005,LB006,LB018",
                 "--expires",
                 "1h"};
    argv.insert(argv.end(), more.begin(), more.end());
    return lab().Cli(argv);
  }

 private:
  std::unique_ptr<NetnsLab> lab_;
};

inline void ExpectNoneLost(const Load::Summary& summary) {
  EXPECT_GT(summary.requests, 0u);
  EXPECT_EQ(summary.failed, 0u) << summary.errors;
  EXPECT_EQ(summary.repeated, 0u) << summary.errors;
}

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_NETNS_FIXTURE_H_
