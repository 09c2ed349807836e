// SPDX-License-Identifier: Apache-2.0
#include "control/model/escaped_bytes.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/model/text.h"

namespace evenkeel::model {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte that the escape at the front of `text` stands for, and how long it is.
struct Escape {
  char byte = 0;
  size_t length = 0;  // 0: it is none
};

Escape ReadEscape(std::string_view text) {
  if (text.size() < 2) return {};
  switch (text[1]) {
    case '\\':
      return {'\\', 2};
    case 'n':
      return {'\n', 2};
    case 'r':
      return {'\r', 2};
    case 't':
      return {'\t', 2};
    case 'x':
      break;
    default:
      return {};
  }
  if (text.size() < 4) return {};
  const int high = HexValue(text[2]);
  const int low = HexValue(text[3]);
  if (high < 0 || low < 0) return {};
  return {static_cast<char>(high * 16 + low), 4};
}

}  // namespace

absl::StatusOr<std::string> ParseEscaped(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(text[0]))) {
      // Most likely YAML has read the escape: "\x80" in double quotes is two bytes of UTF-8.
      return absl::InvalidArgumentError(
          "has a character outside printable ASCII; write its bytes as \\xHH, in single quotes: "
          "in double quotes YAML makes characters of them");
    }
    if (text[0] != '\\') {
      bytes.push_back(text[0]);
      text.remove_prefix(1);
      continue;
    }
    const Escape escape = ReadEscape(text);
    if (escape.length == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("has ", Quoted(text.substr(0, 4)), "; write \\xHH, \\n, \\r, \\t or \\\\"));
    }
    bytes.push_back(escape.byte);
    text.remove_prefix(escape.length);
  }
  return bytes;
}

std::string ToEscaped(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      text += "\\\\";
    } else if (absl::ascii_isprint(byte) && c != '\'' && c != '"') {
      text.push_back(c);
    } else {
      absl::StrAppendFormat(&text, "\\x%02x", byte);
    }
  }
  return text;
}

}  // namespace evenkeel::model
