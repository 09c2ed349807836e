// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "bpf/abi/verdict.h"
#include "control/cli/advertised.h"
#include "control/cli/alarm_report.h"
#include "control/cli/cat.h"
#include "control/cli/plan_report.h"
#include "control/cli/rates.h"
#include "control/cli/standing.h"
#include "control/cli/status_report.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

using engine::BackendStatus;
using engine::PoolStatus;
using engine::Status;

constexpr size_t kBarColumns = 10;
constexpr size_t kShortDigest = 12;
constexpr size_t kLabelColumns = 10;
constexpr size_t kUsersListed = 4;

Cell Heading(std::string_view text, bool right = false) {
  return {std::string(text), Style::kDim, right};
}
Cell Number(std::string text) { return {std::move(text), Style::kPlain, true}; }

Cell Label(std::string_view text) {
  return {Cat(text, std::string(kLabelColumns - text.size(), ' ')), Style::kBold};
}

// Packets: per second between two samples; without an earlier one, in all.
std::string_view PacketsHeading(const Rates& rates) {
  return rates.known() ? "PACKETS/S" : "PACKETS";
}

double PacketsOf(const Rates& rates, const Rate& rate, const dataplane::Counter& counter) {
  return rates.known() ? rate.packets : static_cast<double>(counter.packets);
}

Cell ShowPackets(double packets) { return Number(Count(static_cast<uint64_t>(packets + 0.5))); }

void PrintDaemon(Printer& out, const Status& s, int64_t now) {
  out.Hanging(0, Label("Daemon"),
              Cat("evenkeeld ", s.version, ", instance ", s.instance, ", started ",
                  UtcTime(s.started_unix_ns), " (", Ago(s.started_unix_ns, now), ")"));
  if (!s.adoption.empty()) out.Hanging(0, Label(""), s.adoption);
}

void PrintState(Printer& out, const Status& s, int64_t now) {
  const engine::Applied& a = s.applied;
  if (a.revision == 0) {
    out.Hanging(0, Label("State"), "nothing applied yet; evenkeel apply -f FILE --reason TEXT");
  } else {
    out.Hanging(0, Label("State"),
                Cat("revision ", a.revision, " by ", a.author, ", ", UtcTime(a.applied_unix_ns),
                    " (", Ago(a.applied_unix_ns, now), ")"));
    if (!a.reason.empty()) {
      out.Hanging(0, Label(""), Cat(a.reason, a.ticket.empty() ? "" : Cat(" (", a.ticket, ")")));
    }
    if (a.restores != 0) out.Hanging(0, Label(""), Cat("brings back revision ", a.restores));
    if (s.last_good != 0) out.Hanging(0, Label("Last good"), RevisionName(s.last_good));
    if (a.awaits()) PrintAwaited(out, a, now);
    for (const history::Override& o : s.overrides) {
      out.Hanging(0, {Label("Override").text, Style::kWarn},
                  Cat(o.rule, " until ", Deadline(o.expires_unix_ns, now), " by ", o.author,
                      " with ", RevisionName(o.revision), ": ", o.reason));
    }
  }
  if (json::IsAlarm(s)) {
    out.Put(Label("Kernel").text, Style::kBold)
        .Put(" ")
        .Line("ALARM: not what was approved", Style::kBad);
    out.Hanging(0, Label(""),
                Cat("the kernel's tables have digest ",
                    s.kernel_digest.empty() ? "(none)" : s.kernel_digest.substr(0, kShortDigest),
                    ", ", RevisionName(a.revision), " has ", a.digest.ToShort(),
                    ". Restart evenkeeld to restore the approved tables; packets "
                    "meanwhile follow the kernel's."));
  } else if (a.revision != 0) {
    out.Put(Label("Kernel").text, Style::kBold)
        .Put(" ")
        .Put("matches", Style::kGood)
        .Line(Cat(": forwards with ", RevisionName(a.revision), ", digest ", a.digest.ToShort()));
  }
}

