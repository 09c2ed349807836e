// SPDX-License-Identifier: Apache-2.0
#include "control/model/diagnostic.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "control/model/text.h"

namespace evenkeel::model {

std::string SourceLocation::ToString() const {
  std::string text = file;
  if (line == 0) return text;
  absl::StrAppend(&text, text.empty() ? "" : ":", line);
  if (column != 0) absl::StrAppend(&text, ":", column);
  return text;
}

std::string Diagnostic::ToString() const {
  std::string text = location.ToString();
  for (const std::string& part : {field, message}) {
    if (!part.empty()) absl::StrAppend(&text, text.empty() ? "" : ": ", part);
  }
  return text;
}

void SourceMap::Add(std::string field, SourceLocation location) {
  locations_.insert_or_assign(std::move(field), std::move(location));
}

void SourceMap::AddLines(const std::string& list, size_t first, std::string file,
                         std::vector<uint32_t> lines) {
  if (lines.empty()) return;
  lines_[list].push_back({first, std::move(file), std::move(lines)});
}

std::optional<SourceLocation> SourceMap::FindLine(std::string_view element) const {
  const size_t open = element.rfind('[');
  size_t index = 0;
  if (open == std::string_view::npos || !element.ends_with(']') ||
      !absl::SimpleAtoi(Av(element.substr(open + 1, element.size() - open - 2)), &index)) {
    return std::nullopt;
  }
  const auto found = lines_.find(element.substr(0, open));
  if (found == lines_.end()) return std::nullopt;
  for (const Lines& part : found->second) {
    if (index >= part.first && index - part.first < part.lines.size()) {
      return SourceLocation{part.file, part.lines[index - part.first], 0};
    }
  }
  return std::nullopt;
}

SourceLocation SourceMap::Find(std::string_view field) const {
  if (const auto line = FindLine(field)) return *line;
  while (true) {
    if (auto it = locations_.find(field); it != locations_.end()) return it->second;
    if (field.empty()) return {};
    // "pools[0].name" is enclosed by "pools[0]", that by "pools", that by the document "".
    const size_t end = field.find_last_of(".[");
    field = end == std::string_view::npos ? std::string_view() : field.substr(0, end);
  }
}

}  // namespace evenkeel::model
