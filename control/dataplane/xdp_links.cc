// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/xdp_links.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "control/dataplane/errors.h"
#include "control/dataplane/libbpf_log.h"

namespace evenkeel::dataplane {
namespace {

std::string PinOf(uint32_t ifindex) { return absl::StrCat(kLinkPrefix, ifindex); }

absl::string_view NameOf(XdpMode mode) { return mode == XdpMode::kGeneric ? "generic" : "native"; }

uint32_t FlagsOf(XdpMode mode) {
  return mode == XdpMode::kGeneric ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

absl::StatusOr<bpf_link_info> LinkInfo(int fd, absl::string_view name) {
  bpf_link_info info{};
  uint32_t size = sizeof(info);
  const int err = bpf_obj_get_info_by_fd(fd, &info, &size);
  if (err != 0) return KernelError(err, absl::StrCat("cannot inspect link ", name));
  if (info.type != BPF_LINK_TYPE_XDP) {
    return absl::FailedPreconditionError(absl::StrCat("pin ", name, " is not an XDP link"));
  }
  return info;
}

absl::Status Detach(const PinDir& dir, const std::string& name) {
  auto link = dir.Get(name);
  if (!link.ok()) return link.status();
  // Unpinning alone detaches too, but some time later.
  const int err = bpf_link_detach(link->get());
  if (err != 0 && err != -ENOLINK) {
    return KernelError(err, absl::StrCat("cannot detach ", dir.PathOf(name)));
  }
  return dir.Unpin(name);
}

absl::StatusOr<bpf_xdp_query_opts> QueryInterface(const std::string& interface, uint32_t ifindex) {
  LIBBPF_OPTS(bpf_xdp_query_opts, query);
  const int err = bpf_xdp_query(static_cast<int>(ifindex), 0, &query);
  if (err != 0) return KernelError(err, absl::StrCat("cannot query XDP on ", interface));
  return query;
}

// bpf_link_create reports an errno only; the same request by netlink fails alike and has the
// driver's words. Should it succeed after all, it is undone at once.
std::string DriverReason(int program, uint32_t ifindex, XdpMode mode) {
  LibbpfLog log;
  const int index = static_cast<int>(ifindex);
  const uint32_t flags = FlagsOf(mode) | XDP_FLAGS_UPDATE_IF_NOEXIST;
  if (bpf_xdp_attach(index, program, flags, nullptr) == 0) {
    LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = program);
    bpf_xdp_detach(index, FlagsOf(mode), &options);
    return {};
  }
  return log.Extack();
}

absl::Status Occupied(const std::string& interface, uint32_t ifindex) {
  auto query = QueryInterface(interface, ifindex);
  if (!query.ok()) return query.status();
  const uint32_t program = std::max({query->prog_id, query->drv_prog_id, query->skb_prog_id});
  return absl::AlreadyExistsError(absl::StrCat(
      "interface ", interface, " already has XDP program id ", program, " (`bpftool prog show id ",
      program, "`); if nothing needs it, remove it with `ip link set dev ", interface,
      " xdp off` or stop the program that attached it"));
}

absl::StatusOr<uint32_t> IfIndex(const std::string& interface) {
  const uint32_t ifindex = if_nametoindex(interface.c_str());
  if (ifindex != 0) return ifindex;
  return KernelError(ENODEV, absl::StrCat("no interface ", interface, " in this network namespace"),
                     "see `ip link` for the names");
}

}  // namespace

absl::Status XdpLinks::DropDead() {
  auto names = dir_->List();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::StartsWith(name, kLinkPrefix)) continue;
    auto link = dir_->Get(name);
    if (!link.ok()) return link.status();
    auto info = LinkInfo(link->get(), name);
    if (!info.ok()) return info.status();
    if (info->xdp.ifindex != 0) continue;
    if (auto status = dir_->Unpin(name); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<XdpMode>> XdpLinks::FindPinned(const std::string& interface,
                                                            uint32_t ifindex) {
  const std::string name = PinOf(ifindex);
  if (!dir_->Has(name)) return std::nullopt;
  auto link = dir_->Get(name);
  if (!link.ok()) return link.status();
  auto info = LinkInfo(link->get(), name);
  if (!info.ok()) return info.status();
  if (info->xdp.ifindex == 0) {  // its interface is gone, and the index went to another
    if (auto status = dir_->Unpin(name); !status.ok()) return status;
    return std::nullopt;
  }
  auto query = QueryInterface(interface, ifindex);
  if (!query.ok()) return query.status();
  if (query->prog_id != info->prog_id) {
    return absl::FailedPreconditionError(
        absl::StrCat(dir_->PathOf(name), " is attached to an interface of another network ",
                     "namespace; start the daemon there, or remove that pin"));
  }
  return query->attach_mode == XDP_ATTACHED_SKB ? XdpMode::kGeneric : XdpMode::kNative;
}

absl::Status XdpLinks::CreateLink(const std::string& interface, uint32_t ifindex, XdpMode mode) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = FlagsOf(mode));
  UniqueFd link(bpf_link_create(program_, static_cast<int>(ifindex), BPF_XDP, &options));
  if (link.valid()) return dir_->Pin(link.get(), PinOf(ifindex));
  const int err = -link.get();
  // EEXIST: one is attached in the other mode.
  if (err == EBUSY || err == EEXIST) return Occupied(interface, ifindex);
  std::string what = absl::StrCat("cannot attach to ", interface, " in ", NameOf(mode), " mode");
  const std::string reason = DriverReason(program_, ifindex, mode);
  if (!reason.empty()) absl::StrAppend(&what, " (", reason, ")");
  return KernelError(err, what);
}

