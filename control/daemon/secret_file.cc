// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::daemon {

absl::StatusOr<std::string> ReadSecretFile(std::string_view what, const std::string& path) {
  const std::string name = absl::StrCat(std::string(what), " ", path);
  const dataplane::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) return absl::ErrnoToStatus(errno, name);
  if ((info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(name, " is open to group or others: chmod 0600 ", path));
  }
  std::array<char, kMaxSecretBytes> buffer;
  const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
  if (size < 0) return absl::ErrnoToStatus(errno, name);
  return std::string(absl::StripAsciiWhitespace({buffer.data(), static_cast<size_t>(size)}));
}

}  // namespace evenkeel::daemon
