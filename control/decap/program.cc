// SPDX-License-Identifier: Apache-2.0
#include "control/decap/program.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "bpf/abi/decap.h"
#include "bpf/decap.skel.h"

namespace evenkeel::decap {
namespace {

// libbpf explains a failed load only through its print callback: the last warnings are kept for
// the error's text.
thread_local std::string last_warnings;

int KeepWarnings(libbpf_print_level level, const char* format, va_list args) {
  if (level != LIBBPF_WARN) return 0;
  std::array<char, 512> line;
  const int length = vsnprintf(line.data(), line.size(), format, args);
  if (length > 0) last_warnings += line.data();
  return length;
}

absl::Status KernelError(int error, const std::string& what) {
  std::string text = what;
  if (error == EPERM) absl::StrAppend(&text, " (needs root: CAP_BPF and CAP_NET_ADMIN)");
  if (!last_warnings.empty()) absl::StrAppend(&text, ": ", last_warnings);
  last_warnings.clear();
  return absl::ErrnoToStatus(error, text);
}

ek_prefix4 Key4(const Prefix& prefix) {
  ek_prefix4 key{.len = prefix.length, .addr = 0};
  std::memcpy(&key.addr, prefix.address.bytes().data(), sizeof(key.addr));
  return key;
}

ek_prefix6 Key6(const Prefix& prefix) {
  ek_prefix6 key{.len = prefix.length, .addr = {}};
  std::memcpy(key.addr, prefix.address.bytes().data(), sizeof(key.addr));
  return key;
}

absl::Status Put(const bpf_map* map, const void* key, const std::string& what) {
  const uint8_t present = 1;
  if (bpf_map_update_elem(bpf_map__fd(map), key, &present, BPF_ANY) != 0) {
    return KernelError(errno, absl::StrCat("writing ", what, " into ", bpf_map__name(map)));
  }
  return absl::OkStatus();
}

// Calls `take(key)` for every key of the map.
template <typename Key, typename Take>
absl::Status ForEachKey(uint32_t program_id, const std::string& name, Take take) {
  absl::StatusOr<UniqueFd> map = OpenMap(program_id, name);
  if (!map.ok()) return map.status();
  Key key{}, previous{};
  const Key* from = nullptr;
  while (bpf_map_get_next_key(map->get(), from, &key) == 0) {
    take(key);
    previous = key;
    from = &previous;
  }
  return absl::OkStatus();
}

template <size_t kBytes>
std::array<uint8_t, kBytes> Bytes(const void* address) {
  std::array<uint8_t, kBytes> bytes;
  std::memcpy(bytes.data(), address, kBytes);
  return bytes;
}

}  // namespace

absl::StatusOr<Link> OpenLink(const std::string& path) {
  Link link{.fd = UniqueFd(bpf_obj_get(path.c_str()))};
  if (!link.fd.valid()) {
    if (errno == ENOENT) return absl::NotFoundError(absl::StrCat("no link is pinned at ", path));
    return KernelError(errno, absl::StrCat("opening the pinned link ", path));
  }
  bpf_link_info info{};
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(link.fd.get(), &info, &size) != 0) {
    return KernelError(errno, absl::StrCat("reading the pinned link ", path));
  }
  link.ifindex = info.xdp.ifindex;
  link.program_id = info.prog_id;
  return link;
}

absl::StatusOr<UniqueFd> OpenMap(uint32_t program_id, const std::string& name) {
  const UniqueFd program(bpf_prog_get_fd_by_id(program_id));
  std::array<uint32_t, 16> ids{};
  bpf_prog_info info{};
  info.nr_map_ids = ids.size();
  info.map_ids = reinterpret_cast<uintptr_t>(ids.data());
  uint32_t size = sizeof(info);
  if (!program.valid() || bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0) {
    return KernelError(errno, absl::StrCat("reading program ", program_id));
  }
  const size_t count = std::min<size_t>(info.nr_map_ids, ids.size());
  for (size_t i = 0; i < count; ++i) {
    UniqueFd map(bpf_map_get_fd_by_id(ids[i]));
    bpf_map_info map_info{};
    size = sizeof(map_info);
    if (!map.valid() || bpf_obj_get_info_by_fd(map.get(), &map_info, &size) != 0) continue;
    if (name == map_info.name) return map;
  }
  return absl::NotFoundError(absl::StrCat("program ", program_id, " has no map ", name));
}

