// SPDX-License-Identifier: Apache-2.0
#include "control/model/bounded_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "control/model/text.h"

namespace evenkeel::model {
namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ > STDIN_FILENO) close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// What is read, and how much of it.
struct Source {
  std::string name;
  size_t limit;
  std::string_view too_large;
};

absl::Status TooLarge(const Source& source, const std::string& size) {
  return absl::InvalidArgumentError(absl::StrCat(source.name, ": has ", size, " bytes, at most ",
                                                 source.limit, "; ", Av(source.too_large)));
}

absl::Status CheckKind(const Source& source, int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return absl::ErrnoToStatus(errno, source.name);
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(source.name, ": is a directory; name a file in it"));
  }
  if (S_ISREG(info.st_mode) && static_cast<uint64_t>(info.st_size) > source.limit) {
    return TooLarge(source, absl::StrCat(info.st_size));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadAll(const Source& source, int fd) {
  std::string text;
  char buffer[65536];
  while (true) {
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return absl::ErrnoToStatus(errno, absl::StrCat(source.name, ": cannot be read"));
    if (n == 0) return text;
    text.append(buffer, static_cast<size_t>(n));
    if (text.size() > source.limit) return TooLarge(source, "more");
  }
}

}  // namespace

absl::StatusOr<std::string> ReadBounded(const std::string& path, size_t limit,
                                        std::string_view too_large, bool standard_input) {
  const bool from_input = standard_input && path == "-";
  const Source source{from_input ? "standard input" : path, limit, too_large};
  const Fd fd(from_input ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    const int error = errno;
    const char* remedy = error == ENOENT ? "; check the path" : "; check its permissions";
    return absl::ErrnoToStatus(error, absl::StrCat(source.name, ": cannot be opened", remedy));
  }
  if (absl::Status status = CheckKind(source, fd.get()); !status.ok()) return status;
  return ReadAll(source, fd.get());
}

}  // namespace evenkeel::model
