// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/detect/pool_watch.h"
#include "control/detect/words.h"
#include "control/model/text.h"

namespace evenkeel::detect {
namespace {

constexpr double kMostShares = 0.9;  // of the pool, that must be known to speak of it

// A link that nobody complains of.
LinkReport Holds(Link link, std::string detail) {
  return {link, LinkState::kHolds, std::move(detail)};
}

double Part(const std::vector<float>& counts, size_t i) {
  float total = 0;
  for (const float count : counts) total += count;
  return total > 0 ? static_cast<double>(counts[i] / total) : 0;
}

}  // namespace

std::string_view ToString(Link link) {
  switch (link) {
    case Link::kTable:
      return "table";
    case Link::kKernel:
      return "kernel";
    case Link::kFlows:
      return "flows";
    case Link::kLoad:
      return "load";
    case Link::kHealth:
      return "health";
  }
  return "";
}

std::string_view ToString(LinkState state) {
  switch (state) {
    case LinkState::kUnknown:
      return "unknown";
    case LinkState::kInsufficient:
      return "insufficient-data";
    case LinkState::kHolds:
      return "holds";
    case LinkState::kBroken:
      return "broken";
  }
  return "";
}

std::string_view ToString(Verdict verdict) {
  switch (verdict) {
    case Verdict::kInsufficient:
      return "insufficient-data";
    case Verdict::kMatches:
      return "matches";
    case Verdict::kBroken:
      return "broken";
  }
  return "";
}

std::string PoolWatch::DescribeEven(const WindowView& view, const Thresholds& thresholds) const {
  std::string most, least;
  double high = 0, low = 0;
  for (size_t i = 0; i < servers_.size(); ++i) {
    const Measure m = view.Of(i, thresholds, variation_);
    if (!m.sufficient) continue;
    if (most.empty() || m.ratio > high) most = plan_->servers[i].name, high = m.ratio;
    if (least.empty() || m.ratio < low) least = plan_->servers[i].name, low = m.ratio;
  }
  return absl::StrCat(Number(view.total()), " ", unit(), " in ", Number(SecondsOf(view.window())),
                      " s, from ", Times(low), " (", least, ") to ", Times(high), " (", most,
                      ") of the expected share");
}

const Fact* PoolWatch::ByRight(Kind kind) const {
  const Fact* worst = nullptr;
  for (const Fact& fact : by_right_) {
    if (fact.subject.kind != kind) continue;
    if (worst == nullptr || fact.finding.evidence.ratio > worst->finding.evidence.ratio) {
      worst = &fact;
    }
  }
  return worst;
}

LinkReport PoolWatch::FlowsLink(const WindowView& view, const Thresholds& thresholds) const {
  for (const Kind kind : {Kind::kFlows, Kind::kStarved}) {
    if (const Alarm* alarm = book_.Worst(kind)) {
      return {Link::kFlows, LinkState::kBroken, alarm->text};
    }
  }
  if (const Fact* fact = ByRight(Kind::kFlows)) {
    return {Link::kFlows, LinkState::kBroken, fact->finding.text};
  }
  double known = 0;
  for (size_t i = 0; i < servers_.size(); ++i) {
    const Measure m = view.Of(i, thresholds, variation_);
    if (m.sufficient) known += m.share;
  }
  if (known < kMostShares || !read_) {
    return {Link::kFlows, LinkState::kInsufficient,
            absl::StrCat("insufficient data: ", Number(view.total()), " ", unit(), " in ",
                         Number(SecondsOf(view.window())), " s")};
  }
  return Holds(Link::kFlows, DescribeEven(view, thresholds));
}

LinkReport PoolWatch::LinkOf(Link link, const WindowView& view,
                             const Thresholds& thresholds) const {
  const auto broken = [&](Kind kind) -> const Alarm* { return book_.Worst(kind); };
  switch (link) {
    case Link::kTable:
      for (const Kind kind : {Kind::kConcentration, Kind::kTable}) {
        if (const Alarm* alarm = broken(kind)) return {link, LinkState::kBroken, alarm->text};
      }
      return Holds(link, "the table has the shares that are asked for");
    case Link::kKernel:
      if (const Alarm* alarm = broken(Kind::kKernel)) {
        return {link, LinkState::kBroken, alarm->text};
      }
      if (readback_ == Readback::kMatches) return Holds(link, "read back, and the same");
      return {link, LinkState::kUnknown, "not read back"};
    case Link::kFlows:
      return FlowsLink(view, thresholds);
    case Link::kLoad:
      if (const Alarm* alarm = broken(Kind::kLoad)) return {link, LinkState::kBroken, alarm->text};
      if (const Fact* fact = ByRight(Kind::kLoad)) {
        return {link, LinkState::kBroken, fact->finding.text};
      }
      if (moving_ > 0) {
        return {link, LinkState::kUnknown,
                absl::StrCat(moving_,
                             " slots change hands: older connections are where they "
                             "were")};
      }
      return Holds(link, "no server has far more packets or bytes than its share for 5 min");
    case Link::kHealth:
      break;
  }
  if (const Alarm* alarm = broken(Kind::kBackend)) return {link, LinkState::kBroken, alarm->text};
  const bool all_known = std::all_of(servers_.begin(), servers_.end(), [](const Server& server) {
    return server.last.health == Health::kUp;
  });
  if (!all_known) return {link, LinkState::kUnknown, "not known of every server"};
  return Holds(link, "every server is up");
}

PoolReport PoolWatch::Report(const Thresholds& thresholds, const Time& now) const {
  PoolReport report;
  report.pool = plan_->pool;
  report.revision = plan_->revision;
  report.generation = plan_->generation;
  report.unchanged_since_unix_ns = shares_since_unix_ns_;
  WindowView view;
  view.Take(witness(), Window::k60, shares_);
  for (size_t i = 0; i < kLinks; ++i) {
    report.links[i] = LinkOf(static_cast<Link>(i), view, thresholds);
  }
  std::vector<float> flows, packets, bytes;
  flows_.Sum(Window::k60, flows);
  packets_.Sum(Window::k60, packets);
  bytes_.Sum(Window::k60, bytes);
  for (size_t i = 0; i < servers_.size(); ++i) {
    const ServerPlan& plan = plan_->servers[i];
    const Measure m = view.Of(i, thresholds, variation_);
    report.servers.push_back({plan.address, plan.name, plan.intended, plan.built,
                              servers_[i].last.kernel, Part(flows, i), Part(packets, i),
                              Part(bytes, i), m.ratio, m.z, m.sufficient});
  }
  Conclude(now, &report);
  return report;
}

void PoolWatch::Conclude(const Time& now, PoolReport* report) const {
  const std::string since = Ago(now.unix_ns - shares_since_unix_ns_);
  for (const LinkReport& link : report->links) {
    if (link.state != LinkState::kBroken) continue;
    report->verdict = Verdict::kBroken;
    report->text = link.detail;
    for (const Alarm* alarm : book_.All()) {
      if (alarm->text == link.detail) report->diagnosis = alarm->diagnosis;
    }
    for (const Fact& fact : by_right_) {
      if (fact.finding.text == link.detail) report->diagnosis = fact.finding.diagnosis;
    }
    if (!report->diagnosis || IsBalancer(*report->diagnosis)) return;
    absl::StrAppend(&report->text, " The table of revision ", plan_->revision, ", unchanged for ",
                    since, ", is not the cause.");
    return;
  }
  const LinkReport& flows = report->links[static_cast<size_t>(Link::kFlows)];
  if (flows.state != LinkState::kHolds) {
    report->text = flows.detail;
    return;
  }
  report->verdict = Verdict::kMatches;
  report->text =
      absl::StrCat("The distribution matches revision ", plan_->revision, ", unchanged for ", since,
                   ": the balancer is not the cause. ", flows.detail,
                   "; kernel: ", report->links[static_cast<size_t>(Link::kKernel)].detail, ".");
}

}  // namespace evenkeel::detect
