// SPDX-License-Identifier: Apache-2.0
#include "control/model/prefix.h"

#include <array>
#include <charconv>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "control/model/text.h"

namespace evenkeel::model {
namespace {

// Takes a number without leading zeros off the front of `text`.
std::optional<uint8_t> TakeNumber(std::string_view& text) {
  uint8_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto digits = static_cast<size_t>(stop - text.data());
  if (error != std::errc() || (digits > 1 && text[0] == '0')) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

// Lists have a million of these. What it does not take is not yet known to be wrong.
std::optional<IpAddress> ParseIpv4Fast(std::string_view text) {
  std::array<uint8_t, 4> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) {
      if (text.empty() || text[0] != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    const std::optional<uint8_t> byte = TakeNumber(text);
    if (!byte) return std::nullopt;
    bytes[i] = *byte;
  }
  if (!text.empty()) return std::nullopt;
  return IpAddress::FromIpv4(bytes);
}

absl::StatusOr<IpAddress> ParseAddress(std::string_view text) {
  if (const auto address = ParseIpv4Fast(text)) return *address;
  return IpAddress::Parse(text);
}

IpAddress Make(bool ipv4, const std::array<uint8_t, 16>& bytes) {
  if (!ipv4) return IpAddress::FromIpv6(bytes);
  return IpAddress::FromIpv4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

}  // namespace

Prefix Prefix::Of(const IpAddress& address, uint8_t length) {
  std::array<uint8_t, 16> bytes = address.bytes();
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int kept = static_cast<int>(length) - static_cast<int>(8 * i);
    if (kept <= 0) {
      bytes[i] = 0;
    } else if (kept < 8) {
      bytes[i] = static_cast<uint8_t>(bytes[i] & (0xff00 >> kept));
    }
  }
  return {Make(address.is_ipv4(), bytes), length};
}

bool Prefix::IsCanonical() const {
  return length <= max_length() && Of(address, length).address == address;
}

absl::StatusOr<Prefix> Prefix::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  absl::StatusOr<IpAddress> address = ParseAddress(text.substr(0, slash));
  if (!address.ok()) return address.status();
  Prefix prefix{*address, 0};
  if (slash == std::string_view::npos) {
    prefix.length = prefix.max_length();
    return prefix;
  }
  std::string_view rest = text.substr(slash + 1);
  const std::optional<uint8_t> length = TakeNumber(rest);
  if (!length || !rest.empty() || *length > prefix.max_length()) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " has no prefix length: write ",
                                                   address->ToString(), "/N with N from 0 to ",
                                                   prefix.max_length()));
  }
  prefix.length = *length;
  if (prefix.IsCanonical()) return prefix;
  return absl::InvalidArgumentError(absl::StrCat(
      Quoted(text), " has bits set beyond its length: write ", Of(*address, *length).ToString(),
      ", or ", address->ToString(), "/", prefix.max_length(), " for the one address"));
}

std::string Prefix::ToString() const { return absl::StrCat(address.ToString(), "/", length); }

}  // namespace evenkeel::model
