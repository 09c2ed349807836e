// SPDX-License-Identifier: Apache-2.0
#include "control/cli/text.h"

#include <time.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "control/cli/cat.h"
#include "control/cli/utf8.h"
#include "control/model/nearest.h"

namespace evenkeel::cli {
namespace {

bool Obeyed(char32_t c) {
  if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) return true;  // C0, DEL, C1
  // Bidirectional marks, embeddings, overrides and isolates; line and paragraph separators.
  return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

std::string Visible(char32_t c) {
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  if (c == '\r') return "\\r";
  return c < 0x100 ? absl::StrFormat("\\x%02x", static_cast<uint32_t>(c))
                   : absl::StrFormat("\\u%04x", static_cast<uint32_t>(c));
}

// "12.3 k": three significant digits and a decimal prefix.
std::string Scaled(double n, std::string_view unit) {
  static constexpr std::string_view kPrefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  size_t prefix = 0;
  while (n >= 999.5 && prefix + 1 < std::size(kPrefixes)) {
    n /= 1000;
    ++prefix;
  }
  const int digits = prefix == 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2;
  const std::string suffix = Cat(kPrefixes[prefix], unit);
  return suffix.empty() ? absl::StrFormat("%.*f", digits, n)
                        : absl::StrFormat("%.*f %s", digits, n, suffix);
}

tm SplitUtc(int64_t unix_ns) {
  const time_t seconds = static_cast<time_t>(unix_ns / 1'000'000'000);
  tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

}  // namespace

std::string Clean(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Char c = NextUtf8(text);
    if (!c.valid) {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<uint8_t>(text[0]));
    } else if (Obeyed(c.code)) {
      out += Visible(c.code);
    } else {
      out += text.substr(0, c.size);
    }
    text.remove_prefix(c.size);
  }
  return out;
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    text.remove_prefix(NextUtf8(text).size);
    ++width;
  }
  return width;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::vector<std::string> Wrap(std::string_view text, size_t width) {
  width = std::max<size_t>(width, 1);
  std::vector<std::string> lines(1);
  size_t used = 0;
  for (std::string_view word : Split(text, ' ')) {
    size_t length = DisplayWidth(word);
    if (used > 0 && used + 1 + length > width) {
      lines.emplace_back();
      used = 0;
    }
    if (used > 0) {
      lines.back() += ' ';
      ++used;
    }
    for (; length > width - used; length = DisplayWidth(word)) {  // wider than a line: cut
      for (; used < width; ++used) {
        const size_t size = NextUtf8(word).size;
        lines.back() += word.substr(0, size);
        word.remove_prefix(size);
      }
      lines.emplace_back();
      used = 0;
    }
    lines.back() += word;
    used += length;
  }
  return lines;
}

std::string Percent(double fraction, int digits) {
  return absl::StrFormat("%.*f %%", digits, fraction * 100);
}

std::string Points(double fraction) {
  const double points = fraction * 100;
  if (std::abs(points) < 0.005) return "0.00";
  return absl::StrFormat("%+.2f", points);
}

std::string Count(uint64_t n) { return Scaled(static_cast<double>(n), ""); }

std::string Bytes(uint64_t n) { return Scaled(static_cast<double>(n), "B"); }

std::string Plural(uint64_t n, std::string_view noun) {
  return Cat(n, " ", noun, n == 1 ? "" : "s");
}

std::string UtcTime(int64_t unix_ns) {
  if (unix_ns == 0) return "never";
  const tm t = SplitUtc(unix_ns);
  return absl::StrFormat("%04d-%02d-%02d %02d:%02d:%02d UTC", t.tm_year + 1900, t.tm_mon + 1,
                         t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

std::string Ago(int64_t unix_ns, int64_t now_unix_ns) {
  const int64_t seconds = std::max<int64_t>(0, (now_unix_ns - unix_ns) / 1'000'000'000);
  if (seconds < 120) return Cat(seconds, " s ago");
  if (seconds < 7200) return Cat(seconds / 60, " min ago");
  if (seconds < 172800) return Cat(seconds / 3600, " h ago");
  return Cat(seconds / 86400, " d ago");
}

std::string Bar(double fraction, size_t width, bool utf8) {
  static constexpr std::string_view kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  fraction = std::clamp(fraction, 0.0, 1.0);
  const double cells = fraction * static_cast<double>(width);
  std::string bar;
  size_t used = 0;
  if (!utf8) {
    used = static_cast<size_t>(std::lround(cells));
    if (fraction > 0) used = std::max<size_t>(used, 1);  // something is not nothing
    bar.assign(used, '#');
  } else {
    size_t eighths = static_cast<size_t>(std::lround(cells * 8));
    if (fraction > 0) eighths = std::max<size_t>(eighths, 1);
    for (size_t i = 0; i < eighths / 8; ++i) bar += "█";
    bar += kEighths[eighths % 8];
    used = (eighths + 7) / 8;
  }
  return bar.append(width - std::min(used, width), ' ');
}

std::string Nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  return std::string(model::Nearest(word, views));
}

}  // namespace evenkeel::cli
