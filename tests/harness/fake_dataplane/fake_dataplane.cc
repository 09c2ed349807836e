// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/fake_dataplane/fake_dataplane.h"

#include <linux/bpf.h>
#include <netinet/in.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "bpf/lib/quic.h"
#include "control/publish/probe.h"

namespace evenkeel::testing {
namespace {

using dataplane::GenerationImage;
using dataplane::TableImage;

uint16_t Read16(std::span<const uint8_t> bytes, size_t at) {
  return static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

template <size_t N>
std::array<uint8_t, N> ReadBytes(std::span<const uint8_t> bytes, size_t at) {
  std::array<uint8_t, N> out;
  std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(at), N, out.begin());
  return out;
}

// Frames as publish::BuildFrame makes them.
publish::Flow ParseFrame(std::span<const uint8_t> frame) {
  publish::Flow flow;
  size_t transport = 0;
  if (Read16(frame, 12) == 0x0800) {
    flow.ip_protocol = frame[23];
    flow.source = model::IpAddress::FromIpv4(ReadBytes<4>(frame, 26));
    flow.destination = model::IpAddress::FromIpv4(ReadBytes<4>(frame, 30));
    transport = 34;
  } else {
    flow.ip_protocol = frame[20];
    flow.source = model::IpAddress::FromIpv6(ReadBytes<16>(frame, 22));
    flow.destination = model::IpAddress::FromIpv6(ReadBytes<16>(frame, 38));
    transport = 54;
  }
  flow.source_port = Read16(frame, transport);
  flow.destination_port = Read16(frame, transport + 2);
  flow.opening = flow.ip_protocol == IPPROTO_TCP && (frame[transport + 13] & 0x12) == 0x02;
  if (flow.ip_protocol == IPPROTO_UDP) {
    flow.payload.assign(frame.begin() + static_cast<ptrdiff_t>(transport + 8), frame.end());
  }
  return flow;
}

const dataplane::VipImage* FindVip(const GenerationImage& image, const publish::Flow& flow) {
  for (const uint16_t port : {flow.destination_port, uint16_t{0}}) {
    const dataplane::VipKey key{
        .address = flow.destination, .port = port, .ip_protocol = flow.ip_protocol};
    for (const auto& vip : image.vips) {
      if (vip.key == key) return &vip;
    }
  }
  return nullptr;
}

// The backend that the packet's QUIC connection id names; 0: none.
uint16_t NamedServer(const publish::Flow& flow, const dataplane::VipImage& vip,
                     const dataplane::ServerIds& ids) {
  if (!(vip.flags & EK_VIP_QUIC) || ids.length == 0) return 0;
  const uint8_t* const end = flow.payload.data() + flow.payload.size();
  const ek_quic quic = ek_classify_quic(flow.payload.data(), end);
  __u64 server = 0;
  if (!ek_quic_server(&quic, end, ids.config_id, ids.length, &server)) return 0;
  const auto it = std::find_if(ids.entries.begin(), ids.entries.end(),
                               [&](const auto& entry) { return entry.id == server; });
  return it == ids.entries.end() ? 0 : it->backend;
}

absl::Status InUse(absl::string_view what, uint32_t id) {
  return absl::FailedPreconditionError(absl::StrCat(what, " ", id, " is in use"));
}

}  // namespace

FakeDataPlane::FakeDataPlane(const maglev::HashKey& key, const dataplane::Limits& limits)
    : key_(dataplane::HashKeyWords(key)), limits_(limits) {
  counters_.vips.resize(limits.max_vips);
  counters_.backends.resize(limits.max_backends);
}

std::string FakeDataPlane::Dump() const {
  std::lock_guard lock(mu_);
  std::string out = absl::StrCat("active ", active_word_, "\n");
  for (const auto& [id, table] : tables_) {
    absl::StrAppend(&out, "table ", id, ":");
    for (const uint32_t slot : table.slots) absl::StrAppend(&out, " ", slot);
    for (const auto& b : table.backends) {
      absl::StrAppend(
          &out, "\n  ", b.address.ToString(), " ", b.method, " ", b.counter, " ",
          b.next_hop ? absl::StrCat(b.next_hop->ifindex, "/", b.next_hop->dmac[5]) : "-");
    }
    absl::StrAppend(&out, "\n");
  }
  for (const auto& [id, rules] : rules_) {
    absl::StrAppend(&out, "rules ", id, ":");
    for (const auto& rule : rules) {
      absl::StrAppend(&out, rule.deny ? " -" : " +", rule.prefix.ToString());
    }
    absl::StrAppend(&out, "\n");
  }
  for (const auto& [index, image] : generations_) {
    absl::StrAppend(&out, "generation ", index, " revision ", image.info.revision, " ",
                    image.info.published_unix_ns);
    for (const auto& vip : image.vips) {
      absl::StrAppend(&out, "\n  ", vip.key.address.ToString(), " ", vip.key.port, " ",
                      vip.key.ip_protocol, " ", vip.table, " ", vip.counter, " ", vip.global_rules,
                      " ", vip.rules);
    }
    absl::StrAppend(&out, "\n");
  }
  auto add = [&](absl::string_view name, const std::vector<dataplane::Counter>& counters) {
    for (size_t i = 0; i < counters.size(); ++i) {
      if (counters[i].packets) absl::StrAppend(&out, name, i, "=", counters[i].packets, "\n");
    }
  };
  add("vip ", counters_.vips);
  add("backend ", counters_.backends);
  return out;
}

void FakeDataPlane::CorruptNextTable() {
  std::lock_guard lock(mu_);
  corrupt_next_ = true;
}

void FakeDataPlane::CorruptNextRules() {
  std::lock_guard lock(mu_);
  corrupt_next_rules_ = true;
}

absl::Status FakeDataPlane::StageRules(uint32_t id, std::span<const guard::SourceRule> rules) {
  std::lock_guard lock(mu_);
  if (id == 0 || id >= EK_MAX_RULE_SETS) return absl::ResourceExhaustedError("rules id");
  if (rules_.contains(id)) return InUse("rules", id);
  rules_[id].assign(rules.begin(), rules.end());
  if (std::exchange(corrupt_next_rules_, false)) rules_[id].pop_back();
  return absl::OkStatus();
}

absl::StatusOr<guard::Digest> FakeDataPlane::RulesDigest(uint32_t id) {
  std::lock_guard lock(mu_);
  const auto it = rules_.find(id);
  if (it == rules_.end()) return absl::NotFoundError(absl::StrCat("no rules ", id));
  return guard::ComputeRulesDigest(it->second);
}

absl::Status FakeDataPlane::DropRules(std::span<const uint32_t> ids) {
  std::lock_guard lock(mu_);
  for (const uint32_t id : ids) {
    if (active_word_ == EK_ACTIVE_NONE) break;
    for (const auto& vip : generations_.at(active_word_ & EK_ACTIVE_GENERATION_MASK).vips) {
      if (id != 0 && (vip.global_rules == id || vip.rules == id)) return InUse("rules", id);
    }
  }
  for (const uint32_t id : ids) rules_.erase(id);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint32_t>> FakeDataPlane::ListRules() {
  std::lock_guard lock(mu_);
  std::vector<uint32_t> ids;
  for (const auto& [id, rules] : rules_) ids.push_back(id);
  return ids;
}

// The longest prefix by trying all of them.
bool FakeDataPlane::Denies(uint32_t set, const model::IpAddress& source) const {
  if (set == 0) return false;
  const guard::SourceRule* best = nullptr;
  for (const guard::SourceRule& rule : rules_.at(set)) {
    if (rule.prefix.address.family() != source.family()) continue;
    if (model::Prefix::Of(source, rule.prefix.length) != rule.prefix) continue;
    if (best == nullptr || rule.prefix.length > best->prefix.length) best = &rule;
  }
  return best == nullptr || best->deny;
}

bool FakeDataPlane::Denies(const dataplane::VipImage& vip, const model::IpAddress& source) const {
  if (!(vip.flags & EK_VIP_SOURCE_CHECKS)) return false;
  return Denies(vip.global_rules, source) || Denies(vip.rules, source);
}

void FakeDataPlane::SetVipCounter(uint32_t id, const dataplane::Counter& counter) {
  std::lock_guard lock(mu_);
  counters_.vips[id] = counter;
}

void FakeDataPlane::SetBackendCounter(uint32_t id, const dataplane::Counter& counter) {
  std::lock_guard lock(mu_);
  counters_.backends[id] = counter;
}

bool FakeDataPlane::IsActive(uint32_t generation) const {
  return active_word_ != EK_ACTIVE_NONE && (active_word_ & EK_ACTIVE_GENERATION_MASK) == generation;
}

bool FakeDataPlane::InActiveUse(uint32_t table) const {
  if (active_word_ == EK_ACTIVE_NONE) return false;
  const auto& vips = generations_.at(active_word_ & EK_ACTIVE_GENERATION_MASK).vips;
  return std::any_of(vips.begin(), vips.end(), [&](const auto& vip) { return vip.table == table; });
}

absl::StatusOr<dataplane::Snapshot> FakeDataPlane::ReadActive() {
  std::lock_guard lock(mu_);
  dataplane::Snapshot snapshot;
  snapshot.active_word = active_word_;
  snapshot.published = active_word_ != EK_ACTIVE_NONE;
  if (!snapshot.published) return snapshot;
  snapshot.generation = active_word_ & EK_ACTIVE_GENERATION_MASK;
  snapshot.image = generations_.at(snapshot.generation);
  return snapshot;
}

absl::Status FakeDataPlane::StageTables(std::span<const dataplane::StagedTable> tables) {
  std::lock_guard lock(mu_);
  for (const auto& table : tables) {
    if (table.id >= limits_.max_tables) return absl::ResourceExhaustedError("table id");
    if (tables_.contains(table.id)) return InUse("table", table.id);
    if (auto status = dataplane::CheckImage(table.image); !status.ok()) return status;
  }
  for (const auto& table : tables) {
    TableImage& image = tables_[table.id] = table.image;
    if (!std::exchange(corrupt_next_, false)) continue;
    const auto other = std::find_if(image.slots.begin(), image.slots.end(),
                                    [&](uint32_t slot) { return slot != image.slots[0]; });
    std::swap(image.slots[0], *other);
  }
  return absl::OkStatus();
}

absl::StatusOr<TableImage> FakeDataPlane::ReadTable(uint32_t id, uint32_t table_size) {
  std::lock_guard lock(mu_);
  const auto it = tables_.find(id);
  if (it == tables_.end()) return absl::NotFoundError(absl::StrCat("no table ", id));
  if (it->second.slots.size() != table_size) return absl::OutOfRangeError("table size");
  return it->second;
}

absl::Status FakeDataPlane::DropTables(std::span<const uint32_t> ids) {
  std::lock_guard lock(mu_);
  for (const uint32_t id : ids) {
    if (InActiveUse(id)) return InUse("table", id);
  }
  for (const uint32_t id : ids) {
    early_drops_ += left_tables_.count(id);
    tables_.erase(id);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint32_t>> FakeDataPlane::ListTables() {
  std::lock_guard lock(mu_);
  std::vector<uint32_t> ids;
  for (const auto& [id, image] : tables_) ids.push_back(id);
  return ids;
}

absl::Status FakeDataPlane::StageGeneration(uint32_t generation, const GenerationImage& image) {
  std::lock_guard lock(mu_);
  if (generation >= EK_MAX_GENERATIONS || (generation == 0 && image.vips.empty())) {
    return absl::InvalidArgumentError("generation");
  }
  if (generations_.contains(generation)) return InUse("generation", generation);
  GenerationImage& staged = generations_[generation] = image;
  staged.info.abi_version = EK_ABI_VERSION;
  staged.info.active_word = dataplane::MakeActiveWord(generation, image.vips);
  std::sort(staged.vips.begin(), staged.vips.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  return absl::OkStatus();
}

absl::StatusOr<GenerationImage> FakeDataPlane::ReadGeneration(uint32_t generation) {
  std::lock_guard lock(mu_);
  const auto it = generations_.find(generation);
  if (it == generations_.end()) return absl::NotFoundError("generation");
  return it->second;
}

absl::Status FakeDataPlane::DropGeneration(uint32_t generation) {
  std::lock_guard lock(mu_);
  if (IsActive(generation)) return InUse("generation", generation);
  early_drops_ += left_generations_.count(generation);
  generations_.erase(generation);
  return absl::OkStatus();
}

absl::StatusOr<dataplane::ProbeResult> FakeDataPlane::Probe(uint32_t generation,
                                                            std::span<const uint8_t> packet) {
  std::lock_guard lock(mu_);
  const auto it = generations_.find(generation);
  if (it == generations_.end()) return absl::FailedPreconditionError("generation is unused");
  const publish::Flow flow = ParseFrame(packet);
  const dataplane::VipImage* vip = FindVip(it->second, flow);
  if (vip == nullptr) {
    return dataplane::ProbeResult{.verdict = XDP_PASS, .packet = {packet.begin(), packet.end()}};
  }
  const uint64_t hash = publish::HashFlow(key_, flow, vip->flags);
  const TableImage& table = tables_.at(vip->table);
  const uint32_t slot = table.slots[publish::SlotOf(hash, vip->table_size)];
  const bool to_previous =
      EK_SLOT_PREVIOUS(slot) != 0 && !flow.opening && !(vip->flags & EK_VIP_STATELESS);
  uint16_t id = to_previous ? EK_SLOT_PREVIOUS(slot) : EK_SLOT_OWNER(slot);
  if (const uint16_t named = NamedServer(flow, *vip, table.server_ids); named != 0) id = named;
  const dataplane::BackendImage* backend = id == 0 ? nullptr : &table.backends[id - 1];
  if (Denies(*vip, flow.source)) backend = nullptr;
  const publish::Expectation out =
      publish::Predict(flow, hash, vip->flags, backend, encapsulation_);
  return dataplane::ProbeResult{.verdict = out.forwarded ? XDP_REDIRECT : XDP_DROP,
                                .packet = out.packet};
}

void FakeDataPlane::OnTakeSlots(std::function<void()> hook) {
  std::lock_guard lock(mu_);
  on_take_slots_ = std::move(hook);
}

void FakeDataPlane::OnPinsRead(std::function<void()> hook) {
  std::lock_guard lock(mu_);
  on_pins_read_ = std::move(hook);
}

absl::StatusOr<std::vector<uint32_t>> FakeDataPlane::TakeSlots(uint32_t id, uint32_t table_size) {
  std::function<void()> hook;
  {
    std::lock_guard lock(mu_);
    hook = on_take_slots_;
  }
  if (hook) hook();
  std::lock_guard lock(mu_);
  const auto it = tables_.find(id);
  if (it == tables_.end() || it->second.slots.size() != table_size) {
    return absl::NotFoundError(absl::StrCat("no table ", id));
  }
  const std::vector<uint32_t> words = it->second.slots;
  for (uint32_t& word : it->second.slots) word &= ~EK_SLOT_USED;
  return words;
}

absl::Status FakeDataPlane::SetPrevious(uint32_t id, uint32_t table_size,
                                        std::span<const dataplane::PreviousOwner> changes) {
  std::lock_guard lock(mu_);
  const auto it = tables_.find(id);
  if (it == tables_.end() || it->second.slots.size() != table_size) {
    return absl::NotFoundError(absl::StrCat("no table ", id));
  }
  for (const auto& change : changes) {
    uint32_t& word = it->second.slots.at(change.slot);
    word = EK_SLOT(EK_SLOT_OWNER(word), change.previous);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<dataplane::Pin>> FakeDataPlane::ReadPins() {
  std::vector<dataplane::Pin> pins;
  std::function<void()> hook;
  {
    std::lock_guard lock(mu_);
    for (const auto& [flow, pin] : opening_) pins.push_back(pin);
    for (const auto& [flow, pin] : pins_) pins.push_back(pin);
    hook = on_pins_read_;
  }
  if (hook) hook();
  return pins;
}

absl::Status FakeDataPlane::DropPins(std::span<const dataplane::Pin> pins) {
  std::lock_guard lock(mu_);
  for (const dataplane::Pin& pin : pins) {
    auto& map = pin.opening ? opening_ : pins_;
    const auto it = map.find(pin.flow);
    if (it != map.end() && it->second == pin) map.erase(it);
  }
  return absl::OkStatus();
}

uint32_t FakeDataPlane::Now() {
  std::lock_guard lock(mu_);
  return now_;
}

void FakeDataPlane::Advance(uint32_t units) {
  std::lock_guard lock(mu_);
  now_ += units;
}

bool FakeDataPlane::Holds(const dataplane::Pin& pin, const TableImage& table) const {
  if (pin.backend == 0 || pin.backend > table.backends.size()) return false;
  const dataplane::BackendImage& backend = table.backends[pin.backend - 1u];
  return backend.method != EK_METHOD_NONE && backend.counter == pin.counter;
}

uint16_t FakeDataPlane::Select(uint64_t flow, bool opening, bool closing, uint32_t& slot,
                               const TableImage& table, uint32_t vip_flags) {
  const uint16_t owner = EK_SLOT_OWNER(slot);
  const uint16_t previous = EK_SLOT_PREVIOUS(slot);
  if (previous == 0) return owner;
  const auto pinned = pins_.find(flow);
  const auto opened = opening_.find(flow);
  if (opening) {
    dataplane::Pin* pin = pinned != pins_.end()      ? &pinned->second
                          : opened != opening_.end() ? &opened->second
                                                     : nullptr;
    if (pin != nullptr && !pin->closing && now_ - pin->seen < EK_REOPEN_AFTER &&
        Holds(*pin, table)) {
      pin->seen = now_;
      return pin->backend;
    }
    if (owner == 0) return 0;
    if (pinned != pins_.end()) pins_.erase(pinned);
    opening_[flow] = {.flow = flow,
                      .counter = table.backends[owner - 1u].counter,
                      .seen = now_,
                      .backend = owner,
                      .opening = true};
    return owner;
  }
  if (pinned == pins_.end() && opened == opening_.end()) {
    if (previous != owner && !(vip_flags & EK_VIP_PIN_ALL)) slot |= EK_SLOT_USED;
    if (previous != owner && vip_flags & EK_VIP_PIN_ALL) {
      opening_[flow] = {.flow = flow,
                        .counter = table.backends[previous - 1u].counter,
                        .seen = now_,
                        .backend = previous,
                        .opening = true,
                        .met = true};
    }
    return previous;
  }
  dataplane::Pin pin = pinned != pins_.end() ? pinned->second : opened->second;
  if (!Holds(pin, table)) {
    if (!(vip_flags & EK_VIP_PIN_ALL)) return owner;
    pins_.erase(flow);
    opening_.erase(flow);
    return Select(flow, opening, closing, slot, table, vip_flags);
  }
  pin.opening = false;
  pin.seen = now_;
  pin.closing |= closing;
  pins_[flow] = pin;
  opening_.erase(flow);
  return pin.backend;
}

std::optional<model::IpAddress> FakeDataPlane::Deliver(const publish::Flow& flow, bool closing) {
  std::lock_guard lock(mu_);
  if (active_word_ == EK_ACTIVE_NONE) return std::nullopt;
  const auto& generation = generations_.at(active_word_ & EK_ACTIVE_GENERATION_MASK);
  const dataplane::VipImage* vip = FindVip(generation, flow);
  if (vip == nullptr || Denies(*vip, flow.source)) return std::nullopt;
  const uint64_t hash = publish::HashFlow(key_, flow, vip->flags);
  TableImage& table = tables_.at(vip->table);
  uint32_t& slot = table.slots[publish::SlotOf(hash, vip->table_size)];
  const uint16_t id = vip->flags & EK_VIP_STATELESS
                          ? EK_SLOT_OWNER(slot)
                          : Select(hash, flow.opening, closing, slot, table, vip->flags);
  if (id == 0) return std::nullopt;
  return table.backends[id - 1u].address;
}

absl::Status FakeDataPlane::Activate(uint32_t generation, const guard::Approval& approval) {
  std::lock_guard lock(mu_);
  const auto it = generations_.find(generation);
  if (it == generations_.end() || IsActive(generation)) return InUse("generation", generation);
  const auto& digest = approval.digest().bytes;
  if (!std::equal(digest.begin(), digest.end(), it->second.info.digest)) {
    return absl::FailedPreconditionError("not what was approved");
  }
  if (active_word_ != EK_ACTIVE_NONE) {
    const uint32_t former = active_word_ & EK_ACTIVE_GENERATION_MASK;
    left_generations_.insert(former);
    for (const auto& vip : generations_.at(former).vips) left_tables_.insert(vip.table);
  }
  active_word_ = it->second.info.active_word;
  return absl::OkStatus();
}

absl::Status FakeDataPlane::WaitGracePeriod() {
  std::lock_guard lock(mu_);
  left_generations_.clear();
  left_tables_.clear();
  return absl::OkStatus();
}

uint32_t FakeDataPlane::early_drops() const {
  std::lock_guard lock(mu_);
  return early_drops_;
}

absl::Status FakeDataPlane::SetNextHop(uint32_t table, uint32_t table_size, uint16_t backend_id,
                                       const std::optional<dataplane::NextHop>& next_hop) {
  std::lock_guard lock(mu_);
  const auto it = tables_.find(table);
  if (it == tables_.end() || it->second.slots.size() != table_size || backend_id == 0 ||
      backend_id > it->second.backends.size()) {
    return absl::NotFoundError(absl::StrCat("table ", table, " backend ", backend_id));
  }
  it->second.backends[backend_id - 1u].next_hop = next_hop;
  return absl::OkStatus();
}

absl::StatusOr<dataplane::Counters> FakeDataPlane::ReadCounters() {
  std::lock_guard lock(mu_);
  return counters_;
}

absl::Status FakeDataPlane::ClearVipCounter(uint32_t id) {
  std::lock_guard lock(mu_);
  counters_.vips.at(id) = {};
  return absl::OkStatus();
}

absl::Status FakeDataPlane::ClearBackendCounter(uint32_t id) {
  std::lock_guard lock(mu_);
  counters_.backends.at(id) = {};
  return absl::OkStatus();
}

}  // namespace evenkeel::testing