void PrintWatched(Printer& out, const Status& s, int64_t now) {
  if (!s.watched) return;
  const engine::Watched& w = *s.watched;
  const std::string since =
      Cat(" since ", UtcTime(w.since_unix_ns), " (", Ago(w.since_unix_ns, now), ")");
  switch (w.state) {
    case engine::Watched::State::kFollowing:
      out.Hanging(0, Label("Watched"),
                  Cat(w.path, ": ", RevisionName(w.revision), " is what it says"));
      return;
    case engine::Watched::State::kWaiting:
      out.Hanging(0, {Label("Watched").text, Style::kWarn},
                  Cat(w.path, " waits", since, ": ", w.detail));
      return;
    case engine::Watched::State::kHeld:
      out.Put(Label("Watched").text, Style::kBold)
          .Put(" ")
          .Line("ALARM: held, not applied", Style::kBad);
      out.Hanging(0, Label(""), Cat(w.path, since, ": ", w.detail));
      return;
  }
}

void PrintInterfaces(Printer& out, const Status& s) {
  bool first = true;
  for (const engine::InterfaceStatus& i : s.interfaces) {
    std::string text = Cat(i.name, ": ", i.mode, " XDP");
    if (i.shared) text += Cat(", shared with priority ", i.priority);
    if (i.adopted) text += Cat(", attached by an earlier daemon");
    if (!i.fallback_reason.empty()) text += Cat("; not native: ", i.fallback_reason);
    out.Hanging(0, Label(first ? "Interface" : ""), text);
    first = false;
  }
  if (s.interfaces.empty()) out.Hanging(0, Label("Interface"), "none");
}

std::string Endpoint(const model::Vip& vip) {
  const std::string address =
      vip.address.is_ipv6() ? Cat("[", vip.address.ToString(), "]") : vip.address.ToString();
  const std::string port = vip.port == 0 ? "*" : Cat(vip.port);
  return Cat(address, ":", port, "/", model::ToString(vip.protocol));
}

void PrintVips(Printer& out, const Status& s, const Rates& rates) {
  if (s.vips.empty()) return;
  std::vector<std::vector<Cell>> rows = {
      {Heading("VIP"), Heading("ADDRESS"), Heading("POOL"), Heading(PacketsHeading(rates), true),
       Heading("BYTES", true), Heading("NEW FLOWS", true), Heading("DROPS", true)}};
  const bool advertised = std::any_of(s.vips.begin(), s.vips.end(),
                                      [](const auto& v) { return v.advertised.has_value(); });
  if (advertised) rows[0].push_back(Heading("ADVERTISED"));
  for (const engine::VipStatus& v : s.vips) {
    rows.push_back(
        {{v.vip.name, Style::kBold},
         {Endpoint(v.vip)},
         {v.vip.pool},
         ShowPackets(PacketsOf(rates, rates.Of(v), v.counter)),
         Number(Bytes(v.counter.bytes)),
         Number(Count(v.counter.new_flows)),
         {Count(v.counter.drops), v.counter.drops > 0 ? Style::kWarn : Style::kPlain, true}});
    if (v.advertised) rows.back().push_back(AdvertisedCell(*v.advertised));
  }
  out.End().Table(0, rows);
  PrintNotAdvertised(out, s.vips);
}

void PrintLimits(Printer& out, const Status& s) {
  const auto show = [&](const model::Vip& vip, const std::optional<model::RateLimit>& limit,
                        std::string_view what) {
    if (!limit) return;
    out.Line(Cat("  ", vip.name, ": at most ", limit->rate, " ", what, " a second, ", limit->burst,
                 " at once"));
  };
  bool any = false;
  for (const engine::VipStatus& v : s.vips) {
    if (v.vip.limits == model::VipLimits{}) continue;
    if (!std::exchange(any, true)) out.End().Line("Limits:");
    show(v.vip, v.vip.limits.new_flows, "new flows");
    show(v.vip, v.vip.limits.per_source, "packets of one source");
  }
}

