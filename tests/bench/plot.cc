// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <set>
#include <stdexcept>
#include <vector>

namespace evenkeel::bench {
namespace {

// Pixels.
constexpr double kWidth = 860, kLeft = 210, kRight = 70, kTop = 74;
constexpr double kBar = 13, kBarGap = 2, kRowGap = 9, kAxis = 44, kLegend = 20;
// A whisker beyond this many times the largest median is cut: noise must not flatten the bars.
constexpr double kRoom = 1.35;
// So is a bar of more than this many times the middle one: an outlier must not, either.
constexpr double kOutlier = 4;

// Of two schemes: text, faint lines, whiskers, the floor, then the programs in order.
constexpr const char* kStyle = R"(
  svg { font: 13px system-ui, 'DejaVu Sans', sans-serif }
  .ink { fill: #1f2328 } .soft { fill: #59636e; font-size: 12px }
  .title { font-size: 16px; font-weight: 600 } .end { text-anchor: end } .mid { text-anchor: middle }
  .grid { stroke: #d1d9e0 } .whisker { stroke: #1f2328; stroke-width: 1.2 }
  .floor { stroke: #c4432b; stroke-width: 1.6 } .floor-ink { fill: #c4432b; font-size: 12px }
  .p0 { fill: #3a7bd5 } .p1 { fill: #e09f3e } .p2 { fill: #5b9f6b } .p3 { fill: #9a6fc4 }
  @media (prefers-color-scheme: dark) {
    .ink { fill: #f0f6fc } .soft { fill: #9aa4af }
    .grid { stroke: #3d444d } .whisker { stroke: #f0f6fc }
    .floor { stroke: #ff7b62 } .floor-ink { fill: #ff7b62 }
    .p0 { fill: #4c8fe8 } .p1 { fill: #d9962f } .p2 { fill: #4fa565 } .p3 { fill: #a87fd4 }
  }
)";
constexpr size_t kColors = 4;

std::string Format(const char* format, ...) __attribute__((format(printf, 1, 2)));
std::string Format(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  return text;
}

std::string Escape(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (static_cast<unsigned char>(c) >= ' ') {
      escaped += c;
    }
  }
  return escaped;
}

std::string Text(double x, double y, const char* classes, const std::string& text) {
  return Format("<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, classes) + Escape(text) +
         "</text>\n";
}

std::string Line(double x1, double y1, double x2, double y2, const char* classes) {
  return Format("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1,
                x2, y2, classes);
}

class Plot {
 public:
  explicit Plot(const Results& results) : results_(results) {
    const double outlier = kOutlier * MiddleRatio();
    for (const ScenarioFigures& figures : results.scenarios) {
      for (const ProgramFigures& program : figures.programs) {
        AddName(program.name);
        if (program.ratio.median <= outlier) most_ = std::max(most_, program.ratio.median);
        furthest_ = std::max(furthest_, program.ratio.max);
        bottom_ += kBar + kBarGap;
      }
      bottom_ += kRowGap;
    }
    if (names_.empty()) throw std::invalid_argument("there are no results to plot");
    end_ = std::ceil(std::min(furthest_, most_ * kRoom) * 2) / 2;
  }

  std::string Draw() {
    std::string svg = Format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
        "viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
        "aria-label=\"Cost of a packet as a ratio to a bare encapsulation\">\n",
        kWidth, Height(), kWidth, Height());
    svg += std::string("<style>") + kStyle + "</style>\n";
    svg += Text(12, 24, "ink title", "Cost of a packet, as a ratio to a bare encapsulation");
    svg +=
        Text(12, 44, "soft",
             Format("median of %u rounds of %u packets; whiskers: least and most%s",
                    results_.rounds, results_.passes, furthest_ > end_ ? ", cut at the edge" : ""));
    svg += Axis();
    double y = kTop;
    for (const ScenarioFigures& figures : results_.scenarios) svg += Row(figures, y);
    svg += Line(X(1), kTop - 8, X(1), bottom_ + 2, "floor");
    svg += Text(X(1), kTop - 12, "floor-ink mid", "floor");
    return svg + Legend() + Machine() + "</svg>\n";
  }

 private:
  // The middle one of all medians.
  double MiddleRatio() const {
    std::vector<double> ratios;
    for (const ScenarioFigures& figures : results_.scenarios) {
      for (const ProgramFigures& program : figures.programs) {
        ratios.push_back(program.ratio.median);
      }
    }
    std::sort(ratios.begin(), ratios.end());
    return ratios.empty() ? 0 : ratios[ratios.size() / 2];
  }

  // One program needs no legend.
  bool HasLegend() const { return names_.size() > 1; }
  double Height() const { return bottom_ + kAxis + (HasLegend() ? kLegend : 0); }

  void AddName(const std::string& name) {
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.push_back(name);
  }
  size_t ColorOf(const std::string& name) const {
    return static_cast<size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin()) %
           kColors;
  }
  double X(double ratio) const {
    return kLeft + std::min(ratio, end_) / end_ * (kWidth - kLeft - kRight);
  }

  std::string Axis() const {
    std::string svg;
    const double step = end_ > 12 ? 5 : end_ > 6 ? 1 : 0.5;
    for (double at = 0; at <= end_ + step / 100; at += step) {
      svg += Line(X(at), kTop - 4, X(at), bottom_, "grid");
      svg += Text(X(at), bottom_ + 16, "soft mid", Format("%g×", at));
    }
    return svg;
  }

  std::string Row(const ScenarioFigures& figures, double& y) const {
    const double height = static_cast<double>(figures.programs.size()) * (kBar + kBarGap) - kBarGap;
    std::string svg = Text(kLeft - 10, y + height / 2 + 4.5, "ink end", figures.name);
    for (const ProgramFigures& program : figures.programs) {
      svg += Bar(program, y);
      y += kBar + kBarGap;
    }
    y += kRowGap;
    return svg;
  }

  std::string Bar(const ProgramFigures& program, double y) const {
    const Spread& ratio = program.ratio;
    const double middle = y + kBar / 2;
    std::string svg = Format(
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"1.5\" "
        "class=\"p%zu\"/>\n",
        X(0), y, X(ratio.median) - X(0), kBar, ColorOf(program.name));
    const std::string value =
        Text(kWidth - 12, middle + 4.5, "ink end", Format("%.2f×", ratio.median));
    if (ratio.median > end_) return svg + Text(X(end_) + 2, middle + 4.5, "ink", "»") + value;
    svg += Line(X(ratio.min), middle, X(ratio.max), middle, "whisker");
    svg += Line(X(ratio.min), middle - 4, X(ratio.min), middle + 4, "whisker");
    if (ratio.max <= end_)
      svg += Line(X(ratio.max), middle - 4, X(ratio.max), middle + 4, "whisker");
    return svg + value;
  }

  std::string Legend() const {
    std::string svg;
    double x = kLeft;
    for (size_t i = 0; HasLegend() && i < names_.size(); ++i) {
      svg += Format("<rect x=\"%.1f\" y=\"%.1f\" width=\"11\" height=\"11\" class=\"p%zu\"/>\n", x,
                    bottom_ + 27, i % kColors);
      svg += Text(x + 16, bottom_ + 37, "ink", names_[i]);
      x += 40 + 8 * static_cast<double>(names_[i].size());
    }
    return svg;
  }

  std::string Machine() const {
    const bench::Machine& machine = results_.machine;
    return Text(12, Height() - 8, "soft",
                machine.cpu + ", " + std::to_string(machine.cpus) + " CPUs, Linux " +
                    machine.kernel + ", " + machine.bpf_compiler);
  }

  const Results& results_;
  std::vector<std::string> names_;  // of programs, in order of appearance
  double most_ = 1, furthest_ = 1;
  double end_ = 1;  // ratio at the right edge
  double bottom_ = kTop;
};

}  // namespace

std::string RatioPlot(const Results& results) { return Plot(results).Draw(); }

}  // namespace evenkeel::bench
