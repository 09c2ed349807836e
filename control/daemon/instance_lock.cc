// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/instance_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace evenkeel::daemon {
namespace {

absl::Status MakeDirectory(const std::string& dir) {
  std::error_code error;
  if (std::filesystem::is_directory(dir, error)) return absl::OkStatus();
  std::filesystem::create_directories(dir, error);
  if (error) {
    return absl::ErrnoToStatus(
        error.value(),
        absl::StrCat("state directory ", dir, " cannot be made; name another with --state-dir"));
  }
  if (::chmod(dir.c_str(), 0750) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("chmod 0750 ", dir));
  }
  return absl::OkStatus();
}

absl::Status CannotWrite(int error, const std::string& path) {
  const absl::Status status = absl::ErrnoToStatus(error, absl::StrCat("writing ", path));
  const char* remedy = error == ENOSPC || error == EDQUOT
                           ? "free space on the state directory's file system"
                           : "make the state directory writable for evenkeeld";
  return absl::Status(status.code(), absl::StrCat(status.message(), "; ", remedy,
                                                  " (the kernel goes on forwarding)"));
}

std::string Holder(int fd) {
  std::array<char, 32> buffer;
  const ssize_t size = ::pread(fd, buffer.data(), buffer.size(), 0);
  if (size <= 0) return "another process";
  const std::string text(buffer.data(), static_cast<size_t>(size));
  return absl::StrCat("evenkeeld with pid ", std::string(absl::StripAsciiWhitespace(text)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<InstanceLock>> InstanceLock::Take(const std::string& state_dir) {
  if (auto status = MakeDirectory(state_dir); !status.ok()) return status;
  const std::string path = absl::StrCat(state_dir, "/lock");
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return CannotWrite(errno, path);
  std::unique_ptr<InstanceLock> lock(new InstanceLock(fd));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, absl::StrCat("locking ", path));
    return absl::AlreadyExistsError(
        absl::StrCat(Holder(fd), " uses the state directory ", state_dir,
                     "; stop it, or name another instance, state directory and socket"));
  }
  const std::string pid = absl::StrCat(::getpid(), "\n");
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return CannotWrite(errno, path);
  }
  return lock;
}

InstanceLock::~InstanceLock() { ::close(fd_); }

}  // namespace evenkeel::daemon
