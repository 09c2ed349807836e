// SPDX-License-Identifier: Apache-2.0
#include "tests/shared/libxdp_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>

#include <memory>

#include "bpf/abi/maps.h"
#include "bpf/old_build.skel.h"
#include "bpf/udp_filter.skel.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::testing {
namespace {

struct ProgramDeleter {
  void operator()(xdp_program* program) const { xdp_program__close(program); }
};
using Program = std::unique_ptr<xdp_program, ProgramDeleter>;

struct MultiprogDeleter {
  void operator()(xdp_multiprog* multiprog) const { xdp_multiprog__close(multiprog); }
};

int IndexOf(const std::string& interface) {
  return static_cast<int>(if_nametoindex(interface.c_str()));
}

std::unique_ptr<xdp_multiprog, MultiprogDeleter> Open(const std::string& interface) {
  xdp_multiprog* multiprog = xdp_multiprog__get_from_ifindex(IndexOf(interface));
  return std::unique_ptr<xdp_multiprog, MultiprogDeleter>(
      libxdp_get_error(multiprog) == 0 ? multiprog : nullptr);
}

int Attach(bpf_object* object, const char* name, const std::string& interface,
           const FilterOptions& options) {
  DECLARE_LIBXDP_OPTS(xdp_program_opts, from, .obj = object, .prog_name = name);
  const Program program(xdp_program__create(&from));
  if (program == nullptr) return -errno;
  xdp_program__set_run_prio(program.get(), options.priority);
  xdp_program__set_chain_call_enabled(program.get(), XDP_PASS, true);
  xdp_program__set_xdp_frags_support(program.get(), options.frags);
  return xdp_program__attach(program.get(), IndexOf(interface), options.mode, 0);
}

}  // namespace

int AttachFilter(const std::string& interface, const FilterOptions& options) {
  const std::unique_ptr<ek_udp_filter, void (*)(ek_udp_filter*)> skeleton(ek_udp_filter__open(),
                                                                          ek_udp_filter__destroy);
  return skeleton ? Attach(skeleton->obj, "udp_filter", interface, options) : -errno;
}

int DetachFilter(const std::string& interface) {
  const Program program(xdp_program__from_id(DispatchedId(interface, "udp_filter")));
  if (program == nullptr) return -errno;
  const auto mode = xdp_multiprog__attach_mode(Open(interface).get());
  return xdp_program__detach(program.get(), IndexOf(interface), mode, 0);
}

int AttachOldBuild(const std::string& interface, const std::string& control_map_pin,
                   uint32_t priority) {
  const std::unique_ptr<ek_old_build, void (*)(ek_old_build*)> skeleton(ek_old_build__open(),
                                                                        ek_old_build__destroy);
  if (!skeleton) return -errno;
  const dataplane::UniqueFd map(bpf_obj_get(control_map_pin.c_str()));
  if (!map.valid()) return map.get();
  if (const int err = bpf_map__reuse_fd(skeleton->maps.ek_control, map.get()); err != 0) return err;
  return Attach(skeleton->obj, "ek_balancer", interface, {.priority = priority});
}

std::vector<std::string> Dispatched(const std::string& interface) {
  std::vector<std::string> names;
  const auto multiprog = Open(interface);
  if (multiprog == nullptr) return names;
  xdp_program* program = nullptr;
  while ((program = xdp_multiprog__next_prog(program, multiprog.get())) != nullptr) {
    names.push_back(std::string(xdp_program__name(program)) + " " +
                    std::to_string(xdp_program__run_prio(program)));
  }
  return names;
}

uint32_t DispatchedId(const std::string& interface, const std::string& name) {
  const auto multiprog = Open(interface);
  if (multiprog == nullptr) return 0;
  xdp_program* program = nullptr;
  while ((program = xdp_multiprog__next_prog(program, multiprog.get())) != nullptr) {
    if (name == xdp_program__name(program)) return xdp_program__id(program);
  }
  return 0;
}

}  // namespace evenkeel::testing