std::string UsersOf(const engine::SourceRulesStatus& r) {
  std::string text = r.global ? "every VIP" : "";
  for (size_t i = 0; i < r.vips.size(); ++i) {
    if (i == kUsersListed) return text + Cat(", ... (", r.vips.size(), " in all)");
    text += Cat(text.empty() ? "" : ", ", r.vips[i]);
  }
  return text.empty() ? "nobody: not in the kernel" : text;
}

void PrintSourceRules(Printer& out, const Status& s) {
  if (s.source_rules.empty()) return;
  std::vector<std::vector<Cell>> rows = {{Heading("SOURCE RULES"), Heading("DEFAULT"),
                                          Heading("DENIED", true), Heading("ALLOWED", true),
                                          Heading("DIGEST"), Heading("FOR")}};
  for (const engine::SourceRulesStatus& r : s.source_rules) {
    rows.push_back({{r.name, Style::kBold},
                    {std::string(model::ToString(r.fallback))},
                    Number(Count(r.denied)),
                    Number(Count(r.allowed)),
                    {r.digest.substr(0, kShortDigest), Style::kDim},
                    {UsersOf(r)}});
  }
  out.End().Table(0, rows);
}

std::string Note(const BackendStatus& b) {
  std::string note;
  if (b.state != model::AdminState::kEnabled) note = model::ToString(b.state);
  if (b.health == "down") {
    note += Cat(note.empty() ? "" : "; ", b.held ? "DOWN, held: " : "DOWN: ", b.health_cause);
  }
  if (b.admitted > 0 && b.admitted < 1) {
    note += Cat(note.empty() ? "" : "; ", "slow start, ", Percent(b.admitted));
  } else if (b.admitted == 0 && b.health != "down") {
    note += Cat(note.empty() ? "" : "; ", "not in the table: ", b.health_cause);
  }
  if (!b.problem.empty()) {
    note += Cat(note.empty() ? "" : "; ", "UNREACHABLE: ", b.problem);
  }
  return note;
}

std::string_view UnitOf(const PoolStatus& p) {
  switch (p.capacity_unit) {
    case model::CapacityUnit::kPackets:
      return "packets/s";
    case model::CapacityUnit::kBits:
      return "bit/s";
    case model::CapacityUnit::kNewFlows:
      return "new flows/s";
    case model::CapacityUnit::kNone:
      break;
  }
  return "";
}

Cell UseCell(double use) { return {Percent(use, 1), use > 1 ? Style::kBad : Style::kPlain, true}; }

// Small rates with a digit after the point.
std::string RateText(double rate) {
  return rate < 100 ? absl::StrFormat("%.1f", rate) : Count(static_cast<uint64_t>(rate));
}

// What the servers carry of what they declare, and would carry without what they would miss most.
void PrintLoads(Printer& out, const PoolStatus& p) {
  if (p.capacity_unit == model::CapacityUnit::kNone) return;
  std::vector<std::vector<Cell>> rows = {{Heading("LOAD"), Heading(Cat("IN ", UnitOf(p)), true),
                                          Heading("OF", true), Heading("USE", true),
                                          Heading("N-1", true), Heading("WITHOUT")}};
  for (const BackendStatus& b : p.backends) {
    if (b.share == 0) continue;
    rows.push_back({{b.name},
                    Number(RateText(b.load)),
                    Number(b.capacity ? RateText(*b.capacity) : "-"),
                    b.capacity ? UseCell(b.load / *b.capacity) : Number("-"),
                    b.capacity ? UseCell(b.load_after / *b.capacity) : Number("-"),
                    {b.worst_loss, Style::kDim}});
  }
  for (const traffic::DomainLoad& d : p.domains) {
    rows.push_back({{Cat(d.kind, " ", d.name)},
                    Number(RateText(d.load)),
                    Number(d.capacity ? RateText(*d.capacity) : "-"),
                    d.capacity ? UseCell(d.load / *d.capacity) : Number("-"),
                    d.hottest.empty() ? Number("-") : UseCell(d.use),
                    {d.hottest.empty() ? "" : Cat("it: ", d.hottest, " has most"), Style::kDim}});
  }
  out.Table(2, rows);
}

