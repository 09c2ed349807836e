// SPDX-License-Identifier: Apache-2.0
//
// Child processes that do not outlive the test.
#ifndef EVENKEEL_TESTS_HARNESS_NETNS_LAB_PROCESS_H_
#define EVENKEEL_TESTS_HARNESS_NETNS_LAB_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace evenkeel::testing {

using Argv = std::vector<std::string>;

// What a command did. Signals are reported as 128 + number, as shells do.
struct CommandResult {
  int exit_code = -1;
  std::string out;
  std::string err;

  bool ok() const { return exit_code == 0; }
};
// For failure messages of GoogleTest.
std::ostream& operator<<(std::ostream& stream, const CommandResult& result);

// Runs to the end. A command that cannot be started has exit code 127.
CommandResult RunCommand(const Argv& argv);

// Runs in the background; killed by the destructor, and by the kernel if the test dies.
class Process {
 public:
  explicit Process(const Argv& argv);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  CommandResult Wait();  // to its end; once

 private:
  pid_t pid_ = -1;
  int out_ = -1;  // temporary files: a full pipe must not stop the process
  int err_ = -1;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_NETNS_LAB_PROCESS_H_
