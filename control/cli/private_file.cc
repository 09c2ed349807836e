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

}  // namespace evenkeel::cli
