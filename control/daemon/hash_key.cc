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
#include "control/daemon/secret_file.h"

namespace evenkeel::daemon {
namespace {

constexpr mode_t kMode = 0600;

absl::StatusOr<maglev::HashKey> Parse(const std::string& digits, const std::string& path) {
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
  const absl::StatusOr<std::string> text = ReadSecretFile("hash key", path);
  if (absl::IsNotFound(text.status())) return Create(path);
  if (!text.ok()) return text.status();
  return Parse(*text, path);
}

}  // namespace evenkeel::daemon