absl::StatusOr<Mode> AttachedMode(uint32_t ifindex) {
  LIBBPF_OPTS(bpf_xdp_query_opts, query);
  const int error = bpf_xdp_query(static_cast<int>(ifindex), 0, &query);
  if (error != 0) return KernelError(-error, absl::StrCat("asking for XDP on ifindex ", ifindex));
  return query.attach_mode == XDP_ATTACHED_SKB ? Mode::kGeneric : Mode::kNative;
}

void Program::Closer::operator()(ek_decap* skeleton) const { ek_decap__destroy(skeleton); }

int Program::fd() const { return bpf_program__fd(skeleton_->progs.ek_decap); }

absl::StatusOr<Program> Program::Load(const std::vector<model::IpAddress>& addresses,
                                      const std::vector<Prefix>& sources, uint16_t gue_port,
                                      int stats_fd) {
  libbpf_set_print(KeepWarnings);
  last_warnings.clear();
  Program program(ek_decap__open());
  if (program.skeleton_ == nullptr) return KernelError(errno, "opening the decap program");
  program.skeleton_->rodata->ek_decap_config.check_source = sources.empty() ? 0 : 1;
  program.skeleton_->rodata->ek_decap_config.gue_port = htons(gue_port);
  if (stats_fd >= 0 && bpf_map__reuse_fd(program.skeleton_->maps.ek_decap_stats, stats_fd) != 0) {
    return KernelError(errno, "taking over the counters of the former program");
  }
  if (const int error = ek_decap__load(program.skeleton_.get()); error != 0) {
    return KernelError(-error, "loading the decap program");
  }
  if (absl::Status status = program.Fill(addresses, sources); !status.ok()) return status;
  return program;
}

