// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/guard/rules/rules.h"
#include "control/guard/words.h"

namespace evenkeel::guard {
namespace {

constexpr int64_t kMinWeight = 1;
constexpr int64_t kMaxWeight = 1000;
constexpr double kWarnRatio = 10;

struct Extremes {
  size_t lightest = 0, heaviest = 0;  // indices of backends
  bool any = false;
};

Extremes FindExtremes(const model::Pool& pool) {
  Extremes e;
  for (size_t i = 0; i < pool.backends.size(); ++i) {
    if (!pool.backends[i].serving()) continue;
    if (!e.any) e = {i, i, true};
    if (pool.backends[i].weight < pool.backends[e.lightest].weight) e.lightest = i;
    if (pool.backends[i].weight > pool.backends[e.heaviest].weight) e.heaviest = i;
  }
  return e;
}

double RatioOf(const model::Pool& pool, const Extremes& e) {
  if (!e.any) return 1;
  return static_cast<double>(pool.backends[e.heaviest].weight) /
         static_cast<double>(pool.backends[e.lightest].weight);
}

// Weights above the maximum keep their proportions where that is possible: four of 65536 mean
// "equal", not "1000 at most".
int64_t Scaled(int64_t weight, int64_t heaviest) {
  if (heaviest <= kMaxWeight || weight <= 0) return std::clamp<int64_t>(weight, 0, kMaxWeight);
  const double scale = static_cast<double>(kMaxWeight) / static_cast<double>(heaviest);
  return std::clamp<int64_t>(std::llround(static_cast<double>(weight) * scale), kMinWeight,
                             kMaxWeight);
}

// Every weight in 1..1000 (0 where it was negative or 0), the ratio at most `ratio`.
std::vector<int64_t> Mended(const model::Pool& pool, double ratio) {
  int64_t heaviest = 0;
  for (const model::Backend& b : pool.backends) heaviest = std::max(heaviest, b.weight);
  std::vector<int64_t> mended;
  int64_t lightest = kMaxWeight;
  for (const model::Backend& b : pool.backends) {
    mended.push_back(Scaled(b.weight, heaviest));
    if (b.serving()) lightest = std::min(lightest, mended.back());
  }
  // Either the heavy ones come down or the light ones go up: whichever touches fewer.
  const double top = static_cast<double>(*std::max_element(mended.begin(), mended.end()));
  const auto highest = static_cast<int64_t>(std::floor(static_cast<double>(lightest) * ratio));
  const auto lowest = static_cast<int64_t>(std::ceil(top / ratio));
  const auto heavy =
      std::count_if(mended.begin(), mended.end(), [&](auto w) { return w > highest; });
  size_t light = 0;
  for (size_t i = 0; i < mended.size(); ++i) {
    light += pool.backends[i].serving() && mended[i] < lowest;
  }
  const bool lower = static_cast<size_t>(heavy) <= light;
  for (size_t i = 0; i < mended.size(); ++i) {
    if (!pool.backends[i].serving()) continue;
    mended[i] =
        lower ? std::min(mended[i], std::max(highest, kMinWeight)) : std::max(mended[i], lowest);
  }
  return mended;
}

std::string DescribeEdits(const model::Pool& pool, const std::vector<Edit>& edits) {
  if (edits.size() == 1) {
    const model::Backend& b = *pool.FindBackend(edits[0].name);
    const int64_t to = edits[0].value;
    return absl::StrFormat("%s the weight of %s from %d to at %s %d",
                           to < b.weight ? "lower" : "raise", b.name, b.weight,
                           to < b.weight ? "most" : "least", to);
  }
  std::string text = "set weights ";
  for (size_t i = 0; i < edits.size() && i < 6; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", edits[i].name, ": ", edits[i].value);
  }
  return absl::StrCat(text,
                      edits.size() > 6 ? absl::StrCat(", ... (", edits.size(), " in all)") : "");
}

void ProposeWeights(const PoolCase& c, double ratio, Finding& finding) {
  const model::Pool& pool = *c.state.pool;
  const std::vector<int64_t> mended = Mended(pool, ratio);
  for (size_t i = 0; i < mended.size(); ++i) {
    if (mended[i] == pool.backends[i].weight) continue;
    finding.edits.push_back({Edit::Kind::kSetWeight, pool.name, pool.backends[i].name, mended[i]});
  }
  if (!finding.edits.empty()) finding.violation.fix = DescribeEdits(pool, finding.edits);
}

void CheckRange(const PoolCase& c, double ratio, Report& report) {
  const model::Pool& pool = *c.state.pool;
  for (size_t i = 0; i < pool.backends.size(); ++i) {
    const int64_t weight = pool.backends[i].weight;
    if (weight >= 0 && weight <= kMaxWeight) continue;
    Finding& finding = report.Add(Severity::kBlock, BackendSubject(c.state, i),
                                  BackendField(c.state, i) + ".weight");
    finding.key = pool.backends[i].address.ToString();
    finding.badness = std::abs(static_cast<double>(weight));
    finding.violation.observed = absl::StrCat("weight ", weight);
    finding.violation.limit = "1 to 1000, or 0 to drain";
    ProposeWeights(c, ratio, finding);
    if (weight < 0) finding.violation.fix += "; 0 drains";
  }
}

}  // namespace

void CheckWeights(const PoolCase& c, Report& report) {
  const double block = LimitOf(kWeightRatio, c.policy());
  CheckRange(c, block, report);
  const model::Pool& pool = *c.state.pool;
  const Extremes extremes = FindExtremes(pool);
  const double ratio = RatioOf(pool, extremes);
  report.observed = absl::StrFormat("heaviest to lightest %.4g : 1", ratio);
  report.limit = absl::StrFormat("1 to 1000, at most %g : 1", block);
  const double warn = std::min(kWarnRatio, block);
  if (ratio <= warn) return;
  const bool blocks = ratio > block;
  Finding& finding = report.Add(blocks ? Severity::kBlock : Severity::kWarn,
                                BackendSubject(c.state, extremes.heaviest),
                                BackendField(c.state, extremes.heaviest) + ".weight");
  finding.key = "ratio";
  finding.badness = ratio;
  const auto& heavy = pool.backends[extremes.heaviest];
  const auto& light = pool.backends[extremes.lightest];
  finding.violation.observed = absl::StrFormat("%s weighs %d, %s %d: %.4g : 1", heavy.name,
                                               heavy.weight, light.name, light.weight, ratio);
  finding.violation.limit = blocks ? absl::StrFormat("at most %g : 1", block)
                                   : absl::StrFormat("warns above %g : 1", warn);
  ProposeWeights(c, blocks ? block : warn, finding);
}

}  // namespace evenkeel::guard
