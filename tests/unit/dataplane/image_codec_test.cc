// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/image_codec.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

#include "bpf/lib/outer.h"
#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::testing {
namespace {

using dataplane::BackendImage;
using dataplane::Encapsulation;
using dataplane::NextHop;
using dataplane::TableImage;
using dataplane::VipImage;
using dataplane::VipKey;

BackendImage Backend(const std::string& address, uint8_t method, bool reachable = true) {
  BackendImage backend;
  backend.address = Ip(address);
  backend.method = method;
  backend.counter = 77;
  if (reachable) {
    backend.next_hop =
        NextHop{.ifindex = 5, .dmac = {2, 0, 0, 0, 0, 9}, .smac = {2, 0, 0, 0, 0, 8}, .mtu = 1500};
  }
  return backend;
}

TEST(ImageCodecTest, BackendsComeBackAsTheyWere) {
  const std::pair<const char*, BackendImage> cases[] = {
      {"ipip4", Backend("10.0.0.1", EK_METHOD_IPIP4)},
      {"ipip6", Backend("2001:db8::1", EK_METHOD_IPIP6)},
      {"l2-v4", Backend("10.0.0.1", EK_METHOD_L2)},
      {"l2-v6", Backend("2001:db8::1", EK_METHOD_L2)},
      // All but the first word 0, as an IPv4 address leaves them.
      {"l2-v6-subnet-router-anycast", Backend("2001:db8::", EK_METHOD_L2)},
      {"gue4", Backend("10.0.0.1", EK_METHOD_GUE4)},
      {"gue6", Backend("2001:db8::1", EK_METHOD_GUE6)},
      {"unresolved", Backend("10.0.0.1", EK_METHOD_IPIP4, false)},
      {"unused", BackendImage{}},
  };
  for (const auto& [name, image] : cases) {
    SCOPED_TRACE(name);
    EXPECT_EQ(dataplane::DecodeBackend(dataplane::EncodeBackend(image, Encapsulation{})), image);
  }
}

TEST(ImageCodecTest, OuterHeaderConstants) {
  Encapsulation encapsulation;
  encapsulation.source4 = Ip("172.31.255.255");  // host bits are not part of the prefix
  encapsulation.source4_prefix = 12;
  const ek_backend four =
      dataplane::EncodeBackend(Backend("10.0.0.1", EK_METHOD_IPIP4), encapsulation);
  EXPECT_EQ(ntohl(four.outer.v4.src_base), 0xac100000u);
  EXPECT_EQ(ntohl(four.outer.v4.src_mask), 0x000fffffu);
  EXPECT_EQ(ntohl(four.outer.v4.dst), 0x0a000001u);
  EXPECT_EQ(four.outer.v4.csum, ek_outer4_csum(four.outer.v4.dst, EK_PROTO_IPV4));
  const ek_backend gue =
      dataplane::EncodeBackend(Backend("10.0.0.1", EK_METHOD_GUE4), encapsulation);
  EXPECT_EQ(gue.outer.v4.src_base, four.outer.v4.src_base);
  EXPECT_EQ(gue.outer.v4.csum, ek_outer4_csum(gue.outer.v4.dst, EK_PROTO_UDP));
  const ek_backend six =
      dataplane::EncodeBackend(Backend("2001:db8::1", EK_METHOD_IPIP6), encapsulation);
  EXPECT_EQ(ntohl(six.outer.v6.src_prefix[0]), 0x01000000u);
  EXPECT_EQ(six.outer.v6.src_prefix[1], 0u);
}

TEST(ImageCodecTest, PrefixLengthsAtTheEnds) {
  const std::pair<uint8_t, uint32_t> cases[] = {{8, 0x00ffffff}, {24, 0xff}, {31, 1}, {32, 0}};
  for (const auto& [prefix, mask] : cases) {
    Encapsulation encapsulation;
    encapsulation.source4_prefix = prefix;
    const auto entry =
        dataplane::EncodeBackend(Backend("10.0.0.1", EK_METHOD_IPIP4), encapsulation);
    EXPECT_EQ(ntohl(entry.outer.v4.src_mask), mask) << "/" << int{prefix};
  }
}

TEST(ImageCodecTest, TablesComeBackFromLargerMaps) {
  TableImage image;
  for (uint32_t slot = 0; slot < 251; ++slot) image.slots.push_back(EK_SLOT(slot % 3 + 1, 0));
  image.backends = {Backend("10.0.0.1", EK_METHOD_IPIP4), BackendImage{},
                    Backend("10.0.0.3", EK_METHOD_IPIP4)};
  for (const uint32_t spare : {0u, 1u, 64u}) {
    std::vector<ek_line> lines(dataplane::LinesNeeded(251, image.backends.size()) + spare);
    std::memset(static_cast<void*>(lines.data()), 0xff, lines.size() * sizeof(ek_line));
    dataplane::EncodeTable(image, Encapsulation{}, lines);
    auto read = dataplane::DecodeTable(lines, 251);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, image);
    // Line 0 of the backends stays empty: owner 0 is nobody.
    EXPECT_EQ(lines[EK_BACKEND_LINE(251, 0)].backend.method, EK_METHOD_NONE);
  }
}

