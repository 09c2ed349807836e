// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/shared_xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <sys/utsname.h>
#include <xdp/libxdp.h>
#include <xdp/prog_dispatcher.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "absl/strings/str_cat.h"
// After the ABI: the skeleton's read-only data is of its types.
#include "bpf/balancer.skel.h"
#include "bpf/dispatcher.skel.h"
#include "control/dataplane/errors.h"
#include "control/dataplane/libbpf_log.h"
#include "control/dataplane/skeleton.h"

namespace evenkeel::dataplane {
namespace {

struct DispatcherDeleter {
  void operator()(ek_dispatcher* skeleton) const { ek_dispatcher__destroy(skeleton); }
};
using DispatcherSkeleton = std::unique_ptr<ek_dispatcher, DispatcherDeleter>;

struct ProgramDeleter {
  void operator()(xdp_program* program) const { xdp_program__close(program); }
};
using Program = std::unique_ptr<xdp_program, ProgramDeleter>;

std::string KernelRelease() {
  utsname name{};
  return uname(&name) == 0 ? name.release : "this kernel";
}

// A dispatcher that is attached to nothing.
absl::StatusOr<DispatcherSkeleton> LoadDispatcher() {
  DispatcherSkeleton dispatcher(ek_dispatcher__open());
  if (!dispatcher) return KernelError(errno, "cannot open the built-in dispatcher");
  // Functions that are not called are not there to be replaced.
  dispatcher->rodata->conf.num_progs_enabled = MAX_DISPATCHER_ACTIONS;
  bpf_program__set_autoload(dispatcher->progs.xdp_pass, false);
  LibbpfLog log;
  if (const int err = ek_dispatcher__load(dispatcher.get()); err != 0) {
    return KernelError(
        err, absl::StrCat("the kernel did not load libxdp's dispatcher (", log.Tail(), ")"),
        "use --attach exclusive");
  }
  return dispatcher;
}

absl::Status CannotShare(int err, const std::string& log) {
  const std::string remedy =
      "use --attach exclusive, or boot a kernel that permits it: Debian 12's 6.1 and 6.12 do";
  return KernelError(
      err,
      absl::StrCat("Linux ", KernelRelease(), " cannot share an interface: it does not permit ",
                   "the balancer to replace a function of libxdp's dispatcher (freplace)",
                   log.empty() ? "" : absl::StrCat(" (", log, ")")),
      remedy);
}

absl::Status CannotJoin(const Interface& interface, XdpMode mode, int err, const LibbpfLog& log) {
  if (err == -E2BIG) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the XDP dispatcher on ", interface.name, " calls ", MAX_DISPATCHER_ACTIONS,
                     " programs already, and takes no more; remove one with `xdp-loader unload`"));
  }
  const std::string extack = log.Extack();
  return ModeRefused(interface.name, ReadLinkFacts(interface.name), mode, err,
                     extack.empty() ? log.Tail() : extack);
}

bool HasProgram(const Dispatcher& dispatcher, uint32_t id) {
  return std::any_of(dispatcher.ours.begin(), dispatcher.ours.end(),
                     [id](const DispatchedProgram& program) { return program.id == id; });
}

}  // namespace

absl::StatusOr<std::optional<Dispatcher>> SharedXdp::Find(const Interface& interface) const {
  auto map = MapIdOf(objects_->map(MapId::kControl));
  if (!map.ok()) return map.status();
  return ReadDispatcher(interface, *map);
}

absl::StatusOr<std::vector<SharedInterface>> SharedXdp::List() const {
  auto map = MapIdOf(objects_->map(MapId::kControl));
  if (!map.ok()) return map.status();
  return ListShared(*map);
}

