// SPDX-License-Identifier: Apache-2.0
#include "control/cli/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "control/cli/cat.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::cli {
namespace {

absl::Status Failed(const std::string& path, std::string_view what) {
  return absl::ErrnoToStatus(errno, Cat(path, ": ", what));
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

absl::Status WritePrivately(const std::string& path, std::string_view text) {
  std::string temporary = path + ".XXXXXX";
  dataplane::UniqueFd fd(mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600, whatever the umask
  if (!fd.valid()) return Failed(path, "cannot be written; check the folder and its permissions");
  if (WriteAll(fd.get(), text) && fsync(fd.get()) == 0 && close(fd.release()) == 0 &&
      rename(temporary.c_str(), path.c_str()) == 0) {
    return absl::OkStatus();
  }
  const absl::Status failed = Failed(path, "cannot be written");
  unlink(temporary.c_str());
  return failed;
}

absl::StatusOr<dataplane::UniqueFd> CreatePrivately(const std::string& path) {
  struct stat there {};
  if (lstat(path.c_str(), &there) == 0) {
    if (!S_ISREG(there.st_mode) && !S_ISLNK(there.st_mode)) {
      return absl::FailedPreconditionError(
          Cat(path, ": is there, and no file; name another, or write to standard output with -"));
    }
    if (unlink(path.c_str()) != 0) return Failed(path, "cannot be replaced");
  }
  // O_EXCL follows no link, not even one that came meanwhile.
  dataplane::UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) return Failed(path, "cannot be made; check the folder and its permissions");
  return fd;
}

absl::Status WriteTo(const std::string& path, const dataplane::UniqueFd& file,
                     std::string_view bytes) {
  if (WriteAll(file.get(), bytes)) return absl::OkStatus();
  return Failed(path, "cannot be written; is the disk full?");
}

absl::Status ClosePrivately(const std::string& path, dataplane::UniqueFd file) {
  if (fsync(file.get()) == 0 && close(file.release()) == 0) return absl::OkStatus();
  return Failed(path, "cannot be written; is the disk full?");
}

}  // namespace evenkeel::cli
