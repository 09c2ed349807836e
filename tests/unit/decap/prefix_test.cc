// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "control/decap/decap.h"

namespace evenkeel::decap {
namespace {

TEST(Prefix, Accepts) {
  for (const auto& [text, canonical] : std::vector<std::pair<std::string, std::string>>{
           {"10.0.0.0/8", "10.0.0.0/8"},
           {"0.0.0.0/0", "0.0.0.0/0"},
           {"192.0.2.1", "192.0.2.1/32"},
           {"192.0.2.128/25", "192.0.2.128/25"},
           {"fd00::/8", "fd00::/8"},
           {"::/0", "::/0"},
           {"2001:db8::1", "2001:db8::1/128"},
       }) {
    const absl::StatusOr<Prefix> prefix = Prefix::Parse(text);
    ASSERT_TRUE(prefix.ok()) << text << ": " << prefix.status();
    EXPECT_EQ(prefix->ToString(), canonical);
  }
}

TEST(Prefix, Refuses) {
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.1/8",
        "192.0.2.128/24", "fd00::/129", "fd00::1/64", "web-1/24", "10.0.0.0/4294967304"}) {
    EXPECT_FALSE(Prefix::Parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace evenkeel::decap
