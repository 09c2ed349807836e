// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/unix_listener.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace evenkeel::rpc {
namespace {

constexpr mode_t kSocketMode = 0660;
constexpr mode_t kDirectoryMode = 0750;
constexpr int kBacklog = 128;

absl::StatusOr<sockaddr_un> MakeAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return absl::FailedPreconditionError(
        absl::StrCat("socket path ", path, " has ", path.size(), " bytes, a Unix socket takes 1..",
                     sizeof(address.sun_path) - 1, "; name a shorter one with --socket"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

absl::Status PrepareDirectory(const std::string& path) {
  const std::filesystem::path dir = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (dir.empty() || std::filesystem::exists(dir, error)) return absl::OkStatus();
  std::filesystem::create_directories(dir, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat("directory ", dir.string(), " of the socket"));
  }
  if (::chmod(dir.c_str(), kDirectoryMode) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("chmod 0750 ", dir.string()));
  }
  return absl::OkStatus();
}

int NewSocket() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }

// Ok: the path is free, or holds a socket file that nobody listens on.
absl::Status CheckFree(const std::string& path, const sockaddr_un& address) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::OkStatus() : absl::ErrnoToStatus(errno, path);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " exists and is no socket; it was left as it is, name another with --socket"));
  }
  const int fd = NewSocket();
  if (fd < 0) return absl::ErrnoToStatus(errno, "socket");
  const int rc = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = errno;
  ::close(fd);
  if (rc == 0) {
    return absl::AlreadyExistsError(
        absl::StrCat("another process listens on ", path,
                     "; stop that evenkeeld, or name another socket with --socket"));
  }
  if (error == ECONNREFUSED || error == ENOENT) return absl::OkStatus();
  return absl::ErrnoToStatus(error, absl::StrCat("connecting to ", path));
}

// Bound under another name, given its mode and then renamed: at no moment can somebody connect who
// must not, and a stale file is replaced in one step.
absl::Status BindAndListen(int fd, const std::string& path) {
  const std::string temporary = absl::StrCat(path, ".", ::getpid());
  absl::StatusOr<sockaddr_un> address = MakeAddress(temporary);
  if (!address.ok()) return address.status();
  ::unlink(temporary.c_str());
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("binding ", temporary));
  }
  absl::Status status;
  if (::chmod(temporary.c_str(), kSocketMode) != 0 || ::listen(fd, kBacklog) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = absl::ErrnoToStatus(errno, absl::StrCat("making the socket ", path));
    ::unlink(temporary.c_str());
  }
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<UnixListener>> UnixListener::Listen(const std::string& path) {
  absl::StatusOr<sockaddr_un> address = MakeAddress(path);
  if (!address.ok()) return address.status();
  if (auto status = PrepareDirectory(path); !status.ok()) return status;
  if (auto status = CheckFree(path, *address); !status.ok()) return status;
  const int fd = NewSocket();
  if (fd < 0) return absl::ErrnoToStatus(errno, "socket");
  const int stop_fd = ::eventfd(0, EFD_CLOEXEC);
  if (stop_fd < 0) {
    ::close(fd);
    return absl::ErrnoToStatus(errno, "eventfd");
  }
  std::unique_ptr<UnixListener> listener(new UnixListener(path, fd, stop_fd));
  if (auto status = BindAndListen(fd, path); !status.ok()) return status;
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    listener->device_ = info.st_dev;
    listener->inode_ = info.st_ino;
  }
  return listener;
}

UnixListener::UnixListener(std::string path, int fd, int stop_fd)
    : path_(std::move(path)), fd_(fd), stop_fd_(stop_fd) {}

UnixListener::~UnixListener() {
  Stop();
  ::close(stop_fd_);
}

void UnixListener::Start(std::function<void(int)> on_connection) {
  on_connection_ = std::move(on_connection);
  thread_ = std::thread([this] { AcceptLoop(); });
}

void UnixListener::AcceptLoop() {
  while (true) {
    pollfd fds[] = {{.fd = fd_, .events = POLLIN, .revents = 0},
                    {.fd = stop_fd_, .events = POLLIN, .revents = 0}};
    if (::poll(fds, 2, -1) < 0 && errno != EINTR) {
      spdlog::error("waiting for connections on {}: {}", path_, std::strerror(errno));
      return;
    }
    if (fds[1].revents != 0) return;
    if (fds[0].revents == 0) continue;
    const int connection = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection >= 0) {
      on_connection_(connection);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      // The connection stays in the backlog: wait for somebody to leave instead of spinning.
      spdlog::warn("a connection to {} has to wait: {}", path_, std::strerror(errno));
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
}

void UnixListener::RemoveFile() {
  struct stat info {};
  if (::lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
}

void UnixListener::Stop() {
  if (fd_ < 0) return;
  const uint64_t one = 1;
  if (::write(stop_fd_, &one, sizeof(one)) != sizeof(one)) {
    spdlog::error("stopping the listener: {}", std::strerror(errno));
  }
  if (thread_.joinable()) thread_.join();
  RemoveFile();
  ::close(fd_);
  fd_ = -1;
}

}  // namespace evenkeel::rpc
