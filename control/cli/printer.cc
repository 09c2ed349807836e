// SPDX-License-Identifier: Apache-2.0
#include "control/cli/printer.h"

#include <algorithm>

#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kNarrowestLastColumn = 16;

std::string_view Sequence(Style style) {
  switch (style) {
    case Style::kBold:
      return "\033[1m";
    case Style::kDim:
      return "\033[2m";
    case Style::kGood:
      return "\033[32m";
    case Style::kWarn:
      return "\033[33m";
    case Style::kBad:
      return "\033[1;31m";
    case Style::kPlain:
      break;
  }
  return "";
}

size_t Width(const Cell& cell) { return DisplayWidth(Clean(cell.text)); }

std::vector<size_t> ColumnWidths(const std::vector<std::vector<Cell>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    if (row.size() > widths.size()) widths.resize(row.size());
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  return widths;
}

}  // namespace

Printer& Printer::Put(std::string_view text, Style style) {
  const bool colored = color_ && style != Style::kPlain && !text.empty();
  if (colored) out_ << Sequence(style);
  out_ << Clean(text);
  if (colored) out_ << "\033[0m";
  return *this;
}

Printer& Printer::End() {
  out_ << '\n';
  return *this;
}

Printer& Printer::Line(std::string_view text, Style style) { return Put(text, style).End(); }

Printer& Printer::Raw(std::string_view text) {
  out_ << text;
  return *this;
}

Printer& Printer::ClearScreen() {
  out_ << "\033[H\033[2J";
  return *this;
}

Printer& Printer::Hanging(size_t indent, const Cell& first, std::string_view text, size_t gap) {
  const size_t left = indent + Width(first) + gap;
  const size_t room =
      columns_ > left + kNarrowestLastColumn ? columns_ - left : kNarrowestLastColumn;
  Put(std::string(indent, ' ')).Put(first.text, first.style);
  bool begun = false;
  for (const std::string& line : Wrap(Clean(text), room)) {
    if (begun) Put(std::string(left, ' '));
    if (!begun && !line.empty()) Put(std::string(gap, ' '));
    Line(line);
    begun = true;
  }
  return *this;
}

void Printer::PutCell(const Cell& cell, size_t width) {
  const size_t used = Width(cell);
  const std::string padding(width > used ? width - used : 0, ' ');
  if (cell.right) Put(padding);
  Put(cell.text, cell.style);
  if (!cell.right) Put(padding);
}

Printer& Printer::Table(size_t indent, const std::vector<std::vector<Cell>>& rows) {
  const std::vector<size_t> widths = ColumnWidths(rows);
  if (widths.empty()) return *this;
  size_t left = indent;
  for (size_t i = 0; i + 1 < widths.size(); ++i) left += widths[i] + kGap;
  const size_t room =
      columns_ > left + kNarrowestLastColumn ? columns_ - left : kNarrowestLastColumn;

  for (const auto& row : rows) {
    // Trailing empty cells leave no trailing blanks.
    size_t cells = row.size();
    while (cells > 0 && row[cells - 1].text.empty()) --cells;
    Put(std::string(cells > 0 ? indent : 0, ' '));
    for (size_t i = 0; i < cells; ++i) {
      if (i > 0) Put(std::string(kGap, ' '));
      if (i + 1 < widths.size()) {
        PutCell(row[i], i + 1 < cells || row[i].right ? widths[i] : 0);
        continue;
      }
      const std::vector<std::string> lines = Wrap(Clean(row[i].text), room);
      PutCell({lines[0], row[i].style, row[i].right}, row[i].right ? widths[i] : 0);
      for (size_t line = 1; line < lines.size(); ++line) {
        End().Put(std::string(left, ' ')).Put(lines[line], row[i].style);
      }
    }
    End();
  }
  return *this;
}

}  // namespace evenkeel::cli
