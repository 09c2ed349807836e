// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <span>

#include "absl/strings/str_cat.h"
#include "control/guard/rules/rules.h"
#include "control/guard/words.h"

namespace evenkeel::guard {

namespace {

using Entries = std::span<const size_t>;  // of one address

void AddDuplicate(const PoolCase& c, Entries entries, Report& report) {
  const auto& backends = c.state.pool->backends;
  const std::string address = backends[entries[0]].address.ToString();
  std::vector<std::string> names;
  for (size_t i : entries) names.push_back(backends[i].name);
  const std::vector<std::string> extra(names.begin() + 1, names.end());
  Finding& finding = report.Add(Severity::kBlock, BackendSubject(c.state, entries[1]),
                                BackendField(c.state, entries[1]) + ".address");
  finding.key = address;
  finding.badness = static_cast<double>(entries.size());
  for (const std::string& name : extra) {
    finding.edits.push_back({Edit::Kind::kRemove, c.state.pool->name, name, 0});
  }
  finding.violation.observed =
      absl::StrCat(address, " is listed ", entries.size(), " times: ", NameList(names));
  finding.violation.limit = report.limit;
  finding.violation.fix =
      absl::StrCat("remove ", NameList(extra), ", or give ",
                   extra.size() == 1 ? "it its own address" : "them their own addresses");
}

}  // namespace

void CheckDuplicates(const PoolCase& c, Report& report) {
  const auto& backends = c.state.pool->backends;
  std::vector<size_t> order(backends.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return backends[a].address < backends[b].address; });
  report.limit = "each address once";
  size_t servers = 0;
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && backends[order[end]].address == backends[order[begin]].address) {
      ++end;
    }
    ++servers;
    if (end - begin > 1) AddDuplicate(c, Entries(order).subspan(begin, end - begin), report);
  }
  report.observed =
      absl::StrCat(Count(backends.size(), "backend"), " on ", Count(servers, "server"));
}

}  // namespace evenkeel::guard
