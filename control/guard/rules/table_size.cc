// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/guard/rules/rules.h"
#include "control/guard/words.h"
#include "control/model/primes.h"

namespace evenkeel::guard {
namespace {

// With fewer slots a backend's share is coarse, and one slot is a large part of it.
constexpr size_t kSlotsPerBackend = 100;
constexpr size_t kMaxBackends = model::kMaxTableSize / kSlotsPerBackend;

uint32_t SmallestPrimeFrom(size_t n) {
  auto size = static_cast<uint32_t>(std::max<size_t>(n, model::kMinTableSize));
  while (!model::IsPrime(size)) ++size;
  return size;
}

}  // namespace

void CheckTableSize(const PoolCase& c, Report& report) {
  const model::Pool& pool = *c.state.pool;
  const size_t backends = pool.backends.size();
  report.observed = absl::StrCat(pool.table_size, " slots for ", Count(backends, "backend"));
  report.limit = absl::StrCat("at least ", backends * kSlotsPerBackend, " slots (",
                              kSlotsPerBackend, " per backend)");
  if (pool.table_size >= backends * kSlotsPerBackend) return;
  Finding& finding =
      report.Add(Severity::kBlock, "", absl::StrCat("pools[", c.state.index, "].table_size"));
  finding.badness = static_cast<double>(backends) / pool.table_size;
  finding.violation.observed = report.observed;
  finding.violation.limit = report.limit;
  if (backends > kMaxBackends) {
    finding.violation.fix = absl::StrCat("split the pool: at most ", kMaxBackends,
                                         " backends fit the largest table, ", model::kMaxTableSize);
    return;
  }
  const uint32_t size = SmallestPrimeFrom(backends * kSlotsPerBackend);
  finding.violation.fix = absl::StrCat("set table_size: ", size, " or more, or list at most ",
                                       pool.table_size / kSlotsPerBackend, " backends");
  finding.edits = {{Edit::Kind::kSetTableSize, pool.name, "", size}};
}

}  // namespace evenkeel::guard
