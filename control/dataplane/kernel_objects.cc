// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/kernel_objects.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
// After the ABI: the skeleton's read-only data is of its types.
#include "bpf/balancer.skel.h"
#include "control/dataplane/errors.h"
#include "control/dataplane/kernel_features.h"
#include "control/dataplane/libbpf_log.h"
#include "control/dataplane/pinned_meta.h"
#include "control/dataplane/skeleton.h"

namespace evenkeel::dataplane {
namespace {

absl::StatusOr<UniqueFd> Duplicate(int fd) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return KernelError(errno, "cannot duplicate a file descriptor");
  return copy;
}

// Opens the built-in programs and loads them, with new maps or, where `existing` is given, over it.
absl::StatusOr<Skeleton> Load(const KernelOptions& options, const KernelObjects* existing) {
  LibbpfLog log;
  auto skeleton = OpenSkeleton(options, existing);
  if (!skeleton.ok()) return skeleton.status();
  if (const int err = ek_balancer__load(skeleton->get()); err != 0) {
    const std::string what = absl::StrCat("the kernel did not load the program (", log.Tail(), ")");
    // Without the privilege, probing says nothing. The verifier's own answer is EACCES.
    if (err == -EPERM) return KernelError(err, what);
    return KernelError(err, what, ExplainRefusal(ProbeKernel((*skeleton)->obj)));
  }
  return skeleton;
}

absl::StatusOr<bool> SameProgram(int a, int b) {
  auto tag_a = ProgramTag(a);
  if (!tag_a.ok()) return tag_a.status();
  auto tag_b = ProgramTag(b);
  if (!tag_b.ok()) return tag_b.status();
  return *tag_a == *tag_b;
}

absl::StatusOr<KernelObjects> Create(const PinDir& dir, const KernelOptions& options) {
  // What a daemon that was killed here left behind; nothing is attached before `meta` exists.
  if (auto status = dir.Clear(); !status.ok()) return status;
  auto skeleton = Load(options, nullptr);
  if (!skeleton.ok()) return skeleton.status();
  KernelObjects objects;
  for (size_t i = 0; i < kMapNames.size(); ++i) {
    bpf_map* map = bpf_object__find_map_by_name((*skeleton)->obj, kMapNames[i].data());
    if (map == nullptr) return absl::InternalError(absl::StrCat("no map ", kMapNames[i]));
    auto fd = Duplicate(bpf_map__fd(map));
    if (!fd.ok()) return fd.status();
    objects.maps[i] = *std::move(fd);
    if (auto s = dir.Pin(objects.maps[i].get(), MapPin(static_cast<MapId>(i))); !s.ok()) return s;
  }
  auto entry = Duplicate(bpf_program__fd((*skeleton)->progs.ek_balancer));
  if (!entry.ok()) return entry.status();
  auto verify = Duplicate(bpf_program__fd((*skeleton)->progs.ek_verify));
  if (!verify.ok()) return verify.status();
  objects.entry = *std::move(entry);
  objects.verify = *std::move(verify);
  if (auto s = dir.Pin(objects.entry.get(), kEntryPin); !s.ok()) return s;
  if (auto s = dir.Pin(objects.verify.get(), kVerifyPin); !s.ok()) return s;
  if (auto s = WriteMeta(dir, MetaOf(options)); !s.ok()) return s;
  return objects;
}

absl::Status UpdateLinks(const PinDir& dir, int program) {
  auto names = dir.List();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::StartsWith(name, kLinkPrefix)) continue;
    auto link = dir.Get(name);
    if (!link.ok()) return link.status();
    const int err = bpf_link_update(link->get(), program, nullptr);
    // ENOLINK: the interface is gone; the pin is dropped when links are opened.
    if (err != 0 && err != -ENOLINK) {
      return KernelError(err, absl::StrCat("cannot replace the program of ", dir.PathOf(name)));
    }
  }
  return absl::OkStatus();
}

// Puts this build's programs in the place of pinned ones of another build. The entry pin comes
// last: after a crash half-way it still differs, and the next start does all of it again.
absl::Status Upgrade(const PinDir& dir, const KernelOptions& options, KernelObjects& objects) {
  auto skeleton = Load(options, &objects);
  if (!skeleton.ok()) return skeleton.status();
  const int entry = bpf_program__fd((*skeleton)->progs.ek_balancer);
  const int verify = bpf_program__fd((*skeleton)->progs.ek_verify);
  auto same_entry = SameProgram(entry, objects.entry.get());
  if (!same_entry.ok()) return same_entry.status();
  auto same_verify = SameProgram(verify, objects.verify.get());
  if (!same_verify.ok()) return same_verify.status();
  if (*same_entry && *same_verify) return absl::OkStatus();

  if (auto s = UpdateLinks(dir, entry); !s.ok()) return s;
  if (auto s = dir.Replace(verify, kVerifyPin); !s.ok()) return s;
  if (auto s = dir.Replace(entry, kEntryPin); !s.ok()) return s;
  auto entry_copy = Duplicate(entry);
  if (!entry_copy.ok()) return entry_copy.status();
  auto verify_copy = Duplicate(verify);
  if (!verify_copy.ok()) return verify_copy.status();
  objects.entry = *std::move(entry_copy);
  objects.verify = *std::move(verify_copy);
  objects.upgraded = true;
  return absl::OkStatus();
}

absl::StatusOr<KernelObjects> Adopt(const PinDir& dir, const KernelOptions& options) {
  auto meta = ReadMeta(dir);
  if (!meta.ok()) return meta.status();
  if (auto s = CheckMeta(dir, *meta, MetaOf(options)); !s.ok()) return s;
  KernelObjects objects;
  objects.adopted = true;
  for (size_t i = 0; i < kMapNames.size(); ++i) {
    auto map = dir.Get(MapPin(static_cast<MapId>(i)));
    if (!map.ok()) return map.status();
    objects.maps[i] = *std::move(map);
  }
  auto entry = dir.Get(kEntryPin);
  if (!entry.ok()) return entry.status();
  auto verify = dir.Get(kVerifyPin);
  if (!verify.ok()) return verify.status();
  objects.entry = *std::move(entry);
  objects.verify = *std::move(verify);
  if (auto s = Upgrade(dir, options, objects); !s.ok()) return s;
  return objects;
}

}  // namespace

std::string MapPin(MapId id) {
  return absl::StrCat(kMapPrefix, kMapNames[static_cast<size_t>(id)]);
}

absl::StatusOr<KernelObjects> OpenKernelObjects(const PinDir& dir, const KernelOptions& options) {
  return dir.Has(kMetaPin) ? Adopt(dir, options) : Create(dir, options);
}

}  // namespace evenkeel::dataplane
