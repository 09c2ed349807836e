// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/dispatcher.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>
#include <xdp/prog_dispatcher.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "bpf/dispatcher.skel.h"
#include "control/dataplane/errors.h"
#include "control/dataplane/libbpf_log.h"
#include "control/dataplane/skeleton.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::dataplane {
namespace {

namespace fs = std::filesystem;

constexpr char kDispatcherFile[] = "xdp-dispatcher.o";           // libxdp's name
constexpr absl::string_view kDispatcherName = "xdp_dispatcher";  // of the program in it

struct MultiprogDeleter {
  void operator()(xdp_multiprog* multiprog) const { xdp_multiprog__close(multiprog); }
};
struct ProgramDeleter {
  void operator()(xdp_program* program) const { xdp_program__close(program); }
};
using Program = std::unique_ptr<xdp_program, ProgramDeleter>;

absl::StatusOr<bool> IsDispatcher(uint32_t program) {
  const UniqueFd fd(bpf_prog_get_fd_by_id(program));
  if (!fd.valid()) return KernelError(fd.get(), absl::StrCat("cannot open program ", program));
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  if (const int err = bpf_obj_get_info_by_fd(fd.get(), &info, &size); err != 0) {
    return KernelError(err, absl::StrCat("cannot inspect program ", program));
  }
  return kDispatcherName == info.name;
}

absl::StatusOr<bool> UsesMap(int program, uint32_t map) {
  std::array<uint32_t, 64> ids{};  // as many as one program may use
  bpf_prog_info info{};
  info.nr_map_ids = ids.size();
  info.map_ids = reinterpret_cast<uintptr_t>(ids.data());
  uint32_t size = sizeof(info);
  if (const int err = bpf_obj_get_info_by_fd(program, &info, &size); err != 0) {
    return KernelError(err, "cannot inspect a program");
  }
  const size_t count = std::min<size_t>(info.nr_map_ids, ids.size());
  return std::find(ids.begin(), ids.begin() + count, map) != ids.begin() + count;
}

absl::Status Add(xdp_program* program, uint32_t control_map, Dispatcher* dispatcher) {
  const int fd = xdp_program__fd(program);
  auto tag = ProgramTag(fd);
  if (!tag.ok()) return tag.status();
  auto ours = UsesMap(fd, control_map);
  if (!ours.ok()) return ours.status();
  (*ours ? dispatcher->ours : dispatcher->others)
      .push_back({.id = xdp_program__id(program),
                  .name = xdp_program__name(program),
                  .tag = *tag,
                  .priority = xdp_program__run_prio(program)});
  return absl::OkStatus();
}

}  // namespace

absl::Status InstallDispatcher(const std::string& dir) {
  size_t size = 0;
  const void* object = ek_dispatcher__elf_bytes(&size);
  std::error_code error;
  fs::create_directories(dir, error);
  const fs::path path = fs::path(dir) / kDispatcherFile, fresh = path.string() + ".new";
  if (!error) {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file.write(static_cast<const char*>(object), static_cast<std::streamsize>(size));
    file.close();
    if (!file) error = std::error_code(errno, std::generic_category());
  }
  // Another process may be reading the one that is there.
  if (!error) fs::rename(fresh, path, error);
  if (error) return KernelError(error.value(), absl::StrCat("cannot write ", path.string()));
  if (setenv("LIBXDP_OBJECT_PATH", dir.c_str(), 0) != 0) {
    return KernelError(errno, "cannot set LIBXDP_OBJECT_PATH");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Dispatcher>> ReadDispatcher(const Interface& interface,
                                                         uint32_t control_map) {
  auto attached = QueryXdp(interface);
  if (!attached.ok()) return attached.status();
  if (!attached->has_value()) return std::nullopt;
  auto is_dispatcher = IsDispatcher((*attached)->id);
  if (!is_dispatcher.ok()) return is_dispatcher.status();
  if (!*is_dispatcher) return std::nullopt;

  LibbpfLog log;
  xdp_multiprog* opened = xdp_multiprog__get_from_ifindex(static_cast<int>(interface.index));
  const long err = libxdp_get_error(opened);
  const std::unique_ptr<xdp_multiprog, MultiprogDeleter> multiprog(err == 0 ? opened : nullptr);
  if (multiprog == nullptr || xdp_multiprog__is_legacy(multiprog.get())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the XDP dispatcher on ", interface.name, " cannot be read (", log.Tail(),
        "): its pins below /sys/fs/bpf/xdp are missing here, or it is of another version of "
        "libxdp; if nothing needs it, remove it with `ip link set dev ",
        interface.name, " xdp off`"));
  }
  Dispatcher dispatcher;
  dispatcher.mode = (*attached)->mode;
  xdp_program* program = nullptr;
  while ((program = xdp_multiprog__next_prog(program, multiprog.get())) != nullptr) {
    if (auto status = Add(program, control_map, &dispatcher); !status.ok()) return status;
  }
  return dispatcher;
}

absl::Status LeaveDispatcher(const Interface& interface, XdpMode mode,
                             const std::vector<DispatchedProgram>& programs) {
  if (programs.empty()) return absl::OkStatus();
  LibbpfLog log;
  std::vector<Program> owned;
  std::vector<xdp_program*> raw;
  for (const DispatchedProgram& one : programs) {
    xdp_program* program = xdp_program__from_id(one.id);
    if (const long err = libxdp_get_error(program); err != 0) {
      return KernelError(static_cast<int>(err), absl::StrCat("cannot open program ", one.id));
    }
    owned.emplace_back(program);
    raw.push_back(program);
  }
  const int err =
      xdp_program__detach_multi(raw.data(), raw.size(), static_cast<int>(interface.index),
                                mode == XdpMode::kGeneric ? XDP_MODE_SKB : XDP_MODE_NATIVE, 0);
  if (err == 0) return absl::OkStatus();
  return KernelError(err, absl::StrCat("cannot take the balancer out of the XDP dispatcher on ",
                                       interface.name, " (", log.Tail(), ")"));
}

absl::StatusOr<std::vector<SharedInterface>> ListShared(uint32_t control_map) {
  auto interfaces = ListInterfaces();
  if (!interfaces.ok()) return interfaces.status();
  std::vector<SharedInterface> shared;
  for (const Interface& interface : *interfaces) {
    // Interfaces come and go, and a dispatcher that cannot be read is none of ours.
    auto dispatcher = ReadDispatcher(interface, control_map);
    if (!dispatcher.ok() || !dispatcher->has_value() || (*dispatcher)->ours.empty()) continue;
    shared.push_back({interface, **std::move(dispatcher)});
  }
  return shared;
}

absl::StatusOr<uint32_t> MapIdOf(int fd) {
  bpf_map_info info{};
  uint32_t size = sizeof(info);
  if (const int err = bpf_obj_get_info_by_fd(fd, &info, &size); err != 0) {
    return KernelError(err, "cannot inspect a map");
  }
  return info.id;
}

}  // namespace evenkeel::dataplane
