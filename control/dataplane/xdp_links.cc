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

}  // namespace

absl::Status XdpLinks::DropDead() const {
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

absl::StatusOr<std::optional<XdpMode>> XdpLinks::Find(const Interface& interface) const {
  const std::string name = PinOf(interface.index);
  if (!dir_->Has(name)) return std::nullopt;
  auto link = dir_->Get(name);
  if (!link.ok()) return link.status();
  auto info = LinkInfo(link->get(), name);
  if (!info.ok()) return info.status();
  if (info->xdp.ifindex == 0) {  // its interface is gone, and the index went to another
    if (auto status = dir_->Unpin(name); !status.ok()) return status;
    return std::nullopt;
  }
  auto attached = QueryXdp(interface);
  if (!attached.ok()) return attached.status();
  if (!attached->has_value() || (*attached)->id != info->prog_id) {
    return absl::FailedPreconditionError(
        absl::StrCat(dir_->PathOf(name), " is attached to an interface of another network ",
                     "namespace; start the daemon there, or remove that pin"));
  }
  return (*attached)->mode;
}

absl::Status XdpLinks::Create(const Interface& interface, XdpMode mode) const {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = FlagsOf(mode));
  UniqueFd link(bpf_link_create(program_, static_cast<int>(interface.index), BPF_XDP, &options));
  if (link.valid()) return dir_->Pin(link.get(), PinOf(interface.index));
  const int err = -link.get();
  // EEXIST: one is attached in the other mode.
  if (err == EBUSY || err == EEXIST) {
    auto attached = QueryXdp(interface);
    if (!attached.ok()) return attached.status();
    return Occupied(interface, attached->value_or(AttachedProgram{}).id, false);
  }
  return ModeRefused(interface.name, ReadLinkFacts(interface.name), mode, err,
                     DriverReason(program_, interface.index, mode));
}

absl::Status XdpLinks::Remove(const Interface& interface) const {
  return Detach(*dir_, PinOf(interface.index));
}

absl::Status XdpLinks::Update(const Interface& interface, int program, int former) const {
  const std::string name = PinOf(interface.index);
  auto link = dir_->Get(name);
  if (!link.ok()) return link.status();
  LIBBPF_OPTS(bpf_link_update_opts, options, .flags = BPF_F_REPLACE,
              .old_prog_fd = static_cast<uint32_t>(former));
  const int err = bpf_link_update(link->get(), program, &options);
  if (err == 0 || err == -ENOLINK) return absl::OkStatus();
  if (err == -EPERM) {
    return absl::FailedPreconditionError(
        absl::StrCat("somebody else has put another program under the link of ", interface.name,
                     " (`bpftool link show pinned ", dir_->PathOf(name),
                     "`), which is left alone; restart evenkeeld to put its own back"));
  }
  return KernelError(err, absl::StrCat("cannot replace the program on ", interface.name));
}

absl::StatusOr<int> XdpLinks::PutBack() const {
  bpf_prog_info entry{};
  uint32_t size = sizeof(entry);
  if (const int err = bpf_obj_get_info_by_fd(program_, &entry, &size); err != 0) {
    return KernelError(err, "cannot inspect the balancer");
  }
  auto names = dir_->List();
  if (!names.ok()) return names.status();
  int count = 0;
  for (const std::string& name : *names) {
    if (!absl::StartsWith(name, kLinkPrefix)) continue;
    auto link = dir_->Get(name);
    if (!link.ok()) return link.status();
    auto info = LinkInfo(link->get(), name);
    if (!info.ok()) return info.status();
    if (info->xdp.ifindex == 0 || info->prog_id == entry.id) continue;
    const int err = bpf_link_update(link->get(), program_, nullptr);
    if (err != 0 && err != -ENOLINK) {
      return KernelError(err, absl::StrCat("cannot replace the program of ", dir_->PathOf(name)));
    }
    ++count;
  }
  return count;
}

absl::Status XdpLinks::RemoveOthers(const std::vector<std::string>& keep) const {
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
  }
  return absl::OkStatus();
}

absl::Status XdpLinks::RemoveAll(const PinDir& dir) {
  auto names = dir.List();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::StartsWith(name, kLinkPrefix)) continue;
    if (auto status = Detach(dir, name); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace evenkeel::dataplane