// Asked with the balancer itself: what a kernel permits depends on the program. libxdp would attach
// without a dispatcher where there can be none, and the interface would not be shared at all.
absl::Status SharedXdp::CheckKernel() const {
  auto dispatcher = LoadDispatcher();
  if (!dispatcher.ok()) return dispatcher.status();
  auto skeleton = OpenSkeleton(*options_, objects_);
  if (!skeleton.ok()) return skeleton.status();
  bpf_program* program = (*skeleton)->progs.ek_balancer;
  bpf_program__set_autoload((*skeleton)->progs.ek_verify, false);
  bpf_program__set_type(program, BPF_PROG_TYPE_EXT);
  bpf_program__set_expected_attach_type(program, static_cast<bpf_attach_type>(0));
  LibbpfLog log;
  int err = bpf_program__set_attach_target(
      program, bpf_program__fd((*dispatcher)->progs.xdp_dispatcher), "prog0");
  if (err == 0) err = ek_balancer__load(skeleton->get());
  if (err == 0) return absl::OkStatus();
  // Where it is forbidden, libbpf has nothing but guesses.
  return CannotShare(err, err == -EPERM ? "" : log.Tail());
}

absl::Status SharedXdp::Join(const Interface& interface, XdpMode mode, uint32_t priority) const {
  auto skeleton = OpenSkeleton(*options_, objects_);
  if (!skeleton.ok()) return skeleton.status();
  bpf_program__set_autoload((*skeleton)->progs.ek_verify, false);
  uint32_t id = 0;
  {
    LibbpfLog log;
    DECLARE_LIBXDP_OPTS(xdp_program_opts, options, .obj = (*skeleton)->obj,
                        .prog_name = "ek_balancer");
    const Program program(xdp_program__create(&options));
    if (program == nullptr) return KernelError(errno, "libxdp does not take the balancer");
    int err = xdp_program__set_run_prio(program.get(), priority);
    // What is not the balancer's goes on to the next program, and nothing else does.
    if (err == 0) err = xdp_program__set_chain_call_enabled(program.get(), XDP_PASS, true);
    // libxdp does not read it off the section's name.
    if (err == 0) err = xdp_program__set_xdp_frags_support(program.get(), true);
    if (err == 0) {
      err = xdp_program__attach(program.get(), static_cast<int>(interface.index),
                                mode == XdpMode::kGeneric ? XDP_MODE_SKB : XDP_MODE_NATIVE, 0);
    }
    if (err != 0) return CannotJoin(interface, mode, err, log);
    id = xdp_program__id(program.get());
  }
  auto dispatcher = Find(interface);
  if (dispatcher.ok() && dispatcher->has_value() && HasProgram(**dispatcher, id)) {
    return absl::OkStatus();
  }
  // Attached by itself, whatever made libxdp do so: not what was asked for.
  const int fd = bpf_program__fd((*skeleton)->progs.ek_balancer);
  LIBBPF_OPTS(bpf_xdp_attach_opts, only_ours, .old_prog_fd = fd);
  bpf_xdp_detach(static_cast<int>(interface.index),
                 mode == XdpMode::kGeneric ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE, &only_ours);
  if (!dispatcher.ok()) return dispatcher.status();
  return absl::FailedPreconditionError(
      absl::StrCat("libxdp attached the balancer to ", interface.name,
                   " without its dispatcher; is "
                   "LIBXDP_SKIP_DISPATCHER set? Unset it, or use --attach exclusive"));
}

absl::Status SharedXdp::Renew(const Interface& interface, const Dispatcher& dispatcher,
                              std::optional<uint32_t> priority) const {
  auto tag = ProgramTag(objects_->entry.get());
  if (!tag.ok()) return tag.status();
  std::vector<DispatchedProgram> outdated = dispatcher.ours;
  const auto current =
      std::find_if(outdated.begin(), outdated.end(), [&](const DispatchedProgram& program) {
        return program.tag == *tag && program.priority == priority.value_or(program.priority);
      });
  if (current != outdated.end()) {
    outdated.erase(current);
  } else {
    const uint32_t place = priority.value_or(dispatcher.ours[0].priority);
    if (auto status = Join(interface, dispatcher.mode, place); !status.ok()) return status;
  }
  return LeaveDispatcher(interface, dispatcher.mode, outdated);
}

}  // namespace evenkeel::dataplane
