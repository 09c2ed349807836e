// SPDX-License-Identifier: Apache-2.0
#include "control/model/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "control/model/text.h"

namespace evenkeel::model {
namespace {

// RFC 4291: 39 characters plus an embedded IPv4 tail; anything longer is not an address.
constexpr size_t kMaxTextLength = 64;

absl::Status Refuse(std::string_view text, std::string_view why, std::string_view remedy) {
  return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " ", Av(why), ": ", Av(remedy)));
}

bool LooksLikeIpv4(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isdigit(c) || c == '.';
  });
}

absl::StatusOr<IpAddress> ParseIpv4(std::string_view text) {
  constexpr std::string_view kForm = "write four numbers from 0 to 255, such as 10.0.0.1";
  const std::vector<std::string> parts = absl::StrSplit(Av(text), '.');
  if (parts.size() != 4) return Refuse(text, "is not an IPv4 address", kForm);
  std::array<uint8_t, 4> bytes{};
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty() || parts[i].size() > 3) {
      return Refuse(text, "is not an IPv4 address", kForm);
    }
    if (parts[i].size() > 1 && parts[i][0] == '0') {
      // Some parsers read "010" as octal 8: one text would name two servers.
      return Refuse(text, "has a number with a leading zero", "write 1 instead of 01");
    }
    int value = 0;
    for (char c : parts[i]) value = value * 10 + (c - '0');
    if (value > 255) return Refuse(text, "is not an IPv4 address", kForm);
    bytes[i] = static_cast<uint8_t>(value);
  }
  return IpAddress::FromIpv4(bytes);
}

bool IsMapped(const std::array<uint8_t, 16>& b) {
  return std::all_of(b.begin(), b.begin() + 10, [](uint8_t x) { return x == 0; }) &&
         b[10] == 0xff && b[11] == 0xff;
}

absl::StatusOr<IpAddress> ParseIpv6(std::string_view text) {
  std::array<uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, std::string(text).c_str(), bytes.data()) != 1) {
    return Refuse(text, "is not an IPv6 address", "write it as in RFC 4291, such as 2001:db8::1");
  }
  if (IsMapped(bytes)) {
    const auto v4 = IpAddress::FromIpv4({bytes[12], bytes[13], bytes[14], bytes[15]});
    return Refuse(text, "is an IPv4-mapped IPv6 address, a second spelling of one server",
                  absl::StrCat("write ", v4.ToString()));
  }
  return IpAddress::FromIpv6(bytes);
}

}  // namespace

absl::StatusOr<IpAddress> IpAddress::Parse(std::string_view text) {
  if (text.empty()) {
    return Refuse(text, "is empty", "write an IP address, such as 10.0.0.1 or 2001:db8::1");
  }
  if (text.find('\0') != std::string_view::npos || text.size() > kMaxTextLength) {
    return Refuse(text, "is not an IP address", "write one such as 10.0.0.1 or 2001:db8::1");
  }
  if (size_t slash = text.find('/'); slash != std::string_view::npos) {
    return Refuse(text, "is a prefix, not an address",
                  absl::StrCat("write one address without \"", Av(text.substr(slash)), "\""));
  }
  if (size_t percent = text.find('%'); percent != std::string_view::npos) {
    return Refuse(text, "has a zone id, which means nothing on another host",
                  "write a global or unique local address without it");
  }
  if (LooksLikeIpv4(text)) return ParseIpv4(text);
  if (text.find(':') != std::string_view::npos) {
    if (text.front() == '[') {
      return Refuse(text, "has brackets or a port", "write the address alone");
    }
    if (std::count(text.begin(), text.end(), ':') == 1) {
      return Refuse(text, "has a port", "write the address alone; a VIP's port is a field");
    }
    return ParseIpv6(text);
  }
  return Refuse(text, "is a host name, not an address",
                "write its IP address; names are not resolved, because an answer can change "
                "behind a reviewed configuration");
}

IpAddress IpAddress::FromIpv4(const std::array<uint8_t, 4>& bytes) {
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

IpAddress IpAddress::FromIpv6(const std::array<uint8_t, 16>& bytes) {
  IpAddress address;
  address.family_ = Family::kIpv6;
  address.bytes_ = bytes;
  return address;
}

bool IpAddress::IsUnspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](uint8_t b) { return b == 0; });
}

bool IpAddress::IsLoopback() const {
  if (is_ipv4()) return bytes_[0] == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t b) { return b == 0; });
}

bool IpAddress::IsMulticast() const {
  return is_ipv4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::IsBroadcast() const {
  return is_ipv4() &&
         std::all_of(bytes_.begin(), bytes_.begin() + 4, [](uint8_t b) { return b == 0xff; });
}

bool IpAddress::IsLinkLocal() const {
  if (is_ipv4()) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

std::string IpAddress::ToString() const {
  // Large states are printed often, and inet_ntop takes several times as long.
  if (is_ipv4()) return absl::StrCat(bytes_[0], ".", bytes_[1], ".", bytes_[2], ".", bytes_[3]);
  char text[INET6_ADDRSTRLEN] = {};
  // glibc prints RFC 5952 form, but for "::a.b.c.d" of the deprecated compatible range, which
  // parses back to the same bytes.
  inet_ntop(AF_INET6, bytes_.data(), text, sizeof(text));
  return text;
}

}  // namespace evenkeel::model
