// SPDX-License-Identifier: Apache-2.0
#include "control/json/status.h"

#include <utility>

#include "control/engine/alarm_text.h"
#include "control/json/config.h"
#include "control/json/revision.h"
#include "control/json/time.h"

namespace evenkeel::json {
namespace {

using nlohmann::ordered_json;

ordered_json CounterJson(const dataplane::Counter& counter) {
  return {{"packets", counter.packets},
          {"bytes", counter.bytes},
          {"new_flows", counter.new_flows},
          {"drops", counter.drops}};
}

ordered_json OverridesJson(const engine::Status& status) {
  ordered_json list = ordered_json::array();
  for (const history::Override& o : status.overrides) {
    list.push_back({{"rule", o.rule},
                    {"revision", o.revision},
                    {"reason", o.reason},
                    {"author", o.author},
                    {"expires_at", Rfc3339(o.expires_unix_ns)}});
  }
  return list;
}

ordered_json WatchedJson(const engine::Status& status) {
  if (!status.watched) return nullptr;
  const engine::Watched& w = *status.watched;
  const char* state = w.state == engine::Watched::State::kFollowing ? "following"
                      : w.state == engine::Watched::State::kWaiting ? "waiting"
                                                                    : "held";
  return {{"path", w.path},
          {"state", state},
          {"detail", w.detail},
          {"since", Rfc3339(w.since_unix_ns)},
          {"revision", w.revision}};
}

ordered_json InterfacesJson(const engine::Status& status) {
  ordered_json list = ordered_json::array();
  for (const engine::InterfaceStatus& i : status.interfaces) {
    list.push_back({{"name", i.name},
                    {"mode", i.mode},
                    {"fallback_reason", i.fallback_reason},
                    {"adopted", i.adopted},
                    {"attach", i.shared ? "shared" : "exclusive"},
                    {"priority", i.shared ? ordered_json(i.priority) : ordered_json()}});
  }
  return list;
}

ordered_json VipsJson(const engine::Status& status) {
  ordered_json list = ordered_json::array();
  for (const engine::VipStatus& v : status.vips) {
    list.push_back({{"name", v.vip.name},
                    {"address", v.vip.address.ToString()},
                    {"port", v.vip.port},
                    {"protocol", std::string(model::ToString(v.vip.protocol))},
                    {"pool", v.vip.pool},
                    {"source_rules", v.vip.source_rules},
                    {"limits", ToJson(v.vip.limits)},
                    {"counter", CounterJson(v.counter)},
                    {"advertised", AdvertisedJson(v)}});
  }
  return list;
}

ordered_json BackendsJson(const engine::PoolStatus& p) {
  ordered_json list = ordered_json::array();
  for (const engine::BackendStatus& b : p.backends) {
    list.push_back({{"name", b.name},
                    {"address", b.address.ToString()},
                    {"state", std::string(model::ToString(b.state))},
                    {"share", b.share},
                    {"counter", CounterJson(b.counter)},
                    {"problem", b.problem},
                    {"health", b.health},
                    {"held", b.held},
                    {"health_cause", b.health_cause},
                    {"health_since", b.health_since_unix_ns == 0
                                         ? ordered_json()
                                         : ordered_json(Rfc3339(b.health_since_unix_ns))},
                    {"admitted", b.admitted}});
    if (p.capacity_unit == model::CapacityUnit::kNone) continue;
    ordered_json& load = list.back()["load"];
    load = {{"now", b.load}, {"after_loss", b.load_after}, {"worst_loss", b.worst_loss}};
    load["capacity"] = b.capacity ? ordered_json(*b.capacity) : ordered_json();
  }
  return list;
}

ordered_json DomainsJson(const engine::PoolStatus& p) {
  ordered_json list = ordered_json::array();
  for (const traffic::DomainLoad& d : p.domains) {
    list.push_back({{"kind", d.kind},
                    {"name", d.name},
                    {"load", d.load},
                    {"capacity", d.capacity ? ordered_json(*d.capacity) : ordered_json()},
                    {"hottest_after_loss", d.hottest},
                    {"use_after_loss", d.use}});
  }
  return list;
}

ordered_json SourceRulesJson(const engine::Status& status) {
  ordered_json list = ordered_json::array();
  for (const engine::SourceRulesStatus& r : status.source_rules) {
    list.push_back({{"name", r.name},
                    {"default", std::string(model::ToString(r.fallback))},
                    {"denied_prefixes", r.denied},
                    {"allowed_prefixes", r.allowed},
                    {"digest", r.digest},
                    {"global", r.global},
                    {"vips", r.vips}});
  }
  return list;
}

}  // namespace

std::string AdvertisedWord(const engine::Advertisement& advertised) {
  if (advertised.withdrawn) return "withdrawn";
  if (advertised.missing()) return "missing";
  return advertised.why.empty() ? "yes" : "no";
}

ordered_json AdvertisedJson(const engine::VipStatus& vip) {
  if (!vip.advertised) return nullptr;
  const engine::Advertisement& a = *vip.advertised;
  ordered_json document = {
      {"state", AdvertisedWord(a)}, {"routed", a.routed}, {"why", a.why}, {"withdrawn", nullptr}};
  if (a.withdrawn) {
    document["withdrawn"] = {
        {"by", a.withdrawn_by}, {"reason", a.reason}, {"since", Rfc3339(a.since_unix_ns)}};
  }
  return document;
}

ordered_json AppliedJson(const engine::Applied& applied) {
  ordered_json document = {
      {"revision", applied.revision},     {"etag", applied.etag},
      {"digest", applied.digest.ToHex()}, {"author", applied.author},
      {"reason", applied.reason},         {"applied_at", Rfc3339(applied.applied_unix_ns)}};
  AddStanding(applied, &document);
  return document;
}

ordered_json ToJson(const engine::PoolStatus& p) {
  return {
      {"name", p.name},
      {"forwarding", std::string(model::ToString(p.forwarding))},
      {"table_size", p.table_size},
      {"table_digest", p.table_digest},
      {"panic", p.panic},
      {"moving_slots", p.moving_slots},
      {"moving_seconds", p.moving_s},
      {"capacity_unit", std::string(model::ToString(p.capacity_unit))},
      {"no_spare", p.no_spare},
      {"distribution", p.distribution ? engine::ToJson(*p.distribution) : ordered_json(nullptr)},
      {"domains", DomainsJson(p)},
      {"backends", BackendsJson(p)}};
}

ordered_json HeadJson(const engine::Status& status) {
  ordered_json verdicts = ordered_json::object(), alarms = ordered_json::array();
  for (const detect::Alarm& alarm : status.alarms) alarms.push_back(engine::ToJson(alarm));
  for (const auto& [name, packets] : status.verdicts) verdicts[name] = packets;
  return {{"schema", "evenkeel.status/v1"},
          {"version", status.version},
          {"instance", status.instance},
          {"started_at", Rfc3339(status.started_unix_ns)},
          {"applied", AppliedJson(status.applied)},
          {"last_good", status.last_good},
          {"generation", status.generation},
          {"overrides", OverridesJson(status)},
          {"kernel_digest", status.kernel_digest},
          {"digest_matches", status.digest_matches},
          {"alarm", IsAlarm(status)},
          {"alarms", alarms},
          {"adoption", status.adoption},
          {"watched", WatchedJson(status)},
          {"interfaces", InterfacesJson(status)},
          {"verdicts", verdicts},
          {"notices", status.notices}};
}

ordered_json ToJson(const engine::Status& status) {
  ordered_json pools = ordered_json::array();
  for (const engine::PoolStatus& pool : status.pools) pools.push_back(ToJson(pool));
  ordered_json document = HeadJson(status);
  document["vips"] = VipsJson(status);
  document["pools"] = std::move(pools);
  document["source_rules"] = SourceRulesJson(status);
  return document;
}

bool IsAlarm(const engine::Status& status) {
  const bool nothing_yet = status.applied.revision == 0 && status.kernel_digest.empty();
  return !nothing_yet && !status.digest_matches;
}

}  // namespace evenkeel::json
