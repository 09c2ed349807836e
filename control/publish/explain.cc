// SPDX-License-Identifier: Apache-2.0
#include "control/publish/explain.h"

#include <linux/bpf.h>
#include <netinet/in.h>

#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"
#include "bpf/lib/quic.h"
#include "bpf/lib/rate.h"
#include "control/guard/server_weights.h"
#include "control/publish/publisher_impl.h"

namespace evenkeel::publish {
namespace {

using dataplane::ActiveGeneration;
using dataplane::BackendImage;
using dataplane::VipImage;

// A pin that comes or goes, or a tick of its clock, between the look and the run.
constexpr int kTries = 4;
// The lock is given to others between so many packets, some 20 us each.
constexpr size_t kAtOnce = 64;
constexpr std::chrono::microseconds kPause{200};

bool IsWithin(uint64_t due, uint64_t now, const guard::Limit& limit) {
  __u64 next = 0;
  return ek_rate_next(due, now, limit.interval_ns, limit.burst, &next) != 0;
}

std::string SpreadBy(uint32_t flags) {
  if (flags & EK_VIP_HASH_PORT) return "port";
  return flags & EK_VIP_HASH_SRC ? "source" : "flow";
}

// The longest prefix of the set that has the address.
std::string LongestPrefix(const guard::BuiltRules& rules, const model::IpAddress& source) {
  const auto less = [](const guard::SourceRule& rule, const model::Prefix& wanted) {
    return rule.prefix < wanted;
  };
  for (int length = source.is_ipv4() ? 32 : 128; length >= 0; --length) {
    const model::Prefix wanted = model::Prefix::Of(source, static_cast<uint8_t>(length));
    const auto it = std::lower_bound(rules.rules.begin(), rules.rules.end(), wanted, less);
    if (it != rules.rules.end() && it->prefix == wanted) return wanted.ToString();
  }
  return "";
}

// Of the outer header in a frame; both empty where there is none.
void ReadOuter(const std::vector<uint8_t>& frame, uint8_t method, Explanation* out) {
  constexpr size_t kLink = 14;
  const auto address4 = [&](size_t at) {
    return model::IpAddress::FromIpv4({frame[at], frame[at + 1], frame[at + 2], frame[at + 3]});
  };
  const auto address6 = [&](size_t at) {
    std::array<uint8_t, 16> bytes;
    std::copy_n(frame.begin() + static_cast<ptrdiff_t>(at), 16, bytes.begin());
    return model::IpAddress::FromIpv6(bytes);
  };
  if ((method == EK_METHOD_IPIP4 || method == EK_METHOD_GUE4) && frame.size() >= kLink + 20) {
    out->outer_source = address4(kLink + 12).ToString();
    out->outer_destination = address4(kLink + 16).ToString();
  } else if ((method == EK_METHOD_IPIP6 || method == EK_METHOD_GUE6) &&
             frame.size() >= kLink + 40) {
    out->outer_source = address6(kLink + 8).ToString();
    out->outer_destination = address6(kLink + 24).ToString();
  }
}

void Disagree(const std::string& text, Explanation* out) {
  absl::StrAppend(&out->disagreement, out->disagreement.empty() ? "" : "; ", text);
}

}  // namespace

Explainer::Explainer(dataplane::DataPlane* dataplane, const neighbor::Resolver* resolver,
                     const std::array<uint64_t, 2>& key, const guard::BuiltFleet* fleet)
    : dataplane_(dataplane), resolver_(resolver), key_(key), fleet_(fleet) {
  if (fleet == nullptr) return;
  absl::flat_hash_map<std::string_view, const guard::BuiltPool*> pools;
  for (const auto& pool : fleet->pools) pools.emplace(pool->name(), pool.get());
  for (const model::Vip& vip : fleet->vips) {
    const auto pool = pools.find(vip.pool);
    if (pool == pools.end()) continue;
    vips_.emplace(dataplane::VipKey{.address = vip.address,
                                    .port = vip.port,
                                    .ip_protocol = guard::IpProtocol(vip.protocol)},
                  Serves{&vip, pool->second});
  }
}

// As ek_find_vip: the port first, then every port.
absl::StatusOr<std::optional<VipImage>> Explainer::FindVip(const ActiveGeneration& active,
                                                           const Flow& flow) const {
  for (const uint16_t port : {flow.destination_port, uint16_t{0}}) {
    auto vip = dataplane_->lookups().FindVip(
        active.generation,
        {.address = flow.destination, .port = port, .ip_protocol = flow.ip_protocol});
    if (!vip.ok() || vip->has_value()) return vip;
  }
  return std::nullopt;
}

const Explainer::Named& Explainer::NamesOf(const guard::BuiltPool& pool) {
  const auto [it, fresh] = names_.try_emplace(pool.name());
  if (!fresh) return it->second;
  for (const model::Backend& backend : pool.config.backends) {
    it->second.try_emplace(backend.address, backend.name, 0.0);
  }
  const guard::BuiltTable& table = *pool.table;
  for (size_t i = 0; i < table.servers.size() && i < pool.slots.size() && table.size != 0; ++i) {
    it->second[table.servers[i]].second = static_cast<double>(pool.slots[i]) / table.size;
  }
  return it->second;
}

absl::Status Explainer::AskRules(const VipImage& vip, Explanation* out) const {
  guard::SourceAccess access;
  const auto serves = vips_.find(vip.key);
  if (serves != vips_.end()) access = fleet_->AccessOf(*serves->second.vip);
  for (const bool global : {true, false}) {
    const uint16_t set = global ? vip.global_rules : vip.rules;
    if (set == 0) continue;
    const guard::BuiltRules* known = global ? access.global : access.own;
    auto denied = dataplane_->lookups().IsDenied(set, out->flow.source);
    if (!denied.ok()) return denied.status();
    RuleAnswer answer{.global = global, .denied = *denied};
    if (known != nullptr) {
      answer.set = known->name();
      answer.prefix = LongestPrefix(*known, out->flow.source);
      if (known->Denies(out->flow.source) != *denied) {
        Disagree(absl::StrCat("the kernel's copy of the source rules ", answer.set,
                              *denied ? " denies" : " admits",
                              " the client, and those that were published do not"),
                 out);
      }
    }
    out->rules.push_back(std::move(answer));
    if (*denied) break;
  }
  return absl::OkStatus();
}

absl::Status Explainer::AskLimits(const VipImage& vip, Explanation* out) const {
  const bool source = vip.source_limit.interval_ns != 0;
  const bool flows = out->opens && vip.new_flow_limit.interval_ns != 0;
  if (!source && !flows) return absl::OkStatus();
  auto clock = dataplane_->lookups().FindLimits(vip.counter, out->flow.source);
  if (!clock.ok()) return clock.status();
  if (source) {
    const bool within = IsWithin(clock->source_due, clock->now, vip.source_limit);
    out->source_limit = {.limit = vip.source_limit, .within = within};
    if (!within) return absl::OkStatus();
  }
  if (flows) {
    out->new_flow_limit = {.limit = vip.new_flow_limit,
                           .within = IsWithin(clock->new_flow_due, clock->now, vip.new_flow_limit)};
  }
  return absl::OkStatus();
}

// As ek_route_quic: the server that the connection id names, 0: none.
absl::StatusOr<uint16_t> Explainer::AskConnectionId(const VipImage& vip, Explanation* out) const {
  const uint8_t* const end = out->flow.payload.data() + out->flow.payload.size();
  const ek_quic quic = ek_classify_quic(out->flow.payload.data(), end);
  if (quic.kind == EK_QUIC_OPENING) {
    out->opens = true;
    return 0;
  }
  auto ids = dataplane_->lookups().FindServerIds(vip.table, vip.table_size);
  if (!ids.ok()) return ids.status();
  __u64 server = 0;
  if (ids->length == 0 || !ek_quic_server(&quic, end, ids->config_id, ids->length, &server)) {
    return 0;
  }
  for (const auto& entry : ids->entries) {
    if (entry.id != server) continue;
    auto backend = dataplane_->lookups().FindBackend(vip.table, vip.table_size, entry.backend);
    if (!backend.ok()) return backend.status();
    return backend->method == EK_METHOD_NONE ? uint16_t{0} : entry.backend;
  }
  return 0;
}

absl::StatusOr<ExplainedServer> Explainer::Describe(const VipImage& vip, uint16_t id) {
  ExplainedServer server{.id = id};
  if (id == 0) return server;
  auto backend = dataplane_->lookups().FindBackend(vip.table, vip.table_size, id);
  if (!backend.ok()) return backend.status();
  if (backend->method == EK_METHOD_NONE) return server;
  server.address = backend->address;
  if (pool_ == nullptr) return server;
  const Named& names = NamesOf(*pool_);
  if (const auto it = names.find(server.address); it != names.end()) {
    std::tie(server.name, server.share) = it->second;
  }
  return server;
}

// As ek_select_owner and ek_select_moving.
absl::StatusOr<uint16_t> Explainer::Choose(const VipImage& vip, Explanation* out) {
  auto word = dataplane_->lookups().FindSlot(vip.table, vip.table_size, out->slot);
  if (!word.ok()) return word.status();
  const uint16_t owner = EK_SLOT_OWNER(*word), previous = EK_SLOT_PREVIOUS(*word);
  for (const auto& [id, server] : {std::pair{owner, &out->owner}, {previous, &out->previous}}) {
    auto described = Describe(vip, id);
    if (!described.ok()) return described.status();
    *server = *std::move(described);
  }
  out->follows_owner = (vip.flags & EK_VIP_STATELESS) != 0;
  out->choice = owner == 0 ? Choice::kNobody : Choice::kOwner;
  if (previous == 0 || out->follows_owner) return owner;
  auto pin = dataplane_->lookups().FindPin(out->hash);
  if (!pin.ok()) return pin.status();
  if (pin->has_value()) {
    out->pin = **pin;
    out->pin_age = dataplane_->Now() - out->pin->seen;
    auto held = dataplane_->lookups().FindBackend(vip.table, vip.table_size, out->pin->backend);
    if (!held.ok()) return held.status();
    out->pin_holds = held->method != EK_METHOD_NONE && held->counter == out->pin->counter;
  }
  const bool repeats = out->pin && !out->pin->closing && out->pin_age < EK_REOPEN_AFTER;
  if (out->pin_holds && (!out->opens || repeats)) {
    out->choice = Choice::kPin;
    return out->pin->backend;
  }
  // A flow whose pin names a backend that is gone ends with it, but where no packet opens flows.
  const bool lost = out->pin && !(vip.flags & EK_VIP_PIN_ALL);
  if (out->opens || lost) return owner;
  out->choice = Choice::kPrevious;
  return previous;
}

// What of the packet the maps say; `backend` is set where one was chosen.
absl::Status Explainer::Predict(const VipImage& vip, Explanation* out,
                                std::optional<BackendImage>* backend) {
  out->vip = vip.key;
  const auto serves = vips_.find(vip.key);
  pool_ = serves == vips_.end() ? nullptr : serves->second.pool;
  if (pool_ != nullptr) {
    out->vip_name = serves->second.vip->name;
    out->pool = pool_->name();
  }
  const bool quic = (vip.flags & EK_VIP_QUIC) != 0;
  uint16_t named = 0;
  if (quic) {
    auto id = AskConnectionId(vip, out);
    if (!id.ok()) return id.status();
    named = *id;
  }
  if (vip.flags & EK_VIP_SOURCE_CHECKS) {
    if (auto status = AskRules(vip, out); !status.ok()) return status;
    if (!out->rules.empty() && out->rules.back().denied) {
      out->verdict = EK_DROP_SOURCE;
      return absl::OkStatus();
    }
    if (auto status = AskLimits(vip, out); !status.ok()) return status;
  }
  out->hash = HashFlow(key_, out->flow, vip.flags);
  out->slots = vip.table_size;
  out->slot = SlotOf(out->hash, vip.table_size);
  out->spread_by = SpreadBy(vip.flags);
  auto id = Choose(vip, out);
  if (!id.ok()) return id.status();
  if (named != 0) {
    out->choice = Choice::kConnectionId;
    id = named;
  }
  CompareWithFleet(vip, out);
  out->verdict = EK_DROP_NO_BACKEND;
  if (*id == 0) return absl::OkStatus();
  auto described = Describe(vip, *id);
  if (!described.ok()) return described.status();
  out->backend = *std::move(described);
  auto image = dataplane_->lookups().FindBackend(vip.table, vip.table_size, *id);
  if (!image.ok()) return image.status();
  out->method = image->method;
  out->next_hop = image->next_hop;
  const neighbor::Resolution resolution = resolver_->Get(image->address);
  out->interface = resolution.interface;
  if (resolution.gateway) out->gateway = resolution.gateway->ToString();
  if (!image->next_hop) out->problem = resolution.problem;
  *backend = *std::move(image);
  return absl::OkStatus();
}

// What the daemon published must be what the kernel has: somebody else may write to the maps.
void Explainer::CompareWithFleet(const VipImage& vip, Explanation* out) const {
  if (pool_ == nullptr || pool_->table->size != vip.table_size) return;
  const guard::BuiltTable& table = *pool_->table;
  if (out->slot >= table.owner.size()) return;
  const uint16_t owner = table.owner[out->slot];
  const bool nobody = owner == maglev::kNoOwner;
  const bool same = nobody ? out->owner.id == 0
                           : out->owner.id != 0 && out->owner.address == table.servers[owner];
  if (same) return;
  Disagree(
      absl::StrCat("slot ", out->slot, " belongs to ",
                   out->owner.id == 0 ? "nobody" : out->owner.address.ToString(),
                   " in the kernel, and to ", nobody ? "nobody" : table.servers[owner].ToString(),
                   " in the state that was published"),
      out);
}

// The packet through the loaded program, over the active generation. It is ek_verify, the same
// pipeline as ek_balancer with everything left out that counts: it writes no counter, limit, pin or
// slot. It takes its generation from the staged word, which is the publisher's: with its lock held
// no publishing is between staging and swapping. Limits are not asked there, for asking takes one.
// What is left of a run is that an opening flow's own entry counts as used in its LRU map.
absl::Status Explainer::Run(const ActiveGeneration& active, const std::optional<VipImage>& vip,
                            const std::optional<BackendImage>& backend, Explanation* out) const {
  const std::vector<uint8_t> frame = BuildFrame(out->flow);
  auto result = dataplane_->Probe(active.generation, frame);
  if (!result.ok()) return result.status();
  out->action = result->verdict;
  if (!vip) {
    out->verdict = EK_PASS_NO_VIP;
    if (result->verdict != XDP_PASS || result->packet != frame) {
      Disagree(absl::StrCat("it is for no VIP and must pass unchanged, and left with XDP action ",
                            result->verdict),
               out);
    }
    return absl::OkStatus();
  }
  const Expectation expected = publish::Predict(
      out->flow, out->hash, vip->flags, backend ? &*backend : nullptr, dataplane_->encapsulation());
  if (auto status = Compare(expected, *result); !status.ok()) {
    Disagree(std::string(status.message()), out);
  }
  const bool left = result->verdict == XDP_TX || result->verdict == XDP_REDIRECT;
  if (left && backend) ReadOuter(result->packet, backend->method, out);
  if (out->source_limit && !out->source_limit->within) {
    out->verdict = EK_DROP_SOURCE_LIMIT;
  } else if (out->new_flow_limit && !out->new_flow_limit->within) {
    out->verdict = EK_DROP_NEW_FLOW_LIMIT;
  } else if (!backend) {
    return absl::OkStatus();  // denied, or nobody's: Predict has said so
  } else if (backend->method == EK_METHOD_NONE) {
    out->verdict = EK_DROP_INTERNAL;
  } else if (!backend->next_hop) {
    out->verdict = EK_DROP_NO_NEXTHOP;
  } else if (expected.forwarded) {
    out->verdict = EK_FORWARD;
  } else {
    // What else Predict lets nobody forward: IPv6 in IPv4, and what exceeds the path's MTU.
    const bool over4 = backend->method == EK_METHOD_IPIP4 || backend->method == EK_METHOD_GUE4;
    out->verdict = over4 && !vip->key.address.is_ipv4() ? EK_DROP_INTERNAL : EK_DROP_TOO_BIG;
  }
  return absl::OkStatus();
}

absl::StatusOr<Explanation> Explainer::Explain(const ActiveGeneration& active, const Flow& flow) {
  Explanation out;
  for (int i = 0; i < kTries; ++i) {
    out = {.flow = flow, .opens = flow.ip_protocol == IPPROTO_TCP && flow.opening};
    auto vip = FindVip(active, flow);
    if (!vip.ok()) return vip.status();
    std::optional<BackendImage> backend;
    if (*vip) {
      if (auto status = Predict(**vip, &out, &backend); !status.ok()) return status;
    }
    if (auto status = Run(active, *vip, backend, &out); !status.ok()) return status;
    if (out.disagreement.empty()) break;
  }
  return out;
}

absl::StatusOr<ExplainResult> Publisher::Impl::Explain(const std::vector<Flow>& flows) {
  if (flows.size() > kMaxExplained) {
    return absl::InvalidArgumentError(
        absl::StrCat(flows.size(), " packets at once; at most ", kMaxExplained));
  }
  ExplainResult result;
  for (int i = 0; i < kTries; ++i) {
    auto explained = ExplainOnce(flows);
    if (!absl::IsAborted(explained.status())) return explained;
    result = {};
  }
  return absl::UnavailableError("states are published one after the other; ask again");
}

// All over one generation. Aborted: another one was published meanwhile.
absl::StatusOr<ExplainResult> Publisher::Impl::ExplainOnce(const std::vector<Flow>& flows) {
  ExplainResult result;
  std::unique_lock lock(mu);
  auto active_now = dataplane->lookups().FindActive();
  if (!active_now.ok()) return active_now.status();
  const ActiveGeneration known = *active_now;
  result.published = known.word != EK_ACTIVE_NONE;
  result.generation = known.generation;
  result.revision = known.info.revision;
  result.published_unix_ns = static_cast<int64_t>(known.info.published_unix_ns);
  std::copy_n(std::begin(known.info.digest), result.digest.bytes.size(),
              result.digest.bytes.begin());
  const std::shared_ptr<const guard::BuiltFleet> fleet =
      active && active->index == known.generation ? active->fleet : nullptr;
  Explainer explainer(dataplane, resolver, key, fleet.get());
  for (size_t i = 0; i < flows.size(); ++i) {
    if (i != 0 && i % kAtOnce == 0) {
      lock.unlock();
      std::this_thread::sleep_for(kPause);  // else who waits for the lock may never get it
      lock.lock();
      auto now = dataplane->lookups().FindActive();
      if (!now.ok()) return now.status();
      if (now->word != known.word || now->info.published_unix_ns != known.info.published_unix_ns) {
        return absl::AbortedError("another state was published");
      }
    }
    if (!result.published) {
      result.packets.push_back({.flow = flows[i], .action = XDP_PASS});
      continue;
    }
    auto explained = explainer.Explain(known, flows[i]);
    if (!explained.ok()) return explained.status();
    result.packets.push_back(*std::move(explained));
  }
  return result;
}

absl::StatusOr<ExplainResult> Publisher::Explain(const std::vector<Flow>& flows) {
  return impl_->Explain(flows);
}

}  // namespace evenkeel::publish
