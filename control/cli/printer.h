// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_PRINTER_H_
#define EVENKEEL_CONTROL_CLI_PRINTER_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace evenkeel::cli {

enum class Style { kPlain, kBold, kDim, kGood, kWarn, kBad };

struct Cell {
  std::string text;
  Style style = Style::kPlain;
  bool right = false;  // aligned to the right
};

// All text output. Whatever is put is made harmless first (see Clean), and only the printer itself
// writes line ends and colours: text from users cannot reach the terminal as an escape sequence.
class Printer {
 public:
  Printer(std::ostream& out, bool color, bool utf8, uint32_t columns)
      : out_(out), color_(color), utf8_(utf8), columns_(columns) {}

  Printer& Put(std::string_view text, Style style = Style::kPlain);
  Printer& End();  // of the line
  Printer& Line(std::string_view text, Style style = Style::kPlain);
  // `first` at `indent`, then `text` wrapped beside it with a hanging indent.
  Printer& Hanging(size_t indent, const Cell& first, std::string_view text, size_t gap = 1);
  // Columns as wide as their widest cell, two blanks apart; the last one wraps where it would
  // leave the screen.
  Printer& Table(size_t indent, const std::vector<std::vector<Cell>>& rows);
  // Bytes as they are: for text that is meant for a file or a program.
  Printer& Raw(std::string_view text);
  // Back to the top left of an empty screen.
  Printer& ClearScreen();

  bool utf8() const { return utf8_; }
  uint32_t columns() const { return columns_; }

 private:
  void PutCell(const Cell& cell, size_t width);

  std::ostream& out_;
  bool color_;
  bool utf8_;
  uint32_t columns_;
};

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_PRINTER_H_
