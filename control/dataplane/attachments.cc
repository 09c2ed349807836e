// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/attachments.h"

#include <bpf/bpf.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/dataplane/errors.h"

namespace evenkeel::dataplane {
namespace {

std::vector<std::string> NamesOf(const std::vector<DispatchedProgram>& programs) {
  std::vector<std::string> names;
  for (const DispatchedProgram& program : programs) {
    names.push_back(absl::StrCat(program.name, " (priority ", program.priority, ")"));
  }
  return names;
}

Attachment Describe(const Interface& interface, const AttachOptions& options, XdpMode mode) {
  Attachment attachment;
  attachment.interface = interface.name;
  attachment.ifindex = interface.index;
  attachment.mode = mode;
  attachment.kind = options.kind;
  if (options.kind == AttachKind::kShared) attachment.priority = options.priority;
  return attachment;
}

}  // namespace

absl::StatusOr<Attachments::Former> Attachments::Look(const Interface& interface) const {
  Former former;
  auto link = links_.Find(interface);
  if (!link.ok()) return link.status();
  former.link = *link;
  if (former.link) return former;
  auto dispatcher = shared_.Find(interface);
  if (!dispatcher.ok()) return dispatcher.status();
  former.dispatcher = *std::move(dispatcher);
  return former;
}

absl::Status Attachments::CheckPossible(const Interface& interface, const AttachOptions& options,
                                        const Former& former) const {
  if (options.kind == AttachKind::kExclusive) {
    if (!former.HasOthers()) return absl::OkStatus();
    return absl::AlreadyExistsError(
        absl::StrCat("interface ", interface.name, " is shared through libxdp by ",
                     absl::StrJoin(NamesOf(former.dispatcher->others), ", "),
                     "; use --attach shared, or remove them with `xdp-loader unload --all ",
                     interface.name, "`"));
  }
  if (former.HasOthers() && !Suits(options.mode, former.dispatcher->mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot attach to ", interface.name, " in ", NameOf(options.mode),
                     " mode: ", absl::StrJoin(NamesOf(former.dispatcher->others), ", "),
                     " share it in ", NameOf(former.dispatcher->mode),
                     " mode, and an interface has one mode; use --mode auto, "
                     "or attach them in ",
                     NameOf(options.mode), " mode"));
  }
  if (!former.link && !former.dispatcher) {
    auto attached = QueryXdp(interface);
    if (!attached.ok()) return attached.status();
    if (attached->has_value()) return Occupied(interface, (*attached)->id, true);
  }
  return shared_.CheckKernel();
}

absl::Status Attachments::Create(const Interface& interface, XdpMode mode,
                                 const AttachOptions& options) const {
  return options.kind == AttachKind::kExclusive ? links_.Create(interface, mode)
                                                : shared_.Join(interface, mode, options.priority);
}

absl::StatusOr<Attachment> Attachments::AttachNew(const Interface& interface,
                                                  const AttachOptions& options) const {
  Attachment attachment = Describe(interface, options, XdpMode::kNative);
  if (options.mode != XdpMode::kGeneric) {
    absl::Status native = Create(interface, XdpMode::kNative, options);
    if (native.ok()) return attachment;
    if (absl::IsAlreadyExists(native)) return native;
    if (options.mode == XdpMode::kNative) return native;
    attachment.fallback_reason = std::string(native.message());
  }
  absl::Status generic = Create(interface, XdpMode::kGeneric, options);
  if (!generic.ok()) return generic;
  attachment.mode = XdpMode::kGeneric;
  return attachment;
}

absl::StatusOr<Attachment> Attachments::Adopt(const Interface& interface,
                                              const AttachOptions& options,
                                              const Former& former) const {
  const XdpMode mode = former.link ? *former.link : former.dispatcher->mode;
  if (former.Shares()) {
    auto renewed = shared_.Renew(interface, *former.dispatcher, options.priority);
    if (!renewed.ok()) return renewed;
  }
  Attachment attachment = Describe(interface, options, mode);
  attachment.adopted = true;
  if (mode == XdpMode::kGeneric && options.mode == XdpMode::kAuto) {
    attachment.fallback_reason = "attached in generic mode by an earlier daemon";
  }
  return attachment;
}

