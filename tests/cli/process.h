// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_CLI_PROCESS_H_
#define EVENKEEL_TESTS_CLI_PROCESS_H_

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace evenkeel::cli {

struct Finished {
  int code = -1;  // -signal where one ended it
  std::string out, err;
  std::chrono::milliseconds took{0};
};

struct Launch {
  std::vector<std::string> args = {};
  std::map<std::string, std::string> env = {};  // beside PATH
  std::string in = {};                          // on standard input, at most a pipe's buffer
  bool on_terminal = false;  // output to a pseudo-terminal; all of it is in `out`
  bool as_nobody = false;    // drops root first
};

// build/bin/evenkeel, run to its end; killed, and a failure of the test, after 20 s. Without a
// daemon where `env` has no EVENKEEL_SOCKET, whatever runs on this host.
Finished RunEvenkeel(const Launch& launch);
// Any program, by its path.
Finished RunProgram(const std::string& path, const Launch& launch);
std::string EvenkeelPath();

// A folder that others may read, removed at the end.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string Path(const std::string& name) const { return (path_ / name).string(); }
  std::string Write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

}  // namespace evenkeel::cli

#endif  // EVENKEEL_TESTS_CLI_PROCESS_H_
