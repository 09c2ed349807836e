// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/prog_runner/raw_tables.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

#include "bpf/balancer.skel.h"
#include "bpf/lib/outer.h"

namespace evenkeel::testing {
namespace {

void Check(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "raw tables: %s: %s\n", what, std::strerror(errno));
  std::abort();
}

void CopyAddress(void* to, const std::string& text) {
  const Bytes bytes = AddressBytes(text);
  std::memcpy(to, bytes.data(), bytes.size());
}

void FillOuter(const Backend& backend, ek_backend& line) {
  if (AddressBytes(backend.address).size() == 16) {
    CopyAddress(line.outer.v6.dst, backend.address);
    if (backend.method == Method::kIpip6 || backend.method == Method::kGue6) {
      std::memcpy(line.outer.v6.src_prefix, AddressBytes(backend.source).data(), 8);
    }
    return;
  }
  CopyAddress(&line.outer.v4.dst, backend.address);
  if (backend.method != Method::kIpip4 && backend.method != Method::kGue4) return;
  CopyAddress(&line.outer.v4.src_base, backend.source);
  line.outer.v4.src_mask = htonl(backend.source_mask);
  line.outer.v4.csum =
      ek_outer4_csum(line.outer.v4.dst, backend.method == Method::kGue4 ? kUdp : 4);
}

uint8_t AbiMethod(Method method) {
  switch (method) {
    case Method::kL2:
      return EK_METHOD_L2;
    case Method::kIpip4:
      return EK_METHOD_IPIP4;
    case Method::kIpip6:
      return EK_METHOD_IPIP6;
    case Method::kGue4:
      return EK_METHOD_GUE4;
    case Method::kGue6:
      return EK_METHOD_GUE6;
  }
  return EK_METHOD_NONE;
}

ek_vip_key4 Key4(const std::string& address, uint16_t port, uint8_t proto) {
  ek_vip_key4 key{};
  CopyAddress(&key.addr, address);
  key.port = htons(port);
  key.proto = proto;
  return key;
}

ek_vip_key6 Key6(const std::string& address, uint16_t port, uint8_t proto) {
  ek_vip_key6 key{};
  CopyAddress(key.addr, address);
  key.port = htons(port);
  key.proto = proto;
  return key;
}

std::vector<ek_counter> ReadPerCpu(int fd, uint32_t count) {
  std::vector<ek_counter> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  std::vector<ek_counter> totals(count);
  for (uint32_t id = 0; id < count; ++id) {
    Check(bpf_map_lookup_elem(fd, &id, per_cpu.data()) == 0, "reading counters");
    for (const ek_counter& cpu : per_cpu) {
      totals[id].packets += cpu.packets;
      totals[id].bytes += cpu.bytes;
      totals[id].new_flows += cpu.new_flows;
      totals[id].drops += cpu.drops;
    }
  }
  return totals;
}

}  // namespace

uint64_t CounterSet::TotalForwarded() const {
  uint64_t total = 0;
  for (const ek_counter& vip : vips) total += vip.packets;
  return total;
}

uint64_t CounterSet::TotalNotForwarded() const {
  uint64_t total = 0;
  for (const uint64_t packets : verdicts) total += packets;
  return total;
}

ek_line BackendLine(const Backend& backend) {
  ek_line line{};
  line.backend.nexthop_sel = backend.resolved ? 1 : 0;
  line.backend.method = AbiMethod(backend.method);
  line.backend.mtu = backend.mtu;
  line.backend.counter = backend.counter;
  FillOuter(backend, line.backend);
  ek_nexthop& hop = line.backend.nexthop[0];
  std::copy(backend.hop.dmac.begin(), backend.hop.dmac.end(), hop.dmac);
  std::copy(backend.hop.smac.begin(), backend.hop.smac.end(), hop.smac);
  hop.ifindex = backend.hop.ifindex;
  return line;
}