absl::Status Attachments::Release(const Interface& interface, const Former& former) const {
  if (former.link) return links_.Remove(interface);
  if (!former.Shares()) return absl::OkStatus();
  return LeaveDispatcher(interface, former.dispatcher->mode, former.dispatcher->ours);
}

absl::Status Attachments::Restore(const Interface& interface, const Former& former) const {
  if (former.link) return links_.Create(interface, *former.link);
  if (!former.Shares()) return absl::OkStatus();
  return shared_.Join(interface, former.dispatcher->mode, former.dispatcher->ours[0].priority);
}

absl::StatusOr<Attachment> Attachments::Replace(const Interface& interface,
                                                const AttachOptions& options,
                                                const Former& former) const {
  if (auto status = CheckPossible(interface, options, former); !status.ok()) return status;
  AttachOptions here = options;
  // Those that are there decide the mode.
  if (former.HasOthers()) here.mode = former.dispatcher->mode;
  // An interface has one mode and one way at a time: what is there of ours has to go first.
  if (auto status = Release(interface, former); !status.ok()) return status;
  auto attached = AttachNew(interface, here);
  if (!attached.ok()) {
    if (auto back = Restore(interface, former); !back.ok()) return back;
    if (options.mode != XdpMode::kNative || absl::IsAlreadyExists(attached.status())) {
      return attached.status();
    }
    return absl::Status(attached.status().code(),
                        absl::StrCat(attached.status().message(), "; use --mode generic or auto, ",
                                     "or a driver and MTU that native XDP can work with"));
  }
  if (former.HasOthers() && attached->mode == XdpMode::kGeneric && options.mode == XdpMode::kAuto) {
    attached->fallback_reason =
        absl::StrCat("the programs that share it are in generic mode: ",
                     absl::StrJoin(NamesOf(former.dispatcher->others), ", "));
  }
  return attached;
}

absl::StatusOr<Attachment> Attachments::Attach(const std::string& interface_name,
                                               const AttachOptions& options) {
  auto interface = FindInterface(interface_name);
  if (!interface.ok()) return interface.status();
  auto former = Look(*interface);
  if (!former.ok()) return former.status();
  const bool shared = options.kind == AttachKind::kShared;
  const bool there = shared ? former->Shares() && Suits(options.mode, former->dispatcher->mode)
                            : former->link && Suits(options.mode, *former->link);
  auto attached =
      there ? Adopt(*interface, options, *former) : Replace(*interface, options, *former);
  if (!attached.ok()) return attached.status();
  if (former->HasOthers()) attached->beside = NamesOf(former->dispatcher->others);
  std::erase_if(list_, [&](const Attachment& a) { return a.ifindex == interface->index; });
  list_.push_back(*attached);
  return attached;
}

absl::Status Attachments::DetachOthers(const std::vector<std::string>& keep) {
  const auto kept = [&](const std::string& interface) {
    return std::find(keep.begin(), keep.end(), interface) != keep.end();
  };
  if (auto status = links_.RemoveOthers(keep); !status.ok()) return status;
  auto shared = shared_.List();
  if (!shared.ok()) return shared.status();
  for (const auto& [interface, dispatcher] : *shared) {
    if (kept(interface.name)) continue;
    auto status = LeaveDispatcher(interface, dispatcher.mode, dispatcher.ours);
    if (!status.ok()) return status;
  }
  std::erase_if(list_, [&](const Attachment& a) { return !kept(a.interface); });
  return absl::OkStatus();
}

