// SPDX-License-Identifier: Apache-2.0
#include "control/cli/pcapng.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/cli/capture_file.h"

namespace evenkeel::cli {
namespace {

using ::testing::HasSubstr;

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i != 0 && i % 4 == 0) text += ' ';
    text += kDigits[static_cast<uint8_t>(bytes[i]) >> 4];
    text += kDigits[static_cast<uint8_t>(bytes[i]) & 15];
  }
  return text;
}

// Against the figures of draft-ietf-opsawg-pcapng, byte by byte.
TEST(PcapngTest, SectionHeader) {
  std::string out;
  const PcapngWriter writer("app 1", &out);
  EXPECT_EQ(Hex(out),
            "0a0d0d0a 2c000000 4d3c2b1a 01000000 ffffffff ffffffff "
            "04000500 61707020 31000000 00000000 2c000000");
}

TEST(PcapngTest, InterfaceDescription) {
  std::string out;
  PcapngWriter writer("", &out);
  out.clear();
  EXPECT_EQ(writer.AddInterface("eth0 in", "d", 256), 0u);
  EXPECT_EQ(Hex(out),
            "01000000 34000000 01000000 00010000 02000700 65746830 20696e00 "
            "03000100 64000000 09000100 09000000 00000000 34000000");
  EXPECT_EQ(writer.AddInterface("eth0 out", "d", 256), 1u);
}

TEST(PcapngTest, EnhancedPacket) {
  std::string out;
  PcapngWriter writer("", &out);
  writer.AddInterface("a", "", 0);
  out.clear();
  // 2^32 + 7 ns: the upper half comes first.
  writer.AddPacket(0, (int64_t{1} << 32) + 7, PcapngWriter::Direction::kIn, 1500, "12345", "ab");
  EXPECT_EQ(Hex(out),
            "06000000 3c000000 00000000 01000000 07000000 05000000 dc050000 31323334 35000000 "
            "01000200 61620000 02000400 01000000 00000000 3c000000");
  out.clear();
  writer.AddPacket(0, 7, PcapngWriter::Direction::kOut, 4, "1234", "abcd");
  EXPECT_THAT(Hex(out),
              HasSubstr("04000000 04000000 31323334 01000400 61626364 02000400 02000000"));
}

TEST(PcapngTest, InterfaceStatistics) {
  std::string out;
  PcapngWriter writer("", &out);
  writer.AddInterface("a", "", 0);
  out.clear();
  writer.AddStatistics(
      0, {.began_unix_ns = 5, .ended_unix_ns = 9, .received = 258, .dropped = 3, .delivered = 255});
  EXPECT_EQ(Hex(out),
            "05000000 58000000 00000000 00000000 09000000 02000800 00000000 05000000 "
            "03000800 00000000 09000000 04000800 02010000 00000000 05000800 03000000 00000000 "
            "08000800 ff000000 00000000 00000000 58000000");
}

TEST(PcapngTest, LongCommentsAreCut) {
  std::string out;
  PcapngWriter writer("", &out);
  writer.AddInterface("a", "", 0);
  out.clear();
  writer.AddPacket(0, 0, PcapngWriter::Direction::kIn, 1, "1", std::string(70'000, 'x'));
  EXPECT_LT(out.size(), 65'600u);
  EXPECT_EQ(out.size() % 4, 0u);
}

engine::CapturePacket Forwarded() {
  return {.unix_ns = 1,
          .verdict = "forward",
          .vip = "web",
          .pool = "web",
          .backend = "web-1",
          .address = "10.0.1.11",
          .ingress = "eth0",
          .egress = "eth1",
          .slot = 4711,
          .published = true,
          .generation = 3,
          .revision = 41,
          .length_in = 4,
          .length_out = 4,
          .in = "abcd",
          .out = "efgh"};
}

TEST(CaptureFileTest, Comments) {
  EXPECT_EQ(CommentOf(Forwarded()),
            "verdict forward, vip web, pool web, backend web-1 (10.0.1.11), slot 4711, "
            "generation 3, revision 41");
  EXPECT_EQ(CommentOf({.verdict = "pass_no_vip"}), "verdict pass_no_vip");
  EXPECT_EQ(CommentOf({.verdict = "drop_ttl", .vip = "web", .published = true}),
            "verdict drop_ttl, vip web, generation 0");
}

TEST(CaptureFileTest, AFrameBeforeAndOneAfter) {
  CaptureFile file(256);
  file.Add({.packets = {}, .counts = {{.interface = "eth0"}}});
  const std::string begin = file.Take();
  EXPECT_THAT(begin, HasSubstr("eth0 in")) << "readers get to know it before the first packet";
  engine::CapturePacket dropped = Forwarded();
  dropped.egress.clear();
  dropped.out.clear();
  file.Add({.packets = {Forwarded(), dropped}, .counts = {}});
  const std::string bytes = file.Take();
  EXPECT_THAT(bytes, HasSubstr("abcd"));
  EXPECT_THAT(bytes, HasSubstr("eth1 out"));
  EXPECT_THAT(bytes, HasSubstr("efgh"));
  EXPECT_EQ(file.packets(), 2u);
  EXPECT_EQ(file.frames(), 3u);
}

}  // namespace
}  // namespace evenkeel::cli
