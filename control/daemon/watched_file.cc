// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/watched_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "control/model/config_file.h"

namespace evenkeel::daemon {
namespace {

int64_t Nanoseconds(const timespec& time) {
  return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
}

engine::Reading Unreadable(std::string problem) {
  engine::Reading reading;
  reading.problem = std::move(problem);
  return reading;
}

}  // namespace

WatchedFile::Mark WatchedFile::MarkOf(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {.error = errno};
  return {.error = 0,
          .device = info.st_dev,
          .inode = info.st_ino,
          .bytes = info.st_size,
          .modified_ns = Nanoseconds(info.st_mtim),
          .changed_ns = Nanoseconds(info.st_ctim),
          .mode = info.st_mode};
}

WatchedFile::Marks WatchedFile::MarkAll() const {
  Marks marks = {MarkOf(path_)};
  for (const std::string& list : lists_) marks.push_back(MarkOf(list));
  return marks;
}

std::optional<engine::Reading> WatchedFile::Look(int64_t steady_ns) {
  Marks marks = MarkAll();
  if (marks == read_) return std::nullopt;
  if (marks != seen_) {
    seen_ = std::move(marks);
    seen_since_ns_ = steady_ns;
    return std::nullopt;
  }
  if (steady_ns - seen_since_ns_ < std::chrono::nanoseconds(kSettle).count()) return std::nullopt;
  const std::vector<std::string> lists = lists_;
  engine::Reading reading = Read(marks[0]);
  // Lists that it names for the first time must lie still, too; and all that was read, meanwhile.
  if (lists_ != lists || MarkAll() != marks) {
    seen_.reset();
    return std::nullopt;
  }
  read_ = std::move(marks);
  return reading;
}

engine::Reading WatchedFile::Read(const Mark& file) {
  lists_.clear();
  if (file.error == ENOENT) {
    return Unreadable("there is no such file; what is absent is not deleted: put it back");
  }
  if (file.error == 0 && !S_ISREG(file.mode)) {
    return Unreadable("it is not a regular file; name one with --watch");
  }
  if (file.error == 0 && (file.mode & S_IWOTH) != 0) {
    return Unreadable(absl::StrCat("everybody may write to it; chmod o-w ", path_));
  }
  const absl::StatusOr<std::string> text = model::ReadConfigText(path_);
  if (!text.ok()) return Unreadable(std::string(text.status().message()));
  const model::ListReader read_list = model::ListsBeside(path_);
  engine::Reading reading;
  reading.cut_off = text->empty() || text->back() != '\n';
  reading.parsed = model::ParseYaml(*text, path_, [&](const std::string& name) {
    lists_.push_back((std::filesystem::path(path_).parent_path() / name).string());
    return read_list(name);
  });
  return reading;
}

}  // namespace evenkeel::daemon
