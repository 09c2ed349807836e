// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/hash_key.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace evenkeel::daemon {
namespace {

constexpr mode_t kMode = 0600;

absl::StatusOr<maglev::HashKey> Parse(const std::string& text, const std::string& path) {
  const std::string digits(absl::StripAsciiWhitespace(text));
  maglev::HashKey key{};
  const bool hex = std::all_of(digits.begin(), digits.end(),
                               [](unsigned char c) { return absl::ascii_isxdigit(c); });
  if (digits.size() != 2 * key.size() || !hex) {
    return absl::InvalidArgumentError(
        absl::StrCat("hash key ", path,
                     " does not hold 32 hexadecimal digits; copy the fleet's "
                     "file here, or remove it to have a new one made"));
  }
  const std::string bytes = absl::HexStringToBytes(digits);
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

absl::StatusOr<maglev::HashKey> Read(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return absl::ErrnoToStatus(errno, path);
  if ((info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("hash key ", path,
                     " is open to group or others; who knows it can choose his "
                     "server: chmod 0600 ",
                     path));
  }
  std::array<char, 256> buffer;
  const ssize_t size = ::read(fd, buffer.data(), buffer.size());
  if (size < 0) return absl::ErrnoToStatus(errno, absl::StrCat("reading hash key ", path));
  return Parse(std::string(buffer.data(), static_cast<size_t>(size)), path);
}

// Written under another name and then linked: a half-written key never stands at `path`, and one
// that appeared meanwhile is not replaced.
absl::Status Write(const std::string& text, const std::string& path) {
  const std::string temporary = absl::StrCat(path, ".", ::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("making hash key ", path));
  absl::Status status;
  if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(fd) != 0) {
    status = absl::ErrnoToStatus(errno, absl::StrCat("writing hash key ", path));
  }
  ::close(fd);
  if (status.ok() && ::link(temporary.c_str(), path.c_str()) != 0) {
    status = absl::ErrnoToStatus(errno, absl::StrCat("making hash key ", path));
  }
  ::unlink(temporary.c_str());
  return status;
}

absl::StatusOr<maglev::HashKey> Create(const std::string& path) {
  maglev::HashKey key{};
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
    return absl::ErrnoToStatus(errno, "getrandom");
  }
  const std::string text =
      absl::BytesToHexString(std::string(reinterpret_cast<const char*>(key.data()), key.size()));
  if (auto status = Write(text + "\n", path); !status.ok()) return status;
  return key;
}

}  // namespace

absl::StatusOr<maglev::HashKey> LoadOrCreateHashKey(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return Create(path);
    return absl::ErrnoToStatus(errno, absl::StrCat("opening hash key ", path));
  }
  absl::StatusOr<maglev::HashKey> key = Read(fd, path);
  ::close(fd);
  return key;
}

}  // namespace evenkeel::daemon
