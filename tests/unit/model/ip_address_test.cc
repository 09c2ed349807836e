// SPDX-License-Identifier: Apache-2.0
#include "control/model/ip_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evenkeel::model {
namespace {

using ::testing::HasSubstr;

std::string NameOf(const std::string& name) { return name; }

struct Good {
  const char* name;
  const char* text;
  const char* canonical;
  Family family;
};

class GoodAddress : public ::testing::TestWithParam<Good> {};

TEST_P(GoodAddress, ParsesToItsCanonicalText) {
  const auto address = IpAddress::Parse(GetParam().text);
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->ToString(), GetParam().canonical);
  EXPECT_EQ(address->family(), GetParam().family);
  const auto again = IpAddress::Parse(address->ToString());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *address);
}

INSTANTIATE_TEST_SUITE_P(
    Addresses, GoodAddress,
    ::testing::Values(Good{"ipv4", "10.0.1.11", "10.0.1.11", Family::kIpv4},
                      Good{"zeros", "0.0.0.0", "0.0.0.0", Family::kIpv4},
                      Good{"ones", "255.255.255.255", "255.255.255.255", Family::kIpv4},
                      Good{"ipv6", "2001:db8::1", "2001:db8::1", Family::kIpv6},
                      Good{"long", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1", Family::kIpv6},
                      Good{"unspecified6", "::", "::", Family::kIpv6},
                      Good{"one_zero_group", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1",
                           Family::kIpv6}),
    [](const auto& test) { return NameOf(test.param.name); });

struct Bad {
  const char* name;
  const char* text;
  const char* says;
};

class BadAddress : public ::testing::TestWithParam<Bad> {};

TEST_P(BadAddress, IsRefusedWithTheRemedy) {
  const auto address = IpAddress::Parse(GetParam().text);
  ASSERT_FALSE(address.ok()) << address->ToString();
  EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(address.status().message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Addresses, BadAddress,
    ::testing::Values(
        Bad{"empty", "", "is empty"}, Bad{"host_name", "web-1.example.com", "is a host name"},
        Bad{"word", "localhost", "is a host name"},
        Bad{"leading_zero", "10.0.0.01", "leading zero: write 1 instead of 01"},
        Bad{"octal", "010.0.0.1", "leading zero"}, Bad{"above_255", "10.0.0.256", "from 0 to 255"},
        Bad{"three_numbers", "10.0.1", "four numbers"}, Bad{"five", "1.2.3.4.5", "four numbers"},
        Bad{"empty_number", "10..0.1", "four numbers"},
        Bad{"one_number", "167772161", "four numbers"},
        Bad{"huge_number", "10.0.0.4294967297", "four numbers"},
        Bad{"prefix4", "10.0.0.1/24", "one address without \"/24\""},
        Bad{"prefix6", "2001:db8::1/64", "is a prefix"},
        Bad{"zone", "fe80::1%eth0", "has a zone id"},
        Bad{"mapped", "::ffff:10.0.0.1", "write 10.0.0.1"},
        Bad{"mapped_hex", "::ffff:a00:1", "write 10.0.0.1"},
        Bad{"port4", "10.0.0.1:80", "has a port"}, Bad{"port6", "[2001:db8::1]:80", "brackets"},
        Bad{"two_gaps", "2001::db8::1", "is not an IPv6 address"},
        Bad{"nine_groups", "1:2:3:4:5:6:7:8:9", "is not an IPv6 address"},
        Bad{"space", " 10.0.0.1", "is a host name"}, Bad{"newline", "10.0.0.1\n", "host name"}),
    [](const auto& test) { return NameOf(test.param.name); });

TEST(IpAddress, RefusesNulAndQuotesIt) {
  const auto address = IpAddress::Parse(std::string_view("10.0.0.1\0", 9));
  ASSERT_FALSE(address.ok());
  EXPECT_THAT(std::string(address.status().message()), HasSubstr("\\x00"));
}

TEST(IpAddress, ClassifiesRanges) {
  const auto parse = [](const char* text) { return IpAddress::Parse(text).value(); };
  EXPECT_TRUE(parse("127.5.0.1").IsLoopback());
  EXPECT_TRUE(parse("::1").IsLoopback());
  EXPECT_FALSE(parse("128.0.0.1").IsLoopback());
  EXPECT_FALSE(parse("::2").IsLoopback());
  EXPECT_TRUE(parse("224.0.0.1").IsMulticast());
  EXPECT_TRUE(parse("239.255.255.255").IsMulticast());
  EXPECT_FALSE(parse("240.0.0.1").IsMulticast());
  EXPECT_TRUE(parse("ff02::1").IsMulticast());
  EXPECT_TRUE(parse("169.254.1.1").IsLinkLocal());
  EXPECT_TRUE(parse("febf::1").IsLinkLocal());
  EXPECT_FALSE(parse("fec0::1").IsLinkLocal());
  EXPECT_TRUE(parse("255.255.255.255").IsBroadcast());
  EXPECT_FALSE(parse("255.255.255.254").IsBroadcast());
  EXPECT_TRUE(parse("0.0.0.0").IsUnspecified());
  EXPECT_TRUE(parse("::").IsUnspecified());
}

TEST(IpAddress, OrdersByFamilyThenBytes) {
  const auto parse = [](const char* text) { return IpAddress::Parse(text).value(); };
  EXPECT_LT(parse("9.0.0.1"), parse("10.0.0.1"));
  EXPECT_LT(parse("255.0.0.1"), parse("::1"));
  // The same leading bytes in another family are another address.
  EXPECT_NE(parse("32.1.13.184"), parse("2001:db8::"));
}

}  // namespace
}  // namespace evenkeel::model
