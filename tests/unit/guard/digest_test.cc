// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

BuiltTable Small() {
  BuiltTable table;
  table.size = 3;
  table.servers = {Ip("10.0.0.1"), Ip("2001:db8::1")};
  table.owner = {0, 1, maglev::kNoOwner};
  return table;
}

// SHA-256 over the documented bytes, computed with another implementation. It is what kernels of a
// running fleet are compared with: a change here is a change of the format's number.
TEST(Digest, HasTheDocumentedEncoding) {
  EXPECT_EQ(Small().ComputeDigest().ToHex(),
            "cb324533645a56eb7fd35c2cbe6d1ab7eda3c19f86c0648190191cebfea2c31f");
  VipBinding binding{Ip("192.0.2.1"), 443, 6, Small().ComputeDigest()};
  EXPECT_EQ(ComputeFleetDigest(std::vector<VipBinding>{binding}).ToHex(),
            "41c81bb64027bc80177cd60f1267bf72178c378a5ff52384c73339a59a656e76");
  EXPECT_EQ(ComputeFleetDigest({}).ToHex(),
            "9fd6e64209696d0dfedfaf4abde4d5a20ea1082ca57063e874a068a6f2475b2e");
}

TEST(Digest, CoversEveryPartOfATable) {
  std::set<std::string> seen;
  for (const std::function<void(BuiltTable&)>& change :
       std::vector<std::function<void(BuiltTable&)>>{
           [](BuiltTable&) {}, [](BuiltTable& t) { t.forwarding = model::Forwarding::kL2; },
           [](BuiltTable& t) { t.size = 4; }, [](BuiltTable& t) { t.servers.pop_back(); },
           [](BuiltTable& t) { t.servers[0] = Ip("10.0.0.2"); },
           [](BuiltTable& t) { t.owner[2] = 0; }, [](BuiltTable& t) { t.owner.pop_back(); },
           [](BuiltTable& t) { std::swap(t.owner[0], t.owner[1]); },
           [](BuiltTable& t) { t.forwarding = model::Forwarding::kGue; },
           [](BuiltTable& t) {
             t.quic = model::QuicIds{0, 1};
           },
           [](BuiltTable& t) {
             t.quic = model::QuicIds{1, 1};
           },
           [](BuiltTable& t) {
             t.quic = model::QuicIds{0, 2};
           },
           [](BuiltTable& t) {
             t.quic = model::QuicIds{0, 1};
             t.server_ids = {{1, Ip("10.0.0.1")}};
           },
           [](BuiltTable& t) {
             t.quic = model::QuicIds{0, 1};
             t.server_ids = {{2, Ip("10.0.0.1")}};
           }}) {
    BuiltTable table = Small();
    change(table);
    EXPECT_TRUE(seen.insert(table.ComputeDigest().ToHex()).second);
  }
}

TEST(Digest, OfAFleetIgnoresOrderOnly) {
  const VipBinding a{Ip("192.0.2.1"), 443, 6, {}}, b{Ip("192.0.2.1"), 443, 17, {}};
  VipBinding c = b;
  c.port = 444;
  const auto digest = [](std::vector<VipBinding> v) { return ComputeFleetDigest(v); };
  EXPECT_EQ(digest({a, b}), digest({b, a}));
  EXPECT_NE(digest({a, b}), digest({a, c}));
  EXPECT_NE(digest({a, b}), digest({a}));
}

TEST(Digest, OfAFleetCoversEveryPartOfATreatment) {
  using By = Spread::By;
  std::set<std::string> seen;
  for (const Treatment& treatment :
       {Treatment{}, Treatment{.tracking = Treatment::Tracking::kFlows},
        Treatment{.tracking = Treatment::Tracking::kNone}, Treatment{.quic = true},
        Treatment{.spread = {By::kSource, 32, 128}}, Treatment{.spread = {By::kSource, 24, 128}},
        Treatment{.spread = {By::kSource, 32, 64}}, Treatment{.spread = {By::kDestinationPort}},
        Treatment{.dscp = {true, 0}}, Treatment{.dscp = {false, 1}},
        Treatment{.forward_fragments = true}}) {
    VipBinding binding{Ip("192.0.2.1"), 443, 6, Small().ComputeDigest()};
    binding.treatment = treatment;
    EXPECT_TRUE(seen.insert(ComputeFleetDigest(std::vector{binding}).ToHex()).second);
  }
}

TEST(Digest, ReadsItsHexBack) {
  const Digest digest = Small().ComputeDigest();
  EXPECT_EQ(Digest::FromHex(digest.ToHex()).value(), digest);
  EXPECT_EQ(digest.ToShort(), digest.ToHex().substr(0, 12));
  EXPECT_FALSE(Digest::FromHex("").ok());
  EXPECT_FALSE(Digest::FromHex(digest.ToHex() + "0").ok());
  EXPECT_FALSE(Digest::FromHex(std::string(64, 'G')).ok());
  EXPECT_FALSE(Digest::FromHex(std::string(64, 'A')).ok());
}

}  // namespace
}  // namespace evenkeel::guard::testing