void PrintPool(Printer& out, const PoolStatus& p, const Rates& rates) {
  double total = 0, largest = 0;
  for (const BackendStatus& b : p.backends) {
    total += PacketsOf(rates, rates.Of(p.name, b), b.counter);
    largest = std::max(largest, b.share);
  }
  out.End().Put("Pool ").Put(p.name, Style::kBold);
  out.Line(Cat(": ", model::ToString(p.forwarding), ", ", Plural(p.table_size, "slot"), ", table ",
               p.table_digest.substr(0, kShortDigest)));
  if (!p.panic.empty()) out.Put("  PANIC: ", Style::kBad).Line(p.panic);
  PrintDistribution(out, p);
  if (!p.no_spare.empty()) out.Put("  NO SPARE: ", Style::kBad).Line(p.no_spare);
  if (p.moving_slots > 0) {
    out.Line(Cat("  ", Plural(p.moving_slots, "slot"),
                 " changing hands: flows from before the change stay where they are (for ",
                 p.moving_s, " s now)"),
             Style::kDim);
  }
  std::vector<std::vector<Cell>> rows = {
      {Heading("BACKEND"), Heading("ADDRESS"), Heading("SHARE", true), Heading(""),
       Heading(PacketsHeading(rates), true), Heading("OF POOL", true), Heading("")}};
  for (const BackendStatus& b : p.backends) {
    const double packets = PacketsOf(rates, rates.Of(p.name, b), b.counter);
    rows.push_back(
        {{b.name, Style::kBold},
         {b.address.ToString()},
         Number(Percent(b.share)),
         {Bar(largest > 0 ? b.share / largest : 0, kBarColumns, out.utf8())},
         ShowPackets(packets),
         Number(total > 0 ? Percent(packets / total, 1) : "-"),
         {Note(b), b.problem.empty() && b.health != "down" ? Style::kDim : Style::kBad}});
  }
  out.Table(2, rows);
  PrintLoads(out, p);
}

void PrintVerdicts(Printer& out, const Status& s) {
  std::vector<std::vector<Cell>> rows;
  for (const auto& [name, packets] : s.verdicts) {
    if (packets == 0 || name == "forward") continue;
    const bool drop = name.starts_with("drop");
    rows.push_back({{Count(packets), drop ? Style::kWarn : Style::kPlain, true},
                    {name},
                    {std::string(VerdictMeaning(name)), Style::kDim}});
  }
  if (rows.empty()) return;
  out.End().Line("Packets not forwarded:").Table(2, rows);
}

}  // namespace

void PrintStatus(Printer& out, const StatusSample& now, const std::optional<StatusSample>& before) {
  const Status& s = now.status;
  const Rates rates(now, before);
  PrintAlarms(out, kLabelColumns, s.alarms, now.unix_ns);
  PrintDaemon(out, s, now.unix_ns);
  PrintState(out, s, now.unix_ns);
  PrintWatched(out, s, now.unix_ns);
  PrintInterfaces(out, s);
  for (const std::string& notice : s.notices) {
    out.Hanging(0, {Label("Notice").text, Style::kWarn}, notice);
  }
  PrintVips(out, s, rates);
  PrintSourceRules(out, s);
  PrintLimits(out, s);
  for (const PoolStatus& p : s.pools) PrintPool(out, p, rates);
  if (s.pinned_flows > 0) {
    out.End().Line(Cat(Plural(s.pinned_flows, "flow"), " pinned while slots change hands"));
  }
  PrintVerdicts(out, s);
}

std::string_view VerdictMeaning(std::string_view verdict) {
  static constexpr std::pair<std::string_view, std::string_view> kMeanings[] = {
#define EK_CLI_MEANING(symbol, name, text) {name, text},
      EK_VERDICT_LIST(EK_CLI_MEANING)
#undef EK_CLI_MEANING
  };
  for (const auto& [name, text] : kMeanings) {
    if (name == verdict) return text;
  }
  return "";
}

}  // namespace evenkeel::cli
