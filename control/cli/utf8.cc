// SPDX-License-Identifier: Apache-2.0
#include "control/cli/utf8.h"

#include <cstdint>

namespace evenkeel::cli {

Utf8Char NextUtf8(std::string_view text) {
  const uint8_t lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) return {.code = lead, .size = 1, .valid = true};

  size_t size = 0;
  char32_t code = 0, least = 0;
  if ((lead & 0xe0) == 0xc0) {
    size = 2, code = lead & 0x1f, least = 0x80;
  } else if ((lead & 0xf0) == 0xe0) {
    size = 3, code = lead & 0x0f, least = 0x800;
  } else if ((lead & 0xf8) == 0xf0) {
    size = 4, code = lead & 0x07, least = 0x10000;
  }
  if (size == 0 || text.size() < size) return {};
  for (size_t i = 1; i < size; ++i) {
    const uint8_t next = static_cast<uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return {};
    code = code << 6 | (next & 0x3f);
  }
  if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {.code = code, .size = size, .valid = true};
}

}  // namespace evenkeel::cli
