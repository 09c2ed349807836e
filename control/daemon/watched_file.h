// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_WATCHED_FILE_H_
#define EVENKEEL_CONTROL_DAEMON_WATCHED_FILE_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/engine/watched_input.h"

namespace evenkeel::daemon {

// Sees when a configuration file, or a list that it names, is another one, and reads it once it
// lies still. By stat(2) and not by inotify(7): that also sees what is renamed into place, a
// symbolic link that leads elsewhere (as of a mounted ConfigMap), and network file systems.
class WatchedFile {
 public:
  // How long a file must be unchanged until it counts as written.
  static constexpr std::chrono::seconds kSettle{2};

  explicit WatchedFile(std::string path) : path_(std::move(path)) {}

  // To be called about once a second. Nothing: as it was at the last reading, or being written.
  std::optional<engine::Reading> Look(int64_t steady_ns);

 private:
  // What tells one content from another, of the file and of each list; absent ones have one too.
  struct Mark {
    int error = 0;  // errno of stat
    uint64_t device = 0, inode = 0;
    int64_t bytes = 0, modified_ns = 0, changed_ns = 0;
    uint32_t mode = 0;
    bool operator==(const Mark&) const = default;
  };
  using Marks = std::vector<Mark>;

  static Mark MarkOf(const std::string& path);
  Marks MarkAll() const;
  engine::Reading Read(const Mark& file);

  const std::string path_;
  std::vector<std::string> lists_;  // that it named when it was read last
  std::optional<Marks> read_;       // of the last reading
  std::optional<Marks> seen_;       // at the last look
  int64_t seen_since_ns_ = 0;
};

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_WATCHED_FILE_H_