RawBalancer::RawBalancer(const HashKey& key, const RawLimits& limits)
    : limits_(limits), skeleton_(BorrowBalancer(key, limits)), table_fds_(limits.tables, -1) {
  if (CaptureIsUnderTest()) StartCapture();
}

CaptureTwin* RawBalancer::StartCapture() {
  capture_ = TwinOf(*skeleton_);
  return capture_;
}

RawBalancer::~RawBalancer() {
  for (const int fd : table_fds_) {
    if (fd >= 0) close(fd);
  }
}

void RawBalancer::PutTable(uint32_t id, const std::vector<uint32_t>& slots,
                           const std::vector<Backend>& backends, uint32_t spare_lines) {
  const uint32_t size = static_cast<uint32_t>(slots.size());
  const uint32_t lines =
      EK_BACKEND_LINE(size, static_cast<uint32_t>(backends.size())) + 1 + spare_lines;
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
  const int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ek_table", 4, EK_LINE_SIZE, lines, &options);
  Check(fd >= 0, "creating a table");
  Check(bpf_map_update_elem(bpf_map__fd(skeleton_->maps.ek_tables), &id, &fd, BPF_ANY) == 0,
        "inserting a table");
  if (table_fds_.at(id) >= 0) close(table_fds_[id]);
  table_fds_[id] = fd;
  for (uint32_t line = 0; line < EK_SLOT_LINES(size); ++line) {
    ek_line value{};
    const uint32_t first = line * EK_SLOTS_PER_LINE;
    const uint32_t count = std::min<uint32_t>(EK_SLOTS_PER_LINE, size - first);
    std::copy_n(slots.begin() + first, count, value.slot);
    SetLine(id, line, value);
  }
  for (uint32_t i = 0; i < backends.size(); ++i) {
    SetLine(id, EK_BACKEND_LINE(size, i + 1), BackendLine(backends[i]));
  }
}

void RawBalancer::SetSlot(uint32_t table, uint32_t slot, uint32_t word) {
  ek_line line = GetLine(table, slot / EK_SLOTS_PER_LINE);
  line.slot[slot % EK_SLOTS_PER_LINE] = word;
  SetLine(table, slot / EK_SLOTS_PER_LINE, line);
}

void RawBalancer::SetLine(uint32_t table, uint32_t line, const ek_line& value) {
  Check(bpf_map_update_elem(table_fds_.at(table), &line, &value, BPF_ANY) == 0, "writing a line");
}

ek_line RawBalancer::GetLine(uint32_t table, uint32_t line) const {
  ek_line value{};
  Check(bpf_map_lookup_elem(table_fds_.at(table), &line, &value) == 0, "reading a line");
  return value;
}

void RawBalancer::DropTable(uint32_t id) {
  Check(bpf_map_delete_elem(bpf_map__fd(skeleton_->maps.ek_tables), &id) == 0, "dropping a table");
}

namespace {

template <typename Key>
void PutTrie(int outer_fd, uint32_t id, const std::vector<RawRule>& rules) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
  const int fd = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "ek_rules", sizeof(Key), sizeof(uint32_t),
                                static_cast<uint32_t>(std::max<size_t>(rules.size(), 1)), &options);
  Check(fd >= 0, "creating a trie");
  for (const RawRule& rule : rules) {
    if (AddressBytes(rule.address).size() != sizeof(Key::addr)) continue;
    Key key{};
    key.len = rule.length;
    CopyAddress(&key.addr, rule.address);
    Check(bpf_map_update_elem(fd, &key, &rule.action, BPF_ANY) == 0, "writing a rule");
  }
  Check(bpf_map_update_elem(outer_fd, &id, &fd, BPF_ANY) == 0, "inserting a trie");
  close(fd);
}

}  // namespace

void RawBalancer::PutRules(uint32_t id, const std::vector<RawRule>& rules, int family) {
  if (family != 6) PutTrie<ek_prefix4>(bpf_map__fd(skeleton_->maps.ek_rules4), id, rules);
  if (family != 4) PutTrie<ek_prefix6>(bpf_map__fd(skeleton_->maps.ek_rules6), id, rules);
}

