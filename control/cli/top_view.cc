// SPDX-License-Identifier: Apache-2.0
#include "control/cli/top_view.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_format.h"
#include "control/cli/cat.h"
#include "control/cli/rates.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

constexpr size_t kBar = 8;
constexpr size_t kName = 14;
constexpr size_t kAlarmsShown = 3;
constexpr size_t kVipsShown = 5;

// Cut or padded to `width`.
std::string Fit(std::string_view text, size_t width, bool right = false) {
  std::string fitted = Clean(text);
  while (DisplayWidth(fitted) > width) {
    // Whole code points.
    do {
      fitted.pop_back();
    } while (!fitted.empty() && (static_cast<unsigned char>(fitted.back()) & 0xc0) == 0x80);
  }
  const std::string pad(width - DisplayWidth(fitted), ' ');
  return right ? pad + fitted : fitted + pad;
}

class Screen {
 public:
  explicit Screen(size_t columns) : columns_(columns) {}

  Screen& Put(std::string_view text, Style style = Style::kPlain) {
    const size_t room = columns_ - std::min(columns_, used_);
    std::string shown = Clean(text);
    if (DisplayWidth(shown) > room) shown = Fit(shown, room);
    used_ += DisplayWidth(shown);
    if (!shown.empty()) line_.push_back({std::move(shown), style});
    return *this;
  }
  Screen& Column(std::string_view text, size_t width, Style style = Style::kPlain) {
    return Put(Fit(text, width), style).Put(" ");
  }
  Screen& Number(std::string_view text, size_t width, Style style = Style::kPlain) {
    return Put(Fit(text, width, /*right=*/true), style).Put(" ");
  }
  void End() {
    lines_.push_back(std::move(line_));
    line_.clear();
    used_ = 0;
  }
  std::vector<ScreenLine> Take() { return std::move(lines_); }

 private:
  const size_t columns_;
  size_t used_ = 0;
  ScreenLine line_;
  std::vector<ScreenLine> lines_;
};

std::string Show(double rate) { return Count(static_cast<uint64_t>(rate + 0.5)); }

// A backend's line.
struct Row {
  const engine::BackendStatus* backend = nullptr;
  Rate rate;
  double expected = 0;
  std::optional<double> observed;  // of new flows in the last minute
  double skew = 0;                 // observed to expected; 0: not known
};

Row MakeRow(const engine::PoolStatus& pool, const engine::BackendStatus& backend,
            const Rates& rates) {
  Row row{.backend = &backend,
          .rate = rates.Of(pool.name, backend),
          .expected = backend.share,
          .observed = std::nullopt};
  if (!pool.distribution) return row;
  for (const detect::ServerShares& server : pool.distribution->servers) {
    if (server.address != backend.address || !server.sufficient) continue;
    row.observed = server.flows;
    row.skew = server.ratio;
  }
  return row;
}

bool Has(std::string_view text, const std::string& filter) {
  return filter.empty() || text.find(filter) != std::string_view::npos;
}

std::vector<Row> RowsOf(const engine::PoolStatus& pool, const Rates& rates, const TopState& state) {
  std::vector<Row> rows;
  for (const engine::BackendStatus& backend : pool.backends) {
    if (!Has(pool.name, state.filter) && !Has(backend.name, state.filter) &&
        !Has(backend.address.ToString(), state.filter)) {
      continue;
    }
    rows.push_back(MakeRow(pool, backend, rates));
  }
  // How far from 1, to either side.
  const auto off = [](const Row& row) {
    if (row.skew <= 0) return 0.0;
    return row.skew >= 1 ? row.skew : 1 / row.skew;
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    switch (state.sort) {
      case TopSort::kSkew:
        return off(a) > off(b);
      case TopSort::kPackets:
        return a.rate.packets > b.rate.packets;
      case TopSort::kName:
        return a.backend->name < b.backend->name;
      case TopSort::kConfigured:
        break;
    }
    return false;
  });
  return rows;
}