absl::Status Attachments::Refresh() {
  if (auto status = links_.DropDead(); !status.ok()) return status;
  auto changed = links_.PutBack();
  if (!changed.ok()) return changed.status();
  put_back_ = *changed;
  auto shared = shared_.List();
  if (!shared.ok()) return shared.status();
  for (const auto& [interface, dispatcher] : *shared) {
    auto status = shared_.Renew(interface, dispatcher, std::nullopt);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<UniqueFd>> Attachments::Programs() const {
  const auto is = [](AttachKind kind) {
    return [kind](const Attachment& attachment) { return attachment.kind == kind; };
  };
  std::vector<UniqueFd> programs;
  if (std::any_of(list_.begin(), list_.end(), is(AttachKind::kExclusive))) {
    std::lock_guard lock(mutex_);
    programs.emplace_back(fcntl(in_place_.valid() ? in_place_.get() : entry_, F_DUPFD_CLOEXEC, 0));
    if (!programs.back().valid()) return KernelError(errno, "cannot duplicate a descriptor");
  }
  if (std::none_of(list_.begin(), list_.end(), is(AttachKind::kShared))) return programs;
  auto shared = shared_.List();
  if (!shared.ok()) return shared.status();
  for (const auto& [interface, dispatcher] : *shared) {
    for (const DispatchedProgram& program : dispatcher.ours) {
      programs.emplace_back(bpf_prog_get_fd_by_id(program.id));
      if (!programs.back().valid()) {
        return KernelError(errno, absl::StrCat("cannot open the program on ", interface.name));
      }
    }
  }
  return programs;
}

absl::Status Attachments::CheckReplaceable() const {
  if (list_.empty()) {
    return absl::FailedPreconditionError("the balancer is attached to no interface");
  }
  for (const Attachment& attachment : list_) {
    if (attachment.kind == AttachKind::kExclusive) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "interface ", attachment.interface,
        " is shared with other XDP programs, and in libxdp's dispatcher the capture build cannot "
        "take the balancer's place without a moment in which both run; attach exclusively "
        "(evenkeeld --attach exclusive), or use tcpdump on the backends"));
  }
  std::lock_guard lock(mutex_);
  if (!in_place_.valid()) return absl::OkStatus();
  return absl::FailedPreconditionError("the capture build is in the balancer's place already");
}

absl::Status Attachments::Update(int program, int former) const {
  for (size_t i = 0; i < list_.size(); ++i) {
    const auto interface = [&](size_t n) {
      return Interface{list_[n].interface, list_[n].ifindex};
    };
    absl::Status status = links_.Update(interface(i), program, former);
    if (status.ok()) continue;
    while (i-- > 0) links_.Update(interface(i), former, program).IgnoreError();
    return status;
  }
  return absl::OkStatus();
}

absl::Status Attachments::PutInPlace(int program) {
  if (auto status = CheckReplaceable(); !status.ok()) return status;
  std::lock_guard lock(mutex_);
  UniqueFd copy(fcntl(program, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return KernelError(errno, "cannot duplicate a descriptor");
  if (auto status = Update(program, entry_); !status.ok()) return status;
  in_place_ = std::move(copy);
  return absl::OkStatus();
}

// Of each link, whatever becomes of the others: none is to keep the other build needlessly.
absl::Status Attachments::PutBack() {
  std::lock_guard lock(mutex_);
  if (!in_place_.valid()) return absl::OkStatus();
  absl::Status first;
  for (const Attachment& attachment : list_) {
    first.Update(
        links_.Update({attachment.interface, attachment.ifindex}, entry_, in_place_.get()));
  }
  in_place_ = UniqueFd();
  return first;
}

absl::Status Attachments::DetachAll(const PinDir& dir) {
  if (auto status = XdpLinks::RemoveAll(dir); !status.ok()) return status;
  const std::string control = MapPin(MapId::kControl);
  if (!dir.Has(control)) return absl::OkStatus();
  auto map = dir.Get(control);
  if (!map.ok()) return map.status();
  auto id = MapIdOf(map->get());
  if (!id.ok()) return id.status();
  auto shared = ListShared(*id);
  if (!shared.ok()) return shared.status();
  for (const auto& [interface, dispatcher] : *shared) {
    auto status = LeaveDispatcher(interface, dispatcher.mode, dispatcher.ours);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace evenkeel::dataplane
