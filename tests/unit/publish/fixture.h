// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_UNIT_PUBLISH_FIXTURE_H_
#define EVENKEEL_TESTS_UNIT_PUBLISH_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>

#include "control/publish/publisher.h"
#include "tests/harness/fake_dataplane/fake_dataplane.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::testing {

// A publisher on a kernel in memory, which outlives it.
class PublishingTest : public ::testing::Test {
 protected:
  PublishingTest() { Start(nullptr); }

  publish::AdoptReport Start(std::shared_ptr<const guard::BuiltFleet> intent) {
    publisher_.reset();
    publisher_ = std::make_unique<publish::Publisher>(&kernel_, &resolver_, kTestKey);
    auto report = publisher_->Adopt(std::move(intent));
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : publish::AdoptReport{};
  }

  absl::StatusOr<publish::PublishResult> Apply(const model::Config& config) {
    Judged judged = Judge(config, publisher_->applied());
    EXPECT_TRUE(judged.approval) << judged.refusal;
    if (!judged.approval) return absl::InternalError(judged.refusal);
    return publisher_->Publish(*judged.approval, ++revision_);
  }

  dataplane::Snapshot Active() { return *kernel_.ReadActive(); }

  FakeDataPlane kernel_{kTestKey, {.max_tables = 16, .max_vips = 16, .max_backends = 64}};
  FakeResolver resolver_;
  std::unique_ptr<publish::Publisher> publisher_;
  uint64_t revision_ = 0;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_UNIT_PUBLISH_FIXTURE_H_