std::string_view HealthOf(const engine::BackendStatus& backend) {
  if (backend.state == model::AdminState::kDraining) return "drains";
  if (backend.state == model::AdminState::kDisabled) return "off";
  if (!backend.problem.empty()) return "UNREACHABLE";
  if (backend.health == "down") return backend.held ? "DOWN, held" : "DOWN";
  if (backend.admitted > 0 && backend.admitted < 1) return "starts";
  if (backend.health.empty()) return "-";
  return backend.health;
}

Style StyleOfSkew(double skew) {
  if (skew >= 2) return Style::kBad;
  return skew >= 1.5 || (skew > 0 && skew <= 0.5) ? Style::kWarn : Style::kPlain;
}

class Drawing {
 public:
  Drawing(const StatusSample& now, const std::optional<StatusSample>& before, size_t columns,
          bool utf8, const TopState& state)
      : now_(now),
        s_(now.status),
        rates_(now, before),
        columns_(columns),
        utf8_(utf8),
        state_(state) {}

  std::vector<ScreenLine> Head(const std::string& problem) const {
    Screen out(columns_);
    const engine::Applied& a = s_.applied;
    out.Put("evenkeel ", Style::kBold).Put(s_.instance);
    out.Put(Cat("  revision ", a.revision, " by ", a.author, ", ",
                Ago(a.applied_unix_ns, now_.unix_ns)));
    if (a.awaits()) out.Put("  AWAITS CONFIRMATION", Style::kWarn);
    if (state_.paused) out.Put("  PAUSED", Style::kWarn);
    out.End();
    const bool wrong = json::IsAlarm(s_);
    out.Put("kernel ").Put(wrong ? "NOT AS APPROVED" : "matches",
                           wrong ? Style::kBad : Style::kGood);
    uint32_t moving = 0;
    for (const engine::PoolStatus& pool : s_.pools) moving += pool.moving_slots;
    Rate all;
    for (const engine::VipStatus& vip : s_.vips) {
      const Rate rate = rates_.Of(vip);
      all.packets += rate.packets;
      all.flows += rate.flows;
      all.drops += rate.drops;
    }
    if (rates_.known()) {
      out.Put(Cat("  ", Show(all.packets), " packets/s  ", Show(all.flows), " new flows/s  "));
      out.Put(Cat(Show(all.drops), " drops/s"), all.drops >= 1 ? Style::kWarn : Style::kPlain);
    }
    out.Put(Cat("  ", moving, " slots moving"));
    out.End();
    if (!problem.empty()) {
      out.Put(problem, Style::kBad);
      out.End();
    }
    PutAlarms(out);
    return out.Take();
  }

  std::vector<ScreenLine> Vips() const {
    Screen out(columns_);
    if (s_.vips.empty()) return {};
    out.Column("VIP", kName, Style::kDim).Column("ADDRESS", 28, Style::kDim);
    out.Number("PKT/S", 8, Style::kDim).Number("FLOWS/S", 8, Style::kDim);
    out.Number("DROPS/S", 8, Style::kDim);
    out.End();
    std::vector<std::pair<const engine::VipStatus*, Rate>> vips;
    for (const engine::VipStatus& vip : s_.vips) {
      if (Has(vip.vip.name, state_.filter) || Has(vip.vip.pool, state_.filter)) {
        vips.emplace_back(&vip, rates_.Of(vip));
      }
    }
    const size_t shown = vips.size() > kVipsShown ? kVipsShown - 1 : vips.size();
    // Those with most packets, where there is no room for all.
    if (shown < vips.size()) {
      std::stable_sort(vips.begin(), vips.end(), [](const auto& a, const auto& b) {
        return a.second.packets > b.second.packets;
      });
    }
    for (size_t i = 0; i < shown; ++i) {
      const model::Vip& vip = vips[i].first->vip;
      const Rate& rate = vips[i].second;
      out.Column(vip.name, kName, Style::kBold);
      out.Column(Cat(vip.address.ToString(), " ", vip.port == 0 ? "*" : Cat(vip.port), "/",
                     model::ToString(vip.protocol)),
                 28);
      out.Number(Show(rate.packets), 8).Number(Show(rate.flows), 8);
      out.Number(Show(rate.drops), 8, rate.drops >= 1 ? Style::kWarn : Style::kPlain);
      out.End();
    }
    if (shown < vips.size()) {
      out.Put(Cat("and ", Plural(vips.size() - shown, "VIP"), " more"), Style::kDim);
      out.End();
    }
    return out.Take();
  }

