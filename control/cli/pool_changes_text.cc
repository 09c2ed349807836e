// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "control/cli/cat.h"
#include "control/cli/plan_report.h"
#include "control/cli/server_changes.h"
#include "control/cli/text.h"
#include "control/cli/verdict_report.h"

namespace evenkeel::cli {
namespace {

using guard::BackendChange;
using guard::PoolChange;

constexpr size_t kBackendsListed = 24;
constexpr size_t kPoolsListed = 20;
constexpr size_t kBarColumns = 20;

double Delta(const BackendChange& b) { return std::abs(b.share_after - b.share_before); }

double LargestShare(const PoolChange& pool) {
  double largest = 0;
  for (const BackendChange& b : pool.backends) {
    largest = std::max({largest, b.share_before, b.share_after});
  }
  return largest;
}

// Those that come, go or change most, in the pool's order.
std::vector<const BackendChange*> Select(const PoolChange& pool, bool all) {
  std::vector<const BackendChange*> chosen;
  for (const BackendChange& b : pool.backends) chosen.push_back(&b);
  if (all || chosen.size() <= kBackendsListed) return chosen;
  const auto weight = [](const BackendChange* b) {
    return Delta(*b) + (b->added || b->removed ? 1.0 : 0.0);
  };
  std::stable_sort(chosen.begin(), chosen.end(),
                   [&](const auto* a, const auto* b) { return weight(a) > weight(b); });
  chosen.resize(kBackendsListed);
  std::sort(chosen.begin(), chosen.end());  // pointers into one vector: its order
  return chosen;
}

std::string Note(const BackendChange& b) {
  if (b.removed) return "removed";
  if (b.state_after != model::AdminState::kEnabled) {
    return std::string(model::ToString(b.state_after));
  }
  return b.added ? "new" : "";
}

Cell Name(const BackendChange& b) {
  if (b.added) return {"+ " + b.name, Style::kGood};
  if (b.removed) return {"- " + b.name, Style::kBad};
  return {"  " + b.name};
}

void PrintBackends(Printer& out, const PoolChange& pool, bool all) {
  const double largest = LargestShare(pool);
  std::vector<std::vector<Cell>> rows = {{{"  BACKEND", Style::kDim},
                                          {"ADDRESS", Style::kDim},
                                          {"BEFORE", Style::kDim, true},
                                          {"AFTER", Style::kDim, true},
                                          {"POINTS", Style::kDim, true},
                                          {"", Style::kDim},
                                          {""}}};
  const std::vector<const BackendChange*> chosen = Select(pool, all);
  for (const BackendChange* b : chosen) {
    const bool moved = Delta(*b) >= 0.00005;
    rows.push_back(
        {Name(*b),
         {b->address.ToString()},
         {b->added ? "-" : Percent(b->share_before), Style::kPlain, true},
         {b->removed ? "-" : Percent(b->share_after), Style::kBold, true},
         {Points(b->share_after - b->share_before), moved ? Style::kWarn : Style::kDim, true},
         {Bar(largest > 0 ? b->share_after / largest : 0, kBarColumns, out.utf8())},
         {Note(*b), Style::kDim}});
  }
  out.Table(2, rows);
  if (const size_t left_out = pool.backends.size() - chosen.size(); left_out > 0) {
    out.Line(
        Cat("    ... and ", Plural(left_out, "backend"), " that change less (--all lists them)"),
        Style::kDim);
  }
}

void PrintPool(Printer& out, const PoolChange& pool, bool all) {
  out.Put("Pool ").Put(pool.pool, Style::kBold);
  std::string text = Cat(": ", KindWord(pool.kind));
  if (pool.kind != PoolChange::Kind::kRemoved) {
    text += Cat(", ", Plural(pool.table_size, "slot"));
  }
  if (pool.kind == PoolChange::Kind::kChanged) {
    const double part =
        pool.table_size > 0 ? static_cast<double>(pool.slots_moved) / pool.table_size : 0;
    text += Cat(", ", pool.slots_moved, " move (", Percent(part), ")");
  }
  out.Line(text);
  PrintBackends(out, pool, all);
  if (const std::optional<Failure> worst = WorstFailure(pool)) {
    out.Line(Cat("  If ", worst->lost, " fails, ", worst->busiest, " has ", Percent(worst->share)),
             Style::kDim);
  }
  out.End();
}

}  // namespace

void PrintPoolChanges(Printer& out, const guard::Verdict& verdict, bool all) {
  size_t printed = 0, unchanged = 0, left_out = 0;
  for (const PoolChange& pool : verdict.pools) {
    if (pool.kind == PoolChange::Kind::kUnchanged) {
      ++unchanged;
    } else if (!all && printed == kPoolsListed) {
      ++left_out;
    } else {
      PrintPool(out, pool, all);
      ++printed;
    }
  }
  if (left_out > 0) {
    out.Line(Cat("... and ", Plural(left_out, "pool"), " more (--all lists them)"), Style::kDim);
  }
  if (unchanged > 0) {
    out.Line(Cat(Plural(unchanged, "pool"), " unchanged"), Style::kDim);
  }
}

}  // namespace evenkeel::cli
