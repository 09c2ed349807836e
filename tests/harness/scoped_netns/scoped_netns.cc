// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/scoped_netns/scoped_netns.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

namespace evenkeel::testing {
namespace {

constexpr const char* kOwnNetns = "/proc/thread-self/ns/net";

void Require(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::abort();
}

int RunShell(const std::string& command, std::string& output) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  Require(pipe != nullptr, "popen");
  char buffer[4096];
  while (const size_t n = fread(buffer, 1, sizeof(buffer), pipe)) output.append(buffer, n);
  return pclose(pipe);
}

}  // namespace

ScopedNetns::ScopedNetns() {
  // In a thread of its own, so that the caller stays where it is.
  std::thread([this] {
    Require(unshare(CLONE_NEWNET) == 0, "unshare(CLONE_NEWNET)");
    fd_ = dataplane::UniqueFd(open(kOwnNetns, O_RDONLY | O_CLOEXEC));
    Require(fd_.valid(), kOwnNetns);
  }).join();
  Run("ip link set lo up");
}

ScopedNetns::Entered::Entered(const ScopedNetns& netns)
    : former_(open(kOwnNetns, O_RDONLY | O_CLOEXEC)) {
  Require(former_.valid(), kOwnNetns);
  Require(setns(netns.fd_.get(), CLONE_NEWNET) == 0, "setns");
}

ScopedNetns::Entered::~Entered() { Require(setns(former_.get(), CLONE_NEWNET) == 0, "setns"); }

void ScopedNetns::Run(const std::string& command) const {
  const Entered entered(*this);
  std::string output;
  const int status = RunShell(command, output);
  EXPECT_EQ(status, 0) << command << "\n" << output;
}

std::string ScopedNetns::Output(const std::string& command) const {
  const Entered entered(*this);
  std::string output;
  RunShell(command, output);
  return output;
}

std::string ScopedNetns::path() const {
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd_.get());
}

}  // namespace evenkeel::testing
