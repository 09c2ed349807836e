// SPDX-License-Identifier: Apache-2.0
#include "control/model/diagnostic.h"

#include <utility>

#include "absl/strings/str_cat.h"

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

SourceLocation SourceMap::Find(std::string_view field) const {
  while (true) {
    if (auto it = locations_.find(field); it != locations_.end()) return it->second;
    if (field.empty()) return {};
    // "pools[0].name" is enclosed by "pools[0]", that by "pools", that by the document "".
    const size_t end = field.find_last_of(".[");
    field = end == std::string_view::npos ? std::string_view() : field.substr(0, end);
  }
}

}  // namespace evenkeel::model
