// SPDX-License-Identifier: Apache-2.0
#include "control/health/probed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evenkeel::health {
namespace {

using model::HealthCheck;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const model::IpAddress kOne = model::IpAddress::FromIpv4({192, 0, 2, 1});
const model::IpAddress kTwo = model::IpAddress::FromIpv4({192, 0, 2, 2});

class QuestionsTest : public ::testing::Test {
 protected:
  QuestionsTest() {
    pool_.name = "web";
    pool_.health_check.emplace();
  }
  void AddVip(const model::IpAddress& address, uint16_t port, const std::string& pool = "web") {
    vips_.push_back({.name = "v" + std::to_string(vips_.size()),
                     .address = address,
                     .port = port,
                     .pool = pool});
  }
  std::vector<Question> Ask() { return QuestionsOf(pool_, vips_); }

  model::Pool pool_;
  std::vector<model::Vip> vips_;
};

TEST_F(QuestionsTest, NobodyIsAskedWithoutACheckOrAPort) {
  EXPECT_THAT(Ask(), IsEmpty());
  AddVip(kOne, 0);
  AddVip(kTwo, 80, "other");
  EXPECT_THAT(Ask(), IsEmpty());
  pool_.health_check.reset();
  AddVip(kOne, 80);
  EXPECT_THAT(Ask(), IsEmpty());
}

TEST_F(QuestionsTest, DirectlyOnceOnThePortOfTheCheckOrTheFirstVip) {
  AddVip(kOne, 0);
  AddVip(kTwo, 81);
  AddVip(kOne, 80);
  EXPECT_THAT(Ask(), ElementsAre(Question{std::nullopt, 81}));
  pool_.health_check->port = 8080;
  EXPECT_THAT(Ask(), ElementsAre(Question{std::nullopt, 8080}));
  pool_.health_check->port = 0;
  pool_.health_check->type = HealthCheck::Type::kIcmp;
  vips_.clear();
  EXPECT_THAT(Ask(), ElementsAre(Question{std::nullopt, 0}));
}

TEST_F(QuestionsTest, EachVipThatLeadsThere) {
  pool_.health_check->through = HealthCheck::Through::kVip;
  EXPECT_THAT(Ask(), IsEmpty());
  AddVip(kTwo, 80);
  AddVip(kOne, 443);
  AddVip(kOne, 80);
  AddVip(kOne, 80);  // another protocol
  AddVip(kOne, 0);   // has no port to ask
  AddVip(kTwo, 443, "other");
  EXPECT_THAT(Ask(), ElementsAre(Question{kOne, 80}, Question{kOne, 443}, Question{kTwo, 80}));
  pool_.health_check->port = 8080;
  EXPECT_THAT(Ask(), ElementsAre(Question{kOne, 8080}, Question{kTwo, 8080}));
  pool_.health_check->port = 0;
  pool_.health_check->type = HealthCheck::Type::kIcmp;
  EXPECT_THAT(Ask(), ElementsAre(Question{kOne, 0}, Question{kTwo, 0}));
}

}  // namespace
}  // namespace evenkeel::health
