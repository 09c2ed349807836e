// SPDX-License-Identifier: Apache-2.0
#include "control/detect/words.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace evenkeel::detect {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17;

}  // namespace

std::string Percent(double fraction) { return absl::StrFormat("%.1f %%", 100 * fraction); }
std::string Times(double ratio) { return absl::StrFormat("%.1fx", ratio); }
std::string Number(double n) { return absl::StrFormat("%.0f", n); }

std::string Ago(int64_t ns) {
  const int64_t s = ns / 1'000'000'000;
  if (s < 120) return absl::StrCat(s, " s");
  if (s < 2 * 3600) return absl::StrCat(s / 60, " min");
  if (s < 2 * 86400) return absl::StrCat(s / 3600, " h");
  return absl::StrCat(s / 86400, " d");
}

std::string Describe(const Heavy& heavy) {
  std::string text = heavy.source ? heavy.source->ToString() : "";
  const auto add = [&](std::string_view what, uint16_t port) {
    if (port == 0) return;
    absl::StrAppend(&text, text.empty() ? "" : " ", std::string(what), port);
  };
  add("port ", heavy.source_port);
  add("to port ", heavy.destination_port);
  if (heavy.ip_protocol == kTcp) text += " (tcp)";
  if (heavy.ip_protocol == kUdp) text += " (udp)";
  return text;
}

std::string DescribeAll(std::span<const Heavy> heavy) {
  std::string text;
  for (const Heavy& one : heavy) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", Describe(one), " ", Percent(one.share));
  }
  return text;
}

std::string Describe(const Evidence& evidence) {
  const std::string shares = absl::StrCat(Percent(evidence.observed_share), " instead of ",
                                          Percent(evidence.expected_share));
  const std::string counts =
      evidence.window_s > 0
          ? absl::StrCat(
                " (", Number(evidence.observed), " of ",
                Number(evidence.observed_share > 0 ? evidence.observed / evidence.observed_share
                                                   : evidence.expected / evidence.expected_share),
                " in ", Number(evidence.window_s), " s)")
          : "";
  if (evidence.observed == 0) {
    return absl::StrCat("gets no ", evidence.unit, ": ", shares, counts);
  }
  if (evidence.expected_share == 0) {
    return absl::StrCat("gets ", evidence.unit, " though it is to get none: ", shares, counts);
  }
  return absl::StrCat("gets ", Times(evidence.ratio), " its share of ", evidence.unit, ": ", shares,
                      counts);
}

}  // namespace evenkeel::detect