TableImage WithServerIds(size_t count) {
  TableImage image;
  image.slots.assign(251, EK_SLOT(1, 0));
  image.server_ids.config_id = 5;
  image.server_ids.length = 2;
  for (size_t i = 0; i < count; ++i) {
    image.backends.push_back(Backend(
        "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1), EK_METHOD_IPIP4));
    image.server_ids.entries.push_back({.id = i * 37 + 1, .backend = static_cast<uint16_t>(i + 1)});
  }
  return image;
}

TEST(ImageCodecTest, ServerIdsComeBack) {
  for (const size_t count : {size_t{1}, size_t{4}, size_t{5}, size_t{100}, size_t{1000}}) {
    const TableImage image = WithServerIds(count);
    const uint32_t ids = dataplane::LinesForServerIds(image.server_ids);
    EXPECT_GE(ids * EK_IDS_PER_LINE, count);
    for (const uint32_t spare : {0u, 70u}) {
      std::vector<ek_line> lines(dataplane::LinesNeeded(251, count, ids) + spare);
      std::memset(static_cast<void*>(lines.data()), 0xff, lines.size() * sizeof(ek_line));
      dataplane::EncodeTable(image, Encapsulation{}, lines);
      auto read = dataplane::DecodeTable(lines, 251);
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(*read, image);
      EXPECT_EQ(lines[EK_BACKEND_LINE(251, 0)].backend.method, EK_METHOD_NONE);
    }
  }
}

// As bpf/datapath/quic.h looks them up.
TEST(ImageCodecTest, EachServerIdStandsInItsBucket) {
  const TableImage image = WithServerIds(300);
  std::vector<ek_line> lines(
      dataplane::LinesNeeded(251, 300, dataplane::LinesForServerIds(image.server_ids)));
  dataplane::EncodeTable(image, Encapsulation{}, lines);
  const ek_table_head& head = lines[EK_BACKEND_LINE(251, 0)].head;
  for (const auto& wanted : image.server_ids.entries) {
    const ek_server_ids& bucket = lines[head.first + ek_id_bucket(wanted.id, head.mask)].ids;
    EXPECT_EQ(std::count_if(
                  std::begin(bucket.entry), std::end(bucket.entry),
                  [&](const auto& e) { return e.id == wanted.id && e.backend == wanted.backend; }),
              1);
  }
}

TEST(ImageCodecTest, ServerIdsOutsideOfTheTableAreNotRead) {
  const TableImage image = WithServerIds(4);
  std::vector<ek_line> lines(
      dataplane::LinesNeeded(251, 4, dataplane::LinesForServerIds(image.server_ids)));
  dataplane::EncodeTable(image, Encapsulation{}, lines);
  ek_table_head& head = lines[EK_BACKEND_LINE(251, 0)].head;
  const ek_table_head good = head;
  head.mask = ~0u;
  EXPECT_TRUE(absl::IsDataLoss(dataplane::DecodeTable(lines, 251).status()));
  head = good;
  head.first = 3;
  EXPECT_TRUE(absl::IsDataLoss(dataplane::DecodeTable(lines, 251).status()));
}

TEST(ImageCodecTest, OnlyAnAddressWithOnePoolForwardsFragmentsWithoutPorts) {
  const auto vip = [](const char* address, uint16_t port, uint32_t table, uint32_t flags) {
    return VipImage{.key = {.address = Ip(address), .port = port, .ip_protocol = 17},
                    .table = table,
                    .table_size = 251,
                    .counter = port,
                    .flags = flags};
  };
  constexpr uint32_t kForward = EK_VIP_FRAGMENTS | EK_VIP_HASH_SRC;
  const auto markers = dataplane::MakeMarkers(std::vector<VipImage>{
      vip("192.0.2.1", 90, 3, kForward), vip("192.0.2.1", 80, 3, kForward),
      vip("192.0.2.2", 80, 3, kForward), vip("192.0.2.2", 90, 4, kForward),
      vip("192.0.2.3", 80, 3, kForward), vip("192.0.2.3", 90, 3, 0), vip("192.0.2.4", 80, 3, 0)});
  ASSERT_EQ(markers.size(), 4u);
  EXPECT_EQ(markers.at(Ip("192.0.2.1")).flags, kForward | EK_VIP_ADDRESS);
  EXPECT_EQ(markers.at(Ip("192.0.2.1")).table, 3u);
  EXPECT_EQ(markers.at(Ip("192.0.2.1")).counter, 80u) << "the first VIP counts them";
  for (const char* plain : {"192.0.2.2", "192.0.2.3", "192.0.2.4"}) {
    EXPECT_EQ(markers.at(Ip(plain)).flags, EK_VIP_ADDRESS) << plain;
  }
}

TEST(ImageCodecTest, ATableTooSmallForItsSlotsIsOutOfRange) {
  const std::vector<ek_line> lines(EK_SLOT_LINES(251));
  EXPECT_TRUE(absl::IsOutOfRange(dataplane::DecodeTable(lines, 251).status()));
}

TEST(ImageCodecTest, KeysAreInNetworkOrder) {
  const VipKey four{.address = Ip("192.0.2.1"), .port = 0x1234, .ip_protocol = IPPROTO_TCP};
  const ek_vip_key4 key4 = dataplane::EncodeKey4(four);
  const uint8_t bytes[8] = {192, 0, 2, 1, 0x12, 0x34, 6, 0};
  EXPECT_EQ(std::memcmp(&key4, bytes, sizeof(bytes)), 0);
  EXPECT_EQ(dataplane::DecodeKey(key4), four);
  const VipKey six{.address = Ip("2001:db8::5"), .port = 0, .ip_protocol = IPPROTO_UDP};
  EXPECT_EQ(dataplane::DecodeKey(dataplane::EncodeKey6(six)), six);
}

VipImage Vip(const std::string& address, uint16_t port) {
  VipImage vip;
  vip.key = {.address = Ip(address), .port = port, .ip_protocol = IPPROTO_TCP};
  return vip;
}

TEST(ActiveWordTest, SaysWhatTheGenerationHolds) {
  const VipImage four = Vip("192.0.2.1", 80), any4 = Vip("192.0.2.1", 0);
  const VipImage six = Vip("2001:db8::1", 80), any6 = Vip("2001:db8::1", 0);
  struct Case {
    const char* name;
    std::vector<VipImage> vips;
    uint32_t bits;
  };
  const Case cases[] = {
      {"none", {}, 0},
      {"v4", {four}, EK_ACTIVE_HAS_VIPS4},
      {"v4-any-port", {any4}, EK_ACTIVE_HAS_VIPS4 | EK_ACTIVE_HAS_ANY_PORT4},
      {"v6", {six}, EK_ACTIVE_HAS_VIPS6},
      {"both", {four, any6}, EK_ACTIVE_HAS_VIPS4 | EK_ACTIVE_HAS_VIPS6 | EK_ACTIVE_HAS_ANY_PORT6},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(dataplane::MakeActiveWord(5, one.vips), 5u | one.bits) << one.name;
  }
}

TEST(CheckImageTest, NamesTheFault) {
  TableImage good;
  good.slots.assign(251, EK_SLOT(1, 0));
  good.backends = {Backend("10.0.0.1", EK_METHOD_IPIP4)};
  EXPECT_TRUE(dataplane::CheckImage(good).ok());
  struct Case {
    const char* name;
    void (*damage)(TableImage&);
  };
  const Case cases[] = {
      {"too-few-slots", [](TableImage& t) { t.slots.resize(250); }},
      {"too-many-slots", [](TableImage& t) { t.slots.resize(EK_MAX_TABLE_SIZE + 1); }},
      {"owner-not-there", [](TableImage& t) { t.slots[9] = EK_SLOT(2, 0); }},
      {"previous-not-there", [](TableImage& t) { t.slots[9] = EK_SLOT(1, 2); }},
      {"owner-unused", [](TableImage& t) { t.backends[0].method = EK_METHOD_NONE; }},
  };
  for (const Case& one : cases) {
    TableImage bad = good;
    one.damage(bad);
    EXPECT_TRUE(absl::IsInvalidArgument(dataplane::CheckImage(bad))) << one.name;
  }
}

TEST(HashKeyTest, BytesAreLittleEndianWords) {
  const auto words = dataplane::HashKeyWords(kTestKey);
  EXPECT_EQ(words[0], 0x0807060504030201u);
  EXPECT_EQ(words[1], 0x100f0e0d0c0b0a09u);
}

}  // namespace
}  // namespace evenkeel::testing
