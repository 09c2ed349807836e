// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_SCOPED_PIN_DIR_H_
#define EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_SCOPED_PIN_DIR_H_

#include <string>

namespace evenkeel::testing {

// A pin directory of its own, /sys/fs/bpf/evenkeel-test-<pid>-<n>: removed at the end, and after a
// crash by the next test that makes one.
class ScopedPinDir {
 public:
  ScopedPinDir();
  ~ScopedPinDir();
  ScopedPinDir(const ScopedPinDir&) = delete;
  ScopedPinDir& operator=(const ScopedPinDir&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_SCOPED_PIN_DIR_H_
