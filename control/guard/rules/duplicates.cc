// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "absl/strings/str_cat.h"
#include "control/guard/rules/rules.h"
#include "control/guard/words.h"

namespace evenkeel::guard {

void CheckDuplicates(const PoolCase& c, Report& report) {
  const auto& backends = c.state.pool->backends;
  std::map<model::IpAddress, std::vector<size_t>> by_address;
  for (size_t i = 0; i < backends.size(); ++i) by_address[backends[i].address].push_back(i);
  report.observed =
      absl::StrCat(Count(backends.size(), "backend"), " on ", Count(by_address.size(), "server"));
  report.limit = "each address once";
  for (const auto& [address, entries] : by_address) {
    if (entries.size() == 1) continue;
    std::vector<std::string> names, extra;
    for (size_t i : entries) names.push_back(backends[i].name);
    Finding& finding = report.Add(Severity::kBlock, BackendSubject(c.state, entries[1]),
                                  BackendField(c.state, entries[1]) + ".address");
    finding.key = address.ToString();
    finding.badness = static_cast<double>(entries.size());
    for (size_t i = 1; i < entries.size(); ++i) {
      extra.push_back(names[i]);
      finding.edits.push_back({Edit::Kind::kRemove, c.state.pool->name, names[i], 0});
    }
    finding.violation.observed = absl::StrCat(address.ToString(), " is listed ", entries.size(),
                                              " times: ", NameList(names));
    finding.violation.limit = report.limit;
    finding.violation.fix =
        absl::StrCat("remove ", NameList(extra), ", or give ",
                     extra.size() == 1 ? "it its own address" : "them their own addresses");
  }
}

}  // namespace evenkeel::guard