template <typename Key>
void RawBalancer::PutVips(int outer_fd, uint32_t generation,
                          const std::vector<std::pair<Key, ek_vip>>& vips) {
  const int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "ek_vips", sizeof(Key), sizeof(ek_vip),
                                static_cast<uint32_t>(std::max<size_t>(vips.size(), 1)), nullptr);
  Check(fd >= 0, "creating a VIP map");
  for (const auto& [key, vip] : vips) {
    Check(bpf_map_update_elem(fd, &key, &vip, BPF_ANY) == 0, "writing a VIP");
  }
  Check(bpf_map_update_elem(outer_fd, &generation, &fd, BPF_ANY) == 0, "inserting a VIP map");
  close(fd);
}

uint32_t RawBalancer::PutGeneration(uint32_t generation, const std::vector<RawVip>& vips) {
  std::vector<std::pair<ek_vip_key4, ek_vip>> vips4;
  std::vector<std::pair<ek_vip_key6, ek_vip>> vips6;
  std::set<std::string> addresses;
  uint32_t word = generation;
  for (const RawVip& vip : vips) {
    const bool v4 = AddressBytes(vip.address).size() == 4;
    const bool limited = vip.source_limit.interval_ns || vip.new_flow_limit.interval_ns;
    const uint32_t own = vip.global_rules || vip.rules || limited ? EK_VIP_SOURCE_CHECKS : 0;
    const uint32_t global = vip.global_rules ? EK_VIP_SOURCE_CHECKS : 0;
    const ek_vip value{vip.table,        vip.table_size, vip.counter,      vip.flags | own,
                       vip.global_rules, vip.rules,      vip.source_limit, vip.new_flow_limit};
    // The first VIP of an address speaks for fragments without ports.
    ek_vip marker{0, 0, 0, EK_VIP_ADDRESS | global, vip.global_rules, 0, {}, {}};
    if (vip.flags & EK_VIP_FRAGMENTS) marker = value;
    marker.flags |= EK_VIP_ADDRESS;
    const bool first = addresses.insert(vip.address).second;
    word |= v4 ? EK_ACTIVE_HAS_VIPS4 : EK_ACTIVE_HAS_VIPS6;
    if (vip.port == 0) word |= v4 ? EK_ACTIVE_HAS_ANY_PORT4 : EK_ACTIVE_HAS_ANY_PORT6;
    if (v4) {
      vips4.emplace_back(Key4(vip.address, vip.port, vip.proto), value);
      if (first) vips4.emplace_back(Key4(vip.address, 0, 0), marker);
    } else {
      vips6.emplace_back(Key6(vip.address, vip.port, vip.proto), value);
      if (first) vips6.emplace_back(Key6(vip.address, 0, 0), marker);
    }
  }
  PutVips(bpf_map__fd(skeleton_->maps.ek_vips4), generation, vips4);
  PutVips(bpf_map__fd(skeleton_->maps.ek_vips6), generation, vips6);
  return word;
}

std::map<uint64_t, ek_pin> RawBalancer::ReadPins(bool opening) const {
  const int fd = bpf_map__fd(opening ? skeleton_->maps.ek_opening : skeleton_->maps.ek_pins);
  std::map<uint64_t, ek_pin> pins;
  uint64_t key = 0;
  uint64_t next = 0;
  for (bool first = true; bpf_map_get_next_key(fd, first ? nullptr : &key, &next) == 0;
       first = false) {
    key = next;
    Check(bpf_map_lookup_elem(fd, &key, &pins[key]) == 0, "reading a pin");
  }
  return pins;
}

void RawBalancer::PutPin(uint64_t flow, const ek_pin& pin, bool opening) {
  const int fd = bpf_map__fd(opening ? skeleton_->maps.ek_opening : skeleton_->maps.ek_pins);
  Check(bpf_map_update_elem(fd, &flow, &pin, BPF_ANY) == 0, "writing a pin");
}

