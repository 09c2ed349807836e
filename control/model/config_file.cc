// SPDX-License-Identifier: Apache-2.0
#include "control/model/config_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "control/model/yaml.h"

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

absl::Status TooLarge(const std::string& name, const std::string& size) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": has ", size, " bytes, at most ", kMaxConfigBytes,
                   "; is it a configuration, or a list of prefixes? split it if it is"));
}

absl::Status CheckKind(const std::string& name, int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return absl::ErrnoToStatus(errno, name);
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": is a directory; name a configuration file in it"));
  }
  if (S_ISREG(info.st_mode) && static_cast<uint64_t>(info.st_size) > kMaxConfigBytes) {
    return TooLarge(name, absl::StrCat(info.st_size));
  }
  return absl::OkStatus();
}

// At most one byte more than the limit, also from a pipe or a device that never ends.
absl::StatusOr<std::string> ReadLimited(const std::string& name, int fd) {
  std::string text;
  char buffer[65536];
  while (true) {
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return absl::ErrnoToStatus(errno, absl::StrCat(name, ": cannot be read"));
    if (n == 0) return text;
    text.append(buffer, static_cast<size_t>(n));
    if (text.size() > kMaxConfigBytes) return TooLarge(name, "more");
  }
}

absl::StatusOr<std::string> ReadOpened(const std::string& name, int raw) {
  const int error = errno;
  const Fd fd(raw);
  if (fd.get() < 0) {
    const char* remedy = error == ENOENT ? "; check the path" : "; check its permissions";
    return absl::ErrnoToStatus(error, absl::StrCat(name, ": cannot be opened", remedy));
  }
  if (absl::Status status = CheckKind(name, fd.get()); !status.ok()) return status;
  return ReadLimited(name, fd.get());
}

int Open(const std::string& path) { return open(path.c_str(), O_RDONLY | O_CLOEXEC); }

}  // namespace

ListReader ListsBeside(const std::string& path) {
  const size_t slash = path.rfind('/');
  std::string directory = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  return
      [directory = std::move(directory)](const std::string& name) -> absl::StatusOr<std::string> {
        if (name.empty()) return absl::InvalidArgumentError("is empty; write the name of a file");
        const std::string file = name[0] == '/' ? name : directory + name;
        return ReadOpened(file, Open(file));
      };
}

absl::StatusOr<std::string> ReadConfigText(const std::string& path) {
  const bool standard_input = path == "-";
  const std::string name = standard_input ? "standard input" : path;
  if (path.empty())
    return absl::InvalidArgumentError("no file name; write one, or - for standard input");
  absl::StatusOr<std::string> text = ReadOpened(name, standard_input ? STDIN_FILENO : Open(path));
  if (text.ok() && text->empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": is empty; a configuration has vips and pools, and absent does not mean delete"));
  }
  return text;
}

}  // namespace evenkeel::model
