// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/scoped_netns/scoped_pin_dir.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "control/dataplane/kernel_dataplane.h"

namespace evenkeel::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBpffs = "/sys/fs/bpf";

void ReapDead() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(kBpffs, error)) {
    int pid = 0;
    if (std::sscanf(entry.path().filename().c_str(), "evenkeel-test-%d-", &pid) != 1) continue;
    if (kill(pid, 0) == 0 || errno != ESRCH) continue;
    // Another test may be reaping the same one.
    (void)dataplane::KernelDataPlane::Remove(entry.path().string());
  }
}

}  // namespace

ScopedPinDir::ScopedPinDir() {
  static std::atomic<int> count{0};
  ReapDead();
  path_ = std::string(kBpffs) + "/evenkeel-test-" + std::to_string(getpid()) + "-" +
          std::to_string(count++);
}

ScopedPinDir::~ScopedPinDir() {
  const absl::Status removed = dataplane::KernelDataPlane::Remove(path_);
  EXPECT_TRUE(removed.ok()) << removed;
}

}  // namespace evenkeel::testing