  std::vector<ScreenLine> Pools() const {
    Screen out(columns_);
    for (const engine::PoolStatus& pool : s_.pools) {
      const std::vector<Row> rows = RowsOf(pool, rates_, state_);
      if (rows.empty()) continue;
      PutPool(out, pool);
      for (const Row& row : rows) PutRow(out, row);
    }
    return out.Take();
  }

  ScreenLine Foot() const {
    Screen out(columns_);
    if (state_.typing) {
      out.Put("filter: ").Put(state_.filter, Style::kBold).Put("_  (Enter: keep, Esc: none)");
    } else {
      out.Put(Cat("q quit  p ", state_.paused ? "go on" : "pause",
                  "  s sort: ", ToString(state_.sort), "  / filter",
                  state_.filter.empty() ? "" : ": ", state_.filter, "  arrows scroll  ? help"),
              Style::kDim);
    }
    out.End();
    return out.Take().front();
  }

 private:
  void PutAlarms(Screen& out) const {
    size_t left = kAlarmsShown;
    for (const detect::Alarm& alarm : s_.alarms) {
      if (left-- == 0) {
        out.Put(Cat("and ", s_.alarms.size() - kAlarmsShown, " more; evenkeel status has all"),
                Style::kWarn);
        out.End();
        return;
      }
      const bool page = alarm.severity == detect::Severity::kPage;
      out.Put(page ? "ALARM " : "ticket ", page ? Style::kBad : Style::kWarn);
      out.Put(Cat(alarm.pool.empty() ? "" : Cat(alarm.pool, ": "), alarm.text,
                  alarm.acknowledged ? Cat(" (", alarm.acknowledged->who, " is at it)") : ""));
      out.End();
      if (alarm.undo.empty()) continue;
      out.Put("      ").Put(alarm.undo, Style::kBold);
      if (!alarm.changes.empty()) {
        out.Put(Cat("  undoes revision ", alarm.changes[0].revision, " by ",
                    alarm.changes[0].author, ": ", alarm.changes[0].reason));
      }
      out.End();
    }
  }

  void PutPool(Screen& out, const engine::PoolStatus& pool) const {
    out.Put("Pool ", Style::kDim).Put(pool.name, Style::kBold);
    if (pool.distribution) {
      const auto verdict = pool.distribution->verdict;
      out.Put("  ").Put(std::string(detect::ToString(verdict)),
                        verdict == detect::Verdict::kMatches  ? Style::kGood
                        : verdict == detect::Verdict::kBroken ? Style::kBad
                                                              : Style::kDim);
    }
    if (pool.moving_slots > 0) out.Put(Cat("  ", pool.moving_slots, " slots moving"));
    if (!pool.panic.empty()) out.Put("  PANIC", Style::kBad);
    if (!pool.no_spare.empty()) out.Put("  NO SPARE", Style::kBad);
    out.End();
    out.Column("  BACKEND", kName, Style::kDim).Column("EXPECTED", kBar + 8, Style::kDim);
    out.Column("OBSERVED", kBar + 8, Style::kDim).Number("SKEW", 5, Style::kDim);
    out.Number("PKT/S", 7, Style::kDim).Number("FLOW/S", 6, Style::kDim);
    out.Put("HEALTH", Style::kDim);
    out.End();
  }

  void PutShare(Screen& out, std::optional<double> share, Style style) const {
    if (!share) {
      out.Column("-", kBar + 8, Style::kDim);
      return;
    }
    out.Number(Percent(*share, 1), 7, style);
    out.Column(Bar(std::min(1.0, *share), kBar, utf8_), kBar, style);
  }

