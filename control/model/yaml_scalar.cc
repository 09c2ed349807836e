// SPDX-License-Identifier: Apache-2.0
#include "control/model/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "control/model/config.h"
#include "control/model/text.h"

namespace evenkeel::model {
namespace {

absl::Status Bad(const YamlNode& node, std::string_view remedy) {
  const bool scalar = node.kind == YamlNode::Kind::kScalar;
  return absl::InvalidArgumentError(absl::StrCat(
      "is ", scalar ? Quoted(node.scalar) : std::string(DescribeKind(node)), "; ", Av(remedy)));
}

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return absl::ascii_isdigit(c); });
}

// Optional minus and digits without leading zeros: "010" is 8 to some readers of YAML.
bool IsDecimalInteger(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  return IsDigits(text) && (text.size() == 1 || text[0] != '0');
}

// JSON's grammar of numbers.
bool IsDecimalNumber(std::string_view text) {
  const auto digits = [&] {
    size_t n = 0;
    while (n < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[n]))) ++n;
    text.remove_prefix(n);
    return n > 0;
  };
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  if (!digits()) return false;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    if (!digits()) return false;
  }
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    text.remove_prefix(1);
    if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
    if (!digits()) return false;
  }
  return text.empty();
}

std::string RangeText(int64_t min, int64_t max) {
  if (min == std::numeric_limits<int64_t>::min()) return "";
  return absl::StrCat(" from ", min, " to ", max);
}

}  // namespace

std::string_view DescribeKind(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "without a value";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kSequence:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "unknown";
}

absl::StatusOr<std::string> ReadText(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar) return Bad(node, "write text");
  return node.scalar;
}

absl::StatusOr<int64_t> ReadInteger(const YamlNode& node, int64_t min, int64_t max) {
  const std::string remedy = absl::StrCat("write a whole number", RangeText(min, max));
  if (node.kind != YamlNode::Kind::kScalar) return Bad(node, remedy);
  if (!node.plain) return Bad(node, remedy + " without quotes");
  if (!IsDecimalInteger(node.scalar)) {
    if (IsDecimalNumber(node.scalar)) return Bad(node, remedy + ", not a fraction");
    return Bad(node, remedy);
  }
  int64_t value = 0;
  const char* end = node.scalar.data() + node.scalar.size();
  const auto [stop, error] = std::from_chars(node.scalar.data(), end, value);
  if (error != std::errc() || stop != end || value < min || value > max) return Bad(node, remedy);
  return value;
}

absl::StatusOr<bool> ReadBoolean(const YamlNode& node) {
  constexpr std::string_view kRemedy = "write true or false";
  if (node.kind != YamlNode::Kind::kScalar) return Bad(node, kRemedy);
  if (!node.plain) return Bad(node, absl::StrCat(Av(kRemedy), ", without quotes"));
  if (node.scalar == "true") return true;
  if (node.scalar == "false") return false;
  return Bad(node, kRemedy);
}

absl::StatusOr<double> ReadNumber(const YamlNode& node) {
  constexpr std::string_view kRemedy = "write a decimal number such as 0.25";
  if (node.kind != YamlNode::Kind::kScalar) return Bad(node, kRemedy);
  if (!node.plain) return Bad(node, absl::StrCat(Av(kRemedy), ", without quotes"));
  if (!IsDecimalNumber(node.scalar)) return Bad(node, kRemedy);
  double value = 0;
  const char* end = node.scalar.data() + node.scalar.size();
  const auto [stop, error] = std::from_chars(node.scalar.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) return Bad(node, kRemedy);
  return value;
}

absl::StatusOr<std::chrono::milliseconds> ReadDuration(const YamlNode& node) {
  constexpr std::string_view kRemedy =
      "write a duration: a whole number and ms, s, m or h, such as 500ms or 2s";
  if (node.kind != YamlNode::Kind::kScalar) return Bad(node, kRemedy);
  const std::string_view text = node.scalar;
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view unit = text.substr(digits);
  int64_t factor = 0;
  if (unit == "ms") factor = 1;
  if (unit == "s") factor = 1000;
  if (unit == "m") factor = 60'000;
  if (unit == "h") factor = 3'600'000;
  int64_t count = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + digits, count);
  // A year: far beyond what any field takes, and far from overflow.
  constexpr int64_t kMax = int64_t{366} * 24 * 3'600'000;
  if (factor == 0 || error != std::errc() || stop != text.data() + digits ||
      count > kMax / factor) {
    return Bad(node, kRemedy);
  }
  return std::chrono::milliseconds(count * factor);
}

absl::StatusOr<int64_t> ReadTimestamp(const YamlNode& node) {
  constexpr std::string_view kRemedy =
      "write a date and time with its zone, such as 2026-12-24T18:00:00Z";
  if (node.kind != YamlNode::Kind::kScalar) return Bad(node, kRemedy);
  absl::Time time;
  std::string error;
  const bool whole = node.scalar.find('.') == std::string::npos;
  if (!whole || !absl::ParseTime(absl::RFC3339_sec, node.scalar, &time, &error)) {
    return Bad(node, kRemedy);
  }
  const int64_t seconds = absl::ToUnixSeconds(time);
  if (seconds < 0 || seconds > kMaxUnixSeconds) return Bad(node, kRemedy);
  return seconds;
}

}  // namespace evenkeel::model
