// SPDX-License-Identifier: Apache-2.0
#include "page_checks.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace evenkeel::testing {
namespace {

using nlohmann::json;

constexpr int kMostTabs = 200;
constexpr int kWidth = 1280, kHeight = 900;

// What can be operated and is visible, each with a number that stays.
constexpr char kOperable[] = R"(
  const visible = e => e.checkVisibility({visibilityProperty: true});
  return [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
    .filter(visible).map(e => {
      e.ekNumber ??= (window.ekNext = (window.ekNext ?? 0) + 1);
      return [e.ekNumber, e.outerHTML.slice(0, 120)];
    }))";

constexpr char kFocused[] = R"(
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  e.ekNumber ??= (window.ekNext = (window.ekNext ?? 0) + 1);
  const style = getComputedStyle(e);
  return [e.ekNumber, e.outerHTML.slice(0, 120),
          style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2])";

// Text whose contrast with what lies behind it is less than 4.5, and how much text there was.
constexpr char kContrast[] = R"(
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const parse = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return parse(getComputedStyle(document.documentElement).colorScheme === 'dark' ? '#000' : '#fff');
  };
  const faults = [];
  let texts = 0;
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!(own || e.matches('input, select')) || !e.checkVisibility({opacityProperty: true})) continue;
    const style = getComputedStyle(e);
    if (style.clipPath !== 'none') continue;
    const front = parse(e instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [luminance(front), luminance(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    texts += 1;
    if (ratio < 4.5 || front[3] !== 255) {
      faults.push(`${ratio.toFixed(2)}: ${e.outerHTML.slice(0, 160)}`);
    }
  }
  return [texts, faults, parse(getComputedStyle(document.body).backgroundColor)])";

constexpr char kWide[] = R"(
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  return [...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > root.clientWidth + 0.5)
    .slice(0, 5).map(e => e.outerHTML.slice(0, 160)))";

void Choose(WebDriver& page, const std::string& theme) {
  page.Run(
      "const t = document.getElementById('theme'); t.value = arguments[0];"
      "t.dispatchEvent(new Event('change'))",
      json::array({theme}));
}

void Prefer(WebDriver& page, const std::string& scheme) {
  page.DevTools("Emulation.setEmulatedMedia",
                {{"features", {{{"name", "prefers-color-scheme"}, {"value", scheme}}}}});
}

// Dark or light, by the body's background.
bool IsDark(const json& colour) {
  return colour.at(0).get<int>() + colour.at(1).get<int>() + colour.at(2).get<int>() < 3 * 128;
}

// For whoever wants to see: a directory in EVENKEEL_SCREENSHOTS.
void Keep(WebDriver& page, const std::string& name) {
  if (const char* dir = std::getenv("EVENKEEL_SCREENSHOTS")) {
    page.SaveScreenshot(std::string(dir) + "/" + name + ".png");
  }
}

}  // namespace

void CheckTabOrder(WebDriver& page) {
  std::set<int> visited;
  page.Run("document.activeElement?.blur(); window.scrollTo(0, 0)");
  for (int i = 0; i < kMostTabs; ++i) {
    page.Press(kTab);
    const json focused = page.Run(kFocused);
    if (focused.is_null()) continue;  // the end of the page
    if (!visited.insert(focused.at(0).get<int>()).second && visited.size() > 1) break;
    EXPECT_TRUE(focused.at(2).get<bool>()) << "no visible focus: " << focused.at(1);
  }
  for (const json& element : page.Run(kOperable)) {
    EXPECT_TRUE(visited.contains(element.at(0).get<int>())) << "not by Tab: " << element.at(1);
  }
}

void FocusByTab(WebDriver& page, const std::string& css) {
  for (int i = 0; i < kMostTabs; ++i) {
    if (page.Run("return document.activeElement === document.querySelector(arguments[0])",
                 json::array({css}))
            .get<bool>()) {
      return;
    }
    page.Press(kTab);
  }
  ADD_FAILURE() << "Tab does not get to " << css;
}

void CheckNames(WebDriver& page, const std::string& view) {
  static const std::set<std::string> kNamed = {
      "button", "link",  "textbox", "searchbox", "combobox",   "spinbutton",
      "table",  "image", "img",     "region",    "navigation", "DisclosureTriangle"};
  page.DevTools("Accessibility.enable");
  int named = 0, tables = 0;
  const json tree = page.DevTools("Accessibility.getFullAXTree");
  for (const json& node : tree.at("nodes")) {
    if (node.value("ignored", false) || !node.contains("role")) continue;
    const std::string role = node["role"].value("value", "");
    if (!kNamed.contains(role)) continue;
    const bool has = node.contains("name") && node["name"].value("value", "") != "";
    // A picture beside the name that it would repeat has none on purpose.
    EXPECT_TRUE(has) << view << ": a " << role << " has no name: " << node.dump();
    named += has;
    tables += role == "table";
  }
  EXPECT_GT(named, 10) << view;
  EXPECT_GT(tables, 0) << view << " has tables that are tables for screen readers";
  EXPECT_EQ(page.Run("return [...document.querySelectorAll('table')].filter(t => "
                     "!t.caption?.textContent || [...t.querySelectorAll('th')].some(h => !h.scope))"
                     ".map(t => t.outerHTML.slice(0, 200))"),
            json::array())
      << view;
}

void CheckColours(WebDriver& page, const std::string& view) {
  for (const char* scheme : {"dark", "light"}) {
    const bool dark = std::string(scheme) == "dark";
    Prefer(page, scheme);
    Choose(page, "auto");
    EXPECT_EQ(IsDark(page.Run(kContrast).at(2)), dark) << "the system's";
    Prefer(page, dark ? "light" : "dark");
    Choose(page, scheme);
    const json result = page.Run(kContrast);
    EXPECT_EQ(IsDark(result.at(2)), dark) << "chosen";
    EXPECT_GT(result.at(0).get<int>(), 20) << view;
    EXPECT_EQ(result.at(1), json::array())
        << view << ", " << scheme << ": " << result.at(1).dump(1);
    Keep(page, view + "-" + scheme);
  }
  Choose(page, "auto");
}

void CheckNarrow(WebDriver& page, const std::string& view) {
  page.Resize(320, kHeight);
  EXPECT_EQ(page.Run(kWide), json::array()) << view;
  Keep(page, view + "-narrow");
  page.Resize(kWidth, kHeight);
}

}  // namespace evenkeel::testing
