// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_SCOPED_NETNS_H_
#define EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_SCOPED_NETNS_H_

#include <string>

#include "control/dataplane/unique_fd.h"

namespace evenkeel::testing {

// A network namespace without a name: it ends with the last process and descriptor in it, however
// the test ends. Loopback is up. Aborts the test program if it cannot be made.
class ScopedNetns {
 public:
  ScopedNetns();

  // The calling thread is in the namespace while the object lives.
  class Entered {
   public:
    explicit Entered(const ScopedNetns& netns);
    ~Entered();
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

   private:
    dataplane::UniqueFd former_;
  };

  // Runs a shell command inside; a failure fails the test with its output.
  void Run(const std::string& command) const;
  // Its standard output.
  std::string Output(const std::string& command) const;
  // A path that `ip link set IF netns PATH` takes.
  std::string path() const;

 private:
  dataplane::UniqueFd fd_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_SCOPED_NETNS_H_