void RawBalancer::ClearPins() {
  for (const bool opening : {false, true}) {
    const int fd = bpf_map__fd(opening ? skeleton_->maps.ek_opening : skeleton_->maps.ek_pins);
    for (const auto& [flow, pin] : ReadPins(opening)) {
      Check(bpf_map_delete_elem(fd, &flow) == 0, "deleting a pin");
    }
  }
}

void RawBalancer::SetControl(uint32_t ek_control::*word, uint32_t value) {
  const int fd = bpf_map__fd(skeleton_->maps.ek_control);
  const uint32_t zero = 0;
  ek_control control{};
  Check(bpf_map_lookup_elem(fd, &zero, &control) == 0, "reading the control word");
  control.*word = value;
  Check(bpf_map_update_elem(fd, &zero, &control, BPF_ANY) == 0, "writing the control word");
}

void RawBalancer::Activate(uint32_t word) { SetControl(&ek_control::active, word); }
void RawBalancer::Stage(uint32_t word) { SetControl(&ek_control::staged, word); }

int RawBalancer::balancer_fd() const {
  return capture_ != nullptr ? capture_->program_fd()
                             : bpf_program__fd(skeleton_->progs.ek_balancer);
}

RunResult RawBalancer::Run(const Bytes& frame) const { return RunProgram(balancer_fd(), frame); }

RunResult RawBalancer::Verify(const Bytes& frame) const {
  return RunProgram(bpf_program__fd(skeleton_->progs.ek_verify), frame);
}

uint64_t RawBalancer::FlowDue(uint32_t counter) const {
  ek_bucket bucket{};
  Check(bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.ek_flow_due), &counter, &bucket) == 0,
        "reading a limit");
  return bucket.due;
}

void RawBalancer::SetFlowDue(uint32_t counter, uint64_t due) {
  const ek_bucket bucket{.due = due, .pad = {}};
  Check(bpf_map_update_elem(bpf_map__fd(skeleton_->maps.ek_flow_due), &counter, &bucket, BPF_ANY) ==
            0,
        "writing a limit");
}

std::vector<ek_source_key> RawBalancer::LimitedSources() const {
  const int fd = bpf_map__fd(skeleton_->maps.ek_src_due);
  std::vector<ek_source_key> keys;
  ek_source_key key{};
  while (bpf_map_get_next_key(fd, keys.empty() ? nullptr : &keys.back(), &key) == 0) {
    keys.push_back(key);
  }
  return keys;
}

void RawBalancer::AgeFragments(uint64_t nanoseconds) {
  const int fd = bpf_map__fd(skeleton_->maps.ek_frags);
  std::vector<ek_frag_key> keys;
  ek_frag_key key{};
  while (bpf_map_get_next_key(fd, keys.empty() ? nullptr : &keys.back(), &key) == 0) {
    keys.push_back(key);
  }
  Check(!keys.empty(), "finding fragments");
  for (const ek_frag_key& k : keys) {
    ek_frag value{};
    Check(bpf_map_lookup_elem(fd, &k, &value) == 0, "reading a fragment");
    value.seen_ns -= nanoseconds;
    Check(bpf_map_update_elem(fd, &k, &value, BPF_EXIST) == 0, "writing a fragment");
  }
}

CounterSet RawBalancer::ReadCounters() const {
  CounterSet set;
  set.vips = ReadPerCpu(bpf_map__fd(skeleton_->maps.ek_vip_stats), limits_.vips);
  set.backends = ReadPerCpu(bpf_map__fd(skeleton_->maps.ek_be_stats), limits_.backends);
  std::vector<uint64_t> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  for (uint32_t verdict = 0; verdict < EK_VERDICT_COUNT; ++verdict) {
    Check(bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.ek_verdicts), &verdict, per_cpu.data()) ==
              0,
          "reading verdicts");
    for (const uint64_t packets : per_cpu) set.verdicts[verdict] += packets;
  }
  return set;
}

}  // namespace evenkeel::testing
