// SPDX-License-Identifier: Apache-2.0
#include "control/dashboard/parameters.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "control/model/text.h"

namespace evenkeel::dashboard {

Parameters::Parameters(const web::Request& request, std::initializer_list<std::string_view> known)
    : request_(request) {
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string valid;
    for (std::string_view word : known) {
      absl::StrAppend(&valid, valid.empty() ? "" : ", ", std::string(word));
    }
    Refuse(absl::StrCat(request.path, " has no parameter ", model::Quoted(name), "; ",
                        valid.empty() ? "it takes none" : "it takes: " + valid));
  }
}

void Parameters::Refuse(const std::string& problem) {
  if (status_.ok()) status_ = absl::InvalidArgumentError(problem);
}

int64_t Parameters::Number(const std::string& name, int64_t absent, int64_t min, int64_t max) {
  const auto found = request_.query.find(name);
  if (found == request_.query.end()) return absent;
  int64_t number = 0;
  const bool digits =
      !found->second.empty() && found->second.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || !absl::SimpleAtoi(found->second, &number) || number < min || number > max) {
    Refuse(absl::StrCat(name, " is ", model::Quoted(found->second), "; write a number from ", min,
                        " to ", max));
    return absent;
  }
  return number;
}

std::string Parameters::Text(const std::string& name, size_t max_bytes) {
  const auto found = request_.query.find(name);
  if (found == request_.query.end()) return "";
  if (found->second.size() <= max_bytes) return found->second;
  Refuse(absl::StrCat(name, " has ", found->second.size(), " bytes; at most ", max_bytes,
                      " are taken"));
  return "";
}

std::vector<std::string> Parameters::List(const std::string& name, size_t max_entries) {
  const auto found = request_.query.find(name);
  if (found == request_.query.end()) return {};
  std::vector<std::string> list = absl::StrSplit(found->second, ',', absl::SkipEmpty());
  if (list.size() <= max_entries) return list;
  Refuse(absl::StrCat(name, " has ", list.size(), " entries; at most ", max_entries, " are taken"));
  return {};
}

}  // namespace evenkeel::dashboard