absl::StatusOr<Attachment> XdpLinks::AttachNew(const std::string& interface, uint32_t ifindex,
                                               XdpMode mode) {
  Attachment attachment;
  attachment.interface = interface;
  attachment.ifindex = ifindex;
  if (mode != XdpMode::kGeneric) {
    absl::Status native = CreateLink(interface, ifindex, XdpMode::kNative);
    if (native.ok()) {
      attachment.mode = XdpMode::kNative;
      return attachment;
    }
    if (absl::IsAlreadyExists(native)) return native;
    if (mode == XdpMode::kNative) {
      return absl::Status(native.code(),
                          absl::StrCat(native.message(), "; use --mode generic or auto, or a ",
                                       "driver and MTU that native XDP can work with"));
    }
    attachment.fallback_reason = std::string(native.message());
  }
  absl::Status generic = CreateLink(interface, ifindex, XdpMode::kGeneric);
  if (!generic.ok()) return generic;
  attachment.mode = XdpMode::kGeneric;
  return attachment;
}

absl::StatusOr<Attachment> XdpLinks::Attach(const std::string& interface, XdpMode mode) {
  auto ifindex = IfIndex(interface);
  if (!ifindex.ok()) return ifindex.status();
  auto pinned = FindPinned(interface, *ifindex);
  if (!pinned.ok()) return pinned.status();

  Attachment attachment;
  attachment.interface = interface;
  attachment.ifindex = *ifindex;
  if (*pinned && (mode == XdpMode::kAuto || mode == **pinned)) {
    attachment.mode = **pinned;
    attachment.adopted = true;
    if (attachment.mode == XdpMode::kGeneric && mode == XdpMode::kAuto) {
      attachment.fallback_reason = "attached in generic mode by an earlier daemon";
    }
  } else {
    // An interface has one mode at a time: the other one has to go first.
    if (*pinned) {
      if (auto status = Detach(*dir_, PinOf(*ifindex)); !status.ok()) return status;
    }
    auto attached = AttachNew(interface, *ifindex, mode);
    if (!attached.ok() && *pinned) {
      if (auto back = CreateLink(interface, *ifindex, **pinned); !back.ok()) return back;
    }
    if (!attached.ok()) return attached.status();
    attachment = *attached;
  }
  std::erase_if(attachments_, [&](const Attachment& a) { return a.ifindex == *ifindex; });
  attachments_.push_back(attachment);
  return attachment;
}

absl::Status XdpLinks::DetachOthers(const std::vector<std::string>& keep) {
  if (auto status = DropDead(); !status.ok()) return status;
  auto names = dir_->List();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    absl::string_view digits = name;
    uint32_t ifindex = 0;
    if (!absl::ConsumePrefix(&digits, kLinkPrefix) || !absl::SimpleAtoi(digits, &ifindex)) continue;
    char interface[IF_NAMESIZE] = "";
    if (if_indextoname(ifindex, interface) != nullptr &&
        std::find(keep.begin(), keep.end(), interface) != keep.end()) {
      continue;
    }
    if (auto status = Detach(*dir_, name); !status.ok()) return status;
    std::erase_if(attachments_, [&](const Attachment& a) { return a.ifindex == ifindex; });
  }
  return absl::OkStatus();
}

absl::Status XdpLinks::DetachAll(const PinDir& dir) {
  auto names = dir.List();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::StartsWith(name, kLinkPrefix)) continue;
    if (auto status = Detach(dir, name); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace evenkeel::dataplane
