// SPDX-License-Identifier: Apache-2.0
#include "control/publish/treatment_flags.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "bpf/abi/maps.h"

namespace evenkeel::publish {
namespace {

using guard::Spread;
using guard::Treatment;
using Tracking = Treatment::Tracking;

// All that TreatmentOf can say of a VIP of this protocol.
std::vector<Treatment> All(uint8_t ip_protocol, bool quic) {
  const bool udp = ip_protocol == IPPROTO_UDP && !quic;
  std::vector<Treatment> all;
  for (const Tracking tracking :
       {Tracking::kConnections, udp ? Tracking::kFlows : Tracking::kNone}) {
    for (const Spread& spread :
         {Spread{}, Spread{Spread::By::kSource, 32, 128}, Spread{Spread::By::kSource, 1, 1},
          Spread{Spread::By::kSource, 24, 56}, Spread{Spread::By::kDestinationPort, 0, 0}}) {
      for (const model::Dscp& dscp :
           {model::Dscp{}, model::Dscp{true, 0}, model::Dscp{false, 1}, model::Dscp{false, 63}}) {
        for (const bool fragments : {false, true}) {
          all.push_back({tracking, quic, spread, dscp, fragments});
        }
      }
    }
  }
  return all;
}

TEST(TreatmentFlags, ComeBackAsTheTreatment) {
  for (const auto& [protocol, quic] :
       {std::pair<uint8_t, bool>{IPPROTO_TCP, false}, {IPPROTO_UDP, false}, {IPPROTO_UDP, true}}) {
    for (const Treatment& treatment : All(protocol, quic)) {
      const uint32_t flags = ToFlags(treatment, protocol);
      EXPECT_EQ(FromFlags(flags, protocol), treatment) << std::hex << flags;
      EXPECT_FALSE(flags & EK_VIP_ADDRESS) << "the data plane's own";
    }
  }
}

TEST(TreatmentFlags, SayWhatMovesWithItsSlot) {
  EXPECT_EQ(ToFlags({}, IPPROTO_TCP), 0u);
  EXPECT_EQ(ToFlags({}, IPPROTO_UDP), EK_VIP_STATELESS);
  EXPECT_EQ(ToFlags({.quic = true}, IPPROTO_UDP), EK_VIP_QUIC);
  EXPECT_EQ(ToFlags({.tracking = Tracking::kFlows}, IPPROTO_UDP), EK_VIP_PIN_ALL);
  EXPECT_EQ(ToFlags({.tracking = Tracking::kNone}, IPPROTO_TCP), EK_VIP_STATELESS);
}

TEST(TreatmentFlags, HoldTheDscpAsTheProgramsReadIt) {
  const uint32_t flags = ToFlags({.dscp = {false, 46}}, IPPROTO_TCP);
  EXPECT_EQ(EK_VIP_TOS(flags), 46 << 2);
  EXPECT_FALSE(flags & EK_VIP_COPY_DSCP);
}

}  // namespace
}  // namespace evenkeel::publish
