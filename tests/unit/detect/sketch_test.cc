// SPDX-License-Identifier: Apache-2.0
#include "control/detect/sketch.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "control/detect/flow_sample.h"
#include "world.h"

namespace evenkeel::detect::testing {
namespace {

TEST(SketchTest, CountsExactlyWhileThereIsRoom) {
  Sketch<int> sketch(4);
  for (const int key : {1, 2, 1, 3, 1}) sketch.Add(key, 10);
  EXPECT_EQ(sketch.total(), 50u);
  for (const auto& entry : sketch.entries()) {
    EXPECT_EQ(entry.error, 0u);
    EXPECT_EQ(entry.count, entry.key == 1 ? 30u : 10u);
  }
}

// The algorithm's promises, on streams with a heavy tail.
TEST(SketchTest, BoundsEveryCountAndMissesNobodyHeavy) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    std::geometric_distribution<int> keys(0.02);
    Sketch<int> sketch(16);
    std::map<int, uint64_t> truth;
    for (int i = 0; i < 5000; ++i) {
      const int key = keys(random);
      const uint64_t weight = 1 + random() % 100;
      sketch.Add(key, weight);
      truth[key] += weight;
    }
    ASSERT_LE(sketch.entries().size(), 16u);
    std::map<int, bool> there;
    for (const auto& entry : sketch.entries()) {
      EXPECT_GE(entry.count, truth[entry.key]);
      EXPECT_LE(entry.sure(), truth[entry.key]);
      there[entry.key] = true;
    }
    for (const auto& [key, weight] : truth) {
      EXPECT_TRUE(weight <= sketch.total() / 16 || there[key]) << "seed " << seed;
    }
  }
}

FlowSample Opening(int server, int client, uint16_t port) {
  return {.pool = "web",
          .server = Address(server),
          .source = ClientAddress(client),
          .source_port = port,
          .destination_port = 443,
          .ip_protocol = 6,
          .opening = true,
          .packets = 1,
          .bytes = 60};
}

TEST(FlowSampleTest, ManyClientsDoNotCluster) {
  PoolSample sample(Spread::kConnection, true);
  for (int i = 0; i < 5000; ++i) sample.Add(Opening(i % 10, i, 4000));
  EXPECT_TRUE(sample.KnowsClients());
  EXPECT_LT(sample.Clustering(), 5e-4);
  EXPECT_TRUE(sample.Clients(Address(1)).empty());
}

TEST(FlowSampleTest, OneClientClustersWhereItsAddressDecides) {
  for (const Spread spread : {Spread::kConnection, Spread::kSource}) {
    PoolSample sample(spread, true);
    // Every second flow is one client's, each from another port.
    for (int i = 0; i < 4000; ++i) {
      sample.Add(Opening(i % 2 == 0 ? 1 : 2, i % 2 == 0 ? 7 : 100 + i, static_cast<uint16_t>(i)));
    }
    const double clustering = sample.Clustering();
    if (spread == Spread::kConnection) {
      EXPECT_LT(clustering, 5e-4);
      continue;
    }
    EXPECT_NEAR(clustering, 0.25, 0.01);
    const std::vector<Heavy> heavy = sample.Clients(Address(1));
    ASSERT_EQ(heavy.size(), 1u);
    EXPECT_EQ(heavy[0].source, ClientAddress(7));
    EXPECT_EQ(heavy[0].source_port, 0);
    EXPECT_NEAR(heavy[0].share, 0.5, 0.01);
  }
}

// A hundred clients of the same size, of which none is heavy.
TEST(FlowSampleTest, ClientsOfMiddleSizeClusterToo) {
  PoolSample sample(Spread::kSource, true);
  for (int i = 0; i < 4000; ++i) {
    const int client = i % 100;
    sample.Add(Opening(client % 10, client, static_cast<uint16_t>(i)));
  }
  EXPECT_NEAR(sample.Clustering(), 0.01, 0.002);
}

TEST(FlowSampleTest, NamesTheFlowsThatCarryMost) {
  PoolSample sample(Spread::kConnection, true);
  for (int i = 0; i < 1000; ++i) {
    FlowSample packet = Opening(3, i, 4000);
    packet.opening = false;
    packet.bytes = 500;
    sample.Add(packet);
    packet.source = ClientAddress(77);
    packet.source_port = 5555;
    packet.bytes = 1500;
    sample.Add(packet);
  }
  ASSERT_TRUE(sample.KnowsFlows());
  EXPECT_FALSE(sample.KnowsClients());
  const std::vector<Heavy> heavy = sample.Flows(Address(3));
  ASSERT_GE(heavy.size(), 1u);
  EXPECT_EQ(heavy[0].source, ClientAddress(77));
  EXPECT_EQ(heavy[0].source_port, 5555);
  EXPECT_NEAR(heavy[0].share, 0.75, 0.02);
  EXPECT_TRUE(sample.Flows(Address(4)).empty());
  EXPECT_NEAR(sample.LargestFlow(), 0.5, 0.01);
}

TEST(FlowSampleTest, ForgetsAfterHalfAMinute) {
  PoolSample sample(Spread::kConnection, true);
  sample.Age(100 * kSecond);
  for (int i = 0; i < 100; ++i) sample.Add(Opening(1, i, 4000));
  sample.Age(116 * kSecond);
  EXPECT_TRUE(sample.KnowsClients());
  sample.Age(132 * kSecond);
  EXPECT_FALSE(sample.KnowsClients());
}

}  // namespace
}  // namespace evenkeel::detect::testing
