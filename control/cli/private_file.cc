// SPDX-License-Identifier: Apache-2.0
#include "control/cli/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "control/cli/cat.h"

namespace evenkeel::cli {
namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Close(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  int get() const { return fd_; }
  // What a full disk may say only now.
  bool Close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || close(fd) == 0;
  }

 private:
  int fd_;
};

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

absl::StatusOr<std::string> ReadBounded(const std::string& path, size_t limit) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return Failed(path, "cannot be opened; check the path and its permissions");
  std::string text;
  char buffer[65536];
  while (true) {
    const ssize_t n = read(fd.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed(path, "cannot be read");
    if (n == 0) return text;
    text.append(buffer, static_cast<size_t>(n));
    if (text.size() > limit) {
      return absl::InvalidArgumentError(Cat(path, ": is too large, at most ", limit, " bytes"));
    }
  }
}

absl::Status WritePrivately(const std::string& path, std::string_view text) {
  std::string temporary = path + ".XXXXXX";
  Fd fd(mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600, whatever the umask
  if (fd.get() < 0) return Failed(path, "cannot be written; check the folder and its permissions");
  if (WriteAll(fd.get(), text) && fsync(fd.get()) == 0 && fd.Close() &&
      rename(temporary.c_str(), path.c_str()) == 0) {
    return absl::OkStatus();
  }
  const absl::Status failed = Failed(path, "cannot be written");
  unlink(temporary.c_str());
  return failed;
}

}  // namespace evenkeel::cli