  void PutRow(Screen& out, const Row& row) const {
    out.Column(Cat("  ", row.backend->name), kName, Style::kBold);
    PutShare(out, row.expected, Style::kPlain);
    PutShare(out, row.observed, StyleOfSkew(row.skew));
    out.Number(row.skew > 0 ? absl::StrFormat("%.2f", row.skew) : "-", 5, StyleOfSkew(row.skew));
    out.Number(rates_.known() ? Show(row.rate.packets) : "-", 7);
    out.Number(rates_.known() ? Show(row.rate.flows) : "-", 6);
    const std::string_view health = HealthOf(*row.backend);
    const bool bad = health.starts_with("DOWN") || health == "UNREACHABLE";
    out.Put(health, bad ? Style::kBad : health == "up" ? Style::kGood : Style::kDim);
    out.End();
  }

  const StatusSample& now_;
  const engine::Status& s_;
  const Rates rates_;
  const size_t columns_;
  const bool utf8_;
  const TopState& state_;
};

std::vector<ScreenLine> Help(size_t columns) {
  Screen out(columns);
  for (const char* line :
       {"EXPECTED  share of the table as approved", "OBSERVED  share of new flows, last minute",
        "SKEW      observed to expected; an alarm from 2.00 on, - where flows are few", "",
        "q         quit                     p, Space  pause, and go on",
        "s         next sort order          /         filter by name or address",
        "arrows, j, k, PgUp, PgDn  scroll   ?         this help"}) {
    out.Put(line);
    out.End();
  }
  return out.Take();
}

bool TakeFilterKey(char key, TopState* state) {
  if (key == '\r' || key == '\n') {
    state->typing = false;
  } else if (key == 27) {
    state->typing = false;
    state->filter.clear();
  } else if (key == 127 || key == 8) {
    if (!state->filter.empty()) state->filter.pop_back();
  } else if (key > ' ' && key < 127) {
    state->filter.push_back(key);
  } else {
    return false;
  }
  state->scroll = 0;
  return true;
}

}  // namespace

std::string_view ToString(TopSort sort) {
  switch (sort) {
    case TopSort::kConfigured:
      return "as configured";
    case TopSort::kSkew:
      return "skew";
    case TopSort::kPackets:
      return "packets";
    case TopSort::kName:
      return "name";
  }
  return "";
}

bool TakeKey(char key, size_t page, TopState* state) {
  if (state->typing) return TakeFilterKey(key, state);
  switch (key) {
    case 'q':
      state->ending = true;
      return false;
    case 'p':
    case ' ':
      state->paused = !state->paused;
      return true;
    case 's':
      state->sort = static_cast<TopSort>((static_cast<int>(state->sort) + 1) % 4);
      return true;
    case '/':
      state->typing = true;
      return true;
    case '?':
    case 'h':
      state->help = !state->help;
      return true;
    case kKeyUp:
    case 'k':
      state->scroll -= std::min<size_t>(state->scroll, 1);
      return true;
    case kKeyDown:
    case 'j':
      ++state->scroll;
      return true;
    case kKeyPageUp:
      state->scroll -= std::min(state->scroll, page);
      return true;
    case kKeyPageDown:
      state->scroll += page;
      return true;
    default:
      return false;
  }
}

std::vector<ScreenLine> RenderTop(const StatusSample& now,
                                  const std::optional<StatusSample>& before,
                                  const std::string& problem, size_t columns, size_t rows,
                                  bool utf8, TopState* state) {
  const Drawing drawing(now, before, columns, utf8, *state);
  std::vector<ScreenLine> lines = drawing.Head(problem);
  const auto append = [&lines](std::vector<ScreenLine> more, size_t from = 0) {
    for (size_t i = from; i < more.size(); ++i) lines.push_back(std::move(more[i]));
  };
  if (state->help) {
    append(Help(columns));
  } else {
    append(drawing.Vips());
    std::vector<ScreenLine> pools = drawing.Pools();
    const size_t room = rows > lines.size() + 1 ? rows - lines.size() - 1 : 0;
    const size_t most = pools.size() > room ? pools.size() - room : 0;
    state->scroll = std::min(state->scroll, most);
    append(std::move(pools), state->scroll);
  }
  if (rows > 0 && lines.size() > rows - 1) lines.resize(rows - 1);
  lines.push_back(drawing.Foot());
  return lines;
}

}  // namespace evenkeel::cli