absl::Status Program::Fill(const std::vector<model::IpAddress>& addresses,
                           const std::vector<Prefix>& sources) const {
  const auto& maps = skeleton_->maps;
  for (const model::IpAddress& address : addresses) {
    const bpf_map* map = address.is_ipv4() ? maps.ek_local4 : maps.ek_local6;
    absl::Status status = Put(map, address.bytes().data(), address.ToString());
    if (!status.ok()) return status;
  }
  for (const Prefix& source : sources) {
    const ek_prefix4 key4 = Key4(source);
    const ek_prefix6 key6 = Key6(source);
    absl::Status status = source.address.is_ipv4()
                              ? Put(maps.ek_sources4, &key4, source.ToString())
                              : Put(maps.ek_sources6, &key6, source.ToString());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Program::ReplaceIn(const Link& link) const {
  if (bpf_link_update(link.fd.get(), fd(), nullptr) != 0) {
    return KernelError(errno, absl::StrCat("replacing the program on ifindex ", link.ifindex));
  }
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> Program::AttachTo(const Target& target, uint32_t ifindex,
                                           Mode mode) const {
  LIBBPF_OPTS(bpf_link_create_opts, options);
  options.flags = mode == Mode::kNative ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
  UniqueFd link(bpf_link_create(fd(), static_cast<int>(ifindex), BPF_XDP, &options));
  if (link.valid()) return link;
  const int error = errno;
  if (error == EBUSY || error == EEXIST) {
    return absl::AlreadyExistsError(
        absl::StrCat("another XDP program is attached to ", target.interface,
                     "; `bpftool net` shows it, `ip link set dev ", target.interface,
                     " xdp off` (or removing its link's pin) takes it off"));
  }
  if (error == EOPNOTSUPP || error == EINVAL || error == ERANGE) {
    return absl::UnimplementedError(absl::StrCat("the driver of ", target.interface, " refuses ",
                                                 ModeName(mode), " XDP: ", std::strerror(error),
                                                 error == ERANGE ? " (MTU too large for it)" : "",
                                                 "; try --mode generic"));
  }
  return KernelError(error, absl::StrCat("attaching to ", target.interface));
}

absl::Status PinLink(const UniqueFd& link, const std::string& path) {
  if (bpf_obj_pin(link.get(), path.c_str()) != 0) {
    return KernelError(errno, absl::StrCat("pinning the link at ", path));
  }
  return absl::OkStatus();
}

absl::Status DetachLink(const Link& link) {
  if (bpf_link_detach(link.fd.get()) != 0) {
    return KernelError(errno, absl::StrCat("detaching from ifindex ", link.ifindex));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<model::IpAddress>> ReadAddresses(uint32_t program_id) {
  std::vector<model::IpAddress> addresses;
  absl::Status status = ForEachKey<std::array<uint8_t, 4>>(
      program_id, "ek_local4",
      [&](const auto& key) { addresses.push_back(model::IpAddress::FromIpv4(key)); });
  if (!status.ok()) return status;
  status = ForEachKey<std::array<uint8_t, 16>>(program_id, "ek_local6", [&](const auto& key) {
    addresses.push_back(model::IpAddress::FromIpv6(key));
  });
  if (!status.ok()) return status;
  std::sort(addresses.begin(), addresses.end());
  return addresses;
}

absl::StatusOr<std::vector<Prefix>> ReadSources(uint32_t program_id) {
  std::vector<Prefix> sources;
  absl::Status status =
      ForEachKey<ek_prefix4>(program_id, "ek_sources4", [&](const ek_prefix4& key) {
        sources.push_back({model::IpAddress::FromIpv4(Bytes<4>(&key.addr)), key.len});
      });
  if (!status.ok()) return status;
  status = ForEachKey<ek_prefix6>(program_id, "ek_sources6", [&](const ek_prefix6& key) {
    sources.push_back({model::IpAddress::FromIpv6(Bytes<16>(key.addr)), key.len});
  });
  if (!status.ok()) return status;
  return sources;
}

absl::StatusOr<uint16_t> ReadGuePort(uint32_t program_id) {
  using ReadOnly = std::remove_pointer_t<decltype(ek_decap::rodata)>;
  absl::StatusOr<UniqueFd> map = OpenMap(program_id, "ek_decap.rodata");
  if (!map.ok()) return map.status();
  bpf_map_info info{};
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(map->get(), &info, &size) != 0 || info.value_size < sizeof(ReadOnly)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "program ", program_id, " is not of this version of evenkeel-decap; attach anew"));
  }
  std::vector<uint8_t> bytes(info.value_size);
  const uint32_t zero = 0;
  if (bpf_map_lookup_elem(map->get(), &zero, bytes.data()) != 0) {
    return KernelError(errno, absl::StrCat("reading the settings of program ", program_id));
  }
  ReadOnly settings;
  std::memcpy(&settings, bytes.data(), sizeof(settings));
  return ntohs(settings.ek_decap_config.gue_port);
}

absl::StatusOr<std::vector<uint64_t>> ReadCounts(uint32_t program_id) {
  absl::StatusOr<UniqueFd> map = OpenMap(program_id, "ek_decap_stats");
  if (!map.ok()) return map.status();
  std::vector<uint64_t> totals(EK_DECAP_COUNT);
  std::vector<uint64_t> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  for (uint32_t verdict = 0; verdict < EK_DECAP_COUNT; ++verdict) {
    if (bpf_map_lookup_elem(map->get(), &verdict, per_cpu.data()) != 0) {
      return KernelError(errno, absl::StrCat("reading counter ", verdict));
    }
    for (const uint64_t packets : per_cpu) totals[verdict] += packets;
  }
  return totals;
}

}  // namespace evenkeel::decap
