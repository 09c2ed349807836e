// SPDX-License-Identifier: Apache-2.0
#include "control/history/database_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace evenkeel::history {
namespace {

constexpr mode_t kDirectoryMode = 0750;
constexpr mode_t kFileMode = 0640;

}  // namespace

absl::Status Explain(const absl::Status& status, const std::string& path) {
  if (status.ok()) return status;
  std::string remedy;
  switch (status.code()) {
    case absl::StatusCode::kDataLoss:
      remedy = absl::StrCat("move ", path,
                            " away (the kernel goes on forwarding) and start with --config FILE, "
                            "or put a backup in its place");
      break;
    case absl::StatusCode::kPermissionDenied:
      remedy = "make the state directory writable for evenkeeld";
      break;
    case absl::StatusCode::kResourceExhausted:
      remedy = "free space on the state directory's file system";
      break;
    case absl::StatusCode::kUnavailable:
      remedy = "end the other process that holds the database";
      break;
    case absl::StatusCode::kUnknown:
      remedy = "look for the disk's errors in the kernel's log";
      break;
    default:
      break;
  }
  return absl::Status(status.code(), absl::StrCat("history ", path, ": ", status.message(),
                                                  remedy.empty() ? "" : "; ", remedy));
}

absl::Status PrepareDirectory(const std::string& dir) {
  std::error_code error;
  const bool existed = std::filesystem::exists(dir, error);
  std::filesystem::create_directories(dir, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("state directory ", dir,
                                                           " cannot be made; name another with "
                                                           "--state-dir"));
  }
  // An existing directory keeps the mode that its owner chose.
  if (!existed && ::chmod(dir.c_str(), kDirectoryMode) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("chmod 0750 ", dir));
  }
  return absl::OkStatus();
}

absl::Status PrepareFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot be opened for writing");
  absl::Status status;
  if (::fchmod(fd, kFileMode) != 0) status = absl::ErrnoToStatus(errno, "chmod 0640");
  ::close(fd);
  return status;
}

absl::Status Configure(Database* db) {
  if (absl::Status s = db->Execute("PRAGMA journal_mode = WAL"); !s.ok()) return s;
  if (absl::Status s = db->Execute("PRAGMA synchronous = FULL"); !s.ok()) return s;
  return db->Execute("PRAGMA foreign_keys = ON");
}

absl::Status CheckIntegrity(Database* db) {
  absl::StatusOr<std::string> answer = db->QueryText("PRAGMA quick_check(1)");
  if (!answer.ok()) return answer.status();
  return *answer == "ok" ? absl::OkStatus() : absl::DataLossError(*answer);
}

}  // namespace evenkeel::history
