// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/pin_dir.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/dataplane/errors.h"

namespace evenkeel::dataplane {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kBpffs = "/sys/fs/bpf";
constexpr absl::string_view kNewSuffix = "_new";

bool IsBpffs(const fs::path& path) {
  struct statfs info {};
  return statfs(path.c_str(), &info) == 0 &&
         static_cast<unsigned long>(info.f_type) == BPF_FS_MAGIC;
}

fs::path NearestExisting(fs::path path) {
  std::error_code error;
  while (!fs::exists(path, error) && path.has_parent_path() && path != path.parent_path()) {
    path = path.parent_path();
  }
  return path;
}

absl::Status EnsureBpffs(const fs::path& path) {
  if (IsBpffs(NearestExisting(path))) return absl::OkStatus();
  const bool below = absl::StartsWith(path.string(), absl::StrCat(kBpffs, "/"));
  if (below && !IsBpffs(std::string(kBpffs))) {
    if (mount("bpf", std::string(kBpffs).c_str(), "bpf", 0, "mode=0700") != 0) {
      return KernelError(errno, absl::StrCat("cannot mount the bpffs at ", kBpffs),
                         absl::StrCat("run `mount -t bpf bpf ", kBpffs, "` as root"));
    }
    if (IsBpffs(NearestExisting(path))) return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("pin directory ", path.string(), " is not on a bpffs; choose one below ", kBpffs,
                   ", or mount one there (`mount -t bpf bpf DIR`)"));
}

absl::Status MakeDirectories(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error)) return absl::OkStatus();
  if (auto made = MakeDirectories(path.parent_path()); !made.ok()) return made;
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  const bool dotted = absl::StrContains(path.filename().string(), '.');
  return KernelError(errno, absl::StrCat("cannot make pin directory ", path.string()),
                     dotted ? "a bpffs takes no names with a dot" : "");
}

// The process that holds the lock, for the error text; 0 if it cannot be told.
int LockHolder(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return 0;
  const std::string inode = absl::StrFormat(":%d", info.st_ino);
  std::ifstream locks("/proc/locks");
  std::string number, type, kind, access, pid, place, rest;
  while (locks >> number >> type >> kind >> access >> pid >> place && std::getline(locks, rest)) {
    if (type == "FLOCK" && absl::EndsWith(place, inode)) return std::atoi(pid.c_str());
  }
  return 0;
}

absl::StatusOr<UniqueFd> LockDirectory(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return KernelError(errno, absl::StrCat("cannot open pin directory ", path));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) {
    return KernelError(errno, absl::StrCat("cannot lock pin directory ", path));
  }
  const int pid = LockHolder(fd.get());
  return absl::FailedPreconditionError(
      absl::StrCat("pin directory ", path, " is in use by another process",
                   pid > 0 ? absl::StrCat(" (pid ", pid, ")") : "",
                   "; stop it, or give this instance a --pin-dir of its own"));
}

}  // namespace

absl::StatusOr<PinDir> PinDir::OpenOrCreate(const std::string& path) {
  if (path.empty() || path.front() != '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("pin directory \"", path, "\" must be an absolute path below a bpffs"));
  }
  const fs::path normal = fs::path(path).lexically_normal();
  if (auto status = EnsureBpffs(normal); !status.ok()) return status;
  if (auto status = MakeDirectories(normal); !status.ok()) return status;
  auto lock = LockDirectory(path);
  if (!lock.ok()) return lock.status();
  return PinDir(path, *std::move(lock));
}

absl::StatusOr<PinDir> PinDir::OpenExisting(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    return absl::NotFoundError(absl::StrCat("no pin directory ", path));
  }
  if (!IsBpffs(path)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not on a bpffs"));
  }
  auto lock = LockDirectory(path);
  if (!lock.ok()) return lock.status();
  return PinDir(path, *std::move(lock));
}

std::string PinDir::PathOf(absl::string_view name) const { return absl::StrCat(path_, "/", name); }

bool PinDir::Has(absl::string_view name) const { return access(PathOf(name).c_str(), F_OK) == 0; }

absl::StatusOr<std::vector<std::string>> PinDir::List() const {
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path_, error)) {
    names.push_back(entry.path().filename().string());
  }
  if (error) return KernelError(error.value(), absl::StrCat("cannot list ", path_));
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<UniqueFd> PinDir::Get(absl::string_view name) const {
  const std::string path = PathOf(name);
  const int fd = bpf_obj_get(path.c_str());
  if (fd < 0) return KernelError(fd, absl::StrCat("cannot open pin ", path));
  return UniqueFd(fd);
}

absl::Status PinDir::Pin(int fd, absl::string_view name) const {
  const std::string path = PathOf(name);
  if (const int err = bpf_obj_pin(fd, path.c_str()); err != 0) {
    return KernelError(err, absl::StrCat("cannot pin ", path));
  }
  return absl::OkStatus();
}

absl::Status PinDir::Replace(int fd, absl::string_view name) const {
  const std::string fresh = absl::StrCat(name, kNewSuffix);
  if (auto status = Unpin(fresh); !status.ok()) return status;  // left by a crash
  if (auto status = Pin(fd, fresh); !status.ok()) return status;
  if (rename(PathOf(fresh).c_str(), PathOf(name).c_str()) != 0) {
    return KernelError(errno, absl::StrCat("cannot replace pin ", PathOf(name)));
  }
  return absl::OkStatus();
}

absl::Status PinDir::Unpin(absl::string_view name) const {
  if (unlink(PathOf(name).c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return KernelError(errno, absl::StrCat("cannot remove pin ", PathOf(name)));
}

absl::Status PinDir::Clear() const {
  if (auto status = Unpin(kMetaPin); !status.ok()) return status;
  auto names = List();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (auto status = Unpin(name); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PinDir::Remove() {
  if (auto status = Clear(); !status.ok()) return status;
  if (rmdir(path_.c_str()) != 0 && errno != ENOENT) {
    return KernelError(errno, absl::StrCat("cannot remove pin directory ", path_));
  }
  return absl::OkStatus();
}

}  // namespace evenkeel::dataplane
