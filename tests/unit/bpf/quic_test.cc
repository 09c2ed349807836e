// SPDX-License-Identifier: Apache-2.0
#include "bpf/lib/quic.h"

#include <gtest/gtest.h>

#include "tests/harness/packet/bytes.h"

namespace evenkeel::testing {
namespace {

constexpr uint32_t kV1 = 1, kV2 = 0x6b3343cf;

// A long header (RFC 9000, 17.2) with this connection id, and 16 bytes behind it.
Bytes Long(uint8_t type, uint32_t version, const Bytes& id) {
  Bytes bytes(6);
  bytes[0] = static_cast<uint8_t>(0xc0 | type << 4);
  Put32(bytes, 1, version);
  bytes[5] = static_cast<uint8_t>(id.size());
  Append(bytes, id);
  bytes.resize(bytes.size() + 16);
  return bytes;
}

Bytes Short(const Bytes& id) {
  Bytes bytes = {0x40};
  Append(bytes, id);
  bytes.resize(bytes.size() + 20);
  return bytes;
}

ek_quic Classify(const Bytes& payload) {
  return ek_classify_quic(payload.data(), payload.data() + payload.size());
}

struct KindCase {
  const char* name;
  Bytes payload;
  ek_quic_kind kind;
};

class QuicKind : public ::testing::TestWithParam<KindCase> {};

TEST_P(QuicKind, IsTold) { EXPECT_EQ(Classify(GetParam().payload).kind, GetParam().kind); }

const Bytes kId = {0x20, 1, 2, 3, 4, 5, 6, 7, 8};

INSTANTIATE_TEST_SUITE_P(
    All, QuicKind,
    ::testing::Values(KindCase{"initial_v1", Long(0, kV1, kId), EK_QUIC_OPENING},
                      KindCase{"zero_rtt_v1", Long(1, kV1, kId), EK_QUIC_OTHER},
                      KindCase{"handshake_v1", Long(2, kV1, kId), EK_QUIC_SERVERS},
                      KindCase{"retry_v1", Long(3, kV1, kId), EK_QUIC_OTHER},
                      KindCase{"initial_v2", Long(1, kV2, kId), EK_QUIC_OPENING},
                      KindCase{"zero_rtt_v2", Long(2, kV2, kId), EK_QUIC_OTHER},
                      KindCase{"handshake_v2", Long(3, kV2, kId), EK_QUIC_SERVERS},
                      KindCase{"retry_v2", Long(0, kV2, kId), EK_QUIC_OTHER},
                      KindCase{"unknown_version", Long(2, 0x1a2a3a4a, kId), EK_QUIC_OPENING},
                      KindCase{"version_negotiation", Long(0, 0, kId), EK_QUIC_OTHER},
                      KindCase{"short_header", Short(kId), EK_QUIC_SERVERS},
                      KindCase{"empty", {}, EK_QUIC_OTHER},
                      KindCase{"five_bytes", {0xc0, 0, 0, 0, 1}, EK_QUIC_OTHER}),
    [](const auto& test) { return test.param.name; });

// Config 1, server id 0x0102..., of the given length; 0: none.
uint64_t ServerOf(const Bytes& payload, uint32_t length, uint32_t config = 1) {
  const ek_quic quic = Classify(payload);
  __u64 server = 0;
  return ek_quic_server(&quic, payload.data() + payload.size(), config, length, &server) ? server
                                                                                         : 0;
}

TEST(QuicServer, IsTheBytesBehindTheFirst) {
  EXPECT_EQ(ServerOf(Short(kId), 1), 0x01u);
  EXPECT_EQ(ServerOf(Short(kId), 2), 0x0102u);
  EXPECT_EQ(ServerOf(Short(kId), 5), 0x0102030405u);
  EXPECT_EQ(ServerOf(Short(kId), 8), 0x0102030405060708u);
  EXPECT_EQ(ServerOf(Long(2, kV1, kId), 3), 0x010203u);
}

TEST(QuicServer, IsNoneOfAnotherConfiguration) {
  EXPECT_EQ(ServerOf(Short(kId), 2, 2), 0u);
  Bytes unroutable = kId;
  unroutable[0] = 0xe0;
  EXPECT_EQ(ServerOf(Short(unroutable), 2, 1), 0u);
  Bytes length_bits = kId;
  length_bits[0] = 0x3f;  // the five low bits are of no interest
  EXPECT_EQ(ServerOf(Short(length_bits), 2, 1), 0x0102u);
}

TEST(QuicServer, IsNoneWhereTheClientMayHaveMadeTheId) {
  EXPECT_EQ(ServerOf(Long(0, kV1, kId), 2), 0u);
  EXPECT_EQ(ServerOf(Long(1, kV1, kId), 2), 0u);
}

TEST(QuicServer, IsNoneOfAShorterId) {
  EXPECT_EQ(ServerOf(Long(2, kV1, {0x20, 1, 2}), 2), 0x0102u);
  EXPECT_EQ(ServerOf(Long(2, kV1, {0x20, 1}), 2), 0u);
  EXPECT_EQ(ServerOf(Long(2, kV1, {}), 1), 0u);
}

TEST(QuicServer, ReadsNothingBehindTheEnd) {
  const Bytes whole = Short(kId);
  for (size_t size = 0; size <= whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(ServerOf(cut, 2), size >= 10 ? 0x0102u : 0u) << size;
  }
}

}  // namespace
}  // namespace evenkeel::testing
